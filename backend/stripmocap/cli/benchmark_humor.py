"""`stripmocap benchmark humor`: the paper's objective against time, by three solvers."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import bodies, figures
from ..contract.errors import RequestError
from ..contract.motion import Camera
from ..evaluation import humor_speed
from ..evaluation.humor_published_way import Mesh
from ..evaluation.humor_speed import Curves, Step
from ..experiments import humor_shots, humor_takes
from ..experiments.humor_shots import FloorShot
from ..methods.humor.figure import Figure
from ..methods.humor.objective import Priors
from ..methods.humor.own_weights import load_own_priors
from ..methods.humor.paper import Schedule
from ..methods.humor.refine import SHIPPED_HUMOR
from ..progress import Progress
from ..training.held_out import SEED
from ..training.mocap import FPS, load_clips
from ..training.synthetic import embedded_body
from .outputs import check, whole

_CHAIN = humor_takes.chain("vibe", "smplify", "humor")


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Seconds and the objective's values of each solver; draws them where asked.

    Raises:
        RequestError: no clip is long enough, or the share is out of bounds.
        AssetMissing, AssetCorrupt: clips or weights are not there, or not what they should be.
    """
    if not 0 < arguments.share <= 1:
        raise RequestError(f"the share of steps is {arguments.share}", hint="Give 0 to 1.")
    if arguments.plot is not None:
        check(arguments.plot, suffixes=(".png",))
        figures.require()
    shot = _shot(arguments.data, arguments.frames)
    prior, template = arguments.weights or SHIPPED_HUMOR, bodies.embedded("neutral")
    steps, camera, clock_s = _refined(shot, prior)
    problem = humor_speed.problem_of(
        shot.shot.person(),
        camera,
        figure=Figure.of_blazepose(template),
        priors=_priors(prior),
    )
    with Progress() as progress:
        curves = humor_speed.compare(
            problem,
            Mesh.from_template(template),
            steps,
            report=progress,
            schedule=_schedule(arguments.share),
        )
    if arguments.plot is not None:
        _draw(curves, arguments.plot)
    return {
        "frames": arguments.frames,
        "refinement_s": {"clock": clock_s, "processors": steps[-1].seconds},
        **curves.to_json(),
    }


def _shot(data: Path, frames: int) -> FloorShot:
    """The first frames of somebody who walks, if any clip is of that."""
    long = [
        each for each in load_clips(data, "test") if each.feet_ok and len(each.pelvis) >= frames
    ]
    if not long:
        raise RequestError(f"no clip in {data} has {frames} frames", hint="Ask for fewer.")
    clip = next((each for each in long if "walk" in each.kind), long[0])
    clip = humor_shots.cut(clip, seconds=frames / FPS)
    return humor_shots.floor_shot(clip, embedded_body(), seed=SEED)


def _refined(shot: FloorShot, prior: Path) -> tuple[list[Step], Camera, float]:
    """What each method of the chain makes, the last one's camera, and its seconds by the clock."""
    bench, made = humor_takes.Bench(networks={"humor": prior}), {}
    people, steps, camera, clock_s = [shot.shot.person()], [], shot.camera, 0.0
    bench.made(_CHAIN.steps, people, shot.camera, {})  # so that nothing is read or set up later
    for count in range(1, len(_CHAIN.steps) + 1):
        began = time.perf_counter()
        estimate, seconds = bench.made(_CHAIN.steps[:count], people, shot.camera, made)
        clock_s = time.perf_counter() - began
        steps.append(Step(estimate.motions[0], seconds))
        camera = estimate.camera
    return steps, camera, clock_s


def _priors(prior: Path) -> Priors:
    pose, first = humor_takes.made_with(prior).values()
    return load_own_priors(prior, pose, first=first)


def _schedule(share: float) -> Schedule:
    full = Schedule()
    return replace(
        full, **{name: round(share * getattr(full, name)) for name in humor_speed.STAGES}
    )


def _draw(curves: Curves, path: Path) -> None:
    figure = figures.empty(6.4, 4.0, dpi=100)
    axes = figure.subplots()
    for name, points in curves.curves.items():
        axes.step(
            [each.seconds for each in points],
            [each.value for each in points],
            where="post",
            marker=".",
            label=name,
        )
    axes.set(xscale="log", yscale="log", xlabel="processor s", ylabel="the paper's objective")
    axes.legend()
    with whole(path) as partial:
        figure.savefig(partial, format="png")
