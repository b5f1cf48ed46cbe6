"""By time to a network's rate, and back: what is seen on its ticks, and its bodies between them.

A network of motion knows how people move at `FPS` frames a second. Footage has any rate, or none
that is steady, so what is seen is read on ticks of that rate: between frames where they are far
apart, as a mean of them where they are close. Nothing goes by the numbers of frames. Bodies come
back on a curve through the ticks whose acceleration has no steps.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.interpolate import CubicSpline
from scipy.sparse import csr_matrix
from torch import Tensor

from ...geometry.rotations import matrix_to_quat, quat_to_matrix

FPS = 30.0  # of the ticks: networks learn motion at this rate
LONGEST_S = 0.26  # between frames; what happens in longer pauses nobody has seen
_NEAR = 0.04  # of the rate: footage so near to it, or to a part of it, is read frame by frame
_SHARE = 0.6  # of a tick's frames that have to see a landmark
_SAME_S = 1e-5
_SAMPLES = 12  # of what is between frames, that make a tick's mean


def ticks_of(times_s: np.ndarray) -> np.ndarray:
    """(M,) seconds, about `FPS` a second, from the first of frames' times (T,) to the last."""
    span_s = times_s[-1] - times_s[0]
    if len(times_s) == 1 or span_s <= 0:
        return times_s[:1]
    count = max(1, round(span_s / _tick_s(np.diff(times_s))))
    return np.linspace(times_s[0], times_s[-1], count + 1)


def _tick_s(gaps_s: np.ndarray) -> float:
    """Seconds between ticks: so that frames fall on them, if they can."""
    middle = np.sort(gaps_s)[len(gaps_s) // 2]  # one that there is, where a median may be none
    usual = gaps_s[np.abs(gaps_s - middle) <= middle / 4].mean()  # clocks of files are rounded
    parts = round(usual * FPS)
    if parts >= 1 and abs(usual * FPS / parts - 1) < _NEAR:
        return usual / parts
    return 1 / FPS


def seen_on(
    ticks_s: np.ndarray, *, times_s: np.ndarray, keypoints: np.ndarray, landmarks3d: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (M, 33, 3) and landmarks (M, 33, 3) on ticks; score 0 where too few frames see.

    Args:
        ticks_s: (M,) as of `ticks_of`.
        times_s: (T,) seconds, rising.
        keypoints: (T, 33, 3) px and score; where the score is 0 the place is not looked at.
        landmarks3d: (T, 33, 3) metres.
    """
    weights = shares(ticks_s, times_s=times_s)
    seen = keypoints[..., 2] > 0  # (T, 33)
    share = weights @ seen.astype(np.float32)  # (M, 33)
    there = share > _SHARE
    total = np.where(there, share, 1)[..., None]

    def mean(values: np.ndarray) -> np.ndarray:
        summed = weights @ np.where(seen[..., None], values, 0).reshape(len(values), -1)
        return np.where(there[..., None], summed.reshape(*share.shape, -1) / total, 0)

    return mean(keypoints), mean(landmarks3d)


def shares(ticks_s: np.ndarray, *, times_s: np.ndarray) -> csr_matrix:
    """(M, T) how much of each frame is in each tick; rows sum to 1, or 0 where nobody looked.

    A tick is the mean over a span of what lies between the frames. The span is as wide as frames
    are closer than ticks, so that footage of the ticks' own rate is taken as it is, and it ends
    where the footage does, so that what moves steadily is seen where it was on the tick.
    """
    if len(times_s) == 1:
        return csr_matrix(np.ones((len(ticks_s), 1), dtype=np.float32))
    tick_s = ticks_s[1] - ticks_s[0] if len(ticks_s) > 1 else 1 / FPS
    after = np.searchsorted(times_s, ticks_s).clip(1, len(times_s) - 1)
    gap = times_s[after] - times_s[after - 1]
    to_end = np.minimum(ticks_s - times_s[0], times_s[-1] - ticks_s)
    reach = np.minimum(tick_s - gap, to_end).clip(min=0)
    # Where no tick has a span, one sample says it all.
    samples = _SAMPLES if (reach > _SAME_S).any() else 1
    offsets = (np.arange(samples) + 0.5) / samples * 2 - 1
    places = np.clip(ticks_s[:, None] + reach[:, None] * offsets, times_s[0], times_s[-1])
    return _between(places, times_s, tick_s=tick_s)


def _between(places: np.ndarray, times_s: np.ndarray, *, tick_s: float) -> csr_matrix:
    """(M, T) the mean over S places (M, S), in seconds, each between the frames around it."""
    count, samples = places.shape
    after = np.searchsorted(times_s, places).clip(1, len(times_s) - 1)
    gap = times_s[after] - times_s[after - 1]
    along = (places - times_s[after - 1]) / gap
    near = np.minimum(along, 1 - along) * gap <= tick_s / 2
    value = np.where((gap <= LONGEST_S) | near, 1 / samples, 0.0)
    along = np.where(gap <= LONGEST_S, along, along.round())
    rows = np.repeat(np.arange(count), 2 * samples)
    columns = np.stack([after - 1, after], axis=-1).reshape(-1)
    shares = np.stack([value * (1 - along), value * along], axis=-1).reshape(-1)
    shares = shares.astype(np.float32)
    return csr_matrix((shares, (rows, columns)), shape=(count, len(times_s)))


def turned_at(times_s: np.ndarray, *, ticks_s: np.ndarray, rotmat: Tensor) -> Tensor:
    """(T, J, 3, 3) rotations at `times_s` (T,), on a smooth curve through those on ticks.

    The curve is a cubic spline of quaternions, made unit again: at thirty a second neighbours are
    so close that this is as good as one on the sphere.

    Args:
        times_s: within the ticks.
        ticks_s: (M,) seconds, evenly rising.
        rotmat: (M, J, 3, 3) on the ticks.
    """
    if len(ticks_s) == 1:
        return rotmat.expand(len(times_s), -1, -1, -1)
    nearest = nearest_tick(times_s, ticks_s)
    if np.abs(ticks_s[nearest] - times_s).max() < _SAME_S:
        return rotmat[torch.from_numpy(nearest).to(rotmat.device)]
    joints = []
    for each in rotmat.unbind(dim=1):  # one at a time: bounds memory
        quat = matrix_to_quat(each).double().cpu().numpy()  # (M, 4)
        flips = np.sign((quat[1:] * quat[:-1]).sum(axis=1, keepdims=True) + 1e-12)
        quat[1:] *= np.cumprod(flips, axis=0)
        joints.append(quat_to_matrix(torch.tensor(CubicSpline(ticks_s, quat)(times_s))))
    return torch.stack(joints, dim=1).to(rotmat)


def nearest_tick(times_s: np.ndarray, ticks_s: np.ndarray) -> np.ndarray:
    """(T,) int64, of each time the tick nearest to it."""
    if len(ticks_s) == 1:
        return np.zeros(len(times_s), dtype=np.int64)
    place = (times_s - ticks_s[0]) / (ticks_s[-1] - ticks_s[0]) * (len(ticks_s) - 1)
    return place.round().astype(np.int64).clip(0, len(ticks_s) - 1)
