"""SMPL's body in torch, stage by stage: template -> shaped -> posed -> skinned.

Rest pose: T, y up, facing +z, left arm along +x, metres. Rotations are matrices: `global_orient`
(..., 3, 3) turns about the pelvis joint of the shaped rest body, `body_pose` (..., 23, 3, 3) each
joint against its parent. `transl` (..., 3) metres is added last. Leading dimensions broadcast, so
that one `betas` (10,) serves many frames. SMPL-H has 51 joints below its pelvis and 16 betas; all
else is the same, so `J` and `L` stand for the numbers that the template has (24 and 10 for SMPL).
Loper et al., "SMPL: A Skinned Multi-Person Linear Model", SIGGRAPH Asia 2015, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..contract.body_file import BodyTemplate
from . import kinematics
from .kinematics import Chain, Tree


@dataclass(frozen=True, eq=False)
class Body:
    """The full mesh of one body, on one device, in one precision."""

    v_template: Tensor  # (V, 3) metres
    shapedirs: Tensor  # (V, 3, L) metres per unit of beta
    posedirs: Tensor  # (V, 3, 9 (J - 1)) metres; (V, 3, 0) without pose correctives
    lbs_weights: Tensor  # (V, J)
    J_template: Tensor  # (J, 3) metres, the rest joints of betas zero
    J_shapedirs: Tensor  # (J, 3, L) metres per unit of beta
    tree: Tree
    subtree: Tensor  # (J, J)

    @classmethod
    def from_template(
        cls,
        template: BodyTemplate,
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> Body:
        """The body that `template` describes."""
        # Regressed in double precision once, whatever the precision of the body.
        regressor = template.J_regressor.astype(np.float64)
        J_shapedirs = np.einsum("jv,vcl->jcl", regressor, template.shapedirs.astype(np.float64))

        def tensor(array: np.ndarray) -> Tensor:
            return torch.tensor(array, dtype=dtype, device=device)

        tree = Tree(template.parents)
        return cls(
            v_template=tensor(template.v_template),
            shapedirs=tensor(template.shapedirs),
            posedirs=tensor(template.posedirs),
            lbs_weights=tensor(template.lbs_weights),
            J_template=tensor(regressor @ template.v_template),
            J_shapedirs=tensor(J_shapedirs),
            tree=tree,
            subtree=kinematics.subtrees(dtype, device, tree=tree),
        )

    def shaped(self, betas: Tensor) -> Tensor:
        """(..., V, 3) metres, the rest mesh of shape `betas` (..., L)."""
        return self.v_template + blend(self.shapedirs, betas)

    def rest_joints(self, betas: Tensor) -> Tensor:
        """(..., J, 3) metres, the rest joints of shape `betas` (..., L)."""
        return self.J_template + blend(self.J_shapedirs, betas)

    def posed(self, shaped: Tensor, body_pose: Tensor) -> Tensor:
        """(..., V, 3) metres, the shaped rest mesh with the correctives of `body_pose` on it."""
        if self.posedirs.shape[-1] == 0:
            return shaped
        return shaped + blend(self.posedirs, pose_feature(body_pose))

    def skeleton(self, global_orient: Tensor, body_pose: Tensor, *, betas: Tensor) -> Chain:
        """The posed joints, before `transl`."""
        rotations = kinematics.global_rotations(global_orient, body_pose, tree=self.tree)
        return kinematics.chain(
            rotations, self.rest_joints(betas), subtree=self.subtree, tree=self.tree
        )

    def skinned(self, posed: Tensor, skeleton: Chain, *, rest_joints: Tensor) -> Tensor:
        """(..., V, 3) metres, the mesh bent by linear blend skinning, before `transl`.

        Args:
            posed: (..., V, 3) rest mesh with correctives.
            skeleton: the posed joints.
            rest_joints: (..., J, 3) metres.
        """
        turned = (skeleton.rotations @ rest_joints.unsqueeze(-1)).squeeze(-1)
        offsets = skeleton.positions - turned  # (..., J, 3)
        transforms = torch.cat([skeleton.rotations, offsets.unsqueeze(-1)], dim=-1)
        blended = self.lbs_weights @ transforms.flatten(start_dim=-2)  # (..., V, 12)
        blended = blended.unflatten(-1, (3, 4))
        return (blended[..., :3] @ posed.unsqueeze(-1)).squeeze(-1) + blended[..., 3]

    def vertices(
        self,
        global_orient: Tensor,
        body_pose: Tensor,
        *,
        betas: Tensor,
        transl: Tensor | None = None,
    ) -> Tensor:
        """(..., V, 3) metres, the whole story."""
        skeleton = self.skeleton(global_orient, body_pose, betas=betas)
        posed = self.posed(self.shaped(betas), body_pose)
        vertices = self.skinned(posed, skeleton, rest_joints=self.rest_joints(betas))
        return vertices if transl is None else vertices + transl.unsqueeze(-2)

    def joints(
        self,
        global_orient: Tensor,
        body_pose: Tensor,
        *,
        betas: Tensor,
        transl: Tensor | None = None,
    ) -> Tensor:
        """(..., J, 3) metres, the posed joints."""
        positions = self.skeleton(global_orient, body_pose, betas=betas).positions
        return positions if transl is None else positions + transl.unsqueeze(-2)


def pose_feature(body_pose: Tensor) -> Tensor:
    """(..., 9 (J - 1)) what pose correctives are linear in: matrices minus identity, row by row."""
    identity = torch.eye(3, dtype=body_pose.dtype, device=body_pose.device)
    return (body_pose - identity).flatten(start_dim=-3)


def blend(directions: Tensor, coefficients: Tensor) -> Tensor:
    """(..., R, 3) offsets of rows, from directions (R, 3, L) and coefficients (..., L)."""
    flat = directions.flatten(end_dim=1)  # (3R, L)
    return (coefficients @ flat.T).unflatten(-1, directions.shape[:2])
