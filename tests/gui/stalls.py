"""Inside Blender: how long the main loop stands still because of the panel."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import drive
import stage


def scenario() -> drive.Steps:
    """Idle, while a job runs, and while two people of two minutes are imported."""
    sequencer, _ = yield from stage.two_areas()
    stage.add_strip(os.environ["STRIPMOCAP_GUI_CLIP"])
    yield from drive.open_sidebar(sequencer(), "Mocap")
    yield 2.0
    drive.tell(looking_s=stage.spent(forget=True))
    watched = stage.Stalls()
    yield 5.0
    drive.tell(idle_s=stage.spent(forget=True), idle_gap_s=watched.end())
    watched = stage.Stalls()
    for _ in range(12):  # what drawing alone costs on this machine
        drive.region(sequencer(), "UI").tag_redraw()
        yield 0.25
    drive.tell(drawing_gap_s=watched.end())

    yield from drive.click(sequencer(), "stripmocap.capture(")
    yield from drive.wait(lambda: "running" in stage.states(), what="a job that runs", limit_s=120)
    watched = stage.Stalls()
    yield 5.0
    drive.tell(running_s=stage.spent(forget=True), running_gap_s=watched.end())
    yield from drive.wait(stage.is_settled, what="the import", limit_s=300)

    stage.forget_people()
    stage.spent(forget=True)
    stage.arrive(Path(os.environ["STRIPMOCAP_GUI_LONG"]))
    watched = stage.Stalls()
    yield from drive.wait(lambda: len(stage.people()) == 2, what="two people", limit_s=60)
    yield from drive.wait(stage.is_settled, what="the end of the import", limit_s=60)
    yield 0.5
    drive.tell(importing_s=stage.spent(forget=True), importing_gap_s=watched.end())
    drive.tell(keys=len(bpy.data.actions), frames=bpy.data.actions[-1].frame_range[1])


drive.run(scenario)
