"""What a regressor is told about its bodies, by what is known of each sample.

A sample may have keypoints only, joints in space, or all of SMPL's parameters: every number comes
with a weight, and 0 means "not known". A term is the weighed mean over those that have it, so that
a few samples with parameters teach as loudly as many (Kanazawa et al., "End-to-end Recovery of
Human Shape and Pose", CVPR 2018, 3.3). Places are taken by their distance, not its square, as
HMR's keypoints are: noise has long tails. SPIN's published form is in spin_losses.py.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from ..methods.hmr.regressor import Regressed

_SMOOTH = (
    1e-3  # of a place's unit: within it a distance is rounded off, so that its slope is finite
)


@dataclass(frozen=True, eq=False)
class Truth:
    """What is known of B samples; None where nothing is."""

    keypoints: Tensor | None = None  # (B, K, 2) half sides of the box, from its middle
    keypoints_weight: Tensor | None = None  # (B, K)
    joints: Tensor | None = None  # (B, J, 3) metres about the pelvis, camera axes
    joints_weight: Tensor | None = None  # (B, J)
    rotmat: Tensor | None = None  # (B, 24, 3, 3) pelvis to camera first
    rotmat_weight: Tensor | None = None  # (B, 24)
    betas: Tensor | None = None  # (B, 10)
    betas_weight: Tensor | None = None  # (B,)


@dataclass(frozen=True, eq=False)
class Predicted:
    """What a network says of the same samples."""

    regressed: Regressed
    joints: Tensor  # (B, J, 3) metres about the pelvis, camera axes
    keypoints: Tensor  # (B, K, 2) half sides of the box, from its middle


@dataclass(frozen=True)
class Weights:
    """How much each term counts."""

    keypoints: float = 2.0  # per half side of the box
    joints: float = 10.0  # per metre
    rotmat: float = 5.0  # per squared entry of a matrix
    betas: float = 0.02  # per squared unit
    camera: float = 0.1  # against a scale below zero
    critic: float = 0.0  # of adversarial.py


def by_what_is_known(predicted: Predicted, truth: Truth, *, weights: Weights) -> dict[str, Tensor]:
    """The weighed terms, scalars; a term of which nothing is known is left out."""
    body = predicted.regressed
    terms = {
        "keypoints": _distance(predicted.keypoints, truth.keypoints, truth.keypoints_weight),
        "joints": _distance(predicted.joints, truth.joints, truth.joints_weight),
        "rotmat": _square(body.rotmat, truth.rotmat, truth.rotmat_weight),
        "betas": _square(body.betas, truth.betas, truth.betas_weight),
        # SPIN's guard: people are in front of the camera.
        "camera": (-10.0 * body.camera[:, 0]).exp().square().mean(),
    }
    factors = asdict(weights)
    return {name: factors[name] * term for name, term in terms.items() if term is not None}


def _distance(found: Tensor, truth: Tensor | None, weight: Tensor | None) -> Tensor | None:
    """The mean distance of places (..., D), each with a weight (...,)."""
    if truth is None:
        return None
    square = _apart(found, truth, weight).square().sum(dim=-1)
    return _mean((square + _SMOOTH**2).sqrt() - _SMOOTH, weight)


def _square(found: Tensor, truth: Tensor | None, weight: Tensor | None) -> Tensor | None:
    """The mean squared entry of (..., *D), each with a weight (...,)."""
    if truth is None:
        return None
    square = _apart(found, truth, weight).square()
    if weight is None:
        return square.mean()
    return _mean(square.flatten(start_dim=weight.ndim).mean(dim=-1), weight)


def _apart(found: Tensor, truth: Tensor, weight: Tensor | None) -> Tensor:
    """What found (..., *D) lacks of the truth; zero, whatever stands there, where none is known."""
    if weight is None:
        return found - truth
    known = (weight > 0).unflatten(-1, (-1, *(1,) * (found.ndim - weight.ndim)))
    return torch.where(known, found - torch.where(known, truth, torch.zeros_like(truth)), 0.0)


def _mean(values: Tensor, weight: Tensor | None) -> Tensor:
    if weight is None:
        return values.mean()
    return (values * weight).sum() / weight.sum().clamp(min=1.0)
