"""Picking people by clicking on them in the sequencer's preview."""

from __future__ import annotations

from typing import ClassVar

import bpy

from ..scene import preview
from . import overlay, rows, session

_SAYS = "Click somebody in the preview; Shift adds them to the others; Esc ends"


class STRIPMOCAP_OT_pick_people(bpy.types.Operator):
    """Selects people by clicks in the preview, until it is ended."""

    bl_idname = "stripmocap.pick_people"
    bl_label = "Pick in Preview"
    bl_description = (
        "Select people by clicking on them in the preview. Shift adds to the selection; "
        "Esc, or a click elsewhere, ends"
    )
    bl_options: ClassVar[set[str]] = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """People are known and there is a preview."""
        reason = ""
        if session.current().view is None:
            reason = "Find the people of a strip first"
        elif next(preview.regions(context), None) is None:
            reason = "Let the sequencer show its preview: View Type in its header"
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Begins."""
        context.window.cursor_modal_set("EYEDROPPER")
        context.workspace.status_text_set(_SAYS)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Takes clicks in the preview; everything else goes where it always does."""
        if event.type in {"ESC", "RIGHTMOUSE", "RET"} and event.value == "PRESS":
            return self._end(context, {"FINISHED"})
        if event.type != "LEFTMOUSE":
            return {"PASS_THROUGH"}
        region = _under(context, event)
        if event.value != "PRESS":
            return {"PASS_THROUGH"} if region is None else {"RUNNING_MODAL"}
        if region is None:
            return self._end(context, {"FINISHED", "PASS_THROUGH"})
        place = (event.mouse_x - region.x, event.mouse_y - region.y)
        pick(context, region, place, adding=event.shift)
        return {"RUNNING_MODAL"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Another file is loaded."""
        self._end(context, {"CANCELLED"})

    def _end(self, context: bpy.types.Context, answer: set[str]) -> set[str]:
        if context.window is not None:
            context.window.cursor_modal_restore()
        if context.workspace is not None:
            context.workspace.status_text_set(None)
        return answer


CLASSES = (STRIPMOCAP_OT_pick_people,)


def pick(
    context: bpy.types.Context,
    region: bpy.types.Region,
    place: tuple[float, float],
    *,
    adding: bool,
) -> None:
    """Selects who is at a pixel of the preview, alone or beside those who are selected."""
    person = overlay.person_at(context, region, place)
    if person is None:
        return
    before = rows.selected(context) if adding else []
    if person in before:
        before.remove(person)
        rows.select(context, before, active=next(iter(before), None))
    else:
        rows.select(context, [person, *before], active=person)
    session.current().dirty = True
    preview.redraw(context)


def _under(context: bpy.types.Context, event: bpy.types.Event) -> bpy.types.Region | None:
    """The preview that the mouse is on."""
    for window, area, region in preview.regions(context):
        if window != context.window or not _holds(region, event):
            continue
        # Sidebar, toolbar and headers may lie over the preview.
        over = (each for each in area.regions if each.type not in {"PREVIEW", "WINDOW"})
        return None if any(_holds(each, event) for each in over) else region
    return None


def _holds(region: bpy.types.Region, event: bpy.types.Event) -> bool:
    inside_x = region.x <= event.mouse_x < region.x + region.width
    inside_y = region.y <= event.mouse_y < region.y + region.height
    return region.width > 1 and region.height > 1 and inside_x and inside_y
