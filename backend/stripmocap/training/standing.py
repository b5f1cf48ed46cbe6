"""Clips that stand on the floor with the body that plays them.

A clip's way is that of the person who was recorded. On a body with longer legs its feet would sink
and slide, so the way is made as long as the legs are, and put as high as the soles ask.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ..contract.skeleton import BLAZEPOSE_NAMES, JOINT_NAMES
from ..geometry.rotations import aa_to_matrix
from .mocap import Clip
from .poses import FEET
from .shots import dice
from .synthetic import LandmarkBody, draw_betas

CLIP_LEG_M = 0.784  # hip to knee to ankle of the skeleton that clips are written for (index.json)
SOLE_PERCENTILE = 5  # of heights of the lower sole over a clip: that is the floor
# How high the landmarks of the embedded body's feet are when its soles lie flat, metres.
FLAT_M = {"heel": 0.024, "foot_index": 0.014}
_LEG = [JOINT_NAMES.index(f"left_{name}") for name in ("hip", "knee", "ankle")]
_FEET = tuple(f"{side}_{name}" for name in FLAT_M for side in ("left", "right"))
_COLUMNS = [BLAZEPOSE_NAMES.index(name) for name in _FEET]
_FLAT = torch.tensor([FLAT_M[name.split("_", 1)[1]] for name in _FEET])


@torch.no_grad()
def on_the_floor(clip: Clip, body: LandmarkBody, *, betas: Tensor) -> Clip:
    """`clip` with a way on which a body of shape `betas` (10,) stands on the floor, z = 0.

    Feet at rest stay at rest, as far as they do in the clip; strides are longer on longer legs.
    """
    turns = np.concatenate([clip.global_orient[:, None], clip.body_pose], axis=1)
    rotmat = aa_to_matrix(torch.tensor(turns)).float()
    if not clip.feet_ok:
        rotmat[:, FEET] = torch.eye(3)
    way = clip.pelvis * (_leg_m(body, betas) / CLIP_LEG_M)
    joints, landmarks = body.stand(rotmat, betas=betas.expand(len(rotmat), -1))
    soles = landmarks[:, _COLUMNS, 2] - _FLAT - joints[:, :1, 2]  # (T, 4) above the pelvis
    lower = soles.amin(dim=1).numpy() + way[:, 2]
    return replace(clip, pelvis=way - [0.0, 0.0, np.percentile(lower, SOLE_PERCENTILE)])


def standing(clip: Clip, body: LandmarkBody, *, seed: int) -> Clip:
    """`clip` for the person whom `shots.shot_of` will draw for it with the same seed."""
    return on_the_floor(clip, body, betas=draw_betas(1, dice(clip, seed))[0])


def _leg_m(body: LandmarkBody, betas: Tensor) -> float:
    rest = body.reduced.J_template + body.reduced.J_shapedirs @ betas
    hip, knee, ankle = rest[_LEG]
    return float((hip - knee).norm() + (knee - ankle).norm())
