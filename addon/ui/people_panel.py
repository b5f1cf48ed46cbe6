"""What the sequencer's sidebar shows of the people in a strip. Drawing reads memory alone."""

from __future__ import annotations

import bpy

from . import labels, people, picking, preferences, rows, session
from .casts import View

LISTED = 4  # rows of the list; more scroll


class STRIPMOCAP_PT_people(bpy.types.Panel):
    """Who is who, before bodies are made."""

    bl_idname = "STRIPMOCAP_PT_people"
    bl_label = "People"
    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = "Mocap"
    bl_order = 1

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Captures run somewhere."""
        return preferences.of(context).where != preferences.NOWHERE

    def draw(self, context: bpy.types.Context) -> None:
        """Draws it."""
        layout, view = self.layout, session.current().view
        layout.operator(people.STRIPMOCAP_OT_find_people.bl_idname, icon="VIEWZOOM")
        if view is None:
            labels.say(
                layout,
                context,
                "Not needed when everybody in the strip is to be captured. Find them to choose, "
                "or to say who is who.",
                icon="INFO",
            )
            return
        layout.label(text=view.strip, icon="SEQUENCE")
        listed = rows.of(context)
        layout.template_list(
            rows.STRIPMOCAP_UL_people.bl_idname,
            "",
            listed,
            "people",
            listed,
            "active",
            rows=LISTED,
        )
        _draw_buttons(layout, context)
        layout.prop(listed, "show_boxes")
        _draw_state(layout, context, view, is_overtaken=session.current().is_overtaken)


CLASSES = (STRIPMOCAP_PT_people,)


def _draw_buttons(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    column = layout.column(align=True)
    column.operator(picking.STRIPMOCAP_OT_pick_people.bl_idname, icon="EYEDROPPER")
    row = column.row(align=True)
    # Not the operators' poll: those also stand in the rows of the list, for the row's own person.
    row.enabled = bool(rows.selected(context))
    for operator in (
        people.STRIPMOCAP_OT_keep_people,
        people.STRIPMOCAP_OT_keep_only,
        people.STRIPMOCAP_OT_ignore_people,
    ):
        row.operator(operator.bl_idname)
    column.operator(people.STRIPMOCAP_OT_merge_people.bl_idname, icon="AUTOMERGE_ON")
    row = column.row(align=True)
    row.operator(people.STRIPMOCAP_OT_split_person.bl_idname)
    row.operator(people.STRIPMOCAP_OT_swap_people.bl_idname)
    row = column.row(align=True)
    row.operator(people.STRIPMOCAP_OT_undo_correction.bl_idname, icon="LOOP_BACK")
    row.operator(people.STRIPMOCAP_OT_clear_corrections.bl_idname, icon="TRASH")


def _draw_state(
    layout: bpy.types.UILayout, context: bpy.types.Context, view: View, *, is_overtaken: bool
) -> None:
    if view.problem:
        labels.say(layout, context, view.problem, icon="ERROR")
    elif not view.kept:
        labels.say(layout, context, "Nobody is kept: there is nothing to capture.", icon="ERROR")
    elif is_overtaken:
        labels.say(
            layout,
            context,
            "Corrected since the capture: capture the strip again to have it in the bodies.",
            icon="INFO",
        )
