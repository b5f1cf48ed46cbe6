"""People differ in how long their limbs are; Anny's dials hardly let them. This does.

Bones are lengthened in the T pose and the mesh is stretched along with them by its own weights. The
spreads are a judgement: a few per cent, about what surveys of adults leave to limb lengths once
stature is held. Longer legs go with a shorter trunk, so that heights stay as they were.
"""

from __future__ import annotations

import numpy as np
from stripmocap.contract.skeleton import JOINT_COUNT, JOINT_NAMES, PARENTS

from .shape_space import ShapeSamples
from .t_pose import Posed

LEGS, SHANK, ARMS, FOREARM, SHOULDERS, HIPS = 0.03, 0.025, 0.035, 0.02, 0.035, 0.04
_LEG_TO_TRUNK = 1.6  # how much longer legs are than the trunk that makes up for them
# The joint that each bone leads to, where it has one of its own.
_CHILD = {
    **{f"{side}_{a}": f"{side}_{b}" for side in ("left", "right") for a, b in (
        ("hip", "knee"), ("knee", "ankle"), ("collar", "shoulder"), ("shoulder", "elbow"),
        ("elbow", "wrist"),
    )},
    **{"pelvis": "spine1", "spine1": "spine2", "spine2": "spine3", "spine3": "neck"},
}  # fmt: skip


def varied(samples: ShapeSamples, weights: np.ndarray, *, seed: int) -> ShapeSamples:
    """`samples` with limbs of other lengths; only vertices and joints, for shape and regressors.

    Args:
        samples: people in the T pose, pelvis joint at the origin.
        weights: (V, 24) skinning weights.
        seed: of the lengths.
    """
    dials = np.random.default_rng(seed).standard_normal((len(samples.joints), 6)).clip(-2.5, 2.5)
    people = [
        _stretched(vertices, joints, weights=weights, factors=_factors(dial))
        for vertices, joints, dial in zip(
            samples.posed.vertices, samples.joints, dials, strict=True
        )
    ]
    posed = Posed(
        np.array([vertices for vertices, _ in people]), samples.posed.heads, samples.posed.tails
    )
    return ShapeSamples(posed, np.array([joints for _, joints in people]))


def _factors(dial: np.ndarray) -> np.ndarray:
    """(24, 3) by how much the bone that ends at each joint is longer, along x, y, z."""
    legs, shank, arms, forearm, shoulders, hips = dial * (
        LEGS, SHANK, ARMS, FOREARM, SHOULDERS, HIPS,
    )  # fmt: skip
    of = {
        "knee": 1 + legs - shank,
        "ankle": 1 + legs + shank,
        "elbow": 1 + arms - forearm,
        "wrist": 1 + arms + forearm,
        "shoulder": 1 + shoulders,
        **dict.fromkeys(("spine1", "spine2", "spine3", "neck"), 1 - _LEG_TO_TRUNK * legs),
    }
    factors = np.ones((JOINT_COUNT, 3))
    for index, name in enumerate(JOINT_NAMES):
        part = name.partition("_")[2] or name
        factors[index] = of.get(part, 1.0)
        if part == "hip":
            factors[index] = (1 + hips, 1, 1)
    return factors


def _stretched(
    vertices: np.ndarray, joints: np.ndarray, *, weights: np.ndarray, factors: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(V, 3) vertices and (24, 3) joints, metres, with bones longer by `factors` (24, 3)."""
    moved = joints.copy()
    for joint in range(1, JOINT_COUNT):
        parent = PARENTS[joint]
        moved[joint] = moved[parent] + factors[joint] * (joints[joint] - joints[parent])
    stretched = np.zeros_like(vertices)
    for joint, name in enumerate(JOINT_NAMES):
        offset = (vertices - joints[joint]) @ _stretch(name, joints, factors).T
        stretched += weights[:, joint, None] * (moved[joint] + offset)
    return stretched, moved


def _stretch(name: str, joints: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """(3, 3) what happens to the mesh about the bone that starts at joint `name`."""
    matrix = np.eye(3)
    if name in _CHILD:
        child = JOINT_NAMES.index(_CHILD[name])
        along = joints[child] - joints[JOINT_NAMES.index(name)]
        along = along / np.linalg.norm(along)
        matrix += (factors[child].mean() - 1) * np.outer(along, along)
    if name == "pelvis":
        matrix[0, 0] = factors[JOINT_NAMES.index("left_hip"), 0]
    return matrix
