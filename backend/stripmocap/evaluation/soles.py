"""Joints and soles of a body: what is judged about its feet on the floor.

A sole is four corners of what lies lowest on the rest body's foot. Joints inside a foot are
centimetres above the floor that it stands on, and say little about who sinks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import roma
import torch
from torch import Tensor

from ..body.reduced import ReducedBody
from ..contract.body_file import BodyTemplate
from ..contract.motion import Motion

SIDES = ("left", "right")
CORNERS = 4  # a foot
_THICK_M = 0.006  # above the lowest of a foot that still is its sole


@dataclass(frozen=True, eq=False)
class SoleBody:
    """A body of which only joints and soles are asked for."""

    reduced: ReducedBody

    @classmethod
    def from_template(cls, template: BodyTemplate) -> SoleBody:
        """The body of `template`; its rest pose has y up and the toes towards +z."""
        corners = [each for side in SIDES for each in _corners(template, side)]
        rows = np.zeros((len(corners), len(template.v_template)))
        rows[np.arange(len(corners)), corners] = 1.0
        return cls(ReducedBody.from_template(template, rows, dtype=torch.float64))

    @torch.no_grad()
    def stand(self, rotmat: Tensor, *, betas: Tensor, transl: Tensor) -> tuple[Tensor, Tensor]:
        """(T, J, 3) joints and (T, 2, 4, 3) soles, left then right, metres.

        Args:
            rotmat: (T, J, 3, 3) pelvis first, then each joint to its parent.
            betas: (L,).
            transl: (T, 3) metres.
        """
        joints = len(self.reduced.J_template)
        rotmat, betas, transl = (each.to(torch.float64) for each in (rotmat, betas, transl))
        points = self.reduced.points(rotmat[:, 0], rotmat[:, 1:], betas=betas, transl=transl)
        return points[:, :joints], points[:, joints:].unflatten(1, (len(SIDES), CORNERS))

    def of_motion(self, motion: Motion) -> tuple[np.ndarray, np.ndarray]:
        """The same of a motion, in camera axes."""
        turns = np.concatenate([motion.global_orient[:, None], motion.body_pose], axis=1)
        rotmat = roma.rotvec_to_rotmat(torch.tensor(turns, dtype=torch.float64))
        joints, soles = self.stand(
            rotmat, betas=torch.tensor(motion.betas), transl=torch.tensor(motion.transl)
        )
        return joints.numpy(), soles.numpy()


def _corners(template: BodyTemplate, side: str) -> list[int]:
    """The four vertices farthest apart on the sole of one foot: heel and toes, inner and outer."""
    names = list(template.joint_names)
    foot = [names.index(f"{side}_{joint}") for joint in ("ankle", "foot")]
    mine = template.lbs_weights[:, foot].sum(axis=1) > 0.5
    heights = np.where(mine, template.v_template[:, 1], np.inf)
    sole = np.flatnonzero(heights < heights.min() + _THICK_M)
    across, along = template.v_template[sole, 0], template.v_template[sole, 2]
    # A foot is longer than it is wide: stretched, so that corners are corners.
    across = across * np.ptp(along) / max(np.ptp(across), 1e-6)
    return [int(sole[np.argmax(x * across + z * along)]) for z in (-1, 1) for x in (-1, 1)]
