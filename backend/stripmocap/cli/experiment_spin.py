"""`stripmocap experiment spin`: the claims of SPIN's paper, tried on this machine."""

from __future__ import annotations

import argparse

from ..contract.errors import RequestError
from ..experiments import spin
from ..experiments.spin_arms import Plan
from ..methods.hmr.weights import load_keypoint_network
from ..progress import Progress
from .outputs import check, make_folder, whole


def run(arguments: argparse.Namespace) -> int:
    """Runs the experiment, prints its tables, writes them and the plots; the exit status."""
    if not arguments.data.is_dir():
        raise RequestError(
            f"{arguments.data} is not a folder", hint="Give the folder with the clips."
        )
    if arguments.markdown is not None:
        check(arguments.markdown, suffixes=(".md",))
    if arguments.plots is not None:
        make_folder(arguments.plots)
    network = load_keypoint_network(arguments.weights)
    plan = Plan(
        arguments.data,
        arguments.folder,
        people=arguments.people,
        pose=arguments.rotations,
        seed=arguments.seed,
    )
    with Progress() as progress:
        findings = spin.run(plan, network, progress)
    page = spin.page(findings)
    print(page)
    if arguments.markdown is not None:
        with whole(arguments.markdown) as partial:
            partial.write_text(page, encoding="utf-8")
    if arguments.plots is not None:
        spin.draw(findings, arguments.plots)
    return 0
