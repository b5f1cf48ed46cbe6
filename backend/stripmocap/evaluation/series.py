"""Where errors lie: frame by frame, and joint by joint. Means of these are in `metrics.Scores`.

Shapes, units and what counts are those of `metrics.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..contract.skeleton import LIMB_JOINTS
from .metrics import MIN_PROCRUSTES_POINTS, procrustes, rooted

_MM = 1000.0


@dataclass(frozen=True, eq=False)
class Series:
    """The errors of one motion over T frames of the truth; NaN where nothing was compared."""

    times_s: np.ndarray  # (T,) seconds of the video's own clock
    pa_mm: np.ndarray  # (T,) mean over joints after each frame's best similarity
    mpjpe_mm: np.ndarray  # (T,) mean over joints about the mid-hip
    limbs_pa_mm: np.ndarray  # (12,) `LIMB_JOINTS`, mean over frames, after the similarity
    accel_m_s2: np.ndarray  # (T,) mean over joints of the acceleration's error, nothing aligned

    def frame_at(self, share: float) -> int | None:
        """The frame whose PA error has `share` of the frames below it; None without any error.

        0.5 gives the median, 1 the worst.
        """
        known = np.flatnonzero(np.isfinite(self.pa_mm))
        if not known.size:
            return None
        order = known[np.argsort(self.pa_mm[known], kind="stable")]
        return int(order[round(share * (len(order) - 1))])


def series_of(
    joints: np.ndarray, truth: np.ndarray, *, valid: np.ndarray, times_s: np.ndarray, fps: float
) -> Series:
    """The errors of limb joints (T, 12, 3), metres, camera axes; NaN where not captured.

    Frames come at a steady `fps`.
    """
    there = np.isfinite(joints).all(axis=-1) & np.isfinite(truth).all(axis=-1)
    known = valid & np.asarray(there)
    fits = known & (known.sum(axis=1) >= MIN_PROCRUSTES_POINTS)[:, None]
    hips = [LIMB_JOINTS.index(name) for name in ("left_hip", "right_hip")]
    stands = known & np.asarray(known[:, hips].all(axis=1))[:, None]
    moved = procrustes(joints, truth, valid=fits)
    after = np.where(fits, np.linalg.norm(moved - truth, axis=-1), np.nan)
    about = np.where(stands, np.linalg.norm(rooted(joints) - rooted(truth), axis=-1), np.nan)
    return Series(
        times_s=times_s,
        pa_mm=_means(after, axis=1) * _MM,
        mpjpe_mm=_means(about, axis=1) * _MM,
        limbs_pa_mm=_means(after, axis=0) * _MM,
        accel_m_s2=_accelerations(np.where(known[..., None], joints - truth, np.nan), fps=fps),
    )


def _accelerations(apart: np.ndarray, *, fps: float) -> np.ndarray:
    """(T,) m/s^2 from differences (T, 12, 3); NaN at the ends, and where no joint has all three."""
    found = np.full(len(apart), np.nan)
    if len(apart) > 2:
        second = np.diff(apart, n=2, axis=0) * fps**2
        found[1:-1] = _means(np.linalg.norm(second, axis=-1), axis=1)
    return found


def _means(values: np.ndarray, *, axis: int) -> np.ndarray:
    """Means of what is known; NaN where nothing is."""
    known = np.isfinite(values)
    sums = np.where(known, values, 0.0).sum(axis=axis)
    count = known.sum(axis=axis)
    return np.where(count > 0, sums / np.maximum(count, 1), np.nan)
