"""`stripmocap train`: makes the weights that are shipped, from freely usable motion capture."""

from __future__ import annotations

import argparse

from ..contract.errors import RequestError
from ..progress import Progress
from ..training import pose_prior
from .outputs import check


def run(arguments: argparse.Namespace) -> int:
    """Trains and writes the weights and their card; the exit status."""
    if not arguments.data.is_dir():
        raise RequestError(
            f"{arguments.data} is not a folder", hint="Give the folder with the clips."
        )
    check(arguments.output, suffixes=(".safetensors",))
    with Progress() as progress:
        pose_prior.main(arguments.data, arguments.output, seed=arguments.seed, report=progress)
    print(f"Saved {arguments.output} and {arguments.output.with_suffix('.md').name} beside it")
    return 0
