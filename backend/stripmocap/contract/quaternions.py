"""Rotations as quaternions wxyz: what Blender keys, and what turns are interpolated with.

A unit quaternion and its negative are one rotation. Axis-angles are in radians.
"""

from __future__ import annotations

import numpy as np

_SMALL_ANGLE = 1e-8  # rad; below it sin(x/2)/x is 1/2 to the last digit


def aa_to_quat(aa: np.ndarray) -> np.ndarray:
    """(..., 4) quaternions of axis-angles (..., 3) in radians, w first."""
    aa = np.asarray(aa, dtype=np.float64)
    angle = np.linalg.norm(aa, axis=-1, keepdims=True)
    safe = np.maximum(angle, _SMALL_ANGLE)
    scale = np.where(angle > _SMALL_ANGLE, np.sin(safe / 2) / safe, 0.5)
    return np.concatenate([np.cos(angle / 2), aa * scale], axis=-1)


def quat_to_aa(quat: np.ndarray) -> np.ndarray:
    """(..., 3) axis-angles of quaternions (..., 4): of the two turns, the shorter one."""
    quat = np.where(quat[..., :1] < 0, -quat, quat)
    length = np.linalg.norm(quat[..., 1:], axis=-1, keepdims=True)
    # atan2 keeps the angle stable near no turn at all, where acos loses half its digits.
    angle = 2 * np.arctan2(length, quat[..., :1])
    small = length < _SMALL_ANGLE
    return quat[..., 1:] * np.where(small, 2.0, angle / np.where(small, 1.0, length))


def matrix_to_quat(matrix: np.ndarray) -> np.ndarray:
    """(..., 4) quaternions, w not negative, of rotation matrices (..., 3, 3).

    The eigenvector of Bar-Itzhack's symmetric matrix (J. Guidance 23(6), 2000), which is exact for
    rotations and needs no cases for angles near pi.
    """
    m = np.moveaxis(np.asarray(matrix, dtype=np.float64), (-2, -1), (0, 1))  # (3, 3, ...)
    none = np.zeros_like(m[0, 0])
    rows = [
        [m[0, 0] + m[1, 1] + m[2, 2], none, none, none],
        [m[2, 1] - m[1, 2], m[0, 0] - m[1, 1] - m[2, 2], none, none],
        [m[0, 2] - m[2, 0], m[0, 1] + m[1, 0], m[1, 1] - m[0, 0] - m[2, 2], none],
        [m[1, 0] - m[0, 1], m[0, 2] + m[2, 0], m[1, 2] + m[2, 1], m[2, 2] - m[0, 0] - m[1, 1]],
    ]
    symmetric = np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)  # (..., 4, 4)
    quat = np.linalg.eigh(symmetric)[1][..., -1]  # eigh reads the lower triangle only
    return np.where(quat[..., :1] >= 0, quat, -quat)


def quat_to_matrix(quat: np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotation matrices of unit quaternions (..., 4)."""
    w, x, y, z = np.moveaxis(np.asarray(quat, dtype=np.float64), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def multiply(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(..., 4) the rotation `first` after the rotation `second`; leading dimensions broadcast."""
    w1, x1, y1, z1 = np.moveaxis(np.asarray(first, dtype=np.float64), -1, 0)
    w2, x2, y2, z2 = np.moveaxis(np.asarray(second, dtype=np.float64), -1, 0)
    return np.stack(
        [
            w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
            w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
            w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
            w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
        ],
        axis=-1,
    )


def slerp(start: np.ndarray, end: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(..., 4) unit quaternions `weight` of the shortest arc from `start` to `end`.

    Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985.

    Args:
        start: (..., 4).
        end: (..., 4).
        weight: (..., 1) in [0, 1].
    """
    cosine = (start * end).sum(axis=-1, keepdims=True)
    end = np.where(cosine < 0, -end, end)
    # atan2 keeps the angle exact where the quaternions all but agree.
    angle = 2 * np.arctan2(
        np.linalg.norm(end - start, axis=-1, keepdims=True),
        np.linalg.norm(end + start, axis=-1, keepdims=True),
    )
    near = angle < _SMALL_ANGLE
    sine = np.where(near, 1.0, np.sin(angle))
    first = np.where(near, 1 - weight, np.sin((1 - weight) * angle) / sine)
    second = np.where(near, weight, np.sin(weight * angle) / sine)
    return first * start + second * end
