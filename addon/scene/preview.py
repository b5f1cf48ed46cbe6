"""Where in the sequencer's preview the picture of a strip is seen, from memory alone."""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import numpy as np

from ..rigging.framing import Framing, Layer, framing
from . import compat, metas


def framing_of(strip: bpy.types.Strip, *, size_px: tuple[int, int], turned_deg: int = 0) -> Framing:
    """Where places of the strip's picture are on the canvas of the preview.

    Args:
        strip: it may lie in metas.
        size_px: of the picture the right way up.
        turned_deg: the clockwise quarter turn that its file asks for.
    """
    left_deg = 0 if compat.turns_movies() else turned_deg
    width, height = size_px if left_deg % 180 == 0 else size_px[::-1]
    render = strip.id_data.render
    canvas = (float(render.resolution_x), float(render.resolution_y))
    layers = [_layer(strip, (float(width), float(height)))]
    layers += [_layer(each, canvas) for each in metas.enclosing(strip)]
    return framing(tuple(layers), turned_deg=left_deg)


def to_region(region: bpy.types.Region, scene: bpy.types.Scene, points: np.ndarray) -> np.ndarray:
    """(N, 2) pixels of the preview's region at canvas pixels (N, 2) of `scene`."""
    wide = _pixel_aspect(scene)
    view = region.view2d
    return np.array([view.view_to_region(x * wide, y, clip=False) for x, y in points.tolist()])


def to_canvas(
    region: bpy.types.Region, scene: bpy.types.Scene, place: tuple[float, float]
) -> np.ndarray:
    """(2,) the canvas pixel at a pixel of the preview's region; the inverse of `to_region`."""
    x, y = region.view2d.region_to_view(*place)
    return np.array([x / _pixel_aspect(scene), y])


def regions(
    context: bpy.types.Context,
) -> Iterator[tuple[bpy.types.Window, bpy.types.Area, bpy.types.Region]]:
    """Every preview on the screen."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "SEQUENCE_EDITOR" and area.spaces.active.view_type != "SEQUENCER":
                for region in area.regions:
                    if region.type == "PREVIEW" and region.width > 1:
                        yield window, area, region


def redraw(context: bpy.types.Context) -> None:
    """Has every preview drawn again."""
    for _, _, region in regions(context):
        region.tag_redraw()


def _layer(strip: bpy.types.Strip, size_px: tuple[float, float]) -> Layer:
    moved = strip.transform
    return Layer(
        size_px,
        offset_px=(moved.offset_x, moved.offset_y),
        scale=(moved.scale_x, moved.scale_y),
        rotation=moved.rotation,
        origin=(moved.origin[0], moved.origin[1]),
        flips=(strip.use_flip_x, strip.use_flip_y),
    )


def _pixel_aspect(scene: bpy.types.Scene) -> float:
    return scene.render.pixel_aspect_x / scene.render.pixel_aspect_y
