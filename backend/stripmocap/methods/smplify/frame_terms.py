"""What one frame tells: landmarks seen, bone directions, likely poses, possible joints, shape.

Each term is a negative log-likelihood in nats, given as residuals in units of their expected error,
their derivatives and their weights. A robust term's energy is rho(r^2) / 2 and its weight rho',
taken where the state is (Triggs et al., "Bundle Adjustment: A Modern Synthesis", 2000, 4.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...contract.skeleton import JOINT_NAMES
from ...geometry.rotations import aa_to_matrix, left_jacobian, matrix_to_aa
from .evidence import CUE_BONES, KEYPOINT_SIGMA, Evidence
from .states import MOVING_JOINTS

SEEN_OUTLIER = 4.0  # expected errors, where a landmark's vote begins to fade
CUE_SIGMA = 0.3  # rad, of the detector's bone directions
TOLD_OUTLIER = 1.5  # expected errors of a bone's direction, where a saying begins to be doubted
GUESS_POSE_SIGMA = 0.25  # rad, of a regressor's joints
LIMIT_SIGMA = 0.05  # rad beyond a limit
HEIGHT_SIGMA_M = 0.005
MIN_DEPTH_M = 0.1  # nearer points are projected from here, so that quotients stay finite

# rad, of a regressor's bone directions, between these parts of the body: what the shipped one does
# on motion capture that it never saw, and a little more, for pictures show other poses.
_GUESS_SIGMA = {
    frozenset({"shoulder", "elbow"}): 0.35,
    frozenset({"elbow", "wrist"}): 0.35,
    frozenset({"hip", "knee"}): 0.3,
    frozenset({"knee", "ankle"}): 0.25,
    frozenset({"heel", "foot_index"}): 0.4,
    frozenset({"hip"}): 0.2,
    frozenset({"shoulder"}): 0.17,
    frozenset({"hip", "shoulder"}): 0.15,
    frozenset({"wrist", "index"}): 0.6,
    frozenset({"ear", "nose"}): 0.3,
    frozenset({"shoulder", "ear"}): 0.2,
}

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
    columns: Tensor,
    outlier: float,
) -> Squares:
    """How far projected points are from the landmarks, Geman-McClure on each landmark.

    Args:
        points: (N, K, 3) metres, camera axes.
        jacobian: (N, K, 3, 69).
        betas_jacobian: (N, K, 3, 10).
        evidence: what was seen.
        columns: (K,) which of its landmarks the points are.
        outlier: expected errors at which a landmark's vote has fallen to a quarter.
    """
    sigma = (KEYPOINT_SIGMA * evidence.size_px)[:, None, None]  # (N, 1, 1) px
    depth = points[..., 2:].clamp(min=MIN_DEPTH_M)
    slope = points[..., :2] / depth  # (N, K, 2)
    residuals = (evidence.focal * slope + evidence.center - evidence.keypoints[:, columns]) / sigma
    scale = (evidence.focal / (depth * sigma)).unsqueeze(-1)  # (N, K, 1, 1)

    def projected(spatial: Tensor) -> Tensor:
        return scale * (spatial[..., :2, :] - slope.unsqueeze(-1) * spatial[..., 2:, :])

    square = residuals.square().sum(dim=-1)  # (N, K)
    fade = outlier**2 / (outlier**2 + square)
    votes = evidence.weights[:, columns]
    weights = votes * fade.square()
    return Squares(
        residuals=residuals.flatten(1),
        jacobian=projected(jacobian).flatten(1, 2),
        weights=weights.repeat_interleave(2, dim=1),
        betas_jacobian=projected(betas_jacobian).flatten(1, 2),
        energy=0.5 * (votes * fade * square).sum(dim=1),
    )


@dataclass(frozen=True, eq=False)
class Told:
    """What somebody says of where C bones point; only directions count, bodies differ in size."""

    bones: Tensor  # (N, C, 3) metres, camera axes
    votes: Tensor  # (N, C)
    sigma: Tensor  # (C,) rad, or one for all


def told(
    bones: Tensor, jacobian: Tensor, betas_jacobian: Tensor, *, sayings: Sequence[Told]
) -> Squares:
    """How far bones point from where they are said to, Cauchy on each bone and saying.

    Several sayings pull at one bone like one that says their weighted mean.

    Args:
        bones: (N, C, 3) metres, camera axes.
        jacobian: (N, C, 3, 69).
        betas_jacobian: (N, C, 3, 10).
        sayings: one at least.
    """
    length = bones.norm(dim=-1, keepdim=True).clamp(min=1e-3)
    direction = bones / length
    pull, weights = torch.zeros_like(bones), bones.new_zeros(bones.shape[:2])
    energy = bones.new_zeros(len(bones))
    for each in sayings:
        wanted = each.bones / each.bones.norm(dim=-1, keepdim=True).clamp(min=1e-3)
        apart = direction - wanted  # (N, C, 3)
        outlier = (TOLD_OUTLIER * each.sigma) ** 2  # (C,)
        square = apart.square().sum(dim=-1) / outlier
        weight = each.votes / (each.sigma**2 * (1 + square))
        pull, weights = pull + weight[..., None] * apart, weights + weight
        energy = energy + 0.5 * TOLD_OUTLIER**2 * (each.votes * square.log1p()).sum(dim=1)

    def across(spatial: Tensor) -> Tensor:
        """The part that turns the bone; what stretches it does not count."""
        along = (direction.unsqueeze(-2) @ spatial) * direction.unsqueeze(-1)
        return ((spatial - along) / length.unsqueeze(-1)).flatten(1, 2)

    return Squares(
        residuals=(pull / weights.clamp(min=1e-12)[..., None]).flatten(1),
        jacobian=across(jacobian),
        weights=weights.repeat_interleave(3, dim=1),
        betas_jacobian=across(betas_jacobian),
        energy=energy,
    )


def guess_sigma() -> Tensor:
    """(C,) rad, how far a regressor's directions of `CUE_BONES` are usually off."""
    parts = [frozenset(_part(end) for end in bone) for bone in CUE_BONES]
    return torch.tensor([_GUESS_SIGMA[each] for each in parts])


def _part(name: str) -> str:
    return name.removeprefix("left_").removeprefix("right_")


def posed(body_pose: Tensor, guess: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """How far joints are turned from where a regressor has them, Cauchy on each joint.

    Args:
        body_pose: (N, 21, 3) rad, the moving joints.
        guess: (N, 21, 3) rad.

    Returns:
        (N,) nats; (N, 63) their gradient; (N, 21, 3, 3) blocks of Gauss-Newton's Hessian.
    """
    residuals = matrix_to_aa(aa_to_matrix(guess).mT @ aa_to_matrix(body_pose))  # (N, 21, 3)
    slope = left_jacobian(-residuals).inverse() @ left_jacobian(-body_pose)
    square = residuals.square().sum(dim=-1) / (TOLD_OUTLIER * GUESS_POSE_SIGMA) ** 2
    weights = 1 / ((1 + square) * GUESS_POSE_SIGMA**2)  # (N, 21)
    weighted = slope.mT * weights[..., None, None]
    gradient = (weighted @ residuals.unsqueeze(-1))[..., 0]
    energy = 0.5 * TOLD_OUTLIER**2 * square.log1p().sum(dim=1)
    return energy, gradient.flatten(1), weighted @ slope


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
