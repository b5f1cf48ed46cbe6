"""Boxes of people over the sequencer's preview, in the colours of the list.

Drawing reads memory and the strip's own properties; what it costs is kept in `spent`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import blf
import bpy
import gpu
import numpy as np

from ..contract import tracks
from ..scene import compat, preview
from . import casts, focus, rows, session

THIN_PX, THICK_PX = 1.5, 3.5
DASH_PX = 6.0
TEXT_PX = 13.0
GREY = (0.55, 0.55, 0.55)

spent: deque[float] = deque(maxlen=1000)  # seconds of each drawing


@dataclass(frozen=True)
class Moment:
    """What the preview shows of the strip in focus now."""

    view: casts.View
    framing: preview.Framing
    scene: bpy.types.Scene
    time_s: float  # of the file


@dataclass(frozen=True, eq=False)
class Box:
    """One person's box as it is drawn."""

    corners: np.ndarray  # (4, 2) pixels of the region, in a round
    name: str
    colour: tuple[float, float, float]
    is_bold: bool  # selected
    is_dashed: bool  # nobody is seen there, it is a guess


def moment(context: bpy.types.Context) -> Moment | None:
    """What is shown now; None if the strip in focus is not at the playhead, or nobody is known."""
    live, scene = session.current(), compat.sequencer_scene(context)
    shot, strip = focus.shot_in_focus(live), focus.strip_in_focus(live)
    if live.view is None or shot is None or strip is None or scene is None or strip.mute:
        return None
    if scene.name != shot.scene:  # its playhead is in other time
        return None
    frame = scene.frame_current
    if shot.timing is None or not shot.first_frame <= frame <= shot.last_frame:
        return None
    cast = live.view.cast
    framing = preview.framing_of(strip, size_px=cast.size_px, turned_deg=cast.turned_deg)
    return Moment(live.view, framing, scene, float(shot.timing.times_s(frame)))


def boxes(context: bpy.types.Context, region: bpy.types.Region) -> Iterator[Box]:
    """The boxes that belong on a preview now; those of selected people last, on top."""
    now = moment(context)
    if now is None:
        return
    chosen = set(rows.selected(context))
    people = zip(now.view.people, now.view.lines, strict=True)
    for track, line in sorted(people, key=lambda each: each[0].person in chosen):
        box = line.box_at(now.time_s)
        if box is None:
            continue
        outline = now.framing.outline(box, size_px=now.view.cast.size_px)
        yield Box(
            preview.to_region(region, now.scene, outline),
            name=_name(track),
            colour=rows.colour_of(track.person) if track.kept else GREY,
            is_bold=track.person in chosen,
            is_dashed=line.presence_at(now.time_s) == 0,
        )


def person_at(
    context: bpy.types.Context, region: bpy.types.Region, place: tuple[float, float]
) -> int | None:
    """The number of the person at a pixel of a preview; None for nobody."""
    now = moment(context)
    if now is None:
        return None
    shares = now.framing.shares(preview.to_canvas(region, now.scene, place))
    if not np.isfinite(shares).all():
        return None
    return casts.picked(now.view, now.time_s, shares.tolist())


def draw() -> None:
    """Draws the boxes into the preview that is being drawn."""
    began, context = time.perf_counter(), bpy.context
    if context.space_data.show_overlays and rows.of(context).show_boxes:
        for box in boxes(context, context.region):
            _draw(box, context)
    spent.append(time.perf_counter() - began)


def register() -> None:
    """Adds the boxes to every preview."""
    if not bpy.app.background:
        space = bpy.types.SpaceSequenceEditor
        _handlers.append(space.draw_handler_add(draw, (), "PREVIEW", "POST_PIXEL"))


def unregister() -> None:
    """Removes them; harmless when they are gone already."""
    while _handlers:
        bpy.types.SpaceSequenceEditor.draw_handler_remove(_handlers.pop(), "PREVIEW")


_handlers: list[object] = []


def _name(track: tracks.PersonTrack) -> str:
    return rows.name_of(track.person) if track.kept else f"{rows.name_of(track.person)}, ignored"


def _draw(box: Box, context: bpy.types.Context) -> None:
    scale = context.preferences.system.ui_scale
    lines = _dashes(box.corners, DASH_PX * scale) if box.is_dashed else _round(box.corners)
    places = np.zeros((len(lines), 3), dtype=np.float32)
    places[:, :2] = lines
    shader = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
    buffer = gpu.types.GPUVertBuf(shader.format_calc(), len(places))
    buffer.attr_fill("pos", places)
    batch = gpu.types.GPUBatch(type="LINES", buf=buffer)
    gpu.state.blend_set("ALPHA")
    shader.uniform_float("viewportSize", (context.region.width, context.region.height))
    width = THICK_PX if box.is_bold else THIN_PX
    # A dark line below makes the bright one stand out on any footage.
    for colour, wider in (((0.0, 0.0, 0.0, 0.6), 2.0), ((*box.colour, 1.0), 0.0)):
        shader.uniform_float("lineWidth", (width + wider) * scale)
        shader.uniform_float("color", colour)
        batch.draw(shader)
    gpu.state.blend_set("NONE")
    _write(box, scale)


def _write(box: Box, scale: float) -> None:
    x, y = box.corners[:, 0].min(), box.corners[:, 1].max()
    blf.size(0, TEXT_PX * scale)
    # Over its own shadow, for the same reason; Blender's is a blur that eats small letters.
    for colour, aside in (((0.0, 0.0, 0.0), 1.0), (box.colour, 0.0)):
        blf.color(0, *colour, 1.0)
        blf.position(0, float(x) + aside, float(y) + 5 * scale - aside, 0)
        blf.draw(0, box.name)


def _round(corners: np.ndarray) -> np.ndarray:
    """(8, 2) both ends of each side."""
    return np.stack([corners, np.roll(corners, -1, axis=0)], axis=1).reshape(-1, 2)


def _dashes(corners: np.ndarray, dash_px: float) -> np.ndarray:
    """(2 D, 2) both ends of each dash."""
    dashes = []
    for start, stop in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        count = max(1, min(500, int(np.linalg.norm(stop - start) / (2 * dash_px))))
        shares = np.arange(count) / count
        ends = np.stack([shares, shares + 0.5 / count], axis=1).reshape(-1, 1)
        dashes.append(start + ends * (stop - start))
    return np.concatenate(dashes)
