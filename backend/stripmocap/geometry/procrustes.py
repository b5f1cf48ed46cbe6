"""Similarity alignment of two sets of points: scale, turn and move one onto the other.

Least squares in closed form (Umeyama, "Least-squares estimation of transformation parameters
between two point patterns", PAMI 1991). Points are (..., K, 3) in any unit; batches are aligned
each on its own.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Similarity(NamedTuple):
    """`y = scale * rotation x + translation`."""

    scale: Tensor  # (...,)
    rotation: Tensor  # (..., 3, 3), determinant one: mirroring is not allowed
    translation: Tensor  # (..., 3)

    def apply(self, points: Tensor) -> Tensor:
        """(..., K, 3) points after the alignment."""
        turned = points @ self.rotation.mT
        return self.scale[..., None, None] * turned + self.translation.unsqueeze(-2)


def similarity(points: Tensor, target: Tensor, *, weights: Tensor | None = None) -> Similarity:
    """The similarity that carries points (..., K, 3) nearest to target (..., K, 3).

    Args:
        points: (..., K, 3), not all in one place.
        target: (..., K, 3).
        weights: (..., K) share of each point; all the same when left out.
    """
    share = torch.ones_like(points[..., 0]) if weights is None else weights
    share = (share / share.sum(dim=-1, keepdim=True)).unsqueeze(-1)
    middle = (share * points).sum(dim=-2, keepdim=True)
    goal_middle = (share * target).sum(dim=-2, keepdim=True)
    centred, goal = points - middle, target - goal_middle
    covariance = (share * goal).mT @ centred  # (..., 3, 3)
    left, spread, right = torch.linalg.svd(covariance)
    sign = torch.ones_like(spread)
    # The last direction is turned where the best fit would be a mirror image.
    sign[..., 2] = torch.linalg.det(left @ right).sign()
    rotation = (left * sign.unsqueeze(-2)) @ right
    variance = (share * centred.square()).sum(dim=(-2, -1))
    scale = (spread * sign).sum(dim=-1) / variance
    moved = (rotation @ middle.mT).squeeze(-1) * scale.unsqueeze(-1)
    return Similarity(scale, rotation, goal_middle.squeeze(-2) - moved)


def aligned(points: Tensor, target: Tensor) -> Tensor:
    """(..., K, 3) points after the similarity that carries them nearest to target (..., K, 3)."""
    return similarity(points, target).apply(points)
