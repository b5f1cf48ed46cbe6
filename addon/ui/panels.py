"""What the sequencer's sidebar shows under "Mocap". Drawing reads memory and nothing else."""

from __future__ import annotations

import bpy

from ..remote import ledger
from ..scene import compat
from ..scene.strips import Shot
from . import capture, labels, notes, preferences, presets, properties, session, takes, views

ROWS = 12  # jobs that are listed; the rest is counted
_ICONS = {
    "running": "PLAY",
    ledger.SENDING: "EXPORT",
    ledger.WAITING: "TIME",
    "queued": "TIME",
    "done": "CHECKMARK",
    "failed": "ERROR",
    "cancelled": "X",
    ledger.REFUSED: "ERROR",
}


class STRIPMOCAP_PT_main(bpy.types.Panel):
    """Selected strips, what to make of them, and the button."""

    bl_idname = "STRIPMOCAP_PT_main"
    bl_label = "Motion Capture"
    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = "Mocap"
    bl_order = 0

    def draw(self, context: bpy.types.Context) -> None:
        """Draws it."""
        layout = self.layout
        live = session.current()
        scene = compat.sequencer_scene(context)
        if scene is None:
            labels.say(layout, context, "The sequencer has no scene yet: choose one in its header.")
            return
        if preferences.of(context).where == preferences.NOWHERE:
            labels.say(
                layout,
                context,
                "Captures run nowhere: choose where in the preferences of Strip Mocap, or drop "
                "a result file into the 3D view.",
            )
            return
        _draw_shots(layout, context, live.shots, live.edits)
        chosen = properties.of(scene)
        _draw_presets(layout, context, chosen, live)
        _draw_options(layout, chosen)
        button = layout.column()
        button.scale_y = 1.6
        button.operator(capture.STRIPMOCAP_OT_capture.bl_idname, icon="ARMATURE_DATA")
        reason = capture.why_not(context)
        lack = presets.lacks(presets.PRESETS[chosen.preset], live.ledger.connection.health)
        if reason and reason != lack:  # that is told with the presets
            labels.say(layout, context, reason, icon="INFO")
        if views.STRIPMOCAP_OT_view_footage.poll(context):
            layout.operator(views.STRIPMOCAP_OT_view_footage.bl_idname, icon="OUTLINER_OB_CAMERA")
        takes.draw(layout, context)


class STRIPMOCAP_PT_jobs(bpy.types.Panel):
    """The service and its jobs."""

    bl_idname = "STRIPMOCAP_PT_jobs"
    bl_label = "Captures"
    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = "Mocap"
    bl_order = 2

    def draw(self, context: bpy.types.Context) -> None:
        """Draws it."""
        layout = self.layout
        live = session.current()
        _draw_connection(layout, context, live)
        if live.problem:
            labels.say(layout, context, live.problem, icon="ERROR")
        if live.notice:
            labels.say(layout, context, live.notice, icon="INFO")
        rows = live.ledger.rows()
        imported = notes.imported()
        for row in rows[:ROWS]:
            _draw_job(
                layout, context, row, live.remarks.get(row.job_id, ""), row.job_id in imported
            )
        if len(rows) > ROWS:
            layout.label(text=f"and {len(rows) - ROWS} more")
        if not rows:
            layout.label(text="No captures yet")


CLASSES = (STRIPMOCAP_PT_main, STRIPMOCAP_PT_jobs)


def _draw_shots(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    shots: tuple[Shot, ...],
    edits: dict[str, tuple[bool, float]],
) -> None:
    box = layout.box()
    if not shots:
        labels.say(box, context, "Select the strips to capture.", icon="SEQUENCE")
    for shot in shots:
        column = box.column(align=True)
        column.label(text=shot.strip, icon="ERROR" if shot.problem else "SEQUENCE")
        if shot.problem:
            labels.say(column, context, shot.problem)
            continue
        rate = f"{float(shot.fps):.5g} fps" if shot.fps else ""
        column.label(text=f"{clock(shot.start_s)} to {clock(shot.stop_s)} of the file")
        column.label(text=f"{shot.frames} frames, {rate}")
        for warning in shot.warnings:
            labels.say(column, context, warning, icon="INFO")
        moved, missing_s = edits.get(shot.strip, (False, 0.0))
        if moved:
            column.operator("stripmocap.update", icon="FILE_REFRESH")
        if missing_s:
            labels.say(column, context, f"{missing_s:.2f} s of it are not captured.", icon="INFO")
            column.operator("stripmocap.capture_new_part", icon="ADD")


def clock(seconds: float) -> str:
    """A time of a file, as 1:02.500."""
    minutes, rest = divmod(round(float(seconds), 3), 60)
    return f"{int(minutes)}:{rest:06.3f}"


def _draw_presets(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    chosen: properties.STRIPMOCAP_PG_scene,
    live: session.Session,
) -> None:
    health = live.ledger.connection.health
    row = layout.row(align=True)
    for preset in presets.PRESETS.values():
        cell = row.row(align=True)
        cell.enabled = not presets.lacks(preset, health)
        cell.prop_enum(chosen, "preset", preset.key)
    labels.say(layout, context, presets.PRESETS[chosen.preset].says + ".")
    # Several may lack the same.
    for lack in dict.fromkeys(presets.lacks(each, health) for each in presets.PRESETS.values()):
        if lack:
            labels.say(layout, context, lack + ".", icon="INFO")


def _draw_options(layout: bpy.types.UILayout, chosen: properties.STRIPMOCAP_PG_scene) -> None:
    header, body = layout.panel("stripmocap_actor", default_closed=True)
    header.label(text="Actor and Camera")
    if body is not None:
        body.use_property_split = True
        body.use_property_decorate = False
        row = body.row(heading="Actor's Height")
        row.prop(chosen, "use_height", text="")
        height = row.row()
        height.active = chosen.use_height
        height.prop(chosen, "height_m", text="")
        body.prop(chosen, "body")
        body.prop(chosen, "camera")
        body.prop(chosen, "focal")
        if chosen.focal == properties.VALUE:
            body.prop(chosen, "focal_mm", text="Full Frame")
    header, body = layout.panel("stripmocap_fit", default_closed=True)
    header.prop(chosen, "tuned", text="")
    header.label(text="Tune the Fit")
    if body is not None:
        body.use_property_split = True
        body.use_property_decorate = False
        body.active = chosen.tuned
        for name in properties.tuned_by(chosen):
            body.prop(chosen, name)


def _draw_connection(
    layout: bpy.types.UILayout, context: bpy.types.Context, live: session.Session
) -> None:
    connection = live.ledger.connection
    row = layout.row()
    match connection.touch:
        case "on":
            health = connection.health
            where = f"Remote: {connection.url}" if health and health.remote else "This computer"
            row.label(text=where, icon="URL" if health and health.remote else "DESKTOP")
            for notice in health.notices if health else ():
                labels.say(layout, context, notice, icon="INFO")
        case "reaching":
            row.label(text="Reaching the service …", icon="SORTTIME")
        case "lost":
            row.label(text="The service does not answer; trying again", icon="ERROR")
            if connection.error is not None:
                labels.say(layout, context, session.sentence(connection.error))
        case _:
            row.label(text="Not connected", icon="UNLINKED")
            row.operator("stripmocap.connect")


def _draw_job(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    row: ledger.Row,
    remark: str,
    is_imported: bool,
) -> None:
    box = layout.box().column(align=True)
    head = box.row(align=True)
    head.label(text=row.name, icon=_ICONS.get(row.state, "BLANK1"))
    for name, icon in _buttons(row):
        button = head.operator(name, text="", icon=icon, emboss=False)
        button.job_id, button.key = row.job_id, row.key
    if row.active or row.text.startswith("bringing"):
        box.progress(factor=row.share, text=row.text, type="BAR")
        if row.has_part:
            button = box.operator("stripmocap.import_so_far")
            button.job_id, button.key = row.job_id, row.key
    elif row.state == "done" and not row.makes_bodies:
        box.label(text="people found")
    elif row.state == "done":
        line = box.row()
        line.label(text="imported" if is_imported else "ready to import")
        button = line.operator(
            "stripmocap.import_job", text="Import Again" if is_imported else "Import"
        )
        button.job_id, button.key = row.job_id, row.key
    else:
        box.label(text=row.text)
    if row.error is not None:
        labels.say(box, context, session.sentence(row.error))
    notes_of_way = row.notes if row.state != "done" else ()  # it has arrived, whatever happened
    for note in (*notes_of_way, *([remark] if remark else [])):
        labels.say(box, context, note, icon="INFO")


def _buttons(row: ledger.Row) -> list[tuple[str, str]]:
    """Operators on a job, with their icons."""
    log = [("stripmocap.job_log", "TEXT")] if row.job_id else []
    if row.state == "queued":
        return [*log, ("stripmocap.do_next", "TRIA_UP"), ("stripmocap.cancel", "X")]
    if row.active:
        return [*log, ("stripmocap.cancel", "X")]
    if row.state in {"failed", "cancelled", ledger.REFUSED}:
        return [*log, ("stripmocap.retry", "FILE_REFRESH"), ("stripmocap.forget", "TRASH")]
    return [*log, ("stripmocap.forget", "TRASH")]
