"""`stripmocap train spin`: a regressor with SMPLify in the loop."""

from __future__ import annotations

import argparse

from ..contract.body_file import EMBEDDED_BODY
from ..contract.errors import RequestError
from ..progress import Progress
from ..training import hmr_run, spin_run


def run(arguments: argparse.Namespace) -> int:
    """Trains and writes the weights, their card and the dictionaries of fits; the exit status."""
    if arguments.mocap is not None and not arguments.mocap.is_dir():
        raise RequestError(
            f"{arguments.mocap} is not a folder", hint="Give the folder with the clips."
        )
    order = spin_run.Order(
        output=arguments.output,
        folder=arguments.folder or arguments.output.with_suffix(".training"),
        data=tuple(arguments.data),
        mocap=arguments.mocap,
        images=arguments.images,
        body=arguments.body or EMBEDDED_BODY,
        start=arguments.start,
        solver=arguments.solver,
        fits=arguments.fits,
        samples=arguments.samples,
        known=arguments.known,
        steps=arguments.steps,
        batch=arguments.batch,
        rate=arguments.rate,
        seed=arguments.seed,
        device=hmr_run.best_device(),
    )
    with Progress() as progress:
        found = spin_run.main(order, report=progress)
    print(", ".join(f"{name} {value:.1f}" for name, value in found.items()))
    print(f"Saved {order.output}; the curves are in {order.folder}, the fits in {order.shelf}")
    return 0
