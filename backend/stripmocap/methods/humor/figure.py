"""The body that the fit moves: 22 joints, and the points of it that are seen or shared by pieces.

Hands rest, so that what hangs on a wrist is as stiff as a bone: it is folded into the wrist, and
SMPL's 24 joints and SMPL-H's 52 become 22 without a difference to any point.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...body.landmarks import KeypointRows, blazepose_rows, openpose25_rows
from ...body.model import blend
from ...body.reduced import ReducedBody
from ...contract.body_file import BodyTemplate
from .state import JOINTS

# Vertices of SMPL's mesh by which HuMoR compares bodies: its pieces where they overlap, and
# observed vertices. Numbers of the public mesh, in the order of HuMoR's code.
SMPL_SHARED_VERTICES = (
    *(4404, 920, 3076, 3169, 823, 4310, 1010, 1085, 4495, 4569, 6615, 3217, 3313, 6713, 6785),
    *(3383, 6607, 3207, 1241, 1508, 4797, 4122, 1618, 1569, 5135, 5040, 5691, 5636, 5404, 2230),
    *(2173, 2108, 134, 3645, 6543, 3123, 3024, 4194, 1306, 182, 3694, 4294, 744),
)

# OpenPose's neck and hips, which are not where the body's joints are.
IGNORED_OPENPOSE = (1, 9, 12)


@dataclass(frozen=True, eq=False)
class Figure:
    """A body reduced to P points: its 22 joints, what detectors see of it, what pieces share."""

    body: ReducedBody
    columns: Tensor  # (K,) int64, the detector's keypoints that the body has
    keypoints: Tensor  # (K,) int64, which point each of them is
    counted: Tensor  # (K,) one, or zero where a keypoint means another place than the point
    shared: Tensor  # (S,) int64, the points by which pieces of a motion are compared

    @classmethod
    def of_openpose(
        cls,
        template: BodyTemplate,
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> Figure:
        """A body of SMPL or SMPL-H seen as OpenPose's 25 keypoints, as in HuMoR.

        Raises:
            BodyFileError: the body lacks one of them.
        """
        seen = openpose25_rows(template)
        shared = np.eye(len(template.v_template), dtype=np.float32)[list(SMPL_SHARED_VERTICES)]
        figure = _figure(template, seen, shared, device, dtype)
        figure.counted[list(IGNORED_OPENPOSE)] = 0
        return figure

    @classmethod
    def of_blazepose(
        cls,
        template: BodyTemplate,
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> Figure:
        """Any body seen as BlazePose's landmarks; pieces share its joints and these landmarks."""
        return _figure(template, blazepose_rows(template), None, device, dtype)

    def points(
        self, global_orient: Tensor, body_pose: Tensor, *, betas: Tensor, transl: Tensor
    ) -> Tensor:
        """(..., P, 3) metres, joints first.

        Args:
            global_orient: (..., 3, 3) pelvis to the axes of the answer.
            body_pose: (..., 21, 3, 3) joints to their parents.
            betas: (..., L).
            transl: (..., 3) metres.
        """
        return self.body.points(global_orient, body_pose, betas=betas, transl=transl)

    def rest_pelvis(self, betas: Tensor) -> Tensor:
        """(..., 3) metres, what bodies of shape betas (..., L) turn about."""
        return self.body.J_template[0] + blend(self.body.J_shapedirs[:1], betas)[..., 0, :]


@dataclass(frozen=True, eq=False)
class _Stiff:
    """What `ReducedBody` reads of a template, with everything behind a wrist in the wrist."""

    v_template: np.ndarray
    shapedirs: np.ndarray
    posedirs: np.ndarray
    J_regressor: np.ndarray
    lbs_weights: np.ndarray
    parents: tuple[int, ...]

    @classmethod
    def of(cls, template: BodyTemplate) -> _Stiff:
        kept = list(range(JOINTS))
        holder = np.array(
            [_kept_above(joint, template.parents) for joint in range(len(template.parents))]
        )
        weights = np.stack(
            [template.lbs_weights[:, holder == joint].sum(axis=1) for joint in kept], axis=1
        )
        return cls(
            v_template=template.v_template,
            shapedirs=template.shapedirs,
            posedirs=template.posedirs[..., : 9 * (JOINTS - 1)],
            J_regressor=template.J_regressor[kept],
            lbs_weights=weights,
            parents=template.parents[:JOINTS],
        )


def _kept_above(joint: int, parents: tuple[int, ...]) -> int:
    while joint >= JOINTS:
        joint = parents[joint]
    return joint


def _figure(
    template: BodyTemplate,
    seen: KeypointRows,
    shared: np.ndarray | None,
    device: torch.device | str,
    dtype: torch.dtype,
) -> Figure:
    rows = seen.rows if shared is None else np.concatenate([seen.rows, shared])
    beyond = len(template.parents) - JOINTS
    places = np.where(seen.points < JOINTS, seen.points, seen.points - beyond)
    body = ReducedBody.from_template(_Stiff.of(template), rows, device=device, dtype=dtype)
    count = JOINTS + len(rows)
    sharing = range(count) if shared is None else range(JOINTS + len(seen.rows), count)
    return Figure(
        body=body,
        columns=torch.tensor(seen.columns, device=device),
        keypoints=torch.tensor(places, device=device),
        counted=torch.ones(len(places), dtype=dtype, device=device),
        shared=torch.tensor(list(sharing), device=device),
    )
