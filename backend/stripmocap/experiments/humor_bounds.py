"""What there is to be had on held-out shots: with nothing hidden, and by the best linear smoother.

Hidden joints are judged again where the same person makes the same errors and no thing is in the
way: what is seen of a limb can hardly tell less than what is hidden. Accelerations are held against
those that Wiener's smoother reads from all joints' places, once these are seen with noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..contract.skeleton import JOINT_NAMES, LIMB_JOINTS
from ..evaluation.best_smoother import Noise, accelerations, covariances, smoothed
from ..training.mocap import FPS, load_clips
from ..training.shots import shot_of
from ..training.standing import standing
from ..training.synthetic import LandmarkBody, embedded_body
from . import humor_takes
from .humor_shots import FloorShot, cut, floor_shots
from .humor_takes import Bench, Chain, Tried
from .vibe_spells import nothing

Report = Callable[[str, int, int], None]

LEARNT, LEARNT_FROM = "train", 150  # clips that tell the smoother how people accelerate
_LAGS = 150
_FRAMES = 100  # of a shot: joints of all frames are read at once
_LIMBS = [JOINT_NAMES.index(name) for name in LIMB_JOINTS]
_SLOW = (0.84, 0.83)  # of landmarks' errors over time (training/noise.py)
# Metres of noise in the picture's plane, and in depth. The first is less than BlazePose has.
NOISES = ((0.025, 0.060), (0.0125, 0.0125), (0.006, 0.006))
SILENT, BEST = "no acceleration", "best linear smoother"


@dataclass(frozen=True)
class Accelerated:
    """Mean errors of limb joints' accelerations, m/s^2."""

    name: str
    whole: float
    in_plane: float  # of the picture
    in_depth: float


@dataclass(frozen=True, eq=False)
class Bounds:
    """What was found of the same shots."""

    hidden: Sequence[Tried] = ()  # takes of shots with spells in which things hide limbs
    seen: Sequence[Tried] = ()  # the same with nothing hidden, judged as if it were
    accelerated: Sequence[Accelerated] = ()


def chains() -> tuple[Chain, ...]:
    """The takes that are held against what there is to be had."""
    return humor_takes.chain("vibe"), humor_takes.chain("vibe", "humor")


def bounds(
    shots: Sequence[FloorShot], data: Path, bench: Bench, report: Report, *, split: str, seed: int
) -> Bounds:
    """What is to be had of `shots`; arguments are those of `uncovered`.

    Raises:
        AssetMissing, AssetCorrupt: the folder holds no such clips.
    """
    body = embedded_body()
    free = uncovered(shots, data, body, split=split, seed=seed)
    learnt = floor_shots(data, body, split=LEARNT, seed=seed, at_most=LEARNT_FROM)
    hidden, seen = [], []
    for done, (shot, clear) in enumerate(zip(shots, free, strict=True)):
        report("bounds", done, len(shots))
        hidden += bench.tried(chains(), shot)
        seen += bench.tried(chains(), clear)
    rows = _accelerated(shots, hidden, bench)
    return Bounds(hidden, seen, [*rows, *_smoothers(shots, learnt)])


def uncovered(
    shots: Sequence[FloorShot], data: Path, body: LandmarkBody, *, split: str, seed: int
) -> list[FloorShot]:
    """The same people before the same cameras with nothing in the way, to be judged as if it were.

    Args:
        shots: of `floor_shots`, with the same folder, body, split and seed.
        data: the folder.
        body: who plays the clips.
        split: of the clips.
        seed: of the shots.
    """
    clips = {each.name: each for each in load_clips(data, split)}
    found = []
    for each in shots:
        clip = standing(cut(clips[each.shot.name]), body, seed=seed)
        found.append(replace(each, shot=shot_of(clip, body, seed=seed, hide=nothing)))
    return found


def _accelerated(
    shots: Sequence[FloorShot], takes: Sequence[Tried], bench: Bench
) -> list[Accelerated]:
    """The rows of standing still, and of each take."""
    goals = {each.shot.name: _limbs(each) for each in shots}
    silent = [np.zeros_like(each) for each in goals.values()]
    rows = [_row(SILENT, silent, list(goals.values()))]
    for name in dict.fromkeys(each.chain for each in takes):
        mine = [each for each in takes if each.chain == name]
        found = [bench.soles.of_motion(each.estimate.motions[0])[0][:, _LIMBS] for each in mine]
        rows.append(_row(name, found, [goals[each.shot] for each in mine]))
    return rows


def _smoothers(shots: Sequence[FloorShot], learnt: Sequence[FloorShot]) -> list[Accelerated]:
    """The rows of the best linear smoother, by noise; it knows how much each shot accelerates."""
    lagged = covariances(
        (accelerations(_limbs(each), fps=FPS).reshape(-1, 3 * len(_LIMBS)) for each in learnt),
        lags=_LAGS,
    )
    goals = [_limbs(each)[:_FRAMES] for each in shots]
    rows = [_row(f"{SILENT}, first {_FRAMES} frames", [0 * each for each in goals], goals)]
    for plane_m, depth_m in NOISES:
        noise = [Noise(each, *_SLOW) for each in (plane_m, plane_m, depth_m)] * len(_LIMBS)
        generator = np.random.default_rng(0)
        errors = []
        for goal in goals:
            places = goal.reshape(len(goal), -1)
            drawn = [each.drawn(len(goal), 1, fps=FPS, generator=generator) for each in noise]
            truth = accelerations(places, fps=FPS)
            found = smoothed(
                places + np.concatenate(drawn, axis=1),
                lagged=lagged,
                loudness=float(np.square(truth).mean()),
                noise=noise,
                fps=FPS,
            )
            errors.append((found - truth).reshape(-1, len(_LIMBS), 3))
        name = f"{BEST}, {1000 * plane_m:.3g} and {1000 * depth_m:.3g} mm"
        rows.append(_of_errors(name, errors))
    return rows


def _limbs(shot: FloorShot) -> np.ndarray:
    """(T, 12, 3) metres, camera axes."""
    return shot.truth.limbs_camera


def _row(name: str, places: Sequence[np.ndarray], goals: Sequence[np.ndarray]) -> Accelerated:
    """Of places (T, 12, 3) where `goals` are true."""
    pairs = zip(places, goals, strict=True)
    return _of_errors(name, [accelerations(one - other, fps=FPS) for one, other in pairs])


def _of_errors(name: str, errors: Sequence[np.ndarray]) -> Accelerated:
    every = np.concatenate([each.reshape(-1, 3) for each in errors])
    return Accelerated(
        name,
        whole=float(np.linalg.norm(every, axis=1).mean()),
        in_plane=float(np.linalg.norm(every[:, :2], axis=1).mean()),
        in_depth=float(np.abs(every[:, 2]).mean()),
    )
