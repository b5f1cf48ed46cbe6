"""The energies of SMPLify, one function each, per body and without their weights.

Bogo et al., "Keep it SMPL: Automatic Estimation of 3D Human Pose and Shape from a Single Image",
ECCV 2016, section 4, in the form that SPIN uses (Kolotouros et al., ICCV 2019). Pixels, metres,
camera axes; `confidence` of a keypoint is its score, 0 when unseen.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ...geometry.cameras import project

# Pixels of the 224-pixel crop that SPIN fits in: errors beyond it count less and less.
SIGMA_PX = 100.0
# Elbows and knees bend one way: entries of the 69 axis-angle numbers, and the wrong sign.
BENDING = (52, 55, 9, 12)
BENDING_SIGNS = (1.0, -1.0, -1.0, -1.0)
# Right hip, left hip, right shoulder, left shoulder among SPIN's 49.
_TORSO_OPENPOSE = (9, 12, 2, 5)
_TORSO_TRAINING = (27, 28, 33, 34)


def geman_mcclure(error: Tensor, sigma: float = SIGMA_PX) -> Tensor:
    """`sigma^2 e^2 / (sigma^2 + e^2)`: quadratic near zero, at most sigma^2 far away."""
    squared = error.square()
    return sigma**2 * squared / (sigma**2 + squared)


def reprojection(
    points: Tensor,
    keypoints: Tensor,
    *,
    confidence: Tensor,
    focal: Tensor | float,
    center: Tensor,
    sigma: float = SIGMA_PX,
) -> Tensor:
    """(..., K) robust squared pixels between projected points and keypoints, times confidence^2.

    Args:
        points: (..., K, 3) metres, camera axes, translation applied.
        keypoints: (..., K, 2) pixels.
        confidence: (..., K).
        focal: pixels.
        center: (..., 2) pixels.
        sigma: pixels.
    """
    seen = project(points, focal=focal, center=center.unsqueeze(-2))
    return confidence.square() * geman_mcclure(seen - keypoints, sigma).sum(dim=-1)


def bending(body_pose_aa: Tensor) -> Tensor:
    """(..., 4) penalty of elbows (left, right) and knees (left, right) bent the wrong way.

    Args:
        body_pose_aa: (..., 69) axis-angles, rad.
    """
    signs = torch.tensor(BENDING_SIGNS, dtype=body_pose_aa.dtype, device=body_pose_aa.device)
    return (signs * body_pose_aa[..., list(BENDING)]).exp().square()


def shape(betas: Tensor) -> Tensor:
    """(...,) squared length of betas (..., 10)."""
    return betas.square().sum(dim=-1)


def torso_reprojection(
    points: Tensor,
    keypoints: Tensor,
    *,
    confidence: Tensor,
    focal: Tensor | float,
    center: Tensor,
) -> Tensor:
    """(...,) squared pixels of hips and shoulders, by which the camera is first found.

    Args:
        points: (..., 49, 3) metres, camera axes, translation applied.
        keypoints: (..., 49, 2) pixels.
        confidence: (..., 49).
        focal: pixels.
        center: (..., 2) pixels.
    """
    seen = project(points, focal=focal, center=center.unsqueeze(-2))
    squared = (seen - keypoints).square().sum(dim=-1)  # (..., 49)
    return (torso_weights(confidence) * squared).sum(dim=-1)


def torso_weights(confidence: Tensor) -> Tensor:
    """(..., 49) one at hips and shoulders, zero elsewhere, by confidence (..., 49).

    OpenPose's four are used where it saw all of them, else those of the training sets; otherwise
    confidence does not weigh them.
    """
    by_openpose = (confidence[..., list(_TORSO_OPENPOSE)] > 0).all(dim=-1, keepdim=True)
    openpose, training = (
        torch.zeros_like(confidence).index_fill(-1, torch.tensor(columns).to(by_openpose.device), 1)
        for columns in (_TORSO_OPENPOSE, _TORSO_TRAINING)
    )
    return torch.where(by_openpose, openpose, training)
