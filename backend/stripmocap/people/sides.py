"""Left and right kept the same through a track: nobody turns round between two frames.

A body seen from the front and from behind has nearly one outline, and where the face is hidden or
blurred a landmark network goes back and forth between the two. The mistaken frames are found as the
cheapest path (Viterbi, IEEE Trans. Inform. Theory, 1967) through "as found" and "the other
way round", where a path pays for how far keypoints jump and for each second the other way round.
Someone who truly turns passes through a side view, where left and right lie on one another and
the change of names is almost free.
"""

from __future__ import annotations

import numpy as np

from ..contract.skeleton import BLAZEPOSE_NAMES, mirrored

MEMORY_FRAMES = 4  # compared with this many frames before: one or two bad ones break no chain
OTHER_WAY_COST_PER_S = 0.3  # in lengths of the body's box
OTHER_SIDE = [BLAZEPOSE_NAMES.index(mirrored(name)) for name in BLAZEPOSE_NAMES]
_PAIRED = [
    index
    for index, name in enumerate(BLAZEPOSE_NAMES)
    if any(part in name for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"))
]


def other_way_round(
    keypoints: np.ndarray, landmarks3d: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The same picture of a body that faces the opposite way: left is right, near is far.

    Args:
        keypoints: (..., 33, 3) px and confidence.
        landmarks3d: (..., 33, 3) metres, camera axes.
    """
    return keypoints[..., OTHER_SIDE, :], landmarks3d[..., OTHER_SIDE, :] * [1, 1, -1]


def mistaken(times_s: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    """(T,) whether the body is rather the other way round in each frame.

    Args:
        times_s: (T,) seconds.
        keypoints: (T, 33, 3) px and confidence.
    """
    count = len(times_s)
    way = np.zeros(count, dtype=bool)
    if count < 2:
        return way
    price = OTHER_WAY_COST_PER_S * np.append(np.diff(times_s), np.diff(times_s)[-1])
    jumps = [_jumps(keypoints, lag) for lag in range(1, MEMORY_FRAMES + 1)]
    # A state holds the ways of the last frames, the newest in the lowest bit.
    states = np.arange(2**MEMORY_FRAMES)
    total = np.where(states < 2, states * price[0], np.inf)
    best_before = np.zeros((count, len(states)), dtype=int)
    for frame in range(1, count):
        cost = np.zeros((len(states), 2))  # (from, way now)
        for lag, jump in enumerate(jumps[:frame], start=1):
            then = states >> (lag - 1) & 1
            cost += np.where(then[:, None] == [0, 1], *jump[frame - lag])
        paths = (total[:, None] + cost + [0.0, price[frame]]).ravel()  # by the state so far, way
        # Two states lead to each new one: they differ in the oldest way, which is now forgotten.
        old, new = np.split(paths, 2)
        best_before[frame] = np.where(old <= new, 0, len(states) // 2)
        total = np.minimum(old, new)
    state = int(total.argmin())
    for frame in range(count - 1, -1, -1):
        way[frame] = state & 1
        state = (state >> 1) + best_before[frame, state]
    return way


def _jumps(keypoints: np.ndarray, lag: int) -> np.ndarray:
    """(T - lag, 2) mean step of the limbs over `lag` frames: with names kept, and changed.

    In lengths of the body's box, weighted by confidence.
    """
    before, after = keypoints[:-lag], keypoints[lag:]
    length = np.ptp(before[:, _PAIRED, :2], axis=1).max(axis=1)[:, None] + 1e-6
    means = []
    for each in (after, after[:, OTHER_SIDE]):
        steps = np.linalg.norm(each[:, _PAIRED, :2] - before[:, _PAIRED, :2], axis=2) / length
        weights = np.minimum(each[:, _PAIRED, 2], before[:, _PAIRED, 2])
        means.append((steps * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-6))
    return np.stack(means, axis=1)
