"""After an edit: captured animation is moved under its strip again, or what is new is captured."""

# Blender reads properties from annotations, so these must not be postponed into strings.

from typing import ClassVar

import bpy

from ..contract import errors
from ..scene import compat, follow, selection, strips
from ..scene.strips import Shot
from . import capture, remix, reporting


class STRIPMOCAP_OT_update(bpy.types.Operator):
    """Moves captured animation to where its strip is now."""

    bl_idname = "stripmocap.update"
    bl_label = "Update Animation"
    bl_description = (
        "Move the captured animation of the selected strips to where the strips show it now, "
        "after they were moved, slipped, trimmed or sped up. Nothing is captured again"
    )
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Strips with footage are selected."""
        return _polled(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Moves the keys."""
        remix.finish()
        moved, stuck = 0, False
        for shot in strips.shots(context):
            if not shot.id or shot.timing is None:
                continue
            try:
                moved += follow.move(shot.id, shot.timing)
            except errors.StripMocapError as error:
                reporting.warn(self, f"{shot.strip}: {error.message}")
                stuck = True
        if not (moved or stuck):
            reporting.done(self, "All captured animation is where its strip is")
            return {"CANCELLED"}
        reporting.done(self, f"Moved {moved} actions")
        return {"FINISHED"}


class STRIPMOCAP_OT_capture_new_part(bpy.types.Operator):
    """Captures what a strip shows since its handles were pulled."""

    bl_idname = "stripmocap.capture_new_part"
    bl_label = "Capture the New Part"
    bl_description = (
        "Capture only what the selected strips show beyond what was captured of them. "
        "The new part comes as characters of its own"
    )
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A capture can be asked for."""
        reason = capture.why_not(context)
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Asks for a capture of each new span."""
        wanted = [
            (shot, span)
            for shot in strips.shots(context)
            if not shot.problem
            for span in follow.missing(shot)
        ]
        if not wanted:
            reporting.done(self, "All that the selected strips show is captured")
            return {"CANCELLED"}
        try:
            capture.begin(context, wanted)
        except errors.StripMocapError as error:
            return reporting.failed(self, error)
        return {"FINISHED"}


CLASSES = (STRIPMOCAP_OT_update, STRIPMOCAP_OT_capture_new_part)


def edits_of(shot: Shot) -> tuple[bool, float]:
    """Whether animation of a shot is elsewhere than its strip, and seconds not captured of it."""
    if not shot.id or shot.timing is None:
        return False, 0.0
    missing = sum(stop_s - start_s for start_s, stop_s in follow.missing(shot))
    return follow.is_stale(shot.id, shot.timing), missing


def _polled(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    if compat.sequencer_scene(context) is not None and selection.has_footage(context):
        return True
    operator.poll_message_set("Select strips whose motion was captured")
    return False
