"""How a motion stands on its floor, and what it does while limbs are hidden, against a truth.

Points and frames are as in `metrics.py`: limb joints in camera axes, frames of the truth. Feet and
floor are judged in the capture's own world, whose floor is z = 0, because there an artist uses
them. Every figure keeps its single values, so that several shots can be averaged as one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from ..contract.motion import Camera, Motion
from ..contract.skeleton import CONTACT_NAMES, JOINT_NAMES, LIMB_JOINTS
from .comparison import at_pace, in_world, on_truth_frames
from .metrics import FOOT_POINTS, MIN_PROCRUSTES_POINTS, planted, procrustes
from .soles import SoleBody
from .truth import Truth

_LIMBS = [JOINT_NAMES.index(name) for name in LIMB_JOINTS]
_FEET = [JOINT_NAMES.index(name.replace("toe", "foot")) for name in FOOT_POINTS]
# FOOT_POINTS among the names of `Motion.contacts`.
CONTACT_FEET = tuple(name.replace("toe", "foot") for name in FOOT_POINTS)
DEEP_M = 0.03  # the paper's first threshold above zero
_MM, _CM = 1000.0, 100.0


@dataclass(frozen=True, eq=False)
class Grounded:
    """The single values of one motion, or of several; their means are `Means`."""

    pa_mm: np.ndarray  # after each frame's best similarity, of joints that the truth knows
    visible_mm: np.ndarray  # of these, those that are seen
    hidden_mm: np.ndarray  # and those that are not
    accel_m_s2: np.ndarray  # lengths of differences of accelerations, nothing aligned
    slide_cm_s: np.ndarray  # horizontal speeds of foot points that stand in truth
    sunk_mm: np.ndarray  # depths of each foot's lowest point below the floor, 0 above it
    off_mm: np.ndarray  # distances from the floor of the lowest points of feet that stand
    right: np.ndarray  # 1 where a foot point is rightly said to stand or not, 0 elsewhere


@dataclass(frozen=True)
class Means:
    """Means of `Grounded`; NaN where there was nothing to judge."""

    pa_mm: float
    visible_mm: float
    hidden_mm: float
    accel_m_s2: float
    slide_cm_s: float
    sunk_mm: float
    deep_percent: float  # of feet and frames deeper than `DEEP_M`
    off_mm: float
    contacts_percent: float  # foot points that were rightly said to stand or not


def judge(
    motion: Motion,
    camera: Camera,
    truth: Truth,
    *,
    body: SoleBody,
    hidden: np.ndarray | None = None,
) -> Grounded:
    """The values of one motion.

    Args:
        motion: of the person whom `truth` is about.
        camera: of the take, with the world that was found.
        truth: at the frames' own rate, or a higher one.
        body: of the motion.
        hidden: (T, 12) bool, which limb joints of the truth's frames are not seen; None: none.
    """
    paced = at_pace(truth, motion.times_s)
    if hidden is None:
        hidden = np.zeros(paced.valid.shape, dtype=bool)
    elif paced is not truth:
        nearest = on_truth_frames(hidden[..., None].astype(np.float64), truth.times_s, paced)
        hidden = nearest[..., 0] > 0
    joints, soles = (on_truth_frames(each, motion.times_s, paced) for each in _stood(motion, body))
    feet = in_world(joints[:, _FEET], camera, paced.times_s)  # (T, 4, 3)
    heights = in_world(soles, camera, paced.times_s)[..., 2]
    lowest = heights.reshape(len(soles), 2, -1).min(axis=-1)  # (T, 2)
    stands = planted(paced.feet_world, fps=paced.fps)
    apart, known = _apart(joints[:, _LIMBS], paced)
    return Grounded(
        pa_mm=apart[known],
        visible_mm=apart[known & ~hidden],
        hidden_mm=apart[known & hidden],
        accel_m_s2=_accelerations(joints[:, _LIMBS], paced),
        slide_cm_s=_slides(feet, stands, fps=paced.fps),
        sunk_mm=np.maximum(-lowest[np.isfinite(lowest)], 0) * _MM,
        off_mm=_off(lowest, stands),
        right=_right(motion, feet, paced),
    )


def together(found: Sequence[Grounded]) -> Grounded:
    """The values of all of `found`."""
    return Grounded(
        **{
            each.name: np.concatenate([getattr(one, each.name) for one in found])
            for each in fields(Grounded)
        }
    )


def means(found: Grounded) -> Means:
    """The means of all values."""
    return Means(
        pa_mm=_mean(found.pa_mm),
        visible_mm=_mean(found.visible_mm),
        hidden_mm=_mean(found.hidden_mm),
        accel_m_s2=_mean(found.accel_m_s2),
        slide_cm_s=_mean(found.slide_cm_s),
        sunk_mm=_mean(found.sunk_mm),
        deep_percent=100 * _mean(found.sunk_mm > DEEP_M * _MM),
        off_mm=_mean(found.off_mm),
        contacts_percent=100 * _mean(found.right),
    )


def _stood(motion: Motion, body: SoleBody) -> tuple[np.ndarray, np.ndarray]:
    joints, soles = body.of_motion(motion)
    return joints, soles.reshape(len(soles), -1, 3)


def _apart(limbs: np.ndarray, truth: Truth) -> tuple[np.ndarray, np.ndarray]:
    """(T, 12) millimetres after each frame's best similarity, and where they are known."""
    known = truth.valid & np.isfinite(limbs).all(axis=-1)
    known = known & (known.sum(axis=1) >= MIN_PROCRUSTES_POINTS)[:, None]
    goal = truth.limbs_camera
    aligned = procrustes(np.where(known[..., None], limbs, 0.0), goal, valid=known)
    return np.linalg.norm(aligned - goal, axis=-1) * _MM, known


def _accelerations(limbs: np.ndarray, truth: Truth) -> np.ndarray:
    known = truth.valid & np.isfinite(limbs).all(axis=-1)
    running = known[:-2] & known[1:-1] & known[2:]
    apart = np.diff(limbs - truth.limbs_camera, n=2, axis=0) * truth.fps**2
    return np.linalg.norm(apart, axis=-1)[running]


def _slides(feet: np.ndarray, stands: np.ndarray, *, fps: float) -> np.ndarray:
    steps = np.linalg.norm(np.diff(feet[..., :2], axis=0), axis=-1) * fps
    return steps[stands[:-1] & stands[1:] & np.isfinite(steps)] * _CM


def _off(lowest: np.ndarray, stands: np.ndarray) -> np.ndarray:
    """Millimetres between the floor and feet (T, 2) of which ankle or toe stands in truth."""
    either = np.stack([stands[:, [0, 2]].any(axis=1), stands[:, [1, 3]].any(axis=1)], axis=1)
    return np.abs(lowest[either & np.isfinite(lowest)]) * _MM


def _right(motion: Motion, feet: np.ndarray, truth: Truth) -> np.ndarray:
    """What a motion says of its feet's contacts; one that says nothing, by how its feet move."""
    known = np.isfinite(truth.feet_world).all(axis=-1) & np.isfinite(feet).all(axis=-1)
    said = planted(feet, fps=truth.fps)
    if motion.contacts is not None:
        columns = [CONTACT_NAMES.index(name) for name in CONTACT_FEET]
        chances = on_truth_frames(motion.contacts[:, columns, None], motion.times_s, truth)
        said = chances[..., 0] > 0.5
    return (said == planted(truth.feet_world, fps=truth.fps))[known].astype(np.float64)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else math.nan
