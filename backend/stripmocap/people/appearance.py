"""What a person's clothes look like: a colour histogram of trunk and thighs, to tell people apart.

Colours are taken on grids between shoulders, hips and knees, so no outline of the body is needed.
"""

from __future__ import annotations

import numpy as np

from ..contract.skeleton import BLAZEPOSE_NAMES

_LEVELS = 6  # per colour channel
_ALONG, _ACROSS = np.meshgrid(np.linspace(0.1, 0.9, 16), np.linspace(0.15, 0.85, 10))
_INDEX = {name: index for index, name in enumerate(BLAZEPOSE_NAMES)}
_TRUNK = [_INDEX[n] for n in ("left_shoulder", "right_shoulder", "left_hip", "right_hip")]
_THIGHS = [_INDEX[n] for n in ("left_hip", "right_hip", "left_knee", "right_knee")]


def clothes(image: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    """(2 * 216,) square roots of colour shares on trunk and thighs; zeros where out of the picture.

    Args:
        image: (H, W, 3) uint8 RGB.
        keypoints: (33, 3) px and confidence.
    """
    return np.concatenate([_histogram(image, keypoints[each, :2]) for each in (_TRUNK, _THIGHS)])


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """Hellinger distance of two `clothes`, 0 (same) to 1; 0.5 when either saw nothing."""
    parts = []
    for first, second in zip(np.split(a, 2), np.split(b, 2), strict=True):
        if first.any() and second.any():
            alike = first @ second / (np.linalg.norm(first) * np.linalg.norm(second))
            parts.append(np.sqrt(max(0.0, 1.0 - float(alike))))
    return float(np.mean(parts)) if parts else 0.5


def _histogram(image: np.ndarray, corners: np.ndarray) -> np.ndarray:
    upper_left, upper_right, lower_left, lower_right = corners[:, None, None, :]  # (1, 1, 2) each
    across, along = _ACROSS[..., None], _ALONG[..., None]
    upper = upper_left + (upper_right - upper_left) * across
    lower = lower_left + (lower_right - lower_left) * across
    spots = np.round(upper + (lower - upper) * along).astype(int).reshape(-1, 2)
    height, width = image.shape[:2]
    inside = ((spots >= 0) & (spots < (width, height))).all(axis=1)
    colours = image[spots[inside, 1], spots[inside, 0]].astype(int) * _LEVELS // 256
    bins = (colours[:, 0] * _LEVELS + colours[:, 1]) * _LEVELS + colours[:, 2]
    counts = np.bincount(bins, minlength=_LEVELS**3).astype(np.float64)
    return np.sqrt(counts / max(counts.sum(), 1.0))
