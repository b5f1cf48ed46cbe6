"""`stripmocap train`: makes the weights that are shipped, from freely usable motion capture."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any

from ..contract.errors import Cancelled, RequestError
from ..progress import Progress
from .outputs import check


def run(arguments: argparse.Namespace) -> int:
    """Trains and writes the weights and their card; the exit status."""
    suffixes = (".safetensors", ".pt") if arguments.what == "spin" else (".safetensors",)
    check(arguments.output, suffixes=suffixes)
    try:
        return _run(arguments)
    except Cancelled as stopped:
        if stopped.hint:
            print(f"{stopped.message}. {stopped.hint}", file=sys.stderr)
        raise


def _run(arguments: argparse.Namespace) -> int:
    match arguments.what:
        case "spin":
            # Imported when asked for, as verbs are.
            return importlib.import_module(".train_spin", __package__).run(arguments)
        case "hmr":
            _check_data(arguments.data)
            _train_hmr(arguments)
        case "vibe":
            _check_data(arguments.data)
            _train_vibe(arguments)
        case "humor":
            _check_data(arguments.data)
            _train_humor(arguments)
        case _:
            _check_data(arguments.data)
            _train_prior(arguments)
    print(f"Saved {arguments.output} and {arguments.output.with_suffix('.md').name} beside it")
    return 0


def folder_of(arguments: argparse.Namespace) -> Path:
    """Where the checkpoint and the curves of a training are."""
    return arguments.folder or arguments.output.with_suffix(".training")


def _schooling(arguments: argparse.Namespace) -> dict[str, Any]:
    """What every order to train a network says."""
    return {
        "data": arguments.data,
        "output": arguments.output,
        "folder": folder_of(arguments),
        "steps": arguments.steps,
        "learning_rate": arguments.rate,
        "averaging": arguments.averaging,
        "seed": arguments.seed,
    }


def _check_data(data: Path) -> None:
    if not data.is_dir():
        raise RequestError(f"{data} is not a folder", hint="Give the folder with the clips.")


def _train_prior(arguments: argparse.Namespace) -> None:
    from ..training import pose_prior

    with Progress() as progress:
        pose_prior.main(arguments.data, arguments.output, seed=arguments.seed, report=progress)


def _train_hmr(arguments: argparse.Namespace) -> None:
    from ..training import hmr, hmr_run, losses

    order = hmr_run.Order(
        **_schooling(arguments),
        plan=hmr.Plan(arguments.batch, losses.Weights(critic=arguments.critic)),
        device=arguments.device or hmr_run.best_device(),
        start=arguments.start,
    )
    with Progress() as progress:
        found = hmr_run.main(order, report=progress)
    print(f"Test subjects: PA-MPJPE {found.pa_mpjpe_mm:.1f} mm, MPJPE {found.mpjpe_mm:.1f} mm")
    print(f"The curves are in {order.folder}")


def _train_vibe(arguments: argparse.Namespace) -> None:
    from ..training import hmr_run, vibe, vibe_run

    order = vibe_run.Order(
        **_schooling(arguments),
        start=arguments.start,
        gentle_share=arguments.gentle,
        memory=arguments.memory,
        plan=vibe.Plan(
            arguments.batch, arguments.frames, motion=vibe.MotionWeights(critic=arguments.critic)
        ),
        device=arguments.device or hmr_run.best_device(),
    )
    with Progress() as progress:
        found = vibe_run.main(order, report=progress)
    pa_mpjpe, _, acceleration, _ = found.figures
    print(f"Test subjects: PA-MPJPE {pa_mpjpe:.1f} mm, acceleration error {acceleration:.2f} m/s²")
    print(f"The curves are in {order.folder}")


def _train_humor(arguments: argparse.Namespace) -> None:
    from ..methods.humor.network import Sizes
    from ..training import humor, humor_run

    order = humor_run.Order(
        **_schooling(arguments),
        further_steps=arguments.further_steps,
        pose_steps=arguments.pose_steps,
        plan=humor.Plan(Sizes(hidden=arguments.hidden, coasting=1), people=arguments.batch),
    )
    with Progress() as progress:
        found = humor_run.main(order, report=progress)
    slide = found.imagined.slide_cm_s
    print(f"Test subjects: {found.step_mm:.1f} mm a moment; feet slide {slide:.1f} cm/s in contact")
    print(f"The curves are in {order.folder}")
