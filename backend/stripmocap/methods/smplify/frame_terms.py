"""What one frame tells: landmarks seen, bone directions, likely poses, possible joints, shape.

Each term is a negative log-likelihood in nats, given as residuals in units of their expected error,
their derivatives and their weights. A robust term's energy is rho(r^2) / 2 and its weight rho',
taken where the state is (Triggs et al., "Bundle Adjustment: A Modern Synthesis", 2000, 4.3).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...contract.skeleton import JOINT_NAMES
from .evidence import KEYPOINT_SIGMA, Evidence
from .states import MOVING_JOINTS

SEEN_OUTLIER = 4.0  # expected errors, where a landmark's vote begins to fade
CUE_SIGMA = 0.3  # rad, of the detector's bone directions
CUE_OUTLIER = 1.5  # expected errors
LIMIT_SIGMA = 0.05  # rad beyond a limit
HEIGHT_SIGMA_M = 0.005
MIN_DEPTH_M = 0.1  # nearer points are projected from here, so that quotients stay finite

# What joints can do (rad, axis-angle components x, y, z about the T pose), with room to spare.
_LIMITS = {
    "hip": ((-2.6, -0.9, -0.9), (0.9, 0.9, 0.9)),
    "knee": ((-0.05, -0.4, -0.4), (2.7, 0.4, 0.4)),
    "ankle": ((-1.0, -0.6, -0.5), (0.8, 0.6, 0.5)),
    "foot": ((-0.7, -0.1, -0.1), (0.9, 0.1, 0.1)),
    "spine": ((-0.5, -0.5, -0.4), (0.9, 0.5, 0.4)),
    "neck": ((-0.6, -0.7, -0.5), (0.6, 0.7, 0.5)),
    "head": ((-0.8, -0.9, -0.6), (0.8, 0.9, 0.6)),
    "collar": ((-0.3, -0.4, -0.5), (0.3, 0.4, 0.5)),
    "shoulder": ((-2.2, -2.4, -1.9), (2.2, 2.4, 1.9)),
    "wrist": ((-1.2, -1.0, -1.2), (1.2, 1.0, 1.2)),
    "left_elbow": ((-1.0, -2.7, -1.4), (1.0, 0.05, 1.4)),
    "right_elbow": ((-1.0, -0.05, -1.4), (1.0, 2.7, 1.4)),
}


@dataclass(frozen=True, eq=False)
class Squares:
    """Weighted squares: residuals of N frames, M each, and how they move with the unknowns."""

    residuals: Tensor  # (N, M) in units of their expected error
    jacobian: Tensor  # (N, M, 69)
    weights: Tensor  # (N, M)
    betas_jacobian: Tensor  # (N, M, 10)
    energy: Tensor  # (N,) nats


def seen(
    points: Tensor,
    jacobian: Tensor,
    betas_jacobian: Tensor,
    *,
    evidence: Evidence,
    outlier: float,
) -> Squares:
    """How far projected points are from the landmarks, Geman-McClure on each landmark.

    Args:
        points: (N, K, 3) metres, camera axes.
        jacobian: (N, K, 3, 69).
        betas_jacobian: (N, K, 3, 10).
        evidence: what was seen.
        outlier: expected errors at which a landmark's vote has fallen to a quarter.
    """
    sigma = (KEYPOINT_SIGMA * evidence.size_px)[:, None, None]  # (N, 1, 1) px
    depth = points[..., 2:].clamp(min=MIN_DEPTH_M)
    slope = points[..., :2] / depth  # (N, K, 2)
    residuals = (evidence.focal * slope + evidence.center - evidence.keypoints) / sigma
    scale = (evidence.focal / (depth * sigma)).unsqueeze(-1)  # (N, K, 1, 1)

    def projected(spatial: Tensor) -> Tensor:
        return scale * (spatial[..., :2, :] - slope.unsqueeze(-1) * spatial[..., 2:, :])

    square = residuals.square().sum(dim=-1)  # (N, K)
    fade = outlier**2 / (outlier**2 + square)
    weights = evidence.weights * fade.square()
    return Squares(
        residuals=residuals.flatten(1),
        jacobian=projected(jacobian).flatten(1, 2),
        weights=weights.repeat_interleave(2, dim=1),
        betas_jacobian=projected(betas_jacobian).flatten(1, 2),
        energy=0.5 * (evidence.weights * fade * square).sum(dim=1),
    )


def cue(
    bones: Tensor,
    jacobian: Tensor,
    betas_jacobian: Tensor,
    *,
    evidence: Evidence,
    weight: float,
) -> Squares:
    """How far bones point from where the detector's own 3D landmarks do, Cauchy on each bone.

    Only directions count: the detector's body has proportions of its own.

    Args:
        bones: (N, C, 3) metres, camera axes.
        jacobian: (N, C, 3, 69).
        betas_jacobian: (N, C, 3, 10).
        evidence: what was seen.
        weight: of the whole term.
    """
    length = bones.norm(dim=-1, keepdim=True).clamp(min=1e-3)
    direction = bones / length
    wanted = evidence.cue / evidence.cue.norm(dim=-1, keepdim=True).clamp(min=1e-3)
    residuals = (direction - wanted) / CUE_SIGMA
    square = residuals.square().sum(dim=-1) / CUE_OUTLIER**2
    votes = weight * evidence.cue_weights

    def across(spatial: Tensor) -> Tensor:
        """The part that turns the bone, in expected errors; what stretches it does not count."""
        along = (direction.unsqueeze(-2) @ spatial) * direction.unsqueeze(-1)
        return ((spatial - along) / (CUE_SIGMA * length.unsqueeze(-1))).flatten(1, 2)

    return Squares(
        residuals=residuals.flatten(1),
        jacobian=across(jacobian),
        weights=(votes / (1 + square)).repeat_interleave(3, dim=1),
        betas_jacobian=across(betas_jacobian),
        energy=0.5 * CUE_OUTLIER**2 * (votes * square.log1p()).sum(dim=1),
    )


def limits(body_pose: Tensor) -> tuple[Tensor, Tensor]:
    """How far joints are beyond their limits, and where.

    Args:
        body_pose: (N, 63) rad, the moving joints.

    Returns:
        (N, 63) residuals in expected errors, signed; (N, 63) their derivative, 0 within limits.
    """
    low, high = limit_bounds(body_pose)
    beyond = (body_pose - high).clamp(min=0) + (body_pose - low).clamp(max=0)
    return beyond / LIMIT_SIGMA, (beyond != 0).to(body_pose) / LIMIT_SIGMA


def limit_bounds(like: Tensor) -> tuple[Tensor, Tensor]:
    """(63,) least and (63,) greatest axis-angle components of the moving joints, radians."""
    rows = []
    for name in JOINT_NAMES[1 : MOVING_JOINTS + 1]:
        part = name if name in _LIMITS else name.rpartition("_")[2].rstrip("123")
        rows.append(_LIMITS[part])
    bounds = torch.tensor(rows, dtype=like.dtype, device=like.device)  # (21, 2, 3)
    return bounds[:, 0].flatten(), bounds[:, 1].flatten()
