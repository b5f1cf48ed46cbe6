"""How far bodies read from test shots are from the truth, frame by frame: what claims are made of.

Read is what the detector would report of a shot; nothing but the pose is judged, so where a body
stands does not matter here. Errors are over the twelve limb joints, in camera axes; accelerations
are of joints about the middle of the hips, second differences in seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..contract.motion import Camera
from ..contract.skeleton import JOINT_NAMES, LIMB_JOINTS
from ..methods.hmr import estimate
from ..methods.hmr.frames import PerFrame, between
from ..methods.hmr.keypoint_network import KeypointNetwork
from ..people.observations import Person
from ..training.hmr import similar
from ..training.shots import Shot
from ..training.synthetic import LandmarkBody

Read = Callable[[Person, Camera], PerFrame]  # a way to get from keypoints over time to bodies

PER_FRAME, TEMPORAL = "per frame", "over time"
_CPU = torch.device("cpu")
_LIMBS = [JOINT_NAMES.index(name) for name in LIMB_JOINTS]
_HIPS = [JOINT_NAMES.index(name) for name in ("left_hip", "right_hip")]
_MM = 1000.0


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
        found = estimate.looked_at(person, camera, network, device=_CPU)
        seen = found.seen if found.seen.any() else torch.ones_like(found.seen)
        rotmat = between(found.rotmat, seen, torch.tensor(person.times_s))
        return PerFrame(rotmat, found.betas, found.seen)

    return read


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
    return errors(found.rotmat, found.betas, shot, body=body)


def camera_of(shot: Shot) -> Camera:
    """The camera as the program would believe it."""
    return Camera(float(shot.samples.focal[0]), shot.samples.center[0].numpy(), shot.size_px)


@torch.no_grad()
def errors(rotmat: Tensor, betas: Tensor, shot: Shot, *, body: LandmarkBody) -> Errors:
    """How far rotations (T, 24, 3, 3) and shapes (T, 10) are from a shot's truth."""
    points = about_hips(body.stand(rotmat, betas=betas)[0])  # (T, 12, 3)
    truth = about_hips(shot.samples.joints)
    pa_mm, mpjpe_mm = pose_errors_mm(points, truth)
    return Errors(shot.kind, pa_mm, mpjpe_mm, acceleration_errors(points, truth, fps=shot.fps))


def about_hips(joints: Tensor) -> Tensor:
    """(..., 12, 3) the limb joints of joints (..., 24, 3), from the middle of the hips."""
    return (joints - joints[..., _HIPS, :].mean(dim=-2, keepdim=True))[..., _LIMBS, :]


def pose_errors_mm(points: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """(T,) and (T,) mm: mean distances after each frame's best similarity, and as they are."""
    aligned = (similar(points, truth) - truth).norm(dim=-1).mean(dim=-1)
    return _MM * aligned, _MM * (points - truth).norm(dim=-1).mean(dim=-1)


def acceleration_errors(points: Tensor, truth: Tensor, *, fps: float) -> Tensor:
    """(T,) m/s^2 of points (T, J, 3), metres; NaN in the first and the last frame."""
    found = torch.full((len(points),), torch.nan)
    if len(points) > 2:
        apart = points - truth
        second = (apart[2:] - 2 * apart[1:-1] + apart[:-2]) * fps**2
        found[1:-1] = second.norm(dim=-1).mean(dim=-1)
    return found


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


def by_kind(found: Sequence[Errors]) -> dict[str, Means]:
    """The means over everything, then of each kind of motion, the commonest first."""
    kinds = sorted({each.kind for each in found})
    rows = {kind: means([each for each in found if each.kind == kind]) for kind in kinds}
    ordered = sorted(rows, key=lambda kind: (-rows[kind].frames, kind))
    return {"all": means(found), **{kind: rows[kind] for kind in ordered}}
