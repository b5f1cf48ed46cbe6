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
    strip = selection.named(shot.scene, shot.strip)
    elements = getattr(strip, "elements", None)
    if elements:
        return int(max(elements[0].orig_width, elements[0].orig_height))
    clips = (each for each in bpy.data.movieclips if _path(each) == shot.path)
    return max((int(side) for each in clips for side in each.size), default=0)


def _path(clip: bpy.types.MovieClip) -> Path:
    return Path(bpy.path.abspath(clip.filepath, library=clip.library))
