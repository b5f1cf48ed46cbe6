"""The body that is fitted: its points that are seen, that bones join, that touch the ground.

A body need not have all of BlazePose's landmarks (those from official files have no corners of the
mouth). What it has not is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...body.landmarks import blazepose_rows
from ...body.reduced import ReducedBody
from ...contract.body_file import BodyTemplate
from ...contract.skeleton import BLAZEPOSE_NAMES, JOINT_NAMES
from .evidence import CUE_BONES, FOOT_POINTS
from .priors import PosePrior

# What stands for a point of the foot that the body lacks: the joint of the toes, just over it.
_FOOT_STAND_INS = {"left_foot_index": "left_foot", "right_foot_index": "right_foot"}


@dataclass(frozen=True, eq=False)
class Subject:
    """A body reduced to the points that the energy reads; indices are of `body`'s points."""

    body: ReducedBody
    columns: Tensor  # (K,) int64, the landmarks that the body has, of BlazePose's 33
    keypoints: Tensor  # (K,) int64, which point each of them is
    bones: Tensor  # (C,) int64, the bones that the body has, of `CUE_BONES`
    cue: Tensor  # (2, C) int64, the points where they start and stop
    foot_columns: Tensor  # (F,) int64, of `FOOT_POINTS`
    feet: Tensor  # (F,) int64, the points that touch the ground
    feet_height: Tensor  # (F,) metres of these over the soles, where they stand flat
    prior: PosePrior
    height: Tensor  # () metres, of betas zero
    height_betas: Tensor  # (10,) metres per unit of beta

    @classmethod
    def from_template(cls, template: BodyTemplate, prior: PosePrior) -> Subject:
        """The body of `template`, on the device and in the precision of `prior`."""
        like = prior.means
        found = blazepose_rows(template)
        place = {
            BLAZEPOSE_NAMES[column]: int(point)
            for column, point in zip(found.columns, found.points, strict=True)
        }
        bones = [bone for bone in CUE_BONES if set(bone) <= set(place)]
        feet = {name: _foot_point(name, place) for name in FOOT_POINTS}
        feet = {name: point for name, point in feet.items() if point is not None}
        rest = np.concatenate([template.J_regressor, found.rows]) @ template.v_template[:, 1]
        top, sole = template.v_template[:, 1].argmax(), template.v_template[:, 1].argmin()

        def indices(values: Iterable[int]) -> Tensor:
            return torch.tensor(list(values), dtype=torch.int64, device=like.device)

        def tensor(array: np.ndarray) -> Tensor:
            return torch.tensor(array).to(like)

        return cls(
            body=ReducedBody.from_template(
                template, found.rows, device=like.device, dtype=like.dtype
            ),
            columns=indices(found.columns),
            keypoints=indices(found.points),
            bones=indices(CUE_BONES.index(bone) for bone in bones),
            cue=torch.stack([indices(place[bone[end]] for bone in bones) for end in (0, 1)]),
            foot_columns=indices(FOOT_POINTS.index(name) for name in feet),
            feet=indices(feet.values()),
            feet_height=tensor(rest[list(feet.values())] - template.v_template[sole, 1]),
            prior=prior,
            height=tensor(template.v_template[top, 1] - template.v_template[sole, 1]),
            height_betas=tensor(template.shapedirs[top, 1] - template.shapedirs[sole, 1]),
        )


def _foot_point(name: str, place: dict[str, int]) -> int | None:
    if name in place:
        return place[name]
    return JOINT_NAMES.index(_FOOT_STAND_INS[name]) if name in _FOOT_STAND_INS else None
