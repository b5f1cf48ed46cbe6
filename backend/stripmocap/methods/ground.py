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
_PITCH_SIGMA = np.radians(12)  # how level cameras are held
_ROLL_SIGMA = np.radians(4)
_UPRIGHT_SIGMA = np.radians(8)  # how upright people are on average
_STEP_M = 0.3  # feet of one level are within about this much
_MOST_SQUARE = 4.0  # of heights over their sigma: further off it makes no difference
_REST_ENOUGH = 0.5
_SEEN_ENOUGH = 0.5  # a foot point seen less surely than this is hidden
_SAME_PLACE = 0.03  # of the person's size: nearer than this is where it was


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
    return _plane(_settled(asked, np.ones_like(asked.votes))[0])


def find_lower_ground(
    joints: np.ndarray, feet: np.ndarray, rest: np.ndarray
) -> tuple[np.ndarray, float]:
    """The same where people stand on two levels: the lower one, unless one plane is likelier.

    One plane may reach the feet of both, if it tilts enough. Motion that is held to its ground
    cannot use this: whoever stands on the upper level would be drawn down.
    """
    asked = _Question.of(joints, feet, rest)
    if not asked.votes.any():
        return _lowest(asked.points)
    level = np.zeros(2) if asked.slope is None else asked.slope
    low = asked.points[:, 1] - asked.points[:, [0, 2]] @ level
    below = np.quantile(low[asked.votes > 0], 0.8) - low
    starts = (np.ones_like(asked.votes), _fade(below, sigma=_STEP_M))
    solution, _ = min((_settled(asked, each) for each in starts), key=lambda each: each[1])
    return _plane(solution)


@dataclass(frozen=True, eq=False)
class _Question:
    points: np.ndarray  # (P, 3) metres: feet
    votes: np.ndarray  # (P,) how much each counts; all 0 if nobody ever stands still
    slope: np.ndarray | None  # (2,) of the ground to x and z as upright people have it, if any

    @classmethod
    def of(cls, joints: np.ndarray, feet: np.ndarray, rest: np.ndarray) -> _Question:
        points, votes = feet.reshape(-1, 3), np.where(rest > _REST_ENOUGH, rest, 0).reshape(-1)
        if votes.sum() < 1:
            return cls(points, np.zeros_like(votes), None)
        trunk = joints[:, JOINT_NAMES.index("neck")] - joints[:, JOINT_NAMES.index("pelvis")]
        upright = np.median(trunk / np.linalg.norm(trunk, axis=1, keepdims=True), axis=0)
        upright /= np.linalg.norm(upright)
        slope = -upright[[0, 2]] / upright[1] if upright[1] < -0.5 else None
        # Thirty frames' worth: they are not independent.
        return cls(points, votes / max(votes.sum() / 30, 1), slope)


def _lowest(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Level, and as low as feet reach."""
    up = np.array([0.0, -1.0, 0.0])
    return up, float(-np.quantile(points @ up, 0.05))


def _plane(solution: np.ndarray) -> tuple[np.ndarray, float]:
    """The unit normal and offset of (x, z, offset) with the normal (x, -1, z) before scaling."""
    scale = np.sqrt(1 + solution[0] ** 2 + solution[1] ** 2)
    return np.array([solution[0], -1, solution[1]]) / scale, float(solution[2] / scale)


def _settled(asked: _Question, fade: np.ndarray) -> tuple[np.ndarray, float]:
    """(x, z, offset), and how unlikely it is; `fade` (P,) is what is left of votes at first."""
    points, votes = asked.points, asked.votes
    rows = [[1 / _ROLL_SIGMA, 0, 0], [0, 1 / _PITCH_SIGMA, 0]]
    right = [0.0, 0.0]
    if asked.slope is not None:
        rows += [[1 / _UPRIGHT_SIGMA, 0, 0], [0, 1 / _UPRIGHT_SIGMA, 0]]
        right += list(asked.slope / _UPRIGHT_SIGMA)
    solution, height = np.zeros(3), np.zeros(len(points))
    for _ in range(8):
        root = np.sqrt(votes * fade) / _HEIGHT_SIGMA_M
        design = np.concatenate(
            [rows, root[:, None] * np.column_stack([points[:, [0, 2]], np.ones(len(points))])]
        )
        target = np.concatenate([right, root * points[:, 1]])
        solution = np.linalg.lstsq(design, target, rcond=None)[0]
        height = points[:, [0, 2]] @ solution[:2] - points[:, 1] + solution[2]
        fade = _fade(height, sigma=3 * _HEIGHT_SIGMA_M)
    square = np.minimum((height / _HEIGHT_SIGMA_M) ** 2, _MOST_SQUARE)
    unlikely = np.sum((np.array(rows) @ solution - right) ** 2) + votes @ square
    return solution, float(unlikely)


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
