"""How far bodies read from test shots are from the truth, frame by frame: what claims are made of.

Read is what the detector would report of a shot; nothing but the pose is judged, so where a body
stands does not matter here. Errors are those of `training/held_out_motion.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..contract.motion import Camera
from ..methods.hmr import estimate as single
from ..methods.hmr.frames import PerFrame, between
from ..methods.hmr.keypoint_network import KeypointNetwork
from ..methods.vibe import estimate as temporal
from ..methods.vibe.keypoint_network import TemporalNetwork
from ..people.observations import Person
from ..training.held_out_motion import ACCELERATION, MPJPE, PA_MPJPE, sequence_errors
from ..training.shots import Shot
from ..training.synthetic import LandmarkBody, Samples

Read = Callable[[Person, Camera], PerFrame]  # a way to get from keypoints over time to bodies

PER_FRAME, TEMPORAL = "per frame", "over time"
_CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class Errors:
    """How far bodies of T frames are from the truth."""

    kind: str  # of motion
    pa_mm: Tensor  # (T,) mean distance after each frame's best similarity
    mpjpe_mm: Tensor  # (T,) mean distance about the middle of the hips
    accel: Tensor  # (T,) m/s^2, mean difference of accelerations; NaN in the first and last frame


@dataclass(frozen=True)
class Means:
    """The means over frames that count."""

    pa_mm: float
    mpjpe_mm: float
    accel: float  # m/s^2
    frames: int


def per_frame(network: KeypointNetwork) -> Read:
    """Each frame by itself, frames in which nobody is seen turned between the others."""

    def read(person: Person, camera: Camera) -> PerFrame:
        found = single.looked_at(person, camera, network, device=_CPU)
        seen = found.seen if found.seen.any() else torch.ones_like(found.seen)
        rotmat = between(found.rotmat, seen, torch.tensor(person.times_s))
        return PerFrame(rotmat, found.betas, found.seen)

    return read


def over_time(network: TemporalNetwork) -> Read:
    """All frames together."""
    return lambda person, camera: temporal.looked_at(person, camera, network, device=_CPU)


def errors_of(
    read: Read, shot: Shot, *, body: LandmarkBody, person: Person | None = None
) -> Errors:
    """What `read` makes of a shot, against the truth.

    Args:
        read: from keypoints to bodies.
        shot: with the truth.
        body: on the CPU.
        person: what is reported of the shot; None: its own.
    """
    found = read(person or shot.person(), camera_of(shot))
    return errors(found.rotmat, found.betas, shot.samples, body=body, kind=shot.kind)


def camera_of(shot: Shot) -> Camera:
    """The camera as the program would believe it."""
    return Camera(float(shot.samples.focal[0]), shot.samples.center[0].numpy(), shot.size_px)


@torch.no_grad()
def errors(
    rotmat: Tensor, betas: Tensor, samples: Samples, *, body: LandmarkBody, kind: str
) -> Errors:
    """How far rotations (T, 24, 3, 3) and shapes (T, 10) are from the truth of T samples."""
    found = sequence_errors(rotmat, betas, samples, body=body)
    accel = torch.full_like(found[MPJPE], torch.nan)
    accel[1:-1] = found[ACCELERATION]
    return Errors(kind, found[PA_MPJPE], found[MPJPE], accel)


def means(found: Sequence[Errors], *, where: Sequence[Tensor] | None = None) -> Means:
    """The means over all frames of several shots, each frame counting the same.

    Args:
        found: one or more.
        where: (T,) bool for each of them: the frames that count; None: all.
    """
    chosen = where or [torch.ones(len(each.pa_mm), dtype=torch.bool) for each in found]
    pairs = list(zip(found, chosen, strict=True))
    pa_mm = torch.cat([each.pa_mm[some] for each, some in pairs])
    mpjpe_mm = torch.cat([each.mpjpe_mm[some] for each, some in pairs])
    accel = torch.cat([each.accel[some] for each, some in pairs])
    return Means(float(pa_mm.mean()), float(mpjpe_mm.mean()), float(accel.nanmean()), len(pa_mm))


def judged(read: Read, shots: Sequence[Shot], *, body: LandmarkBody) -> dict[str, Means]:
    """What `read` comes to on shots, over everything and by kind of motion."""
    return by_kind([errors_of(read, each, body=body) for each in shots])


def by_kind(found: Sequence[Errors]) -> dict[str, Means]:
    """The means over everything, then of each kind of motion, the commonest first."""
    kinds = sorted({each.kind for each in found})
    rows = {kind: means([each for each in found if each.kind == kind]) for kind in kinds}
    ordered = sorted(rows, key=lambda kind: (-rows[kind].frames, kind))
    return {"all": means(found), **{kind: rows[kind] for kind in ordered}}
