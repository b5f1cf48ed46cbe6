"""`stripmocap experiment vibe`: the claims of VIBE's paper, tried on this machine."""

from __future__ import annotations

import argparse

from .. import figures
from ..contract.errors import RequestError
from ..experiments import vibe, vibe_pages
from ..experiments.vibe_arms import Size
from ..methods.hmr.estimate import SHIPPED_SPIN
from ..methods.vibe.estimate import SHIPPED_VIBE
from ..progress import Progress
from .outputs import check, make_folder, whole


def run(arguments: argparse.Namespace) -> int:
    """Runs the experiment, prints its tables, writes them and the plots; the exit status."""
    if not arguments.data.is_dir():
        raise RequestError(
            f"{arguments.data} is not a folder", hint="Give the folder with the clips."
        )
    if arguments.markdown is not None:
        check(arguments.markdown, suffixes=(".md",), sources=(arguments.video,))
    if arguments.plots is not None:
        make_folder(arguments.plots)
        figures.require()
    plan = vibe.Plan(
        arguments.data,
        arguments.folder,
        single=arguments.single or SHIPPED_SPIN,
        temporal=arguments.weights or SHIPPED_VIBE,
        video=arguments.video,
        claims=tuple(arguments.only) or vibe.CLAIMS,
        at_most=arguments.at_most,
        size=Size(steps=arguments.steps, critics=tuple(arguments.critics), seed=arguments.seed),
        threads=arguments.threads,
    )
    with Progress() as progress:
        findings = vibe.run(plan, progress)
    page = vibe_pages.page(findings)
    print(page)
    if arguments.markdown is not None:
        with whole(arguments.markdown) as partial:
            partial.write_text(page, encoding="utf-8")
    if arguments.plots is not None:
        vibe_pages.draw(findings, arguments.plots)
    return 0
