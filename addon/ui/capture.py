"""The verb that everything else is for: capture the motion in the selected strips."""

# Blender reads properties from annotations, so these must not be postponed into strings.

import time
from collections.abc import Sequence
from typing import ClassVar

import bpy

from ..contract import errors, messages
from ..remote import host
from ..scene import compat, selection, solved_camera, solves, stamps, strips
from ..scene.corrections import Corrections
from ..scene.strips import Shot
from . import casts, notes, preferences, presets, properties, reporting, session


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
        return why_not_sent(context)
    chosen = properties.of(scene)
    lack = presets.lacks(presets.PRESETS[chosen.preset], session.current().ledger.connection.health)
    return why_not_sent(context) or lack or _lacks_camera(context, chosen)


def why_not_sent(context: bpy.types.Context) -> str:
    """What keeps any job from being made of the selected strips; empty for nothing."""
    if compat.sequencer_scene(context) is None:
        return "Choose a scene for the sequencer first"
    if preferences.of(context).where == preferences.NOWHERE:
        return "Choose in the preferences of Strip Mocap where captures run"
    if not selection.has_footage(context):
        return "Select strips that show a movie, an image sequence or a movie clip"
    shots = session.current().shots
    return shots[0].problem if shots and all(each.problem for each in shots) else ""


def _lacks_camera(context: bpy.types.Context, chosen: properties.STRIPMOCAP_PG_scene) -> str:
    if chosen.camera == properties.STILL or context.scene.camera is not None:
        return ""
    return "The scene has no camera: give it the one that was solved, or choose Stands Still"


def begin(
    context: bpy.types.Context, wanted: Sequence[tuple[Shot, tuple[float, float] | None]]
) -> list[str]:
    """Asks for a capture of each shot, or of the span of it in seconds; their keys.

    Raises:
        StripMocapError: one of them cannot be asked for; then none is.
    """
    live, chosen = session.current(), _chosen(context)
    asked = []
    for shot, part in wanted:
        span = part or properties.span_of(chosen, shot)
        request = properties.request(
            chosen,
            shot,
            span=span,
            corrections=_corrections(live, shot, span),
            filmed=_filmed(context, chosen, shot, span),
        )
        asked.append((shot, request))
    keys = _submit(context, asked)
    for (shot, _), key in zip(asked, keys, strict=True):
        strip = selection.named(shot.scene, shot.strip)
        assert strip is not None, "it was seen a moment ago"
        notes.note_target(strip.id_data, key, context.scene.name)
    return keys


def search(context: bpy.types.Context, shots: Sequence[Shot]) -> list[str]:
    """Has the people found in what would be captured of each shot; the keys of the jobs.

    Raises:
        StripMocapError: one of them cannot be asked for; then none is.
    """
    chosen = _chosen(context)
    spans = [properties.span_of(chosen, each) for each in shots]
    asked = [
        (shot, properties.search(shot, span=span)) for shot, span in zip(shots, spans, strict=True)
    ]
    return _submit(context, asked)


CLASSES = (STRIPMOCAP_OT_capture,)


def _chosen(context: bpy.types.Context) -> properties.STRIPMOCAP_PG_scene:
    scene = compat.sequencer_scene(context)
    assert scene is not None, "polled"
    return properties.of(scene)


def _submit(
    context: bpy.types.Context, asked: Sequence[tuple[Shot, messages.CaptureRequest]]
) -> list[str]:
    live = session.current()
    backend = preferences.backend_of(context)
    if backend is None:
        raise errors.BackendUnavailable(
            "no backend is chosen", hint="Choose where captures run in the preferences."
        )
    if isinstance(backend, host.MyServer):
        _refuse_sequences([shot for shot, _ in asked])
    live.connect(backend, start=True)
    keys = []
    for shot, request in asked:
        # By name: the stamp of a copied strip is its original's, until it gets its own here.
        strip = selection.named(shot.scene, shot.strip)
        assert strip is not None, "it was seen a moment ago"
        key = _new_key(stamps.stamp(strip))
        live.capture(request, session.Ticket(key, strip=shot.strip, path=str(shot.path)))
        keys.append(key)
    live.selection = None  # the shots have stamps now
    return keys


def _filmed(
    context: bpy.types.Context,
    chosen: properties.STRIPMOCAP_PG_scene,
    shot: Shot,
    span: tuple[float, float],
) -> solved_camera.Solved | None:
    """The moving camera that filmed a span of a shot; None if it stood still.

    Raises:
        RequestError: the scene has no camera, or runs at another rate than the strip.
    """
    if chosen.camera == properties.STILL:
        return None
    strip = selection.named(shot.scene, shot.strip)
    assert strip is not None, "it was seen a moment ago"
    timing = strips.timing_in(context.scene, strip)
    return solved_camera.solved(
        context.scene, timing=timing, span_s=span, size_px=solves.size_px(shot)
    )


def _corrections(live: session.Session, shot: Shot, span: tuple[float, float]) -> Corrections:
    """What is to be put right in a span of a shot; marks are moved into it where need be.

    Raises:
        RequestError: it cannot be put right, or nobody is left.
    """
    known = live.casts.of(shot.path, span)
    view = casts.best_view(shot.strip, known, shot.corrections)
    if view is None:
        return casts.unseen(shot.corrections, span)
    if not view.problem and not view.kept:
        raise errors.RequestError(
            f"nobody is kept of the people in {shot.strip}",
            hint="Keep somebody in the list of people.",
        )
    return casts.wanted(view, span)


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
