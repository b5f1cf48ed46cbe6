"""A finished capture comes home: under its strip, into the scene that it was meant for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import bpy

from ..contract import errors, motion
from ..remote import errands
from ..scene import character, stamps, strips
from . import notes, session

BUSY = ("RENDER", "RENDER_PREVIEW", "COMPOSITE", "OBJECT_BAKE")


def waits_for(context: bpy.types.Context, *, by_hand: bool) -> str:
    """What an import has to wait for, as a sentence without its full stop; empty for nothing.

    An import that was asked for by hand waits for no tool: whoever asks has seen which one it is.
    """
    if any(_is_job_running(each) for each in BUSY):
        return "It is imported when Blender has finished rendering"
    if not undoable(context):
        return "It is imported in Object Mode or Pose Mode, where it can be undone"
    if not by_hand and any(_changes_data(each.bl_options) for each in _tools(context)):
        return "It is imported when the tool in use has ended"
    return ""


def undoable(context: bpy.types.Context) -> bool:
    """Whether an import would be a step that can be undone by itself."""
    return context.mode in {"OBJECT", "POSE"}


def strip_of(key: str) -> bpy.types.Strip | None:
    """The strip in the open file that the capture `key` was made of; None if it is not there."""
    return stamps.find(key.rpartition(".")[0]) if key else None


def awaited() -> bool:
    """Whether the open file has a strip with a capture that was asked for and not imported."""
    return any(notes.awaited(scene) for scene in bpy.data.scenes)


def bringing_in(
    live: session.Session, arrived: errands.Arrived, *, context: bpy.types.Context
) -> character.Steps:
    """Imports a result under its strip, or where the window is if the strip is not in this file.

    It goes in steps, see `character.importing`.

    Raises:
        StripMocapError: it cannot be placed, or there is nobody in it; nothing was changed.
    """
    job = live.ledger.jobs.get(arrived.job_id)
    key = (job.key if job is not None else None) or ""
    strip = strip_of(key)
    capture = _of_this_computer(arrived.capture, live.tickets.get(key))
    if strip is not None:
        scene = notes.target_of(strip.id_data, key) or _window_scene(context, strip)
        timing = strips.timing_in(scene, strip)
    else:
        scene = context.scene
        timing = strips.place(
            context,
            clip_name=character.clip_name(capture),
            start_frame=float(scene.frame_start),
            start_s=character.clip_start_s(capture),
        ).timing
    shot = yield from character.importing(capture, body=arrived.body, scene=scene, timing=timing)
    strip_id = stamps.stamp_of(strip) if strip is not None else ""
    character.mark(shot, capture, job_id=arrived.job_id, strip_id=strip_id)
    if arrived.is_part:  # the result is still awaited
        shot.collection.name = f"{character.source_name(capture)} so far"
    else:
        notes.note_import(strip.id_data if strip is not None else scene, arrived.job_id, key=key)
    remarks = [*([arrived.remark] if arrived.remark else []), *capture.notes]
    try:
        character.show_footage(shot, capture, scene=scene, footage=None, beside=arrived.path.parent)
    except errors.StripMocapError as error:
        remarks.append(f"{error.message}, so the camera has no footage")
    if remarks:
        told = ". ".join(f"{each[:1].upper()}{each[1:].rstrip('.')}" for each in remarks)
        live.remarks[arrived.job_id] = told
    return shot


def _window_scene(context: bpy.types.Context, strip: bpy.types.Strip) -> bpy.types.Scene:
    """The window's scene if it counts as the strip's does, else the strip's own."""
    same = strips.scene_fps(context.scene) == strips.scene_fps(strip.id_data)
    return context.scene if same else strip.id_data


def _of_this_computer(capture: motion.Capture, ticket: session.Ticket | None) -> motion.Capture:
    """The capture with its clip's path as this computer has it; elsewhere it is an upload's."""
    if ticket is None:
        return capture
    provenance: dict[str, Any] = dict(capture.provenance)
    request = dict(provenance.get("request", {}))
    request["clip"] = dict(request.get("clip", {})) | {"path": ticket.path}
    return replace(capture, provenance=provenance | {"request": request})


def _tools(context: bpy.types.Context) -> Iterable[bpy.types.Operator]:
    """Operators that are under way in any window."""
    for window in context.window_manager.windows:
        yield from getattr(window, "modal_operators", ())


def _changes_data(options: set[str]) -> bool:
    """Whether an operator is a stroke or a drag: some run all session and only watch."""
    return not options.isdisjoint({"UNDO", "UNDO_GROUPED", "BLOCKING"})


def _is_job_running(kind: str) -> bool:
    try:
        return bpy.app.is_job_running(kind)
    except (TypeError, ValueError):  # this Blender has no such job
        return False
