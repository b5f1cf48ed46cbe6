"""The mirror: what a network would be shown of somebody's mirror image, and what it says of it.

Whoever is asked about both is asked twice about one person: where the answers lie apart, neither
is sure.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ...contract.skeleton import BETAS_COUNT, BLAZEPOSE_NAMES, JOINT_NAMES, mirrored
from ..features.keypoints import FLAT_NUMBERS, SCORES
from ..hmr.regressor import POSE_NUMBERS

_LANDMARKS = [BLAZEPOSE_NAMES.index(mirrored(name)) for name in BLAZEPOSE_NAMES]
_JOINTS = [JOINT_NAMES.index(mirrored(name)) for name in JOINT_NAMES]
# A mirrored rotation is M R M with M = diag(-1, 1, 1); of it the first two columns, row by row.
_SIGNS = (1.0, -1.0, -1.0, 1.0, -1.0, 1.0)
_CAMERA_SIGNS = (1.0, -1.0, 1.0)  # scale, x, y
_WHERE_SIGNS = (-1.0, 1.0, 1.0)  # across, down, size


def mirrored_numbers(numbers: Tensor) -> Tensor:
    """(..., NUMBERS) `View.numbers` of the mirror image of those (..., NUMBERS) are of."""
    flat, guess, there = numbers.split(
        (FLAT_NUMBERS, numbers.shape[-1] - FLAT_NUMBERS - 1, 1), dim=-1
    )
    places, scores = flat[..., : SCORES.start], flat[..., SCORES]
    where = flat[..., SCORES.stop :] * numbers.new_tensor(_WHERE_SIGNS)
    parts = [_exchanged(places, 2), scores[..., _LANDMARKS], where, _exchanged(guess, 3), there]
    return torch.cat(parts, dim=-1)


def mirrored_states(states: Tensor) -> Tensor:
    """(..., 157) the regressor's states of the mirror images of bodies (..., 157)."""
    pose, betas, camera = states.split((POSE_NUMBERS, BETAS_COUNT, 3), dim=-1)
    pose = pose.unflatten(-1, (-1, 6))[..., _JOINTS, :] * states.new_tensor(_SIGNS)
    camera = camera * states.new_tensor(_CAMERA_SIGNS)
    return torch.cat([pose.flatten(-2), betas, camera], dim=-1)


def _exchanged(values: Tensor, dimensions: int) -> Tensor:
    """(..., 33 * D) places with left and right exchanged."""
    signs = torch.ones(dimensions, dtype=values.dtype, device=values.device)
    signs[0] = -1.0
    return (values.unflatten(-1, (-1, dimensions))[..., _LANDMARKS, :] * signs).flatten(-2)
