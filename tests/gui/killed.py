"""Inside Blender: another file is opened while a job runs, then Blender is killed at work."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import drive
import stage


def scenario() -> drive.Steps:
    """Capture, save, open another file and come back, be killed."""
    file = str(drive.OUT / "edit.blend")
    sequencer, _ = yield from stage.two_areas()
    stage.add_strip(os.environ["STRIPMOCAP_GUI_CLIP"])
    yield from drive.open_sidebar(sequencer(), "Mocap")
    yield from drive.click(sequencer(), "stripmocap.capture(")
    yield from drive.wait(lambda: "running" in stage.states(), what="a job that runs", limit_s=120)
    bpy.ops.wm.save_as_mainfile(filepath=file)

    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    yield 1.0
    drive.tell(job_lives_on=stage.states(), in_another_file=stage.people())
    bpy.ops.wm.open_mainfile(filepath=file)
    yield 1.0
    drive.tell(job_is_still_there=stage.states())
    drive.write_report("")
    os.kill(os.getpid(), signal.SIGKILL)


drive.run(scenario)
