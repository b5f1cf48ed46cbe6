"""The unknowns of a fit over time, and how a step changes them.

A frame has 69 unknowns, in this order: `transl` (3) metres, a turn of the whole body (3) rad in
camera axes, and the axis-angles of 21 joints (63) rad. The two hand joints stay straight: nothing
that we see tells of them. A person's 10 `betas` are shared by all frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...body.kinematics import parent_rotations
from ...contract.skeleton import JOINT_COUNT
from ...geometry.rotations import aa_to_matrix, left_jacobian

MOVING_JOINTS = JOINT_COUNT - 3  # all but the pelvis and the hands
UNKNOWNS = 6 + 3 * MOVING_JOINTS
TRANSL = slice(0, 3)
ORIENT = slice(3, 6)
POSE = slice(6, UNKNOWNS)


@dataclass(frozen=True, eq=False)
class States:
    """N frames of G people's (or groups') bodies in camera axes."""

    transl: Tensor  # (N, 3) metres
    global_rotmat: Tensor  # (N, 3, 3)
    body_pose: Tensor  # (N, 23, 3) axis-angle
    betas: Tensor  # (G, 10)

    def moved(self, step: Tensor, shared_step: Tensor | None) -> States:
        """The states after a step (N, 69) of the frames and (G, 10) of the betas."""
        turn = aa_to_matrix(step[:, ORIENT])
        change = step[:, POSE].unflatten(-1, (MOVING_JOINTS, 3))
        return States(
            transl=self.transl + step[:, TRANSL],
            global_rotmat=turn @ self.global_rotmat,
            body_pose=torch.cat(
                [self.body_pose[:, :MOVING_JOINTS] + change, self.body_pose[:, MOVING_JOINTS:]], 1
            ),
            betas=self.betas if shared_step is None else self.betas + shared_step,
        )

    def at(self, frames: slice | Tensor) -> States:
        """The states of some of the frames, with everybody's betas."""
        return States(
            transl=self.transl[frames],
            global_rotmat=self.global_rotmat[frames],
            body_pose=self.body_pose[frames],
            betas=self.betas,
        )

    def with_frames(self, frames: slice | Tensor, part: States) -> States:
        """These states with `part` in place of some frames."""
        transl, rotmat, pose = (
            each.clone() for each in (self.transl, self.global_rotmat, self.body_pose)
        )
        transl[frames], rotmat[frames], pose[frames] = (
            part.transl,
            part.global_rotmat,
            part.body_pose,
        )
        return States(transl, rotmat, pose, self.betas)


def choose(accepted: Tensor, new: States, old: States, *, groups: Tensor) -> States:
    """`new` in the groups where `accepted` (G,), `old` elsewhere."""
    frames = accepted[groups][:, None]
    return States(
        transl=torch.where(frames, new.transl, old.transl),
        global_rotmat=torch.where(frames[..., None], new.global_rotmat, old.global_rotmat),
        body_pose=torch.where(frames[..., None], new.body_pose, old.body_pose),
        betas=new.betas if new.betas is old.betas else _chosen_betas(accepted, new, old),
    )


def _chosen_betas(accepted: Tensor, new: States, old: States) -> Tensor:
    return torch.where(accepted[:, None], new.betas, old.betas)


def point_jacobian(arms: Tensor, global_rotations: Tensor, body_pose: Tensor) -> Tensor:
    """(N, P, 3, 69) metres per unknown: how points move with a frame's unknowns.

    Args:
        arms: (N, P, 24, 3) from `ReducedBody.linearise`.
        global_rotations: (N, 24, 3, 3) from the same.
        body_pose: (N, 23, 3) axis-angle.
    """
    count, points = arms.shape[:2]
    axes = _turning_axes(global_rotations, body_pose)  # (N, 22, 3, 3) columns: axis per unknown
    # Components of axis x arm, for every unknown (last) of every joint: no small matrix products.
    x, y, z = axes.unsqueeze(1).unbind(dim=-2)  # (N, 1, 22, 3) each
    arm_x, arm_y, arm_z = arms[:, :, : MOVING_JOINTS + 1].unsqueeze(-1).unbind(dim=-2)
    jacobian = arms.new_zeros(count, points, 3, UNKNOWNS)
    turned = jacobian[..., ORIENT.start :].unflatten(-1, (MOVING_JOINTS + 1, 3))
    turned[:, :, 0] = y * arm_z - z * arm_y
    turned[:, :, 1] = z * arm_x - x * arm_z
    turned[:, :, 2] = x * arm_y - y * arm_x
    jacobian[:, :, (0, 1, 2), (0, 1, 2)] = 1
    return jacobian


def _turning_axes(global_rotations: Tensor, body_pose: Tensor) -> Tensor:
    """(N, 22, 3, 3) axes in camera coordinates about which each unknown turns: pelvis, joints."""
    parents = parent_rotations(global_rotations)[:, : MOVING_JOINTS + 1]
    local = left_jacobian(body_pose[:, :MOVING_JOINTS])
    identity = torch.eye(3, dtype=local.dtype, device=local.device).expand(len(local), 1, 3, 3)
    return parents @ torch.cat([identity, local], dim=1)
