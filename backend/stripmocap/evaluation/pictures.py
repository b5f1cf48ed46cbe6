"""A shaded body painted over a picture: what a person looks at to judge a capture.

A painter's algorithm with numpy and OpenCV: faces that look at the camera, far ones first, flat
Lambert shading. Good for bodies (closed, few overlaps); it is no renderer. Axes are OpenCV's.
"""

from __future__ import annotations

import cv2
import numpy as np

from ..contract.motion import Camera

BODY_COLOUR = (110, 170, 230)  # RGB
_LIGHT = np.array([-0.35, -0.60, -0.72])  # towards the light: over the camera's left shoulder
_AMBIENT = 0.38
_MIN_DEPTH = 0.05  # metres; nearer faces are left out
_SUBPIXEL_BITS = 3


def draw_body(
    image: np.ndarray,
    vertices: np.ndarray,
    *,
    faces: np.ndarray,
    camera: Camera,
    colour: tuple[int, int, int] = BODY_COLOUR,
    opacity: float = 0.85,
) -> np.ndarray:
    """A copy of `image` with the body painted over it.

    Args:
        image: (H, W, 3) uint8 RGB, of any size; the camera's pixels are scaled to it.
        vertices: (V, 3) metres, camera axes.
        faces: (F, 3) or (F, 4), counter-clockwise from outside.
        camera: its pose in the world is not looked at.
        colour: RGB of a face turned to the light.
        opacity: 0 leaves the picture alone, 1 hides what is behind the body.
    """
    corners, normals, depths = _facing(vertices[faces])
    painted = image.copy()
    if not len(corners):
        return painted
    order = np.argsort(-depths)
    pixels = _project(corners[order], camera=camera, image=image)
    shades = _shade(normals[order], colour=np.array(colour, dtype=np.float64))
    scale = 1 << _SUBPIXEL_BITS
    polygons = np.rint(np.clip(pixels, -1e5, 1e5) * scale).astype(np.int32)
    for polygon, shade in zip(polygons, shades.tolist(), strict=True):
        cv2.fillConvexPoly(painted, polygon, shade, cv2.LINE_8, _SUBPIXEL_BITS)
    return cv2.addWeighted(painted, opacity, image, 1.0 - opacity, 0.0)


def _facing(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Corners (N, C, 3), unit normals (N, 3) and depths (N,) of faces that look at the camera."""
    centres = corners.mean(axis=1)
    # Diagonals of a quad, two sides of a triangle: their cross product is the face's normal.
    normals = np.cross(corners[:, 2] - corners[:, 0], corners[:, -1] - corners[:, 1])
    towards = np.einsum("fc,fc->f", normals, centres) < 0
    seen = towards & (corners[..., 2].min(axis=1) > _MIN_DEPTH)
    kept = normals[seen]
    lengths = np.linalg.norm(kept, axis=1, keepdims=True)
    return corners[seen], kept / np.maximum(lengths, 1e-12), centres[seen, 2]


def _project(corners: np.ndarray, *, camera: Camera, image: np.ndarray) -> np.ndarray:
    """(N, C, 2) pixels of `image`, which may be smaller than the camera's picture."""
    ratio = image.shape[1] / camera.size_px[0]
    pixels = camera.focal_px * corners[..., :2] / corners[..., 2:] + camera.center_px
    return (pixels + 0.5) * ratio - 0.5


def _shade(normals: np.ndarray, *, colour: np.ndarray) -> np.ndarray:
    """(N, 3) RGB of faces with unit `normals` (N, 3)."""
    light = _LIGHT / np.linalg.norm(_LIGHT)
    facing = np.clip(normals @ light, 0.0, 1.0)
    return np.clip((_AMBIENT + (1.0 - _AMBIENT) * facing)[:, None] * colour, 0, 255)
