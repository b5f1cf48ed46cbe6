"""The ground that feet reach, and when they rest on it: what every method knows of the world.

Camera axes are OpenCV's, metres. A camera that stands still is assumed: a foot at rest then stays
at its place in the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..contract.skeleton import JOINT_NAMES

# What touches the ground.
FOOT_POINTS = ("left_heel", "left_foot_index", "right_heel", "right_foot_index")
_REST_SPEED = 0.09  # of the person's size per second: a foot slower than this is at rest
_REST_WINDOW_S = 0.1  # over which speed is measured, longer than the detector's tremble
_HEIGHT_SIGMA_M = 0.03  # of feet at rest about the ground
_PITCH_SIGMA = np.radians(15)  # how level cameras are held
_ROLL_SIGMA = np.radians(6)
_BALANCED_SIGMA = np.radians(4)  # how far over their feet people are, on average
_UPRIGHT_SIGMA = np.radians(10)  # how upright the trunks are of those who sit or crouch
_STEP_M = 0.3  # feet of one level are within about this much
_SOME = 0.1  # of all votes, by feet far below a plane: it is that of an upper level
_REST_ENOUGH = 0.5
# Places of feet that tell of the slope, in however many frames: their depths err alike.
_INDEPENDENT = 3.0
_LEAST_UPRIGHT = 0.5  # of a unit: whoever lies says nothing of the ground's slope
_BENT, _STRAIGHT = 0.8, 0.9  # from hip to ankle over the leg, where it says nothing and all
_ENOUGH_STRAIGHT = 5.0  # frames of straight legs
_SEEN_ENOUGH = 0.5  # a foot point seen less surely than this is hidden
_SAME_PLACE = 0.03  # of the person's size: nearer than this is where it was
# Rough shares of a body's mass about its joints; only their middle counts.
_MASSES = {
    "pelvis": 0.14, "spine1": 0.1, "spine2": 0.12, "spine3": 0.12, "head": 0.08,
    "left_hip": 0.1, "right_hip": 0.1, "left_knee": 0.06, "right_knee": 0.06,
    "left_shoulder": 0.04, "right_shoulder": 0.04, "left_elbow": 0.02, "right_elbow": 0.02,
}  # fmt: skip
_NECK, _PELVIS = JOINT_NAMES.index("neck"), JOINT_NAMES.index("pelvis")
_FEET = [
    JOINT_NAMES.index(f"{side}_{name}") for side in ("left", "right") for name in ("ankle", "foot")
]
_LEGS = np.array(
    [
        [JOINT_NAMES.index(f"{side}_{name}") for name in ("hip", "knee", "ankle")]
        for side in ("left", "right")
    ]
)  # (2, 3)


def at_rest(
    feet: np.ndarray, *, times_s: np.ndarray, seen: np.ndarray, size_px: np.ndarray
) -> np.ndarray:
    """(T, F) in [0, 1], how surely each foot point of a person rests, by its speed in the picture.

    A foot that goes out of sight at rest and comes back at rest in the same place has not moved.

    Args:
        feet: (T, F, 2) pixels.
        times_s: (T,) seconds, rising.
        seen: (T, F) in [0, 1].
        size_px: (T,) how large the person is in the picture.
    """
    speed = _speed(feet, times_s) / size_px[:, None]
    resting = seen * np.exp(-0.5 * (speed / _REST_SPEED) ** 2)
    near = _SAME_PLACE * float(size_px.mean())
    return _through_hidden_spells(resting, feet, seen=seen, near=near)


def find_ground(joints: np.ndarray, feet: np.ndarray, rest: np.ndarray) -> tuple[np.ndarray, float]:
    """The ground plane: its unit normal (3,), up, and offset with height(p) = normal . p + offset.

    A small least-squares problem over the normal's tilt and offset: feet at rest lie on it, people
    are upright on average, cameras are held level. Outlying feet (on a step, wrongly placed in
    depth) lose their vote in a few reweighted rounds.

    Args:
        joints: (N, 24, 3) metres, camera axes.
        feet: (N, F, 3) metres.
        rest: (N, F) in [0, 1].
    """
    asked = _Question.of(joints, feet, rest)
    if not asked.votes.any():
        return _lowest(asked.points)
    return _plane(_settled(asked, np.ones_like(asked.votes)))


def find_lower_ground(
    joints: np.ndarray, feet: np.ndarray, rest: np.ndarray
) -> tuple[np.ndarray, float]:
    """The same where people stand on two levels: the lower one.

    One plane may reach the feet of both, if it tilts enough. Motion that is held to its ground
    cannot use this alone: whoever stands a little higher would be drawn down (`levels.py`).
    """
    asked = _Question.of(joints, feet, rest)
    if not asked.votes.any():
        return _lowest(asked.points)
    one = _settled(asked, np.ones_like(asked.votes))
    is_below = _heights(asked.points, one) < -_STEP_M
    if asked.votes[is_below].sum() < _SOME * asked.votes.sum():
        return _plane(one)
    level = np.zeros(2) if asked.slope is None else asked.slope
    low = asked.points[:, 1] - asked.points[:, [0, 2]] @ level
    below = np.quantile(low[asked.votes > 0], 0.8) - low
    return _plane(_settled(asked, _fade(below, sigma=_STEP_M)))


@dataclass(frozen=True, eq=False)
class _Question:
    points: np.ndarray  # (P, 3) metres: feet
    votes: np.ndarray  # (P,) how much each counts; all 0 if nobody ever stands still
    slope: np.ndarray | None  # (2,) of the ground to x and z as people stand on it, if they do
    slope_sigma: float

    @classmethod
    def of(cls, joints: np.ndarray, feet: np.ndarray, rest: np.ndarray) -> _Question:
        points, votes = feet.reshape(-1, 3), np.where(rest > _REST_ENOUGH, rest, 0).reshape(-1)
        upward, sigma = _upward(joints)
        slope = -upward[[0, 2]] / upward[1] if upward[1] < -_LEAST_UPRIGHT else None
        if votes.sum() < 1:
            return cls(points, np.zeros_like(votes), None, sigma)
        # Some frames' worth: they are not independent.
        return cls(points, votes / max(votes.sum() / _INDEPENDENT, 1), slope, sigma)


def _upward(joints: np.ndarray) -> tuple[np.ndarray, float]:
    """(3,) unit, against gravity, as the bodies of joints (N, 24, 3) tell; and its deviation, rad.

    Whoever stands, walks or jumps on straight legs has the middle of the mass over the feet, on
    average, whatever the trunk does. Of people who only sit or crouch, there is but the trunk.
    """
    over = _units(_mass(joints) - joints[:, _FEET].mean(axis=1))
    straight = np.clip((_stretch(joints) - _BENT) / (_STRAIGHT - _BENT), 0, 1)
    if straight.sum() >= _ENOUGH_STRAIGHT:
        return _units(straight @ over), _BALANCED_SIGMA
    trunks = _units(joints[:, _NECK] - joints[:, _PELVIS])
    return _units(np.median(trunks, axis=0)), _UPRIGHT_SIGMA


def _units(vectors: np.ndarray) -> np.ndarray:
    """(..., 3) of length one; of no length what has none."""
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True).clip(min=1e-6)


def _mass(joints: np.ndarray) -> np.ndarray:
    """(N, 3) metres, about the middle of the mass of bodies with joints (N, 24, 3)."""
    shares = np.array(list(_MASSES.values()))
    places = joints[:, [JOINT_NAMES.index(name) for name in _MASSES]]
    return shares @ places / shares.sum()


def _stretch(joints: np.ndarray) -> np.ndarray:
    """(N,) in [0, 1], from hip to ankle as a share of the leg, of the straighter one."""
    hip, knee, ankle = (joints[:, row] for row in _LEGS.T)  # (N, 2, 3) each
    whole = np.linalg.norm(hip - knee, axis=-1) + np.linalg.norm(knee - ankle, axis=-1)
    return (np.linalg.norm(hip - ankle, axis=-1) / whole.clip(min=1e-6)).max(axis=1)


def _lowest(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Level, and as low as feet reach."""
    up = np.array([0.0, -1.0, 0.0])
    return up, float(-np.quantile(points @ up, 0.05))


def _plane(solution: np.ndarray) -> tuple[np.ndarray, float]:
    """The unit normal and offset of (x, z, offset) with the normal (x, -1, z) before scaling."""
    scale = np.sqrt(1 + solution[0] ** 2 + solution[1] ** 2)
    return np.array([solution[0], -1, solution[1]]) / scale, float(solution[2] / scale)


def _settled(asked: _Question, fade: np.ndarray) -> np.ndarray:
    """(3,) x, z, offset; `fade` (P,) is what is left of votes at first."""
    points, votes = asked.points, asked.votes
    rows = [[1 / _ROLL_SIGMA, 0, 0], [0, 1 / _PITCH_SIGMA, 0]]
    right = [0.0, 0.0]
    if asked.slope is not None:
        rows += [[1 / asked.slope_sigma, 0, 0], [0, 1 / asked.slope_sigma, 0]]
        right += list(asked.slope / asked.slope_sigma)
    solution = np.zeros(3)
    for _ in range(8):
        root = np.sqrt(votes * fade) / _HEIGHT_SIGMA_M
        design = np.concatenate(
            [rows, root[:, None] * np.column_stack([points[:, [0, 2]], np.ones(len(points))])]
        )
        target = np.concatenate([right, root * points[:, 1]])
        solution = np.linalg.lstsq(design, target, rcond=None)[0]
        fade = _fade(_heights(points, solution), sigma=3 * _HEIGHT_SIGMA_M)
    return solution


def _heights(points: np.ndarray, solution: np.ndarray) -> np.ndarray:
    """(P,) metres of `points` over the ground of (x, z, offset)."""
    return points[:, [0, 2]] @ solution[:2] - points[:, 1] + solution[2]


def _fade(height: np.ndarray, *, sigma: float) -> np.ndarray:
    """In [0, 1], the vote that is left of feet so far from the ground."""
    return 1 / (1 + (height / sigma) ** 2) ** 2


def world_from_camera(normal: np.ndarray, offset: float) -> np.ndarray:
    """(4, 4) metres: z up, ground at 0, the camera over the origin and looking along +y."""
    forward = np.array([0.0, 0.0, 1.0]) - normal[2] * normal
    forward /= np.linalg.norm(forward)
    matrix = np.eye(4)
    matrix[:3, :3] = [np.cross(forward, normal), forward, normal]
    matrix[2, 3] = offset
    return matrix


def _speed(feet: np.ndarray, times: np.ndarray) -> np.ndarray:
    """(T, F) pixels a second, over a window about each frame."""
    frames = np.arange(len(times))
    before = np.searchsorted(times, times - _REST_WINDOW_S / 2)
    after = np.searchsorted(times, times + _REST_WINDOW_S / 2, side="right") - 1
    # A neighbour on each side at least, where there is one.
    before = np.minimum(before, np.maximum(frames - 1, 0))
    after = np.maximum(after, np.minimum(frames + 1, len(times) - 1))
    span = np.maximum(times[after] - times[before], 1e-3)
    return np.linalg.norm(feet[after] - feet[before], axis=-1) / span[:, None]


def _through_hidden_spells(
    rest: np.ndarray, feet: np.ndarray, *, seen: np.ndarray, near: float
) -> np.ndarray:
    """(T, F) `rest`, carried through spells in which a foot is hidden between two equal places.

    Args:
        rest: (T, F) in [0, 1].
        feet: (T, F, 2) pixels.
        seen: (T, F) in [0, 1].
        near: pixels within which two places are equal.
    """
    carried = rest.copy()
    for foot in range(rest.shape[1]):
        clear = np.flatnonzero(seen[:, foot] >= _SEEN_ENOUGH)
        for before, after in pairwise(clear):
            moved = np.linalg.norm(feet[after, foot] - feet[before, foot])
            sure = min(rest[before, foot], rest[after, foot])
            if after - before > 1 and sure > _REST_ENOUGH and moved < near:
                carried[before + 1 : after, foot] = sure
    return carried
