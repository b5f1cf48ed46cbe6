"""Joints and soles of a body: what is judged about its feet on the floor.

A sole is four corners of what lies lowest on the rest body's foot. Joints inside a foot are
centimetres above the floor that it stands on, and say little about who sinks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import roma
import torch
from torch import Tensor

from ..body.model import Body
from ..contract.body_file import BodyTemplate
from ..contract.motion import Motion
from ..contract.skeleton import JOINT_NAMES

SIDES = ("left", "right")
CORNERS = 4  # a foot
_THICK_M = 0.006  # above the lowest of a foot that still is its sole


@dataclass(frozen=True, eq=False)
class SoleBody:
    """A body of whose mesh only the corners of the soles are left: left, then right."""

    body: Body

    @classmethod
    def from_template(cls, template: BodyTemplate) -> SoleBody:
        """The body of `template`, in double precision."""
        return cls.from_body(Body.from_template(template, dtype=torch.float64))

    @classmethod
    def from_body(cls, body: Body) -> SoleBody:
        """The same of a whole body; its rest pose has y up and the toes towards +z."""
        rows = torch.tensor([each for side in SIDES for each in _corners(body, side)])
        parts = ("v_template", "shapedirs", "posedirs", "lbs_weights")
        return cls(replace(body, **{name: getattr(body, name)[rows] for name in parts}))

    @torch.no_grad()
    def stand(self, rotmat: Tensor, *, betas: Tensor, transl: Tensor) -> tuple[Tensor, Tensor]:
        """(T, J, 3) joints and (T, 2, 4, 3) soles, left then right, metres.

        Args:
            rotmat: (T, J, 3, 3) pelvis first, then each joint to its parent.
            betas: (L,).
            transl: (T, 3) metres.
        """
        rotmat, betas, transl = (each.to(self.body.v_template) for each in (rotmat, betas, transl))
        pose = {"betas": betas, "transl": transl}
        joints = self.body.joints(rotmat[:, 0], rotmat[:, 1:], **pose)
        soles = self.body.vertices(rotmat[:, 0], rotmat[:, 1:], **pose)
        return joints, soles.unflatten(1, (len(SIDES), CORNERS))

    def of_motion(self, motion: Motion) -> tuple[np.ndarray, np.ndarray]:
        """The same of a motion, in camera axes."""
        turns = np.concatenate([motion.global_orient[:, None], motion.body_pose], axis=1)
        rotmat = roma.rotvec_to_rotmat(torch.tensor(turns, dtype=torch.float64))
        joints, soles = self.stand(
            rotmat, betas=torch.tensor(motion.betas), transl=torch.tensor(motion.transl)
        )
        return joints.double().numpy(), soles.double().numpy()


def _corners(body: Body, side: str) -> list[int]:
    """The four vertices farthest apart on the sole of one foot: heel and toes, inner and outer."""
    foot = [JOINT_NAMES.index(f"{side}_{joint}") for joint in ("ankle", "foot")]
    vertices = body.v_template.cpu().double().numpy()
    mine = body.lbs_weights[:, foot].sum(dim=1).cpu().numpy() > 0.5
    heights = np.where(mine, vertices[:, 1], np.inf)
    sole = np.flatnonzero(heights < heights.min() + _THICK_M)
    across, along = vertices[sole, 0], vertices[sole, 2]
    # A foot is longer than it is wide: stretched, so that corners are corners.
    across = across * np.ptp(along) / max(np.ptp(across), 1e-6)
    return [int(sole[np.argmax(x * across + z * along)]) for z in (-1, 1) for x in (-1, 1)]
