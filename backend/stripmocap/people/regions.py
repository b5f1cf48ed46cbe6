"""Regions of interest: turned squares around a person, cut out upright for the landmark network.

BlazePose (Bazarevsky et al., "BlazePose: On-device Real-time Body Pose tracking", 2020) describes a
person by the middle of the hips and a point on the circle that holds the whole body, straight above
the hips when the person stands. The region is that circle's square, enlarged, turned so that
this direction points up. Pixel (0, 0) is the centre of the top-left pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

ENLARGEMENT = 1.25  # of the square round the body's circle


@dataclass(frozen=True)
class Region:
    """A square in the picture, turned about its centre."""

    center_px: tuple[float, float]
    size_px: float  # side
    angle: float  # radians, clockwise in the picture: the turn that upright things have undergone

    @property
    def axes(self) -> np.ndarray:
        """(2, 2) its right and down directions in the picture, as columns."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        return np.array([[cos, -sin], [sin, cos]])


def region_of(hips_px: np.ndarray, circle_px: np.ndarray) -> Region:
    """The region of the person with hips (2,) and a point of the body's circle (2,), in pixels."""
    x, y = np.asarray(circle_px, dtype=float) - hips_px
    return Region(
        center_px=(float(hips_px[0]), float(hips_px[1])),
        size_px=max(2 * ENLARGEMENT * math.hypot(x, y), 1.0),
        angle=math.atan2(x, -y),
    )


def radius_px(region: Region) -> float:
    """Radius of the circle about the body that `region` was made from."""
    return region.size_px / (2 * ENLARGEMENT)


def moved(region: Region, right_px: float, down_px: float) -> Region:
    """`region` further right and down."""
    x, y = region.center_px
    return Region((x + right_px, y + down_px), region.size_px, region.angle)


def cut_out(image: np.ndarray, region: Region, side: int) -> np.ndarray:
    """(side, side, 3) uint8, the upright picture of `region`; black outside `image`."""
    scale = region.size_px / side
    linear = region.axes * scale  # picture from cut-out
    middle = np.full(2, (side - 1) / 2)
    offset = np.asarray(region.center_px) - linear @ middle
    return cv2.warpAffine(
        image,
        np.column_stack([linear, offset]),
        (side, side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
    )


def to_picture(points: np.ndarray, region: Region) -> np.ndarray:
    """Pixels (..., 2) of the picture; `points` (..., 2) are fractions of the cut-out's side."""
    return (points - 0.5) * region.size_px @ region.axes.T + np.asarray(region.center_px)
