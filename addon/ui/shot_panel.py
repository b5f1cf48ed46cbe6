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
        if remark := remark_of(rig):
            labels.say(layout, context, remark, icon="INFO")


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


def remark_of(rig: bpy.types.Object) -> str:
    """What to say of what a person plays, where that is not what is set; empty if it is."""
    action = rig.animation_data.action if rig.animation_data is not None else None
    if action is None:
        return "Nothing plays: choose a take above."
    playing, mix = scene_takes.playing(rig), scene_takes.mix_of(rig)
    if not playing:
        wanted = takes.WORDS["refined" if mix is None else scene_takes.MIXED][0]
        return f"{action.name} plays, and changes here do not show in it: choose {wanted} above."
    if mix is not None and playing != scene_takes.MIXED:
        return f"{takes.WORDS[playing][0]} plays. What is set here is in Mixed, above."
    kept = refine.of(rig).kept
    if kept and kept in bpy.data.actions:
        return f"The mix that you had edited is kept as the action {kept}."
    return ""


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
