"""Strips of the sequencer that show footage: what of it, when, and what stands against it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import bpy

from ..contract import errors
from ..rigging import timing
from ..rigging.timing import StripTiming
from . import compat, corrections, footage, metas, readings, stamps
from .corrections import Corrections
from .metas import Nested
from .readings import Reading, scene_fps

LONG_S = 120.0  # from here on a capture takes a while


@dataclass(frozen=True)
class Shot:
    """A strip that shows footage: what of it, when, and what stands against capturing it."""

    strip: str  # its name, which no other strip of its scene has
    scene: str  # name of the scene whose sequencer it is in
    id: str  # its stamp, "" before the first capture
    path: Path | None  # absolute; first file of a sequence; None if Blender does not tell
    kind: str  # "movie", "images" or "clip"
    first_frame: int = 0  # first scene frame that shows it
    last_frame: int = -1  # and the last
    start_s: float = 0.0  # seconds of the file's clock that these frames show
    stop_s: float = 0.0  # exclusive
    frames: int = 0  # pictures of the file in that span
    fps: Fraction | None = None  # pictures a second of that clock; None if that varies
    timing: StripTiming | None = None  # None if it cannot be captured
    warnings: tuple[str, ...] = ()  # what the user should know, in sentences
    problem: str = ""  # why it cannot be captured and what to do; "" if it can
    corrections: Corrections = ()  # of who is who in it


@dataclass(frozen=True)
class Placement:
    """Where a clip goes in the window's scene."""

    timing: StripTiming
    warning: str = ""  # why a selected strip was not followed


def shots(context: bpy.types.Context) -> list[Shot]:
    """The selected strips that show footage, also those inside selected metas, in time's order.

    For when the selection has changed, not for `draw`: a file not seen before is opened.
    """
    scene = compat.sequencer_scene(context)
    if scene is None:
        return []
    found = [each for each in metas.selected(scene) if footage.is_footage(each.strip)]
    mismatch = _rate_mismatch(scene, context.scene)
    made = [(each.strip.channel, _shot(each, mismatch=mismatch)) for each in found]
    return [shot for _, shot in sorted(made, key=lambda each: (each[1].first_frame, each[0]))]


def shot_of(strip: bpy.types.Strip) -> Shot | None:
    """The same of one strip, wherever it is; None if it shows no footage."""
    if not footage.is_footage(strip):
        return None
    return _shot(Nested(strip, metas.enclosing(strip)))


def timing_of(strip: bpy.types.Strip) -> StripTiming:
    """When the footage of `strip` is seen, in frames of the strip's own scene.

    Raises:
        RequestError: it shows none, its file is missing, or its times cannot be read.
    """
    if not footage.is_footage(strip):
        raise errors.RequestError(f"the strip {strip.name} shows no footage")
    return readings.read(Nested(strip, metas.enclosing(strip))).timing


def timing_in(scene: bpy.types.Scene, strip: bpy.types.Strip) -> StripTiming:
    """When the footage of `strip` is seen, in frames of `scene`.

    Scenes of one frame rate count alike, as they do for Blender's own sequencer.

    Raises:
        RequestError: as `timing_of`, or the two scenes run at different rates.
    """
    mismatch = _rate_mismatch(strip.id_data, scene)
    if mismatch:
        raise errors.RequestError(
            mismatch,
            hint="Give both scenes the same frame rate, or import without following the strip.",
        )
    return timing_of(strip)


def place(
    context: bpy.types.Context, *, clip_name: str | None, start_frame: float, start_s: float = 0.0
) -> Placement:
    """Under the selected strip if it shows the clip called `clip_name`.

    Else, or if `clip_name` is None, second `start_s` of the clip is put at `start_frame`.

    Raises:
        RequestError: the strip shows that clip, and its timing cannot be read or does not fit.
    """
    fps = scene_fps(context.scene)
    anchored = timing.anchored(fps, start_frame=start_frame, start_s=start_s)
    strip = chosen(context) if clip_name is not None else None
    if strip is None:
        return Placement(anchored)
    path = footage.path_of(strip)
    if path is None or path.name != clip_name:
        return Placement(
            anchored,
            warning=f"the selected strip {strip.name} shows another movie than {clip_name},"
            f" so the capture starts at frame {start_frame:g}",
        )
    return Placement(timing_in(context.scene, strip))


def chosen(context: bpy.types.Context) -> bpy.types.Strip | None:
    """The active strip of the sequencer if it is selected and shows footage.

    If it is a meta strip, the only footage inside it.
    """
    scene = compat.sequencer_scene(context)
    editor = scene.sequence_editor if scene else None
    active = editor.active_strip if editor else None
    if active is None or not active.select:
        return None
    inside = [each.strip for each in metas.inside(Nested(active))]
    found = [strip for strip in inside if footage.is_footage(strip)]
    return found[0] if len(found) == 1 else None


def _shot(nested: Nested, *, mismatch: str = "") -> Shot:
    strip = nested.strip
    shot = Shot(
        strip=strip.name,
        scene=strip.id_data.name,
        id=stamps.stamp_of(strip),
        path=footage.path_of(strip),
        kind=footage.KINDS[strip.type],
        first_frame=int(compat.strip_times(strip)["left_handle"]),
        corrections=corrections.read(strip),
    )
    try:
        reading = readings.read(nested)
    except errors.StripMocapError as error:
        return dataclasses.replace(shot, problem=_sentence(error.message, error.hint))
    start_s, stop_s = readings.span_of(reading)
    if stop_s <= start_s:
        hidden = "Nothing of it is seen. Move its handles, or those of its meta strip."
        return dataclasses.replace(shot, problem=hidden)
    warnings = [*_warnings(nested, reading, length_s=float(stop_s - start_s)), mismatch]
    return dataclasses.replace(
        shot,
        first_frame=reading.view.first,
        last_frame=reading.view.last,
        start_s=float(start_s),
        stop_s=float(stop_s),
        frames=round(float(stop_s - start_s) * reading.footage.mean_fps),
        fps=None if reading.footage.is_uneven else reading.footage.fps,
        timing=reading.timing,
        warnings=tuple(_sentence(warning) for warning in warnings if warning),
    )


def _warnings(nested: Nested, reading: Reading, *, length_s: float) -> Iterator[str]:
    strip, shown = nested.strip, reading.footage
    if length_s > LONG_S:
        yield f"It is {length_s / 60:.1f} minutes long and will take a while"
    if shown.is_uneven:
        yield "Its frame rate varies; pictures are taken by their times"
    if shown.missing:
        yield f"{shown.missing} pictures of the sequence are missing"
    if reading.is_retimed:
        speed = reading.content.step / float(shown.fps) * float(scene_fps(strip.id_data))
        yield f"It is retimed to {speed:.0%} of its speed, and so will the animation be"
    if any(each.strobe > 1 for each in (strip, *nested.metas)):
        yield "Strobe holds its pictures; the animation goes on between them"
    if any(each.mute for each in (strip, *nested.metas)):
        yield "It is muted"
    if footage.has_proxy(strip):
        yield "A proxy is in use; the original file is captured"
    if _is_reframed(strip):
        yield "It is flipped, cropped or turned; the picture is captured as it is in the file"


def _is_reframed(strip: bpy.types.Strip) -> bool:
    crop, turned = strip.crop, strip.transform.rotation
    cropped = any((crop.min_x, crop.max_x, crop.min_y, crop.max_y))
    return strip.use_flip_x or strip.use_flip_y or cropped or abs(turned) > 1e-6


def _rate_mismatch(strips_scene: bpy.types.Scene, scene: bpy.types.Scene) -> str:
    """Why frames of the two scenes are not alike; "" if they are."""
    theirs, ours = scene_fps(strips_scene), scene_fps(scene)
    if theirs == ours:
        return ""
    return (
        f"the strip's scene {strips_scene.name} has {float(theirs):.5g} frames a second and"
        f" {scene.name} has {float(ours):.5g}, so what is captured cannot follow it there"
    )


def _sentence(message: str, hint: str = "") -> str:
    return f"{message[:1].upper()}{message[1:].rstrip('.')}. {hint}".strip()
