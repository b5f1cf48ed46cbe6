"""A pinhole camera in pixels as the lens, sensor and shift of a Blender camera.

Pixel (0, 0) is the centre of the top-left pixel, so ((width - 1) / 2, (height - 1) / 2) is the
middle of the picture. Blender's shift is in units of the side that the sensor is fitted to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SENSOR_MM = 36.0  # any value serves; this is full frame, what photographers read focal lengths in


@dataclass(frozen=True)
class Lens:
    """What a Blender camera needs to see a picture as it was filmed."""

    sensor_fit: str  # "HORIZONTAL" or "VERTICAL": the side on which all of the picture shows
    sensor_mm: float  # length of that side
    lens_mm: float
    shift_x: float
    shift_y: float


def of_pinhole(
    focal_px: float, *, center_px: np.ndarray, size_px: tuple[int, int], render_aspect: float
) -> Lens:
    """The lens that shows all of the picture in a render of `render_aspect` (width over height).

    The scene's resolution may be anything: a wider render shows more at the sides, a higher one
    more above and below, and each point of the picture stays on the footage behind it.
    """
    width, height = size_px
    wide = width >= render_aspect * height
    side = width if wide else height
    return Lens(
        sensor_fit="HORIZONTAL" if wide else "VERTICAL",
        sensor_mm=SENSOR_MM,
        lens_mm=focal_px * SENSOR_MM / side,
        shift_x=((width - 1) / 2 - float(center_px[0])) / side,
        shift_y=(float(center_px[1]) - (height - 1) / 2) / side,
    )
