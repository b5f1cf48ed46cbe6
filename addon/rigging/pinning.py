"""Feet held where they touch the ground, by bending hips and knees.

While a foot touches, its joint is moved to the mean of the places that it has in that stretch;
before and after, what it is moved by fades out. Hip, knee and ankle follow in closed form: the knee
takes the distance, the hip the direction, and the ankle keeps the foot's turn in the world. All is
in the armature's axes, metres; poses are of bones in their own rest axes, as `bones` makes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..contract import quaternions, skeleton
from .quaternions import continuous

_JOINT = {name: index for index, name in enumerate(skeleton.JOINT_NAMES)}
FEET = tuple(f"{side}_{part}" for side in ("left", "right") for part in ("ankle", "foot"))
_ALL = tuple(_JOINT.values())
_LEG = ("hip", "knee", "ankle", "foot")
_LEGS = tuple(_JOINT[f"{side}_{part}"] for side in ("left", "right") for part in _LEG)
_STRAIGHT = 0.999  # of the leg's length: as far as a pin stretches it
_BENT = 1.001  # of the least distance of hip and ankle
_FLAT = 0.02  # sine of the angle of a knee that counts as straight


@dataclass(frozen=True, eq=False)
class Poses:
    """T poses of the 24 bones."""

    quats: np.ndarray  # (T, 24, 4) wxyz, each in its bone's rest axes
    places: np.ndarray  # (T, 3) metres, of the root bone in its rest axes


@dataclass(frozen=True, eq=False)
class Rest:
    """The 24 bones at rest, armature axes."""

    heads: np.ndarray  # (24, 3) metres
    rotations: np.ndarray  # (24, 3, 3)


@dataclass(frozen=True, eq=False)
class Placed:
    """Where joints are and how far each has turned since rest, armature axes."""

    joints: np.ndarray  # (T, 24, 3) metres
    turns: np.ndarray  # (T, 24, 3, 3)


@dataclass(frozen=True, eq=False)
class _Pin:
    """A stretch of contact and the fades before and after it."""

    frames: np.ndarray  # (N,) indices
    weight: np.ndarray  # (N,) of each of these frames, in [0, 1]
    move: np.ndarray  # (N, 3) metres, from where the joint is in each


def placed(poses: Poses, rest: Rest, *, joints: Sequence[int] = _ALL) -> Placed:
    """Where `poses` have some joints, each behind its parent; zeros for the others."""
    count = len(poses.places)
    turns = np.zeros((count, skeleton.JOINT_COUNT, 3, 3))
    heads = np.zeros((count, skeleton.JOINT_COUNT, 3))
    for joint in joints:
        parent = skeleton.PARENTS[joint]
        local = _turns_of(poses.quats[:, joint], rest.rotations[joint])
        if parent < 0:
            turns[:, joint] = local
            heads[:, joint] = rest.heads[joint] + poses.places @ rest.rotations[joint].T
        else:
            turns[:, joint] = turns[:, parent] @ local
            span = rest.heads[joint] - rest.heads[parent]
            heads[:, joint] = heads[:, parent] + turns[:, parent] @ span
    return Placed(heads, turns)


def pinned(
    poses: Poses,
    rest: Rest,
    *,
    touches: dict[str, np.ndarray],
    times_s: np.ndarray,
    fade_s: float,
) -> Poses:
    """`poses` with feet that stay where they are while they touch.

    Args:
        poses: T of them.
        rest: of the same bones.
        touches: (T,) whether it touches, by joint; ankles and feet count. Where the foot's own
            joint does, the ankle is free to roll over it.
        times_s: (T,) seconds, rising or falling.
        fade_s: how long a foot takes to come back to where it was, before and after a stretch.
    """
    before, quats = placed(poses, rest, joints=(_JOINT["pelvis"], *_LEGS)), poses.quats.copy()
    for side in ("left", "right"):
        toe, ankle = f"{side}_foot", f"{side}_ankle"
        still = np.zeros(len(times_s), dtype=bool)
        on_toe = touches.get(toe, still)
        on_ankle = touches.get(ankle, still) & ~on_toe
        pins = [
            *_pins(before.joints[:, _JOINT[toe]], on_toe, times_s, fade_s),
            *_pins(before.joints[:, _JOINT[ankle]], on_ankle, times_s, fade_s),
        ]
        if pins:
            _reach(quats, before, rest, side=side, move=_mean_move(pins, len(times_s)))
    return Poses(continuous(quats), poses.places)


def _pins(
    places: np.ndarray, touches: np.ndarray, times_s: np.ndarray, fade_s: float
) -> list[_Pin]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], touches.astype(np.int8), [0]])))
    clock = times_s * np.sign(times_s[-1] - times_s[0])  # rising
    pins: list[_Pin] = []
    for first, last in zip(edges[::2], edges[1::2] - 1, strict=True):
        near = (clock >= clock[first] - fade_s) & (clock <= clock[last] + fade_s)
        frames = np.flatnonzero(near)
        held = np.clip(frames, first, last)
        outside_s = np.abs(clock[frames] - clock[held])
        weight = 1 - np.clip(outside_s / max(fade_s, 1e-9), 0, 1)
        move = places[first : last + 1].mean(axis=0) - places[held]
        pins.append(_Pin(frames, weight**2 * (3 - 2 * weight), move))
    return pins


def _mean_move(pins: list[_Pin], count: int) -> np.ndarray:
    """(T, 3) metres, by how much all pins together move a joint."""
    weights, moves = np.zeros((count, 1)), np.zeros((count, 3))
    for pin in pins:
        weights[pin.frames, 0] += pin.weight
        moves[pin.frames] += pin.weight[:, None] * pin.move
    return moves / np.maximum(weights, 1.0)


def _reach(quats: np.ndarray, before: Placed, rest: Rest, *, side: str, move: np.ndarray) -> None:
    """Poses one leg, in `quats`, so that its ankle is moved by `move` (T, 3) metres."""
    hip, knee, ankle = (_JOINT[f"{side}_{part}"] for part in ("hip", "knee", "ankle"))
    at_hip, at_knee, at_ankle = (before.joints[:, each] for each in (hip, knee, ankle))
    thigh, shin = at_knee - at_hip, at_ankle - at_knee
    above, below = (np.linalg.norm(each, axis=1) for each in (thigh, shin))
    wanted = at_ankle + move - at_hip
    far = np.linalg.norm(wanted, axis=1)
    far = np.clip(far, _BENT * np.abs(above - below), _STRAIGHT * (above + below))
    # The angle inside the knee, before and after, by the law of cosines.
    now = _angle(-thigh, shin)
    then = np.arccos(np.clip((above**2 + below**2 - far**2) / (2 * above * below), -1, 1))
    hinge = _hinge(thigh, shin, before.turns[:, knee] @ rest.rotations[knee][:, 0])
    bend = quaternions.quat_to_matrix(quaternions.aa_to_quat(hinge * (now - then)[:, None]))
    reached = thigh + (bend @ shin[..., None])[..., 0]
    swing = _shortest(reached, wanted)
    turns = {
        hip: swing @ before.turns[:, hip],
        knee: swing @ bend @ before.turns[:, knee],
        ankle: before.turns[:, ankle],
    }
    for joint, turn in turns.items():
        parent = skeleton.PARENTS[joint]
        above_it = turns.get(parent, before.turns[:, parent])
        quats[:, joint] = _quats_of(np.swapaxes(above_it, 1, 2) @ turn, rest.rotations[joint])


def _hinge(thigh: np.ndarray, shin: np.ndarray, bone_hinge: np.ndarray) -> np.ndarray:
    """(T, 3) the axis about which the shin closes by a positive angle, of length 1.

    It is what the knee bends about as it is; where that cannot be told, as the leg is straight,
    the bone's own.
    """
    across = np.cross(thigh, shin)
    lengths = np.linalg.norm(thigh, axis=1) * np.linalg.norm(shin, axis=1)
    is_straight = np.linalg.norm(across, axis=1) < _FLAT * lengths
    along = thigh / np.linalg.norm(thigh, axis=1, keepdims=True)
    own = bone_hinge - np.einsum("tc,tc->t", bone_hinge, along)[:, None] * along
    axis = np.where(is_straight[:, None], own, across)
    return axis / np.maximum(np.linalg.norm(axis, axis=1, keepdims=True), 1e-12)


def _turns_of(quats: np.ndarray, rest_rotation: np.ndarray) -> np.ndarray:
    """(T, 3, 3) one bone's turns against its parent, armature axes at rest."""
    local = quaternions.quat_to_matrix(quats / np.linalg.norm(quats, axis=-1, keepdims=True))
    return rest_rotation @ local @ rest_rotation.T


def _quats_of(turns: np.ndarray, rest_rotation: np.ndarray) -> np.ndarray:
    """(T, 4) such turns of one bone (T, 3, 3) in its own rest axes."""
    return quaternions.matrix_to_quat(rest_rotation.T @ turns @ rest_rotation)


def _angle(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(T,) angle between vectors (T, 3), radians."""
    across = np.linalg.norm(np.cross(one, other), axis=1)
    return np.arctan2(across, np.einsum("tc,tc->t", one, other))


def _shortest(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(T, 3, 3) the shortest turn from the direction of one vector (T, 3) to that of another."""
    axis = np.cross(start, end)
    length = np.linalg.norm(axis, axis=1, keepdims=True)
    axis = np.where(length > 1e-12, axis / np.maximum(length, 1e-12), 0.0)
    turned = quaternions.aa_to_quat(axis * _angle(start, end)[:, None])
    return quaternions.quat_to_matrix(turned)
