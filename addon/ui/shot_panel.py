"""What both sidebars show of captured people: which take plays, and how much of it is refined.

The 3D view has it where bodies are looked at, the sequencer below the capture. Drawing reads memory
alone.
"""

from __future__ import annotations

from typing import Any

import bpy

from ..scene import contacts
from ..scene import takes as scene_takes
from . import labels, pins, refine, remix, takes

LISTED = 3  # rows of the list of spans; more scroll


class _Refinement:
    """How much of the refined take shows; where it is drawn is for its heirs to say."""

    bl_label = "Refinement"
    bl_region_type = "UI"
    bl_category = "Mocap"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Somebody has a refined take and one before it."""
        return refine.rig_of(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        """Draws it."""
        layout: bpy.types.UILayout = self.layout  # type: ignore[attr-defined]
        rig = refine.rig_of(context)
        assert rig is not None, "polled"
        kept = refine.of(rig)
        layout.label(text=rig.name, icon="ARMATURE_DATA")
        _draw_amounts(layout, kept.everywhere)
        _draw_spans(layout, kept)
        if len(takes.rigs_of(context)) > 1:
            layout.operator(refine.STRIPMOCAP_OT_refine_everybody.bl_idname, icon="COMMUNITY")
        _say_what_plays(layout, context, rig)


class STRIPMOCAP_PT_refinement_view(_Refinement, bpy.types.Panel):
    """In the 3D view."""

    bl_idname = "STRIPMOCAP_PT_refinement_view"
    bl_space_type = "VIEW_3D"

    def draw(self, context: bpy.types.Context) -> None:
        """Draws it, below the takes: the sequencer has those with the capture."""
        takes.draw(self.layout, context)
        super().draw(context)


class STRIPMOCAP_PT_refinement(_Refinement, bpy.types.Panel):
    """In the sequencer."""

    bl_idname = "STRIPMOCAP_PT_refinement"
    bl_space_type = "SEQUENCE_EDITOR"
    bl_order = 3


class STRIPMOCAP_PT_contacts(bpy.types.Panel):
    """What touches something at the playhead."""

    bl_idname = "STRIPMOCAP_PT_contacts"
    bl_label = "Contacts"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Mocap"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Somebody plays a take with contacts."""
        return _touching(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        """Draws it."""
        layout, rig = self.layout, _touching(context)
        assert rig is not None, "polled"
        layout.operator(pins.STRIPMOCAP_OT_pin_feet.bl_idname, icon="PINNED")
        layout.prop(context.window_manager, "stripmocap_show_contacts")
        layout.label(text=rig.name, icon="ARMATURE_DATA")
        column = layout.column(align=True)
        for name in contacts.NAMES:
            words = name.replace("_", " ").title()
            column.prop(rig, contacts.path_of(name), text=words, slider=True)
        labels.say(
            layout,
            context,
            "Keys of the rig's take: edit them in the Dope Sheet, in the group Contacts.",
            icon="INFO",
        )


CLASSES = (STRIPMOCAP_PT_refinement_view, STRIPMOCAP_PT_refinement, STRIPMOCAP_PT_contacts)


def _touching(context: bpy.types.Context) -> bpy.types.Object | None:
    """The person that is meant, if what plays has contacts."""
    rig = takes.rig_of(context)
    return rig if rig is not None and contacts.has(rig) else None


def _draw_amounts(layout: bpy.types.UILayout, amounts: Any) -> None:
    column = layout.column(align=True)
    column.prop(amounts, "whole", slider=True)
    for region in remix.AMOUNTS[1:]:
        row = column.row(align=True)
        row.active = amounts.whole > 0
        row.prop(amounts, region, slider=True)


def _draw_spans(layout: bpy.types.UILayout, kept: Any) -> None:
    header, body = layout.panel("stripmocap_refine_spans")
    header.label(text=f"Spans ({len(kept.spans)})" if len(kept.spans) else "Spans")
    if body is None:
        return
    row = body.row()
    row.template_list(
        refine.STRIPMOCAP_UL_spans.bl_idname, "", kept, "spans", kept, "active", rows=LISTED
    )
    buttons = row.column(align=True)
    buttons.operator(refine.STRIPMOCAP_OT_add_refine_span.bl_idname, text="", icon="ADD")
    buttons.operator(refine.STRIPMOCAP_OT_remove_refine_span.bl_idname, text="", icon="REMOVE")
    if kept.active < len(kept.spans):
        span = kept.spans[kept.active]
        ends = body.column(align=True)
        ends.prop(span, "first")
        ends.prop(span, "last")
        ends.prop(span, "fade_s")
        _draw_amounts(body, span)


def _say_what_plays(
    layout: bpy.types.UILayout, context: bpy.types.Context, rig: bpy.types.Object
) -> None:
    kept = refine.of(rig).kept
    if not scene_takes.playing(rig):
        labels.say(
            layout,
            context,
            "An action of your own plays: choose Mixed above to see what is set here.",
            icon="INFO",
        )
    elif kept and kept in bpy.data.actions:
        labels.say(
            layout,
            context,
            f"The mix that you had edited is kept as the action {kept}.",
            icon="INFO",
        )
