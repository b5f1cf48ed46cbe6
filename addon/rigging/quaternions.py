"""Quaternions wxyz over time, the form that Blender keys.

A unit quaternion and its negative are one rotation; `continuous` chooses between them.
"""

from __future__ import annotations

import numpy as np


def continuous(quats: np.ndarray) -> np.ndarray:
    """(T, ..., 4) the same rotations with signs that never jump from one frame to the next.

    The first frame has w not negative, so that an unposed bone reads (1, 0, 0, 0).
    """
    quats = np.asarray(quats, dtype=np.float64)
    first = np.where(quats[:1, ..., :1] < 0, -1.0, 1.0)
    dots = np.sum(quats[1:] * quats[:-1], axis=-1, keepdims=True)
    turns = np.where(dots < 0, -1.0, 1.0)
    return quats * np.cumprod(np.concatenate([first, turns]), axis=0)
