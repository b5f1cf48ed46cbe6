"""People over time who are not learnt from: whole shots of a split, and how far motion is off.

A shot lasts as long as its clip. Errors are of the twelve limb joints in camera axes: after the
best similarity transform, and with the middles of the hips together; accelerations likewise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ..contract.skeleton import JOINT_NAMES, LIMB_JOINTS
from ..methods.features.keypoints import View
from ..methods.hmr.regressor import Regressed
from ..methods.vibe.keypoint_network import FPS
from ..methods.vibe.views import views_over_time
from .hmr import MM, similar
from .shots import Shot
from .synthetic import LandmarkBody, Samples

LIMBS = [JOINT_NAMES.index(name) for name in LIMB_JOINTS]
_HIPS = [JOINT_NAMES.index(name) for name in ("left_hip", "right_hip")]

PA_MPJPE, MPJPE, ACCELERATION = "PA-MPJPE mm", "MPJPE mm", "acceleration error m/s^2"


@dataclass(frozen=True)
class Judged:
    """Mean errors over the frames of a kind of motion."""

    LABELS: ClassVar = (PA_MPJPE, MPJPE, ACCELERATION, "hidden PA-MPJPE mm")

    kind: str
    frames: int
    figures: tuple[float, float, float, float]  # of LABELS; the last where something hides them


def shot_view(samples: Samples) -> View:
    """What a temporal network is shown of the T samples of one shot."""
    return views_over_time(
        samples.keypoints[None],
        focal=samples.focal[:1],
        center=samples.center[:1],
        landmarks3d=samples.landmarks3d[None],
    )


def judged_motion(
    network: Callable[[Tensor], Regressed], shots: Sequence[Shot], *, body: LandmarkBody
) -> list[Judged]:
    """Errors of a network over time: of all frames, then by kind of motion, the commonest first.

    Args:
        network: of `View.numbers` (1, T, NUMBERS), as `TemporalNetwork`.
        shots: of people it does not know; nothing of a shot leaves it.
        body: on the shots' device.
    """
    return judged_shots(lambda view: network(view.numbers[None]), shots, body=body)


@torch.no_grad()
def judged_shots(
    look: Callable[[View], Regressed], shots: Sequence[Shot], *, body: LandmarkBody
) -> list[Judged]:
    """The same of anything that says bodies of the T views of a shot."""
    found: dict[str, list[dict[str, Tensor]]] = {}
    for shot in shots:
        said = look(shot_view(shot.samples))
        errors = sequence_errors(said.rotmat, said.betas, shot.samples, body=body)
        errors["hidden"] = errors[PA_MPJPE][torch.tensor(shot.hidden)]
        found.setdefault(shot.kind, []).append(errors)
    rows = [_row("all", [each for rows in found.values() for each in rows])]
    rows += [_row(kind, errors) for kind, errors in found.items()]
    return sorted(rows, key=lambda row: (-row.frames, row.kind != "all", row.kind))


def sequence_errors(
    rotmat: Tensor, betas: Tensor, samples: Samples, *, body: LandmarkBody
) -> dict[str, Tensor]:
    """Errors of the bodies (T, 24, 3, 3) and (T, 10) of one shot, by name.

    Returns:
        (T,) millimetres `PA_MPJPE` and `MPJPE`; (T - 2,) metres a second squared `ACCELERATION`.
    """
    points, _ = body.stand(rotmat, betas=betas)
    truth = samples.joints[:, LIMBS] - samples.joints[:, _HIPS].mean(dim=1, keepdim=True)
    limbs = points[:, LIMBS] - points[:, _HIPS].mean(dim=1, keepdim=True)
    apart = limbs - truth
    return {
        PA_MPJPE: MM * (similar(limbs, truth) - truth).norm(dim=-1).mean(dim=-1),
        MPJPE: MM * apart.norm(dim=-1).mean(dim=-1),
        ACCELERATION: FPS**2 * apart.diff(n=2, dim=0).norm(dim=-1).mean(dim=-1),
    }


def _row(kind: str, errors: list[dict[str, Tensor]]) -> Judged:
    names = (PA_MPJPE, MPJPE, ACCELERATION, "hidden")
    together = {name: torch.cat([each[name] for each in errors]) for name in names}
    figures = [float(together[name].mean()) if len(together[name]) else 0.0 for name in names]
    return Judged(kind, len(together[PA_MPJPE]), (figures[0], figures[1], figures[2], figures[3]))
