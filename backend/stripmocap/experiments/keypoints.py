"""Measures BlazePose's errors on pictures of the embedded body: the numbers of `training.noise`.

Clips of free motion capture are dressed, put into rooms, filmed, and followed as any footage is;
what is found is compared with what is there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from ..contract.errors import RequestError
from ..contract.skeleton import BLAZEPOSE_NAMES, JOINT_NAMES
from ..people.observations import Person
from ..people.sides import OTHER_SIDE
from ..people.tracking import Detector, follow
from ..training.cameras import seen_by
from ..training.mocap import load_clips
from ..training.noise import KINDS, pulled
from ..training.occlusion import STATES
from ..training.synthetic import straight_at
from ..video.frames import Frame
from .keypoint_noise import LOST_M, Measured, Seen, measure
from .keypoint_scenes import Truth, scenes, stage

Report = Callable[[str, int, int], None]

FRAME_LOST_M = 0.3  # of hips and shoulders: more is somebody else
LEAST_FRAMES = 4
LEAST_SCENES = 5  # with fewer there is nothing to measure
_CORE = [BLAZEPOSE_NAMES.index(f"{side}_{part}") for side in ("left", "right")
         for part in ("shoulder", "hip")]  # fmt: skip


def observe(
    data: Path, *, split: str, count: int, seed: int, detector: Detector, report: Report
) -> list[Seen]:
    """What was seen of `count` scenes, of those whose person was found.

    Raises:
        AssetMissing, AssetCorrupt: there is no motion capture in `data`.
    """
    found = []
    made = scenes(load_clips(data, split), stage(), count=count, seed=seed)
    for number, (truth, frames) in enumerate(made):
        report("scenes", number, count)
        cast = follow(
            frames, detector=detector, report=lambda *_: None, expected_frames=len(frames)
        )
        seen = [each for each in (compared(truth, frames, person, scene=number)
                                  for person in cast.people) if each is not None]  # fmt: skip
        if seen:
            found.append(min(seen, key=_median_error))
    report("scenes", count, count)
    return found


def compared(truth: Truth, frames: list[Frame], person: Person, *, scene: int) -> Seen | None:
    """What was found of `truth`, if `person` is that person."""
    present = {float(time): row for row, time in enumerate(person.times_s)
               if person.presence[row] > 0}  # fmt: skip
    at = [index for index, frame in enumerate(frames) if frame.time_s in present]
    if len(at) < LEAST_FRAMES:
        return None
    rows = [present[frames[index].time_s] for index in at]
    px_per_m = truth.cameras.focal / truth.joints[:, 0, 2].clamp(min=0.1)  # (T,)
    clean = pulled(
        seen_by(truth.landmarks, truth.cameras)[0],
        state=truth.state,
        size=truth.cameras.size,
        px_per_m=px_per_m,
    )
    scale = px_per_m[at, None, None].numpy()
    places = clean[at].numpy()
    found = Seen(
        scene=scene,
        frame=np.array(at),
        step_s=1 / truth.fps,
        residual=(person.keypoints[rows, :, :2] - places) / scale,
        score=person.keypoints[rows, :, 2],
        state=truth.state[at].numpy(),
        rotations=truth.rotations[at].numpy(),
        away=_away(truth)[at],
        apart=(places[:, OTHER_SIDE] - places) / scale,
        guess=person.landmarks3d[rows],
        about=_about_hips(truth.landmarks[at], truth.joints[at, 0]),
    )
    return _without_others(found)


def page(measured: Measured, *, scenes: int, of: int) -> str:
    """The tables, in Markdown."""
    rows = []
    for state, kinds, counts in zip(STATES, measured.table, measured.counts, strict=True):
        for kind, row, count in zip(KINDS, kinds, counts, strict=True):
            sure = 1 / (1 + math.exp(-row.logit))
            rows.append(
                f"| {state} | {kind} | {count} | {row.error_mm:.0f} | {row.tail:.2f} | "
                f"{row.told:.2f} | {sure:.2f} |"
            )
    biases = ", ".join(
        f"{name} {x:.0f}/{y:.0f}/{z:.0f}" for name, (_, (x, y, z)) in measured.bias_mm.items()
    )
    swaps = ", ".join(
        f"{name} {100 * front:.1f} %/{100 * back:.1f} %"
        for name, (front, back) in measured.swaps.items()
    )
    slow = ", ".join(
        f"{name} {100 * share:.0f} % over {seconds:.1f} s"
        for name, (share, seconds) in measured.slow.items()
    )
    table = "\n".join(rows)
    return f"""{scenes} of {of} scenes had their person followed.

| state | landmarks | seen so often | error mm (one axis) | tail | told by the score | usual score |
|---|---|---|---|---|---|---|
{table}

Biases, mm in the axes of the bone, x/y/z: {biases}.

Exchanged (facing the camera/showing the back): {swaps}.

Of an error, a limb's landmarks share {100 * measured.limb_share:.0f} %, all of a person's
{100 * measured.person_share:.0f} %. What changes slowly: {slow}.

Three dimensions: shrunk to {", ".join(f"{each:.2f}" for each in measured.metric.shrinkage)} across,
down and in depth, which leans by {" and ".join(f"{each:.2f}" for each in measured.metric.lean)}
a metre to the right and downwards; errors mm {
        "; ".join(
            f"{kind} " + "/".join(f"{each:.0f}" for each in row)
            for kind, row in zip(KINDS, measured.metric.error_mm, strict=True)
        )
    }.
"""


def measured_of(found: list[Seen]) -> Measured:
    """The numbers of what was found.

    Raises:
        RequestError: too few scenes.
    """
    if len(found) < LEAST_SCENES:
        raise RequestError(
            f"in {len(found)} scenes somebody was found, {LEAST_SCENES} are needed",
            hint="Ask for more scenes.",
        )
    return measure(found)


def _median_error(seen: Seen) -> float:
    """Metres, by whichever names are nearer: who is taken for their mirror image is still found."""
    return float(np.median(_frame_errors(seen, slice(None))))


def _frame_errors(seen: Seen, landmarks: slice | list[int]) -> np.ndarray:
    """(T,) metres."""
    own, other = seen.residual[:, landmarks], (seen.residual - seen.apart)[:, landmarks]
    medians = [np.median(np.linalg.norm(each, axis=-1), axis=1) for each in (own, other)]
    return np.minimum(*medians)


def _without_others(seen: Seen) -> Seen | None:
    """The frames in which it is the person; None if it is somebody else, or hardly ever."""
    mine = _frame_errors(seen, _CORE) < FRAME_LOST_M
    if _median_error(seen) > LOST_M or mine.sum() < LEAST_FRAMES:
        return None
    rows = {
        name: value[mine] for name, value in vars(seen).items() if isinstance(value, np.ndarray)
    }
    return Seen(**{**vars(seen), **rows})


def _away(truth: Truth) -> np.ndarray:
    chest = JOINT_NAMES.index("spine3")
    towards = -torch.nn.functional.normalize(truth.joints[:, chest], dim=1)
    forward = truth.rotations[:, chest, :, 2]
    return (torch.acos((forward * towards).sum(dim=1).clamp(-1, 1)) / math.pi).numpy()


def _about_hips(landmarks: torch.Tensor, pelvis: torch.Tensor) -> np.ndarray:
    """(T, 33, 3) metres about the hips, seen straight at the person."""
    landmarks = straight_at(landmarks, pelvis)
    left, right = (BLAZEPOSE_NAMES.index(f"{side}_hip") for side in ("left", "right"))
    return (landmarks - (landmarks[:, left] + landmarks[:, right])[:, None] / 2).numpy()
