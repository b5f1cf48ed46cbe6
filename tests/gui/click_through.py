"""Inside Blender: from a selected strip to a moving character, with the mouse and the keyboard."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import drive
import stage


def scenario() -> drive.Steps:
    """Select, capture, cancel, capture again, import, undo, redo, look through the camera."""
    sequencer, view = yield from stage.two_areas()
    stage.add_strip(os.environ["STRIPMOCAP_GUI_CLIP"])
    yield from drive.open_sidebar(sequencer(), "Mocap")
    live = stage.session().current()
    yield from drive.wait(lambda: live.shots, what="the strip in the panel")
    drive.picture("1-selected")

    button = yield from drive.click(sequencer(), "stripmocap.capture(")
    yield from drive.wait(lambda: "running" in stage.states(), what="a job that runs", limit_s=120)
    yield from drive.wait(lambda: stage.share() > 0.02, what="progress", limit_s=60)
    drive.picture("2-running")
    yield from drive.click(sequencer(), "stripmocap.cancel(", column=0.86, below=button)
    yield from drive.wait(lambda: "cancelled" in stage.states(), what="the cancelled job")
    drive.picture("3-cancelled")
    drive.tell(after_cancel=stage.states(), people_after_cancel=stage.people())

    yield from drive.click(sequencer(), "stripmocap.capture(")
    yield from drive.wait(stage.is_settled, what="the import", limit_s=300)
    yield 1.0
    drive.tell(imported=stage.people(), scene_fps=bpy.context.scene.render.fps)
    drive.picture("4-imported")
    yield from drive.press(view(), "ctrl+z")
    drive.tell(undone=stage.people(), strips_after_undo=stage.strips())
    yield from drive.press(view(), "ctrl+shift+z")
    drive.tell(redone=stage.people())
    yield 2.0
    drive.tell(after_waiting=stage.people())

    bpy.context.scene.frame_set(60)
    yield from drive.click(sequencer(), "stripmocap.view_footage(")
    yield 1.5
    drive.picture("5-through-the-camera")
    drive.tell(spent=stage.spent(), states=stage.states())


drive.run(scenario)
