"""The reduced body: the J joints and a few keypoints, without the mesh in between.

A keypoint k is a weighted mean of vertices: `sum_v r_kv sum_j w_vj (R_j (v - J_j) + g_j)`, with R_j
and g_j the turn and place of joint j. Summed over v first, once per body, it becomes
`sum_j R_j (a_kj - W_kj J_j) + W_kj g_j` with `W_kj = sum_v r_kv w_vj` and `a_kj` linear in
shape and pose correctives: exact, and the size of the mesh is gone. Pairs (k, j) without weight are
left out. Conventions are those of model.py: J is 24 and L is 10 for SMPL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from . import kinematics
from .kinematics import Chain, Tree
from .model import blend, pose_feature

# Weight that a joint may lose at a keypoint: below float32's own noise at a metre.
_NEGLIGIBLE = 1e-9


class Skinned(Protocol):
    """What is read of a body: a `BodyTemplate`, or a part of one with other joints."""

    @property
    def v_template(self) -> np.ndarray: ...  # (V, 3) metres  # noqa: D102
    @property
    def shapedirs(self) -> np.ndarray: ...  # (V, 3, L) metres per unit of beta  # noqa: D102
    @property
    def posedirs(self) -> np.ndarray: ...  # (V, 3, 9 (J - 1)) metres, or (V, 3, 0)  # noqa: D102
    @property
    def J_regressor(self) -> np.ndarray: ...  # (J, V)  # noqa: D102
    @property
    def lbs_weights(self) -> np.ndarray: ...  # (V, J)  # noqa: D102
    @property
    def parents(self) -> tuple[int, ...]: ...  # (J,)  # noqa: D102


class Linearisation(NamedTuple):
    """Points and how they move: what a second-order solver needs of the body.

    A turn of joint a by a small `omega` (3) rad in world axes, carrying all below it, moves point
    p by `omega x arms[p, a]`. The global rotation of a and of all below becomes `exp(omega) R`.
    """

    points: Tensor  # (N, P, 3) metres
    arms: Tensor  # (N, P, J, 3) metres, world axes
    betas_jacobian: Tensor  # (N, P, 3, L) metres per unit of beta
    global_rotations: Tensor  # (N, J, 3, 3)


@dataclass(frozen=True, eq=False)
class ReducedBody:
    """P = J + K points of a body: its joints, then K keypoints."""

    J_template: Tensor  # (J, 3) metres
    J_shapedirs: Tensor  # (J, 3, L) metres per unit of beta
    tree: Tree
    subtree: Tensor  # (J, J) one at [a, j] where joint j is a or below it
    pair_joint: Tensor  # (S,) int64, the joint of each (keypoint, joint) pair
    pair_of: Tensor  # (K * J,) int64, the pair of each keypoint and joint; S where there is none
    arms_template: Tensor  # (S, 3) a - W J of betas zero: the keypoint's share about its joint
    arms_shapedirs: Tensor  # (S, 3, L)
    arms_posedirs: Tensor  # (S, 3, 9 (J - 1)), or (S, 3, 0)
    pair_weights: Tensor  # (S,)
    weights: Tensor  # (K, J) W
    lift: Tensor  # (S, K * J) one at [s, (k, a)] where joint a carries pair s of keypoint k
    points_shapedirs: Tensor  # (3 J, P * L) what betas move of each point, in each joint's axes

    @classmethod
    def from_template(
        cls,
        template: Skinned,
        rows: np.ndarray,
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> ReducedBody:
        """The joints of `template` and one keypoint for each of `rows` (K, V), folded once.

        `transl` is added to each keypoint as a whole, so rows should sum to one.
        """
        folded, tree = _fold(template, np.asarray(rows, dtype=np.float64)), Tree(template.parents)
        subtree = kinematics.subtrees(torch.float64, "cpu", tree=tree).numpy()
        pair_of = np.full(folded.weights.size, len(folded.joint))
        pair_of[folded.keypoint * len(subtree) + folded.joint] = np.arange(len(folded.joint))
        carries = subtree[:, folded.joint].T[:, None, :]  # (S, 1, J)
        lift = carries * (folded.keypoint[:, None] == np.arange(len(rows)))[:, :, None]

        def tensor(array: np.ndarray) -> Tensor:
            return torch.tensor(array, dtype=dtype, device=device)

        return cls(
            J_template=tensor(folded.J_template),
            J_shapedirs=tensor(folded.J_shapedirs),
            tree=tree,
            subtree=tensor(subtree),
            pair_joint=torch.tensor(folded.joint, device=device),
            pair_of=torch.tensor(pair_of, device=device),
            arms_template=tensor(folded.arms_template),
            arms_shapedirs=tensor(folded.arms_shapedirs),
            arms_posedirs=tensor(folded.arms_posedirs),
            pair_weights=tensor(folded.weights[folded.keypoint, folded.joint]),
            weights=tensor(folded.weights),
            lift=tensor(lift.reshape(len(folded.joint), -1)),
            points_shapedirs=tensor(_points_shapedirs(folded, subtree, tree=tree)),
        )

    def points(
        self,
        global_orient: Tensor,
        body_pose: Tensor,
        *,
        betas: Tensor,
        transl: Tensor | None = None,
    ) -> Tensor:
        """(..., J + K, 3) metres, joints then keypoints.

        Args:
            global_orient: (..., 3, 3) pelvis to world.
            body_pose: (..., J - 1, 3, 3) each joint to its parent.
            betas: (..., L) or (L,).
            transl: (..., 3) metres.
        """
        rotations, positions = self._skeleton(global_orient, body_pose, betas)
        arms = self._arms(body_pose, betas)  # (..., S, 3)
        everywhere = pad(arms, (0, 0, 0, 1)).index_select(-2, self.pair_of)
        everywhere = everywhere.unflatten(-2, self.weights.shape)  # (..., K, J, 3)
        turned = everywhere.flatten(start_dim=-2) @ rotations.mT.flatten(-3, -2)  # (..., K, 3)
        points = torch.cat([positions, turned + self.weights @ positions], dim=-2)
        return points if transl is None else points + transl.unsqueeze(-2)

    def linearise(
        self, global_orient: Tensor, body_pose: Tensor, *, betas: Tensor, transl: Tensor
    ) -> Linearisation:
        """The points and their derivatives at one state, for N frames at once.

        Derivatives are exact without pose correctives; with them, how the correctives themselves
        change with the pose is left out (it is small: millimetres per radian).

        Args:
            global_orient: (N, 3, 3) pelvis to world.
            body_pose: (N, J - 1, 3, 3) each joint to its parent.
            betas: (N, L) or (L,).
            transl: (N, 3) metres.
        """
        rotations, positions = self._skeleton(global_orient, body_pose, betas)
        turned = rotations[:, self.pair_joint] @ self._arms(body_pose, betas).unsqueeze(-1)
        carried = self.pair_weights.unsqueeze(-1) * positions[:, self.pair_joint]
        shares = turned.squeeze(-1) + carried  # (N, S, 3) each pair's part of its keypoint
        arms = torch.cat([self._joint_arms(positions), self._keypoint_arms(shares, positions)], 1)
        # The pelvis carries all: its arms are the keypoints, seen from the pelvis.
        whole = self.weights.sum(dim=1).unsqueeze(-1) * positions[:, None, 0]
        points = torch.cat([positions, arms[:, len(self.subtree) :, 0] + whole], dim=1)
        return Linearisation(
            points + transl.unsqueeze(1), arms, self._betas_jacobian(rotations), rotations
        )

    def _skeleton(self, global_orient: Tensor, body_pose: Tensor, betas: Tensor) -> Chain:
        rotations = kinematics.global_rotations(global_orient, body_pose, tree=self.tree)
        rest_joints = self.J_template + blend(self.J_shapedirs, betas)
        return kinematics.chain(rotations, rest_joints, subtree=self.subtree, tree=self.tree)

    def _arms(self, body_pose: Tensor, betas: Tensor) -> Tensor:
        """(..., S, 3) metres, each pair's share of its keypoint about its joint, in its axes."""
        arms = self.arms_template + blend(self.arms_shapedirs, betas)
        if self.arms_posedirs.shape[-1] == 0:
            return arms
        return arms + blend(self.arms_posedirs, pose_feature(body_pose))

    def _joint_arms(self, positions: Tensor) -> Tensor:
        """(N, J, J, 3) from joint a to joint j below it; zero where j does not hang on a."""
        apart = positions.unsqueeze(-2) - positions.unsqueeze(-3)  # [j, a] = g_j - g_a
        return apart * self.subtree.T.unsqueeze(-1)

    def _keypoint_arms(self, shares: Tensor, positions: Tensor) -> Tensor:
        """(N, K, J, 3) from joint a to the part of each keypoint that a carries, by its weight."""
        lifted = (shares.mT @ self.lift).unflatten(-1, self.weights.shape)  # (N, 3, K, J)
        weight = self.weights @ self.subtree.T  # (K, J) of what each joint carries
        return (lifted - weight * positions.mT.unsqueeze(-2)).permute(0, 2, 3, 1)

    def _betas_jacobian(self, rotations: Tensor) -> Tensor:
        """(N, J + K, 3, L) metres per unit of beta."""
        flat = rotations.transpose(1, 2).flatten(start_dim=2)  # (N, 3, 3 J)
        moved = (flat @ self.points_shapedirs).unflatten(-1, (-1, self.J_shapedirs.shape[-1]))
        everything = self.weights.sum(dim=1)  # the pelvis moves in the rest pose's axes
        share = torch.cat([everything.new_ones(len(self.subtree)), everything])
        return moved.transpose(1, 2) + share[:, None, None] * self.J_shapedirs[0]


class _Folded(NamedTuple):
    """A body's arrays with the mesh summed away, in double precision."""

    J_template: np.ndarray  # (J, 3)
    J_shapedirs: np.ndarray  # (J, 3, L)
    keypoint: np.ndarray  # (S,)
    joint: np.ndarray  # (S,)
    weights: np.ndarray  # (K, J)
    arms_template: np.ndarray  # (S, 3)
    arms_shapedirs: np.ndarray  # (S, 3, L)
    arms_posedirs: np.ndarray  # (S, 3, 9 (J - 1) or 0)


def _fold(template: Skinned, rows: np.ndarray) -> _Folded:
    skin = template.lbs_weights.astype(np.float64)
    regressor = template.J_regressor.astype(np.float64)
    J_template = regressor @ template.v_template
    J_shapedirs = np.einsum("jv,vcl->jcl", regressor, template.shapedirs)
    weights = rows @ skin
    # A joint may weigh nothing in sum and still turn the point, where weights cancel.
    keypoint, joint = np.nonzero(np.abs(rows) @ np.abs(skin) > _NEGLIGIBLE)
    fold = rows[keypoint] * skin[:, joint].T  # (S, V)
    used = np.flatnonzero(np.abs(fold).sum(axis=0))
    fold, pair_weights = fold[:, used], weights[keypoint, joint]

    def folded(array: np.ndarray) -> np.ndarray:
        return np.tensordot(fold, array[used].astype(np.float64), axes=1)

    return _Folded(
        J_template=J_template,
        J_shapedirs=J_shapedirs,
        keypoint=keypoint,
        joint=joint,
        weights=weights,
        arms_template=folded(template.v_template) - pair_weights[:, None] * J_template[joint],
        arms_shapedirs=folded(template.shapedirs)
        - pair_weights[:, None, None] * J_shapedirs[joint],
        arms_posedirs=folded(template.posedirs),
    )


def _points_shapedirs(folded: _Folded, subtree: np.ndarray, *, tree: Tree) -> np.ndarray:
    """(3 J, P * L): bones on the way to each joint, in their parents' axes, and keypoints' arms."""
    count = len(subtree)
    by_joint = np.zeros((count, *folded.J_shapedirs.shape))  # [point, axes of joint]
    for joint, parent in enumerate(tree.parents[1:], start=1):
        bone = folded.J_shapedirs[joint] - folded.J_shapedirs[parent]
        by_joint[subtree[joint] > 0, parent] += bone
    keypoints = np.tensordot(folded.weights, by_joint, axes=1)  # (K, J, 3, L)
    keypoints[folded.keypoint, folded.joint] += folded.arms_shapedirs
    every = np.concatenate([by_joint, keypoints])  # (P, J, 3, L)
    return every.transpose(1, 2, 0, 3).reshape(3 * count, -1)
