"""The reduced body: the 24 joints and a few keypoints, without the mesh in between.

A keypoint k is a weighted mean of vertices: `sum_v r_kv sum_j w_vj (R_j (v - J_j) + g_j)`, with R_j
and g_j the turn and place of joint j. Summed over v first, once per body, it becomes
`sum_j R_j (a_kj - W_kj J_j) + W_kj g_j` with `W_kj = sum_v r_kv w_vj` and `a_kj` linear in
shape and pose correctives: exact, and the size of the mesh is gone. Pairs (k, j) without weight are
left out. Conventions are those of model.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..contract.body_file import BodyTemplate
from . import kinematics
from .kinematics import Chain
from .model import pose_feature

# Weight that a joint may lose at a keypoint: below float32's own noise at a metre.
_NEGLIGIBLE = 1e-9


class Linearisation(NamedTuple):
    """Points and how they move: what a second-order solver needs of the body.

    A turn of joint a by a small `omega` (3) rad in world axes, carrying all below it, moves point
    p by `omega x arms[p, a]`. The global rotation of a and of all below becomes `exp(omega) R`.
    """

    points: Tensor  # (N, P, 3) metres
    arms: Tensor  # (N, P, 24, 3) metres, world axes
    betas_jacobian: Tensor  # (N, P, 3, 10) metres per unit of beta
    global_rotations: Tensor  # (N, 24, 3, 3)


@dataclass(frozen=True, eq=False)
class ReducedBody:
    """P = 24 + K points of a body: its joints, then K keypoints."""

    J_template: Tensor  # (24, 3) metres
    J_shapedirs: Tensor  # (24, 3, 10) metres per unit of beta
    subtree: Tensor  # (24, 24)
    pair_joint: Tensor  # (S,) int64, the joint of each (keypoint, joint) pair
    pair_keypoint: Tensor  # (S,) int64
    gather: Tensor  # (K, S) one where pair s belongs to keypoint k
    arms_template: Tensor  # (S, 3) a - W J of betas zero: the keypoint's share about its joint
    arms_shapedirs: Tensor  # (S, 3, 10)
    arms_posedirs: Tensor  # (S, 3, 207), or (S, 3, 0)
    weights: Tensor  # (K, 24) W

    @classmethod
    def from_template(
        cls,
        template: BodyTemplate,
        rows: np.ndarray,
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> ReducedBody:
        """The joints of `template` and one keypoint for each of `rows` (K, V), folded once.

        `transl` is added to each keypoint as a whole, so rows should sum to one.
        """
        rows = np.asarray(rows, dtype=np.float64)
        skin = template.lbs_weights.astype(np.float64)
        regressor = template.J_regressor.astype(np.float64)
        weights = rows @ skin  # (K, 24)
        # A joint may weigh nothing in sum and still turn the point, where weights cancel.
        reach = np.abs(rows) @ np.abs(skin)
        keypoint, joint = np.nonzero(reach > _NEGLIGIBLE)
        fold = rows[keypoint] * skin[:, joint].T  # (S, V)
        used = np.flatnonzero(np.abs(fold).sum(axis=0))
        fold, pair_weights = fold[:, used], weights[keypoint, joint]
        J_template = regressor @ template.v_template
        J_shapedirs = np.einsum("jv,vcl->jcl", regressor, template.shapedirs)

        def folded(array: np.ndarray) -> np.ndarray:
            return np.tensordot(fold, array[used].astype(np.float64), axes=1)

        def tensor(array: np.ndarray) -> Tensor:
            return torch.tensor(array, dtype=dtype, device=device)

        return cls(
            J_template=tensor(J_template),
            J_shapedirs=tensor(J_shapedirs),
            subtree=kinematics.subtrees(dtype, device),
            pair_joint=torch.tensor(joint, device=device),
            pair_keypoint=torch.tensor(keypoint, device=device),
            gather=tensor(np.arange(len(rows))[:, None] == keypoint),
            arms_template=tensor(
                folded(template.v_template) - pair_weights[:, None] * J_template[joint]
            ),
            arms_shapedirs=tensor(
                folded(template.shapedirs) - pair_weights[:, None, None] * J_shapedirs[joint]
            ),
            arms_posedirs=tensor(folded(template.posedirs)),
            weights=tensor(weights),
        )

    def points(
        self,
        global_orient: Tensor,
        body_pose: Tensor,
        *,
        betas: Tensor,
        transl: Tensor | None = None,
    ) -> Tensor:
        """(..., 24 + K, 3) metres, joints then keypoints.

        Args:
            global_orient: (..., 3, 3) pelvis to world.
            body_pose: (..., 23, 3, 3) each joint to its parent.
            betas: (..., 10) or (10,).
            transl: (..., 3) metres.
        """
        skeleton = self._skeleton(global_orient, body_pose, betas)
        turned = self._turned_arms(skeleton.rotations, body_pose, betas)
        keypoints = self.gather @ turned + self.weights @ skeleton.positions
        points = torch.cat([skeleton.positions, keypoints], dim=-2)
        return points if transl is None else points + transl.unsqueeze(-2)

    def linearise(
        self, global_orient: Tensor, body_pose: Tensor, *, betas: Tensor, transl: Tensor
    ) -> Linearisation:
        """The points and their derivatives at one state, for N frames at once.

        Derivatives are exact without pose correctives; with them, how the correctives themselves
        change with the pose is left out (it is small: millimetres per radian).

        Args:
            global_orient: (N, 3, 3) pelvis to world.
            body_pose: (N, 23, 3, 3) each joint to its parent.
            betas: (N, 10) or (10,).
            transl: (N, 3) metres.
        """
        rotations, positions = self._skeleton(global_orient, body_pose, betas)
        turned = self._turned_arms(rotations, body_pose, betas)  # (N, S, 3)
        keypoints = self.gather @ turned + self.weights @ positions
        points = torch.cat([positions, keypoints], dim=-2) + transl.unsqueeze(-2)
        arms = torch.cat([self._joint_arms(positions), self._keypoint_arms(turned, positions)], -3)
        return Linearisation(points, arms, self._betas_jacobian(rotations), rotations)

    def _skeleton(self, global_orient: Tensor, body_pose: Tensor, betas: Tensor) -> Chain:
        rotations = kinematics.global_rotations(global_orient, body_pose)
        rest_joints = self.J_template + torch.einsum("jcl,...l->...jc", self.J_shapedirs, betas)
        return kinematics.chain(rotations, rest_joints, subtree=self.subtree)

    def _turned_arms(self, rotations: Tensor, body_pose: Tensor, betas: Tensor) -> Tensor:
        """(..., S, 3) metres, each pair's share of its keypoint about its joint, in world axes."""
        arms = self.arms_template + torch.einsum("scl,...l->...sc", self.arms_shapedirs, betas)
        if self.arms_posedirs.shape[-1]:
            feature = pose_feature(body_pose)
            flat = self.arms_posedirs.flatten(end_dim=1)  # (3S, 207)
            arms = arms + (feature @ flat.T).unflatten(-1, self.arms_posedirs.shape[:2])
        pair_rotations = rotations[..., self.pair_joint, :, :]
        return (pair_rotations @ arms.unsqueeze(-1)).squeeze(-1)

    def _joint_arms(self, positions: Tensor) -> Tensor:
        """(N, 24, 24, 3) from joint a to joint j below it; zero where j does not hang on a."""
        apart = positions.unsqueeze(-2) - positions.unsqueeze(-3)  # [j, a] = g_j - g_a
        return apart * self.subtree.T.unsqueeze(-1)

    def _keypoint_arms(self, turned: Tensor, positions: Tensor) -> Tensor:
        """(N, K, 24, 3) from joint a to the part of each keypoint that a carries, by its weight."""
        shares = turned.new_zeros(*turned.shape[:-2], *self.weights.shape, 3)
        shares[..., self.pair_keypoint, self.pair_joint, :] = turned
        shares = shares + self.weights.unsqueeze(-1) * positions.unsqueeze(-3)  # (N, K, 24, 3)
        carried = self.weights @ self.subtree.T  # (K, 24) weight of each subtree
        return self.subtree @ shares - carried.unsqueeze(-1) * positions.unsqueeze(-3)

    def _betas_jacobian(self, rotations: Tensor) -> Tensor:
        """(N, 24 + K, 3, 10) metres per unit of beta."""
        bones = kinematics.bones(self.J_shapedirs.flatten(start_dim=1)).unflatten(-1, (3, -1))
        carried = kinematics.parent_rotations(rotations) @ bones  # (N, 24, 3, 10)
        joints = self.subtree.T @ carried.flatten(start_dim=-2)  # (N, 24, 30)
        turned = rotations[..., self.pair_joint, :, :] @ self.arms_shapedirs  # (N, S, 3, 10)
        keypoints = self.gather @ turned.flatten(start_dim=-2) + self.weights @ joints
        return torch.cat([joints, keypoints], dim=-2).unflatten(-1, (3, -1))
