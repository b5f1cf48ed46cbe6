"""Where in the sequencer's preview a place of the filmed picture is seen, and the way back.

The preview's canvas is in pixels of the render, x right and y up from its middle. A place of the
picture is a share of its width and height, x right and y down from its top left corner, as marks of
people are. Everything that a strip or a meta does to its picture is one affine map; a crop only
hides, it moves nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Layer:
    """What a strip does to its picture, in Blender's own numbers."""

    size_px: tuple[float, float]  # of the picture, or for a meta of the canvas
    offset_px: tuple[float, float] = (0.0, 0.0)
    scale: tuple[float, float] = (1.0, 1.0)
    rotation: float = 0.0  # radians, anticlockwise
    origin: tuple[float, float] = (0.5, 0.5)  # shares of the picture, from its bottom left corner
    flips: tuple[bool, bool] = (False, False)  # of the whole canvas, left to right and upside down


@dataclass(frozen=True, eq=False)
class Framing:
    """Places of the picture on the canvas."""

    matrix: np.ndarray  # (3, 3), of places (x, y, 1)

    def points(self, shares: ArrayLike) -> np.ndarray:
        """(..., 2) canvas pixels of places (..., 2) of the picture."""
        return _moved(self.matrix, shares)

    def shares(self, points: ArrayLike) -> np.ndarray:
        """(..., 2) places of the picture at canvas pixels (..., 2); the inverse of `points`.

        A picture that is scaled to nothing is seen nowhere: then all are NaN.
        """
        if abs(float(np.linalg.det(self.matrix))) < 1e-9:
            return np.full(np.shape(points), np.nan)
        return _moved(np.linalg.inv(self.matrix), points)

    def outline(self, box: ArrayLike, *, size_px: tuple[float, float]) -> np.ndarray:
        """(4, 2) canvas pixels: the corners of a box (4,) in pixels x0, y0, x1, y1, in a round."""
        x0, y0, x1, y1 = np.asarray(box, dtype=np.float64)
        corners = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
        # The middle of the top left pixel is (0, 0).
        return self.points((corners + 0.5) / size_px)


def framing(layers: tuple[Layer, ...], *, turned_deg: int = 0) -> Framing:
    """How a picture is seen through `layers`, its own strip's first, then those of metas around it.

    `turned_deg` is the clockwise quarter turn that the file asks for where Blender does not make
    it: places are of the picture as it should be.
    """
    width, height = layers[0].size_px
    matrix = np.array([[width, 0, -width / 2], [0, -height, height / 2], [0, 0, 1.0]])
    matrix = matrix @ _about_middle(_rotation(math.radians(turned_deg)))
    for each in layers:
        matrix = _of_layer(each) @ matrix
    return Framing(matrix)


def _of_layer(layer: Layer) -> np.ndarray:
    pivot = (np.array(layer.origin) - 0.5) * layer.size_px
    turned = _rotation(layer.rotation) @ np.diag(layer.scale)
    matrix = np.eye(3)
    matrix[:2, :2] = turned
    matrix[:2, 2] = pivot + layer.offset_px - turned @ pivot
    mirrored = np.diag([-1.0 if each else 1.0 for each in (*layer.flips, False)])
    return mirrored @ matrix


def _about_middle(turn: np.ndarray) -> np.ndarray:
    """Of shares. Clockwise, as y runs down, made undone: from the right way up to the file's."""
    matrix = np.eye(3)
    matrix[:2, :2] = turn.T
    matrix[:2, 2] = 0.5 - turn.T @ np.array([0.5, 0.5])
    return matrix


def _rotation(angle: float) -> np.ndarray:
    cosine, sine = math.cos(angle), math.sin(angle)
    return np.array([[cosine, -sine], [sine, cosine]])


def _moved(matrix: np.ndarray, places: ArrayLike) -> np.ndarray:
    return np.asarray(places, dtype=np.float64) @ matrix[:2, :2].T + matrix[:2, 2]
