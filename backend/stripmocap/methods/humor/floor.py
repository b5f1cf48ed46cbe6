"""The floor as the camera sees it, and the frame of the motion prior that stands on it.

A floor is unit normal n and height d: it is where n x = d, in metres, camera axes (OpenCV's: y
down). The frame has z along the normal and the floor at 0; its origin is below the body's
translation in the first frame, and the body's right lies along x (Rempe et al., "HuMoR", ICCV 2021,
4.1). Gradients pass from there to the floor and to the body.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize


@dataclass(frozen=True, eq=False)
class Floor:
    """Planes (...) in camera axes."""

    normal: Tensor  # (..., 3) unit, up
    height: Tensor  # (...,) metres along it from the camera's centre; below zero: under the camera

    @classmethod
    def of(cls, nearest: Tensor) -> Floor:
        """The floors whose points nearest to the camera's centre are (..., 3), metres.

        That is what is fitted. It must not be zero; the normal points up, against the camera's y.
        """
        height = nearest.norm(dim=-1)
        normal = nearest / height.unsqueeze(-1)
        sign = torch.where(normal[..., 1] > 0, -1.0, 1.0).to(nearest)
        return cls(normal * sign.unsqueeze(-1), height * sign)


@dataclass(frozen=True, eq=False)
class PriorFrame:
    """Frames (...) of the motion prior: `x_prior = rotmat x_camera + offset`."""

    rotmat: Tensor  # (..., 3, 3) its axes' directions in the camera's, one a row
    offset: Tensor  # (..., 3) metres

    @classmethod
    def under(cls, floor: Floor, *, transl: Tensor, global_orient: Tensor) -> PriorFrame:
        """The frames under bodies (...) in their first frame.

        Args:
            floor: (...,), or one for all.
            transl: (..., 3) metres, camera axes.
            global_orient: (..., 3, 3) pelvis to camera; its right is not to be along the normal.
        """
        up, right = torch.broadcast_tensors(floor.normal, -global_orient[..., 0])
        # The published code intersects a line along `right` with the floor: the same direction.
        along = (right * up).sum(dim=-1, keepdim=True)
        right = normalize(right - along * up, dim=-1)
        forward = torch.linalg.cross(up, right)
        sideways, ahead = ((each * transl).sum(dim=-1) for each in (right, forward))
        height = floor.height.expand_as(sideways)
        offset = -torch.stack([sideways, ahead, height], dim=-1)
        return cls(torch.stack([right, forward, up], dim=-2), offset)

    def enter(self, points: Tensor) -> Tensor:
        """(..., P, 3) points of the camera in these frames, metres.

        A body's translation is no point of it, because bodies turn about their pelvis: HuMoR's fit
        moves it so all the same, then lifts the motion until its first pelvis is as high as here.
        """
        return points @ self.rotmat.mT + self.offset.unsqueeze(-2)

    def leave(self, points: Tensor) -> Tensor:
        """The inverse of `enter`."""
        return (points - self.offset.unsqueeze(-2)) @ self.rotmat
