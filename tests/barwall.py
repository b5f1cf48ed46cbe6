"""A wall of strips: many movies of bar codes above each other, rendered all at once.

One render of the sequencer tells what every strip shows at that frame, and takes milliseconds.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import barcode
import numpy as np

BRICK = (64, 8)  # width and height in pixels of each strip's picture
_OPACITY = 0.99  # Blender 4.2 leaves out what lies below an opaque movie clip of another size


def prepare(scene, *, rate: tuple[float, float]) -> None:
    """Sets the scene up before strips are added, because Blender fits these to the render."""
    import bpy

    window = bpy.context.window_manager.windows[0]
    if hasattr(window.workspace, "sequencer_scene"):
        window.workspace.sequencer_scene = scene
    scene.render.fps, scene.render.fps_base = rate
    scene.render.resolution_x, scene.render.resolution_y = BRICK
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.compression = 0
    scene.view_settings.view_transform = "Standard"
    # 5.2 hands out the picture of the frame before from its cache when both round down to one.
    editor = scene.sequence_editor_create()
    editor.use_cache_raw = editor.use_cache_final = False


def render(scene, strips: list, frames: Iterable[int]) -> dict[int, list[int | None]]:
    """For each scene frame, the number that each strip shows; None if it shows nothing.

    In 5.2 a reversed meta strip spoils the whole wall at the one frame that it showed just before,
    so these are rendered with an empty frame after each.
    """
    import bpy

    frames = list(frames)
    scene.render.resolution_y = BRICK[1] * len(strips)
    for row, strip in enumerate(strips):
        strip.transform.offset_y = (row + 0.5 - len(strips) / 2) * BRICK[1]
        strip.blend_type, strip.blend_alpha = "ALPHA_OVER", _OPACITY
        while strip := strip.parent_meta():
            strip.blend_type = "ALPHA_OVER"
    scene.frame_start, scene.frame_end = frames[0], frames[-1]
    with tempfile.TemporaryDirectory() as folder:
        scene.render.filepath = f"{folder}/wall"
        if any(_is_turned(strip) for strip in strips):
            _render_apart(scene, frames)
        else:
            bpy.ops.render.render(animation=True)
        return {
            frame: _numbers(Path(f"{folder}/wall{frame:04d}.png"), len(strips)) for frame in frames
        }


def _is_turned(strip) -> bool:
    while strip := strip.parent_meta():
        if strip.use_reverse_frames:
            return True
    return False


def _render_apart(scene, frames: list[int]) -> None:
    import bpy

    path = scene.render.filepath
    for frame in frames:
        for rendered in (frames[-1] + 1000, frame):
            scene.frame_set(rendered)
            scene.render.filepath = f"{path}{frame:04d}.png"
            bpy.ops.render.render(write_still=True)


def _numbers(path: Path, rows: int) -> list[int | None]:
    import bpy

    image = bpy.data.images.load(str(path))
    pixels = np.empty(len(image.pixels), dtype=np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    bricks = pixels.reshape(rows, BRICK[1], BRICK[0], 4)
    shown = bricks[:, BRICK[1] // 2, 0, 3] > 0.5
    return [
        barcode.read_number(brick[:, :, 0]) if lit else None
        for brick, lit in zip(bricks, shown, strict=True)
    ]
