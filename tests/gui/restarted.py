"""Inside Blender, started again with the file of a capture that was under way at the kill."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import drive
import stage


def scenario() -> drive.Steps:
    """The result is offered, once, and comes when it is asked for."""
    yield 1.0
    yield from drive.enlarge("SEQUENCE_EDITOR")
    sequencer = drive.area("SEQUENCE_EDITOR")
    yield from drive.open_sidebar(sequencer, "Mocap")
    yield from drive.wait(
        lambda: stage.states() == ["done"], what="the capture that went on", limit_s=240
    )
    yield 2.0
    drive.picture("6-offered")
    drive.tell(offered=stage.states(), before=stage.people())
    yield from drive.click(sequencer, "stripmocap.import_job(", column=0.7)
    yield from drive.wait(stage.is_settled, what="the import", limit_s=60)
    drive.tell(imported=stage.people())
    drive.picture("7-imported-after-restart")

    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    yield 3.0
    drive.tell(after_opening_again=stage.people())


drive.run(scenario)
