"""Strips inside meta strips: which there are, and what of them is seen from outside.

A strip in a meta keeps the scene's frames; the meta lets only those between its own handles
through, and turns them round when it plays backwards.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import bpy

from ..contract import errors
from ..rigging.timing import STILL, FrameMap, backwards
from . import compat


class Nested(NamedTuple):
    """A strip and the metas that it lies in, the innermost first."""

    strip: bpy.types.Strip
    metas: tuple[bpy.types.Strip, ...] = ()


@dataclass(frozen=True)
class View:
    """What of a strip is seen from outside all metas."""

    first: int  # scene frame, the first that shows the strip
    last: int  # and the last; before `first` if none does
    frames: FrameMap  # from the strip's own frames to those at which they are seen


def selected(scene: bpy.types.Scene) -> Iterator[Nested]:
    """The selected strips of what the sequencer shows, and all that is in selected metas."""
    editor = scene.sequence_editor
    if editor is None:
        return
    opened = tuple(editor.meta_stack)[::-1]  # metas that the user has entered
    level = compat.inner_strips(opened[0]) if opened else compat.strips(editor)
    for strip in level:
        if strip.select:
            yield from inside(Nested(strip, opened))


def everywhere() -> Iterator[Nested]:
    """Every strip of the file, metas included."""
    for scene in bpy.data.scenes:
        if scene.sequence_editor is not None:
            for strip in compat.strips(scene.sequence_editor):
                yield from inside(Nested(strip))


def inside(nested: Nested) -> Iterator[Nested]:
    """The strip itself and, if it is a meta, all that is in it."""
    yield nested
    if nested.strip.type == "META":
        for each in compat.inner_strips(nested.strip):
            yield from inside(Nested(each, (nested.strip, *nested.metas)))


def enclosing(strip: bpy.types.Strip) -> tuple[bpy.types.Strip, ...]:
    """The metas that a strip lies in, the innermost first."""
    metas = []
    meta = strip.parent_meta()
    while meta is not None:
        metas.append(meta)
        meta = meta.parent_meta()
    return tuple(metas)


def view_of(nested: Nested) -> View:
    """What is seen of a strip through its metas; its held ends are no part of it.

    Raises:
        RequestError: a meta is retimed.
    """
    first, last = _shown(nested.strip)
    frames = STILL
    for meta in nested.metas:
        times = compat.strip_times(meta)
        length = content_length(times)
        _check_speed(meta, length)
        start = times["content_start"]
        first, last = max(first, start), min(last, start + length - 1)
        if meta.use_reverse_frames:
            turned = backwards(start, length)
            first, last = float(turned(last)), float(turned(first))
            frames = frames.then(turned)
        first, last = max(first, times["left_handle"]), min(last, times["right_handle"] - 1)
    return View(math.ceil(first), math.floor(last), frames)


def content_length(times: dict[str, float]) -> float:
    """Scene frames of a strip's whole content, handles aside, from `compat.strip_times`."""
    return times["duration"] + times["left_handle_offset"] + times["right_handle_offset"]


def may_be_retimed(strip: bpy.types.Strip) -> bool:
    """Whether retiming keys are on show that Blender does not let anybody read."""
    return strip.show_retiming_keys and compat.retiming_frames(strip) is None


def _shown(strip: bpy.types.Strip) -> tuple[float, float]:
    times = compat.strip_times(strip)
    start, length = times["content_start"], content_length(times)
    return max(start, times["left_handle"]), min(start + length, times["right_handle"]) - 1


def _check_speed(meta: bpy.types.Strip, length: float) -> None:
    # Blender tells nothing of a meta's retiming keys, only what comes of them.
    times = [compat.strip_times(each) for each in compat.inner_strips(meta)]
    extent = max(each["right_handle"] for each in times) - min(
        each["left_handle"] for each in times
    )
    if abs(extent - length) > 0.5 or may_be_retimed(meta):
        raise errors.RequestError(
            f"the meta strip {meta.name} is retimed, and Blender does not tell by how much",
            hint="Reset its retiming and hide its keys (Strip, Retiming), or take the footage out.",
        )
