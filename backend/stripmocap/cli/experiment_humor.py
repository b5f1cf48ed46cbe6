"""`stripmocap experiment humor`: the claims of HuMoR's paper, tried on this machine."""

from __future__ import annotations

import argparse

from .. import figures
from ..contract.errors import RequestError
from ..experiments import humor, humor_pages
from ..progress import Progress
from .outputs import check, make_folder, whole


def run(arguments: argparse.Namespace) -> int:
    """Runs the experiment, prints its tables, writes them and the plots; the exit status."""
    for folder in (arguments.data, arguments.videos):
        if folder is not None and not folder.is_dir():
            raise RequestError(f"{folder} is not a folder", hint="Give the folder with the clips.")
    if arguments.markdown is not None:
        check(arguments.markdown, suffixes=(".md",))
    if arguments.plots is not None:
        make_folder(arguments.plots)
        figures.require()
    plan = humor.Plan(
        arguments.data,
        arguments.folder,
        networks={} if arguments.weights is None else {"humor": arguments.weights},
        videos=arguments.videos,
        claims=tuple(arguments.only) or humor.CLAIMS,
        at_most=arguments.at_most,
        split=arguments.split,
        threads=arguments.threads,
    )
    with Progress() as progress:
        findings = humor.run(plan, progress)
    page = humor_pages.page(findings)
    print(page)
    if arguments.markdown is not None:
        with whole(arguments.markdown) as partial:
            partial.write_text(page, encoding="utf-8")
    if arguments.plots is not None:
        humor_pages.draw(findings, arguments.plots)
    return 0
