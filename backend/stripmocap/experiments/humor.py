"""`stripmocap experiment humor`: what Rempe et al. (ICCV 2021) claim, tried on this machine.

A prior of motion over a floor keeps feet where they stand and out of the floor, makes motion
steadier, and carries people through spells in which they are hidden; what is seen stays as it was.
Judged are people who were not learnt from, and footage whose truth is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from .. import bodies
from ..evaluation.grounded import Means, means, together
from ..training.held_out import SEED
from ..training.synthetic import embedded_body
from . import humor_bounds, humor_solvers, humor_strips, humor_takes, humor_video
from .humor_bounds import Bounds
from .humor_shots import MOST_S, FloorShot, floor_shots
from .humor_solvers import BRIEF_S, Lowered
from .humor_strips import Row
from .humor_takes import Bench, Chain, Tried
from .humor_video import Film, Filmed

Report = Callable[[str, int, int], None]

CLAIMS = ("takes", "bounds", "ablations", "solvers", "video")
FEW = 4  # shots on which the paper's solver is tried


@dataclass(frozen=True)
class Plan:
    """What is tried, and with what."""

    data: Path  # clips
    folder: Path  # where people are kept who were found in films
    networks: Mapping[str, Path] = field(
        default_factory=dict
    )  # in place of shipped ones, by method
    videos: Path | None = None  # films with truths; None: that claim is left out
    claims: tuple[str, ...] = CLAIMS
    at_most: int | None = None  # test shots; None: all
    base: tuple[str, ...] = ("vibe", "smplify", "humor")  # the chain that is taken apart
    split: str = "test"
    threads: int = 2


@dataclass(frozen=True, eq=False)
class Findings:
    """What the experiment came to; what was not tried is empty."""

    takes: Sequence[Tried] = ()
    bounds: Bounds = field(default_factory=Bounds)
    ablations: Sequence[Tried] = ()
    solvers: Sequence[Lowered] = ()
    films: Sequence[Filmed] = ()
    strips: Mapping[str, np.ndarray] = field(default_factory=dict)  # RGB, by file name


def run(plan: Plan, report: Report) -> Findings:
    """Tries the claims of `plan`.

    Raises:
        AssetMissing, AssetCorrupt: clips or weights are not there, or not what they should be.
        TruthFileError, VideoError: films or their truths cannot be read.
    """
    torch.set_num_threads(plan.threads)
    bench, wanted = Bench(networks=plan.networks), set(plan.claims)
    takes, ablations, solvers, films, strips = [], [], [], [], {}
    bounds, shots = Bounds(), []
    if wanted & {"takes", "ablations", "bounds"}:
        shots = _shots(plan, at_most=plan.at_most, seconds=MOST_S)
    if wanted & {"takes", "ablations"}:
        takes, ablations = _both(plan, bench, shots, report, wanted=wanted)
        strips = _strips(shots, takes)
    if "bounds" in wanted:
        bounds = humor_bounds.bounds(shots, plan.data, bench, report, split=plan.split, seed=SEED)
    shown: Sequence[Film] = ()
    if wanted & {"solvers", "video"} and plan.videos is not None:
        shown = humor_video.films(plan.videos, plan.folder, report)
    if "solvers" in wanted:
        few = _shots(plan, at_most=min(plan.at_most or FEW, FEW), seconds=BRIEF_S)
        solvers = humor_solvers.lowered(plan.base, few, films=shown, bench=bench, report=report)
    if "video" in wanted:
        for done, film in enumerate(shown):
            report("films", done, len(shown))
            films += humor_video.tried(humor_takes.takes(), film, bench)
    return Findings(takes, bounds, ablations, solvers, films, strips)


def averaged(found: Sequence[Tried]) -> dict[str, Means]:
    """The means of each chain over all shots, each value counting the same."""
    return {
        name: means(together([each.found for each in found if each.chain == name]))
        for name in dict.fromkeys(each.chain for each in found)
    }


def by_kind(found: Sequence[Tried]) -> dict[str, dict[str, Means]]:
    """The same of each kind of motion, the commonest first."""
    kinds: dict[str, list[Tried]] = {}
    for each in found:
        kinds.setdefault(each.kind, []).append(each)
    ordered = sorted(kinds, key=lambda kind: -sum(each.found.pa_mm.size for each in kinds[kind]))
    return {kind: averaged(kinds[kind]) for kind in ordered}


def _shots(plan: Plan, *, at_most: int | None, seconds: float) -> list[FloorShot]:
    body = embedded_body()
    return floor_shots(
        plan.data, body, split=plan.split, seed=SEED, at_most=at_most, seconds=seconds
    )


def _both(
    plan: Plan, bench: Bench, shots: Sequence[FloorShot], report: Report, *, wanted: set[str]
) -> tuple[list[Tried], list[Tried]]:
    """Takes and ablations, which share what stands before the refiner."""
    takes = humor_takes.takes() if "takes" in wanted else ()
    apart = humor_takes.ablations(plan.base) if "ablations" in wanted else ()
    found = _all((*takes, *apart), shots, bench, report, what="takes")
    names = [each.name for each in takes]
    count = len(names) + len(apart)
    rows = [found[first : first + count] for first in range(0, len(found), count)]
    first = [each for row in rows for each in row[: len(names)]]
    return first, [each for row in rows for each in row[len(names) :]]


def _strips(shots: Sequence[FloorShot], takes: Sequence[Tried]) -> dict[str, np.ndarray]:
    """Pictures of somebody who walks, if any shot is of that."""
    if not takes:
        return {}
    shot = next((each for each in shots if "walk" in each.shot.kind), shots[0])
    rows = {
        each.chain: Row(each.estimate.motions[0], each.estimate.camera)
        for each in takes
        if each.shot == shot.shot.name
    }
    return humor_strips.pictured(shot, rows, template=bodies.embedded("neutral"))


def _all(
    chains: Sequence[Chain],
    shots: Sequence[FloorShot],
    bench: Bench,
    report: Report,
    *,
    what: str,
) -> list[Tried]:
    found: list[Tried] = []
    for done, shot in enumerate(shots):
        report(what, done, len(shots))
        found += bench.tried(chains, shot)
    return found
