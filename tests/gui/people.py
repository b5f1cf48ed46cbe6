"""Inside Blender: finding two people, clicking on them in the preview, and saying who is who."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import drive
import stage

AT = 61  # the scene's frame at which people are picked


def scenario() -> drive.Steps:
    """Find, pick two, swap, undo, merge, take back, ignore."""
    yield 0.5
    bpy.context.preferences.view.ui_scale = 0.8  # the whole sidebar fits into the window
    bpy.context.scene.render.fps = 30
    bpy.context.scene.render.resolution_x, bpy.context.scene.render.resolution_y = 960, 640
    drive.area("VIEW_3D").ui_type = "SEQUENCE_EDITOR"
    yield 0.5
    sequencer = drive.area("SEQUENCE_EDITOR")
    sequencer.spaces.active.view_type = "SEQUENCER_PREVIEW"
    stage.add_strip(os.environ["STRIPMOCAP_GUI_PAIR"])
    yield from drive.open_sidebar(sequencer, "Mocap")
    live = stage.session().current()
    yield from drive.wait(lambda: live.shots, what="the strip in the panel")

    yield from drive.click(sequencer, "stripmocap.find_people(")
    yield from drive.wait(lambda: live.view, what="people", limit_s=240)
    yield from drive.wait(lambda: not live.ledger.active, what="the end of the search")
    bpy.context.scene.frame_set(AT)
    yield 1.5
    drive.tell(found=listed(), bodies=stage.people())
    drive.picture("people-1-found")

    yield from drive.click(sequencer, "stripmocap.pick_people(")
    yield from click_on(sequencer, 0)
    drive.tell(picked=selected())
    yield from click_on(sequencer, 1, holding="shift")
    drive.tell(picked_too=sorted(selected()))
    drive.picture("people-2-picked")
    yield from drive.press(sequencer, "Escape")

    before = left_edges(live)
    yield from drive.click(sequencer, "stripmocap.swap_people(")
    yield 0.5
    drive.tell(before_swap=before, after_swap=left_edges(live), kinds=kinds(live))
    drive.picture("people-3-swapped")
    yield from drive.press(sequencer, "ctrl+z")
    yield from drive.wait(lambda: not kinds(live), what="the undo of the swap")
    drive.tell(after_undo=left_edges(live))

    yield from drive.click(sequencer, "stripmocap.merge_people(")
    yield 0.5
    drive.tell(merged=listed())
    drive.picture("people-4-merged")
    yield from drive.click(sequencer, "stripmocap.undo_correction(")
    drive.tell(taken_back=listed())

    yield from drive.click(sequencer, "stripmocap.ignore_people(person=1", column=0.82)
    yield 0.5
    drive.tell(ignored=listed())
    drive.picture("people-5-ignored")
    drawn = stage.module("ui.overlay").spent
    drive.tell(spent=stage.spent(), drawn=len(drawn), drawing_s=sorted(drawn)[len(drawn) // 2])


def click_on(owner: bpy.types.Area, person: int, *, holding: str = "") -> drive.Steps:
    """Clicks on the middle of somebody's box in the preview."""
    pane = drive.region(owner, "PREVIEW")
    overlay, name = stage.module("ui.overlay"), stage.module("ui.rows").name_of(person)
    (box,) = (each for each in overlay.boxes(bpy.context, pane) if each.name.startswith(name))
    x, y = box.corners.mean(axis=0)
    yield from drive.click_at(pane.x + int(x), pane.y + int(y), holding=holding)


def listed() -> list[list[object]]:
    """Numbers of the people in the list, and whether they are kept."""
    rows = bpy.context.window_manager.stripmocap_people.people
    return [[row.person, row.kept] for row in rows]


def selected() -> list[int]:
    """Numbers of the selected people."""
    return stage.module("ui.rows").selected(bpy.context)


def kinds(live: object) -> list[str]:
    """The corrections that are shown."""
    return [each.kind for each in live.view.corrections]  # type: ignore[attr-defined]


def left_edges(live: object) -> list[float]:
    """How far from the left the first person is, before and after the playhead, in pixels."""
    line = live.view.lines[0]  # type: ignore[attr-defined]
    times_s = [(AT + step - 1) / 30 for step in (-10, 10)]
    return [round(float(line.box_at(each)[0])) for each in times_s]


drive.run(scenario)
