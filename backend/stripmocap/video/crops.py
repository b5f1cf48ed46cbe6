"""Square crops of people, as networks are fed them, and back from a crop to the picture.

A box is its middle and its side, in pixels of the picture; its middle comes to the middle of the
crop, `size / 2`. Outside the picture all is black. `crop` is the ordinary one. `official_crop` has
every quirk of the published evaluation (Kolotouros et al., ICCV 2019): corners cut to whole pixels,
and a contrast that depends on the crop's darkest and brightest pixel; it is for comparing with
published figures, bit by bit.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

CROP_PX = 224
_SHRUNK_FIRST = 2  # a bilinear look at a picture this much larger than the crop would skip pixels
_OFFICIAL_UNIT_PX = 200  # official boxes say their side in this unit
_FIXED_POINT_BITS = 22  # of the weights in Pillow's resize, whose last bit is part of the parity


def affine(center: np.ndarray, side: float, *, size: int = CROP_PX) -> np.ndarray:
    """(2, 3) what takes pixels of the picture to pixels of the crop, as (x, y, 1).

    Args:
        center: (2,) middle of the box, px.
        side: of the box, px.
        size: the crop's side, px.
    """
    scale = size / side
    offset = size / 2 - scale * np.asarray(center, dtype=np.float64)
    return np.concatenate([scale * np.eye(2), offset[:, None]], axis=1)


def to_picture(
    points: np.ndarray, center: np.ndarray, *, side: float, size: int = CROP_PX
) -> np.ndarray:
    """(..., 2) pixels of the picture, of pixels (..., 2) of the crop of a box: see `affine`."""
    return (points - size / 2) * (side / size) + np.asarray(center)


def crop(image: np.ndarray, center: np.ndarray, *, side: float, size: int = CROP_PX) -> np.ndarray:
    """(size, size, 3) uint8, what of a picture (H, W, 3) uint8 lies in a box; see `affine`.

    Pixels are averaged where the box is much larger than the crop, and else interpolated.
    """
    center = np.asarray(center, dtype=np.float64)
    shrink = int(side / size)
    if shrink < _SHRUNK_FIRST:
        return _warped(image, affine(center, side, size=size), size)
    # Only the box is shrunk, from a corner that leaves whole blocks of pixels.
    low = np.floor((center - side / 2) / shrink).astype(int) * shrink - shrink
    count = math.ceil(side / shrink) + 3
    block = _padded(image, low, count * shrink)
    small = cv2.resize(block, (count, count), interpolation=cv2.INTER_AREA)
    inner = (center - low + 0.5) / shrink - 0.5
    return _warped(small, affine(inner, side / shrink, size=size), size)


def plain_crop(
    image: np.ndarray, center: np.ndarray, *, side: float, size: int = CROP_PX
) -> np.ndarray:
    """The same as VIBE makes it: interpolated only, so that of large boxes pixels are skipped."""
    return _warped(image, affine(center, side, size=size), size)


def official_crop(
    image: np.ndarray, center: np.ndarray, *, scale: float, size: int = CROP_PX
) -> np.ndarray:
    """(size, size, 3) uint8, bit by bit what published evaluations feed SPIN.

    Args:
        image: (H, W, 3) of any numbers.
        center: (2,) middle of the box, px, counted from 1 as that code does.
        scale: the box's side / 200 px.
        size: the crop's side, px.
    """
    matrix = np.linalg.inv(official_affine(center, scale=scale, size=size))
    low, high = (np.trunc(matrix @ (each, each, 1))[:2].astype(int) for each in (0, size))
    part = np.zeros((*(high - low)[::-1], image.shape[2]))
    (first, last), inside = _overlap(image, low, high)
    part[inside] = image[first[1] : last[1], first[0] : last[0]]
    return _resized(_stretched(part), size)


def official_affine(
    center: np.ndarray, *, scale: float, size: int = CROP_PX, turn_deg: float = 0.0
) -> np.ndarray:
    """(3, 3) what takes the picture to the crop in published evaluations; see `official_crop`.

    Args:
        center: (2,) middle of the box, px.
        scale: the box's side / 200 px.
        size: the crop's side, px.
        turn_deg: by which the crop is turned about its middle.
    """
    side = _OFFICIAL_UNIT_PX * scale
    matrix = np.eye(3)
    matrix[0, 0] = matrix[1, 1] = size / side
    matrix[:2, 2] = [size * (-float(each) / side + 0.5) for each in center]
    if turn_deg == 0:
        return matrix
    turn = math.radians(turn_deg)
    rotation, shift = np.eye(3), np.eye(3)
    rotation[:2, :2] = [[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]]
    shift[:2, 2] = size / 2
    return shift @ rotation @ np.linalg.inv(shift) @ matrix


def official_points(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """(..., 2) int, where published evaluations put pixels (..., 2), both counted from 1.

    Args:
        points: pixels before.
        matrix: (3, 3) of `official_affine`.
    """
    moved = (np.asarray(points) - 1) @ matrix[:2, :2].T + matrix[:2, 2]
    return np.trunc(moved).astype(int) + 1


def _warped(image: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    return cv2.warpAffine(
        image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
    )


def _padded(image: np.ndarray, low: np.ndarray, side: int) -> np.ndarray:
    part = np.zeros((side, side, image.shape[2]), image.dtype)
    (first, last), inside = _overlap(image, low, low + side)
    part[inside] = image[first[1] : last[1], first[0] : last[0]]
    return part


def _overlap(
    image: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[slice, slice]]:
    """Corners of what a box [low, high) px has of the picture, and where that lies in the box."""
    size = np.array(image.shape[1::-1])
    first = low.clip(0, size)
    last = np.maximum(high.clip(0, size), first)
    columns, rows = (slice(*each) for each in zip(first - low, last - low, strict=True))
    return (first, last), (rows, columns)


def _stretched(part: np.ndarray) -> np.ndarray:
    """Bytes whose darkest is 0 and brightest 255: what `scipy.misc.imresize` did to floats."""
    darkest, brightest = part.min(), part.max()
    numbers = (part - darkest) * (255.0 / ((brightest - darkest) or 1.0))
    return (numbers.clip(0, 255) + 0.5).astype(np.uint8)


def _resized(part: np.ndarray, size: int) -> np.ndarray:
    """(size, size, 3) as Pillow's bilinear resize with its fixed-point weights, columns first."""
    across = _pass(part.swapaxes(0, 1), size).swapaxes(0, 1)
    return _pass(across, size)


def _pass(part: np.ndarray, size: int) -> np.ndarray:
    """The first axis resized. Products of bytes and weights are whole numbers, exact in float64."""
    weights = _triangle_weights(len(part), size)
    one = float(1 << _FIXED_POINT_BITS)
    sums = np.tensordot(np.trunc(weights * one + 0.5), part.astype(np.float64), axes=1)
    return np.floor((sums + one / 2) / one).clip(0, 255).astype(np.uint8)


def _triangle_weights(count: int, size: int) -> np.ndarray:
    """(size, count) shares of pixels: a triangle as wide as a pixel of the smaller picture."""
    scale = count / size
    reach = max(scale, 1.0)
    middles = (np.arange(size) + 0.5) * scale
    first = np.trunc(middles - reach + 0.5).clip(min=0)
    last = np.trunc(middles + reach + 0.5).clip(max=count)
    columns = np.arange(count)
    distance = np.abs(columns - middles[:, None] + 0.5) / reach
    weights = (1 - distance).clip(min=0)
    weights[(columns < first[:, None]) | (columns >= last[:, None])] = 0
    return weights / weights.sum(axis=1, keepdims=True)
