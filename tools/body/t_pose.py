"""Anny's A pose with bent elbows, posed into the T pose of a body file.

Each limb is turned by rotations found from its own joints, so every shape ends with the same bone
directions and the shape space holds no pose. Left is solved; right is its mirror image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial.transform import Rotation

from .anny_source import MIRROR, AnnySource

# Directions of the rest pose. Legs lean as SMPL's do, so that mocap made for SMPL stays upright.
ARM = np.array([1.0, 0.0, 0.0])
ELBOW_HINGE = np.array([0.0, -1.0, 0.0])  # bending the left elbow forward turns about -y
PALM = np.array([0.0, -1.0, 0.0])
THIGH = np.array([0.024, -0.380, -0.006])
SHANK = np.array([-0.010, -0.400, -0.036])
TOE_OUT_DEG = 8.0
# Raising the arm also lifts collarbone and shoulder blade; more looks better raised, worse hanging.
CLAVICLE_SHARE, BLADE_SHARE = 0.03, 0.08


@dataclass(frozen=True, eq=False)
class Posed:
    """Shapes in the T pose, not yet placed."""

    vertices: np.ndarray  # (N, V, 3) metres
    heads: np.ndarray  # (N, B, 3) metres
    tails: np.ndarray  # (N, B, 3) metres


def pose_into_t(
    source: AnnySource, vertices: np.ndarray, *, heads: np.ndarray, tails: np.ndarray
) -> Posed:
    """`vertices` (N, V, 3) of Anny's rest pose and their bones (N, B, 3), posed into T."""
    weights = source.sparse_weights()
    posed = [
        _pose_one(source, each[0], heads=each[1], tails=each[2], weights=weights)
        for each in zip(vertices, heads, tails, strict=True)
    ]
    return Posed(*(np.stack(part).astype(np.float32) for part in zip(*posed, strict=True)))


def _pose_one(
    source: AnnySource,
    vertices: np.ndarray,
    *,
    heads: np.ndarray,
    tails: np.ndarray,
    weights: csr_matrix,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    chosen = _chosen_rotations(source, heads)
    rotations = np.empty((len(heads), 3, 3))
    shifts = np.empty((len(heads), 3))
    for bone, parent in enumerate(source.bone_parents):
        label = str(source.bone_labels[bone])
        inherited = rotations[parent] if parent >= 0 else np.eye(3)
        rotations[bone] = chosen.get(label, inherited)
        head = rotations[parent] @ heads[bone] + shifts[parent] if parent >= 0 else heads[bone]
        shifts[bone] = head - rotations[bone] @ heads[bone]
    transforms = np.concatenate([rotations, shifts[:, :, None]], axis=2).reshape(-1, 12)
    blended = (weights @ transforms).reshape(-1, 3, 4)
    skinned = np.einsum("vij,vj->vi", blended[:, :, :3], vertices) + blended[:, :, 3]
    return (
        skinned,
        np.einsum("bij,bj->bi", rotations, heads) + shifts,
        np.einsum("bij,bj->bi", rotations, tails) + shifts,
    )


def _chosen_rotations(source: AnnySource, heads: np.ndarray) -> dict[str, np.ndarray]:
    """Global rotation of each bone that does not inherit its parent's, both sides."""
    at = {label: heads[source.bone(f"{label}.L")] for label in _LEFT_BONES}
    left = {**_arm_rotations(at), **_leg_rotations(at)}
    flip = np.diag(MIRROR)
    chosen = {f"{label}.L": rotation for label, rotation in left.items()}
    chosen |= {f"{label}.R": flip @ rotation @ flip for label, rotation in left.items()}
    return chosen


_LEFT_BONES = (
    *("upperarm01", "lowerarm01", "wrist", "finger2-1", "finger3-1", "finger5-1"),
    *("upperleg01", "lowerleg01", "foot", "toe1-1", "toe2-1", "toe3-1", "toe4-1", "toe5-1"),
)


def _arm_rotations(at: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    upper = at["lowerarm01"] - at["upperarm01"]
    lower = at["wrist"] - at["lowerarm01"]
    hinge = np.cross(upper, lower)
    whole_upper = _frame(ARM, ELBOW_HINGE) @ _frame(upper, hinge).T
    whole_lower = _frame(ARM, ELBOW_HINGE) @ _frame(lower, hinge).T
    palm = np.cross(at["finger5-1"] - at["wrist"], at["finger2-1"] - at["wrist"])
    hand = _frame(ARM, PALM) @ _frame(at["finger3-1"] - at["wrist"], palm).T
    lift = Rotation.from_matrix(_between(upper, ARM)).as_rotvec()
    roll_upper = _twist_about_arm(whole_upper @ _between(upper, ARM).T)
    roll_hand = _twist_about_arm(hand @ whole_lower.T)
    return {
        "clavicle": Rotation.from_rotvec(CLAVICLE_SHARE * lift).as_matrix(),
        "shoulder01": Rotation.from_rotvec((CLAVICLE_SHARE + BLADE_SHARE) * lift).as_matrix(),
        "upperarm01": _roll(0.5 * roll_upper) @ _between(upper, ARM),
        "upperarm02": whole_upper,
        "lowerarm01": _roll(0.25 * roll_hand) @ whole_lower,
        "lowerarm02": _roll(0.75 * roll_hand) @ whole_lower,
        "wrist": hand,
    }


def _leg_rotations(at: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    thigh = at["lowerleg01"] - at["upperleg01"]
    shank = at["foot"] - at["lowerleg01"]
    ball = np.mean([at[f"toe{digit}-1"] for digit in range(1, 6)], axis=0) - at["foot"]
    yaw = np.radians(TOE_OUT_DEG) - np.arctan2(ball[0], ball[2])
    foot = Rotation.from_rotvec([0.0, yaw, 0.0]).as_matrix()  # soles stay flat
    turn = Rotation.from_rotvec([0.0, 0.5 * yaw, 0.0]).as_matrix()
    return {
        "upperleg01": _between(thigh, THIGH),
        "lowerleg01": _between(shank, SHANK),
        "lowerleg02": _between(turn @ shank, SHANK) @ turn,
        "foot": foot,
    }


def _frame(axis: np.ndarray, side: np.ndarray) -> np.ndarray:
    """(3, 3) orthonormal columns: along `axis`, then the part of `side` across it."""
    first = axis / np.linalg.norm(axis)
    second = side - first * (first @ side)
    second = second / np.linalg.norm(second)
    return np.stack([first, second, np.cross(first, second)], axis=1)


def _between(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(3, 3) the smallest rotation that turns `start` to the direction of `end`."""
    axis = np.cross(start, end)
    length = np.linalg.norm(axis)
    angle = np.arctan2(length, start @ end)
    return Rotation.from_rotvec(axis / max(length, 1e-12) * angle).as_matrix()


def _twist_about_arm(rotation: np.ndarray) -> float:
    return float(np.arctan2(rotation[2, 1], rotation[1, 1]))


def _roll(angle: float) -> np.ndarray:
    return Rotation.from_rotvec(angle * ARM).as_matrix()
