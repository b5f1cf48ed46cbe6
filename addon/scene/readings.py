"""All that is read of one strip to know which picture of its file shows at which scene frame."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import bpy

from ..contract import errors
from ..rigging import timing
from ..rigging.timing import Content, StripTiming
from . import compat, footage, metas
from .footage import Footage
from .metas import Nested, View

_RETIMED_HINT = (
    "Reset its retiming and hide its keys (Strip, Retiming), or render the strip to a movie and"
    " capture that."
)


@dataclass(frozen=True)
class Reading:
    """What a strip shows and when, as seen from outside all metas."""

    footage: Footage
    content: Content
    view: View
    timing: StripTiming
    is_retimed: bool  # at one speed; others are refused


def scene_fps(scene: bpy.types.Scene) -> Fraction:
    """Frames a second of `scene`, exact: Blender keeps 23.976 as 24 / 1.001 in single precision."""
    return Fraction(scene.render.fps) / Fraction(scene.render.fps_base).limit_denominator(10_000)


def read(nested: Nested) -> Reading:
    """All of a strip that shows footage.

    Raises:
        RequestError: its file is missing, or its times cannot be read.
    """
    strip = nested.strip
    _check_speed_effects(nested)
    shown = footage.footage_of(strip)
    times = compat.strip_times(strip)
    trims = int(times["content_trim_start"]), int(times["content_trim_end"])
    left = shown.pictures - sum(trims)
    if left < 1:
        raise errors.RequestError(
            f"the trims of {strip.name} leave nothing of its {shown.pictures} pictures",
            hint="Take some of the hard trims back under Time.",
        )
    step = _constant_step(strip, left)
    content = Content(
        start=times["content_start"],
        length=metas.content_length(times),
        pictures=shown.pictures,
        trim_start=trims[0],
        trim_end=trims[1],
        reverse=strip.use_reverse_frames,
        step=_plain_step(strip, shown, left) if step is None else step,
    )
    view = metas.view_of(nested)
    own = timing.of_content(content, fps=shown.fps, first_s=float(shown.first_s))
    return Reading(shown, content, view, own.through(view.frames), is_retimed=step is not None)


def span_of(reading: Reading) -> tuple[Fraction, Fraction]:
    """Seconds of the file's clock that are seen, the end exclusive; empty if nothing is."""
    view, shown = reading.view, reading.footage
    if view.last < view.first:
        return shown.first_s, shown.first_s
    ends = (float(view.frames.inverse(frame)) for frame in (view.first, view.last))
    low, high = sorted(reading.content.picture_at(frame) for frame in ends)
    start, stop = (shown.first_s + picture / shown.fps for picture in (low, high + 1))
    return max(start, Fraction(0)), stop if shown.end_s is None else min(stop, shown.end_s)


def _plain_step(strip: bpy.types.Strip, shown: Footage, left: int) -> float:
    """Pictures a scene frame of a strip without retiming."""
    length = metas.content_length(compat.strip_times(strip))
    if shown.kind == "movie":
        step = timing.unretimed_step(
            left, length=length, scene_fps=scene_fps(strip.id_data), fps=shown.fps
        )
        if step is None:
            raise errors.RequestError(
                f"{shown.path.name} is not as long as when {strip.name} was made of it",
                hint="Reload it (Strip, Reload Strips and Adjust Length).",
            )
        return step
    # Blender never fits these to the scene's rate, so another length can only be retiming. Keys
    # that leave the length alone cannot be found, but who set some has made them visible.
    if abs(left - length) > 0.5 or metas.may_be_retimed(strip):
        raise _retimed(strip)
    return 1.0


def _constant_step(strip: bpy.types.Strip, left: int) -> float | None:
    """Pictures a scene frame of a strip that is retimed as a whole; None if it is not retimed."""
    keys = compat.retiming_frames(strip)
    if not keys:
        return None
    times = compat.strip_times(strip)
    between = compat.frames_between_end_keys(metas.content_length(times))
    start = times["content_start"]
    # Speeds cannot be read, but two keys at the two ends leave room for one speed only.
    at_ends = len(keys) == 2 and abs(keys[0] - start) < 1 and abs(keys[1] - start - between) < 1
    if not at_ends or between < 1 or left < 2:
        raise _retimed(strip)
    return compat.pictures_between_end_keys(left) / between


def _retimed(strip: bpy.types.Strip) -> errors.RequestError:
    return errors.RequestError(
        f"the strip {strip.name} is retimed at speeds that Blender does not tell",
        hint=_RETIMED_HINT,
    )


def _check_speed_effects(nested: Nested) -> None:
    """Raises RequestError if a Speed strip plays the strip, or a meta that it is in."""
    for strip in (nested.strip, *nested.metas):
        for effect in _neighbours(strip):
            if effect.type == "SPEED" and effect.input_1 == strip:
                raise errors.RequestError(
                    f"the effect strip {effect.name} changes the speed of {strip.name}",
                    hint="Remove the effect strip, or render it to a movie and capture that.",
                )


def _neighbours(strip: bpy.types.Strip):
    meta = strip.parent_meta()
    return compat.inner_strips(meta) if meta else compat.strips(strip.id_data.sequence_editor)
