"""States of motions: what HuMoR's networks read, from poses and joints over time.

Velocities are differences between neighbours, at both ends one-sided, as in HuMoR's fit. That of
the root's orientation is the vector of dR/dt R^T (Rempe et al., "HuMoR", ICCV 2021, 3.1).
"""

from __future__ import annotations

import torch
from torch import Tensor

from .state import FPS, JOINTS, State


def states_of(*, transl: Tensor, global_orient: Tensor, body_pose: Tensor, joints: Tensor) -> State:
    """(..., T) states of motions at 30 frames a second.

    Args:
        transl: (..., T, 3) metres, z up, the floor at 0; T is 2 at least.
        global_orient: (..., T, 3, 3) pelvis to these axes.
        body_pose: (..., T, 21, 3, 3) joints to their parents.
        joints: (..., T, 22, 3) metres.
    """
    moving = torch.cat([transl.unsqueeze(-2), joints], dim=-2)  # (..., T, 23, 3)
    speeds = velocities(moving.flatten(-2)).unflatten(-1, (1 + JOINTS, 3))
    turning = velocities(global_orient.flatten(-2)).unflatten(-1, (3, 3)) @ global_orient.mT
    return State.of(
        transl=transl,
        transl_vel=speeds[..., 0, :],
        global_orient=global_orient,
        global_orient_vel=_vector_of(turning),
        body_pose=body_pose,
        joints=joints,
        joints_vel=speeds[..., 1:, :],
    )


def velocities(numbers: Tensor) -> Tensor:
    """(..., T, D) change a second of numbers (..., T, D) at 30 frames a second; T is 2 at least."""
    steps = numbers.diff(dim=-2) * FPS
    between = (steps[..., 1:, :] + steps[..., :-1, :]) / 2
    return torch.cat([steps[..., :1, :], between, steps[..., -1:, :]], dim=-2)


def _vector_of(cross: Tensor) -> Tensor:
    """(..., 3) of what is a cross matrix (..., 3, 3) but for the error of differences."""
    skewed = (cross - cross.mT) / 2
    return torch.stack([skewed[..., 2, 1], skewed[..., 0, 2], skewed[..., 1, 0]], dim=-1)
