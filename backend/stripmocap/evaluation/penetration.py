"""How deep feet sink into the floor (Rempe et al., "HuMoR", ICCV 2021, 5.1)."""

from __future__ import annotations

import numpy as np

TOE_JOINTS = (10, 11)  # SMPL's, by which the paper judges
THRESHOLDS_M = (0.0, 0.03, 0.06, 0.09, 0.12, 0.15)  # the paper's


def depths_m(points: np.ndarray, *, normal: np.ndarray, height: float) -> np.ndarray:
    """(...,) metres that points lie below the floor; above it less than zero.

    Args:
        points: (..., 3) metres.
        normal: (3,) up, in the same axes; its length does not matter.
        height: metres along the normal from the origin to the floor.
    """
    up = normal / np.linalg.norm(normal)
    return height - points @ up


def shares_deeper(depths: np.ndarray) -> np.ndarray:
    """(6,) shares of `depths` (metres, any shape, one at least) beyond each of `THRESHOLDS_M`."""
    return np.array([np.mean(depths > least) for least in THRESHOLDS_M])
