"""The losses of SPIN's training, as published (Kolotouros et al., ICCV 2019, and its code).

Keypoints are SPIN's 49, OpenPose's 25 first, from -1 to 1 across the crop; joints are the 24 of the
training sets, metres. `valid` and `has` say which samples a loss is for; without any it is zero.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .augmentation import OPENPOSE_COUNT

_STEEPEST = -0.5
_HIPS = (2, 3)  # among the 24: right, left


def keypoint_loss(
    points: Tensor, keypoints: Tensor, *, openpose_weight: float, training_weight: float
) -> Tensor:
    """() mean over samples, keypoints and axes of the squared error, by confidence.

    Args:
        points: (B, 49, 2) projected.
        keypoints: (B, 49, 3) x, y, confidence.
        openpose_weight: of the first 25's confidence.
        training_weight: of the other 24's.
    """
    weights = torch.full((points.shape[1], 1), training_weight, device=points.device)
    weights[:OPENPOSE_COUNT] = openpose_weight
    return (weights * keypoints[..., 2:] * (points - keypoints[..., :2]).square()).mean()


def joint_loss(points: Tensor, joints: Tensor, *, has: Tensor) -> Tensor:
    """() mean squared error of the 24 joints about the middle of their hips, by confidence.

    Args:
        points: (B, 49, 3) metres, camera axes.
        joints: (B, 24, 4) metres, camera axes, and confidence.
        has: (B,) bool, of whom the joints are known.
    """
    if not has.any():
        return points.new_zeros(())
    found, wanted = points[has][:, OPENPOSE_COUNT:], joints[has]
    error = _about_hips(found) - _about_hips(wanted[..., :3])
    return (wanted[..., 3:] * error.square()).mean()


def pose_loss(rotmat: Tensor, truth: Tensor, *, known: Tensor) -> Tensor:
    """() mean squared error of the entries of rotation matrices.

    Args:
        rotmat: (B, 24, 3, 3).
        truth: (B, 24, 3, 3).
        known: (B, 24) weight of each joint: zero for samples that are not valid, and for joints
            that nobody knows.
    """
    error = (rotmat - truth).square().mean(dim=(-2, -1))  # (B, 24)
    return (known * error).sum() / known.sum().clamp(min=1)


def betas_loss(betas: Tensor, truth: Tensor, *, valid: Tensor) -> Tensor:
    """() mean squared error of betas (B, 10) of valid samples (B,)."""
    if not valid.any():
        return betas.new_zeros(())
    return (betas[valid] - truth[valid]).square().mean()


def shape_loss(vertices: Tensor, truth: Tensor, *, has: Tensor) -> Tensor:
    """() mean distance along the axes of vertices (B, V, 3), metres, of those who have them."""
    if not has.any():
        return vertices.new_zeros(())
    return (vertices[has] - truth[has]).abs().mean()


def camera_loss(camera: Tensor) -> Tensor:
    """() what keeps the scale of weak cameras (B, 3) above zero: small for any real one.

    As published down to a scale of `_STEEPEST`; below, where it would leave what float32 can hold,
    it goes on as a straight line.
    """
    scale = camera[:, 0]
    steep = scale.clamp(min=_STEEPEST)
    term = (-10 * steep).exp().square()
    return (term * (1 + 20 * (steep - scale))).mean()


def _about_hips(joints: Tensor) -> Tensor:
    return joints - joints[:, list(_HIPS)].mean(dim=1, keepdim=True)
