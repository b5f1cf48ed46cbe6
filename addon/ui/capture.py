"""The verb that everything else is for: capture the motion in the selected strips."""

# Blender reads properties from annotations, so these must not be postponed into strings.

import time
from collections.abc import Sequence
from typing import ClassVar

import bpy

from ..contract import errors
from ..remote import host
from ..scene import compat, selection, stamps, strips
from ..scene.strips import Shot
from . import notes, preferences, presets, properties, reporting, session


class STRIPMOCAP_OT_capture(bpy.types.Operator):
    """Makes a job of each selected strip."""

    bl_idname = "stripmocap.capture"
    bl_label = "Capture Motion"
    bl_description = (
        "Turn the people in the selected strips into animated characters. "
        "It runs in the background: one job for each strip"
    )
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Strips with footage are selected, and there is somewhere to send them."""
        reason = why_not(context)
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Stamps the strips and gives their jobs to the watcher."""
        shots = strips.shots(context)
        good = [each for each in shots if not each.problem]
        for each in shots:
            if each.problem:
                reporting.warn(self, f"{each.strip}: {each.problem}")
        try:
            begin(context, [(each, None) for each in good])
        except errors.StripMocapError as error:
            return reporting.failed(self, error)
        if not good:
            return {"CANCELLED"}
        reporting.done(self, f"Capturing {', '.join(each.strip for each in good)}")
        return {"FINISHED"}


def why_not(context: bpy.types.Context) -> str:
    """What keeps a capture from being asked for, as a sentence; empty for nothing."""
    scene = compat.sequencer_scene(context)
    if scene is None:
        return "Choose a scene for the sequencer first"
    if preferences.of(context).where == preferences.NOWHERE:
        return "Choose in the preferences of Strip Mocap where captures run"
    if not selection.has_footage(context):
        return "Select strips that show a movie, an image sequence or a movie clip"
    live = session.current()
    preset = presets.PRESETS[properties.of(scene).preset]
    lack = presets.lacks(preset, live.ledger.connection.health)
    if lack:
        return lack
    if live.shots and all(each.problem for each in live.shots):
        return live.shots[0].problem
    return ""


def begin(
    context: bpy.types.Context, wanted: Sequence[tuple[Shot, tuple[float, float] | None]]
) -> list[str]:
    """Asks for a capture of each shot, or of the span of it in seconds; their keys.

    Raises:
        StripMocapError: one of them cannot be asked for; then none is.
    """
    live = session.current()
    scene = compat.sequencer_scene(context)
    assert scene is not None, "polled"
    backend = preferences.backend_of(context)
    if backend is None:
        raise errors.BackendUnavailable(
            "no backend is chosen", hint="Choose where captures run in the preferences."
        )
    chosen = properties.of(scene)
    requests = [properties.request(chosen, shot, span=span) for shot, span in wanted]
    if isinstance(backend, host.MyServer):
        _refuse_sequences([shot for shot, _ in wanted])
    live.connect(backend, start=True)
    keys = []
    for (shot, _), request in zip(wanted, requests, strict=True):
        # By name: the stamp of a copied strip is its original's, until it gets its own here.
        strip = selection.named(shot.scene, shot.strip)
        assert strip is not None, "it was seen a moment ago"
        key = _new_key(stamps.stamp(strip))
        notes.note_target(strip.id_data, key, context.scene.name)
        live.capture(request, session.Ticket(key, strip=shot.strip, path=str(shot.path)))
        keys.append(key)
    live.selection = None  # the shots have stamps now
    return keys


CLASSES = (STRIPMOCAP_OT_capture,)


def _new_key(stamp: str) -> str:
    """A name for a job that is this strip's and was never given before."""
    return f"{stamp}.{time.time_ns() // 1_000_000}"


def _refuse_sequences(shots: list[Shot]) -> None:
    for each in shots:
        if each.kind == "images":
            raise errors.RequestError(
                f"{each.strip} is an image sequence, and only movies can be sent to a server",
                hint="Render it to a movie, or capture on this computer.",
            )
