"""The losses of VIBE's training, as published (Kocabas et al., CVPR 2020, 3.1, and its code).

Frames of all sequences stand one behind the other, B of them. Keypoints are SPIN's 49, from -1 to 1
across the crop; joints are the same 49, metres. What a frame is known by is said by `has...`;
without any frame a term is zero. The adversarial term is in motion_discriminator.py, and is weighed
by `Weights.critic` for the maker and for the critic alike.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from . import spin_losses

# Of the 49, those of LSP: what VIBE compares in space, about the middle of their hips.
LSP_JOINTS = slice(25, 39)
_HIPS = (2, 3)  # among LSP's: right, left


@dataclass(frozen=True)
class Weights:
    """How much each term counts: VIBE's."""

    keypoints: float = 300.0
    joints: float = 300.0
    rotmat: float = 60.0
    betas: float = 0.06
    critic: float = 0.5


@dataclass(frozen=True, eq=False)
class Made:
    """What a network says of B frames."""

    rotmat: Tensor  # (B, 24, 3, 3) pelvis to camera first
    betas: Tensor  # (B, 10)
    joints: Tensor  # (B, 49, 3) metres, camera axes
    keypoints: Tensor  # (B, 49, 2)


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of the same frames; what stands where nothing is known is not looked at."""

    keypoints: Tensor  # (B, 49, 3) x, y, confidence
    joints: Tensor  # (B, 49, 3) metres, camera axes
    has_joints: Tensor  # (B,) bool
    rotmat: Tensor  # (B, 24, 3, 3) pelvis to camera first
    betas: Tensor  # (B, 10)
    has_body: Tensor  # (B,) bool, whose rotmat and betas are known


def supervised(made: Made, known: Known, *, weights: Weights) -> dict[str, Tensor]:
    """The weighed terms, scalars, by the names of `Weights`; all but the critic's."""
    everywhere = known.has_body[:, None].expand(-1, made.rotmat.shape[1]).to(made.rotmat)
    keypoints = spin_losses.keypoint_loss(
        made.keypoints, known.keypoints, openpose_weight=1, training_weight=1
    )
    rotmat = spin_losses.pose_loss(made.rotmat, known.rotmat, known=everywhere)
    betas = spin_losses.betas_loss(made.betas, known.betas, valid=known.has_body)
    joints = joint_loss(made.joints, known.joints, has=known.has_joints)
    return {
        "keypoints": weights.keypoints * keypoints,
        "joints": weights.joints * joints,
        "rotmat": weights.rotmat * rotmat,
        "betas": weights.betas * betas,
    }


def joint_loss(points: Tensor, truth: Tensor, *, has: Tensor) -> Tensor:
    """() mean squared error of LSP's joints about the middle of their hips.

    Args:
        points: (B, 49, 3) metres, camera axes.
        truth: (B, 49, 3) metres, camera axes.
        has: (B,) bool, in which frames the truth is known.
    """
    if not has.any():
        return points.new_zeros(())
    error = _about_hips(points[has][:, LSP_JOINTS]) - _about_hips(truth[has][:, LSP_JOINTS])
    return error.square().mean()


def _about_hips(joints: Tensor) -> Tensor:
    return joints - joints[:, list(_HIPS)].mean(dim=1, keepdim=True)
