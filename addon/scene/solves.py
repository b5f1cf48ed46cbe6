"""What Blender knows of the camera that filmed a strip: size of its pictures, a solved camera."""

from __future__ import annotations

from pathlib import Path

import bpy

from . import selection
from .strips import Shot


def focal_px(shot: Shot) -> float | None:
    """Focal length in pixels of a movie clip of the same file whose camera is solved."""
    for clip in bpy.data.movieclips:
        same = shot.path is not None and _path(clip) == shot.path
        if same and clip.tracking.reconstruction.is_valid:
            return float(clip.tracking.camera.focal_length_pixels)
    return None


def width_px(shot: Shot) -> int:
    """Longer side of the footage's pictures; 0 if Blender does not tell."""
    return max(size_px(shot) or (0, 0))


def size_px(shot: Shot) -> tuple[int, int] | None:
    """Width and height of the footage's pictures; None if Blender does not tell."""
    strip = selection.named(shot.scene, shot.strip)
    elements = getattr(strip, "elements", None)
    if elements:
        sizes = [(int(elements[0].orig_width), int(elements[0].orig_height))]
    else:
        sizes = [
            (int(each.size[0]), int(each.size[1]))
            for each in bpy.data.movieclips
            if _path(each) == shot.path
        ]
    return next((each for each in sizes if all(each)), None)


def _path(clip: bpy.types.MovieClip) -> Path:
    return Path(bpy.path.abspath(clip.filepath, library=clip.library))
