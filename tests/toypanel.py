"""The panel with a service in memory, for tests inside Blender: a hand on its timer."""

from __future__ import annotations

import time
from dataclasses import replace

import bpy
from stripmocap_extension.addon.contract import errors
from stripmocap_extension.addon.remote import host
from stripmocap_extension.addon.remote.watcher import Watcher
from stripmocap_extension.addon.scene import compat
from stripmocap_extension.addon.ui import heartbeat, session
from toyjobs import FakeService

DEADLINE_S = 30.0


class Panel:
    """The extension with a service in memory, and a hand on its timer."""

    def __init__(self, folder):
        self.service = FakeService()
        self.started = []
        self.folder = folder
        self.live = session.current()

    def link(self, backend, *, start, stopping):
        if not start:
            raise errors.BackendUnavailable("it does not run")
        self.started.append(backend)
        return host.Link(self.service)

    def restart(self):
        """As if Blender had been started again."""
        session.begin(
            session.Session(make_watcher=lambda folder: Watcher(folder, linker=self.link))
        )
        self.live = session.current()

    def beat_until(self, done, *, what):
        deadline = time.monotonic() + DEADLINE_S
        while not done():
            assert time.monotonic() < deadline, (what, self.live.problem, self.live.remarks)
            heartbeat.beat()
            time.sleep(0.01)

    def states(self):
        return [row.state for row in self.live.ledger.rows()]

    def finish(self, job_id="1"):
        self.service._put(replace(self.service.jobs[job_id], state="done"))


def add_strip(movie, *, start=11):
    scene = bpy.context.scene
    workspace = bpy.context.workspace
    if hasattr(workspace, "sequencer_scene"):
        workspace.sequencer_scene = scene
    editor = scene.sequence_editor_create()
    made = compat.strips(editor).new_movie("walk", str(movie), 1, start)
    made.select, editor.active_strip = True, made
    return made


def set_time(strip, name, value):
    """Sets what 5.1 and later call `name`."""
    old = {"content_start": "frame_start", "duration": "frame_final_duration"}
    setattr(strip, name if hasattr(strip, name) else old[name], value)


def people():
    return sorted(each.name for each in bpy.data.objects if each.type == "ARMATURE")


def settled(panel):
    """Whether all that arrived is imported."""
    return people() and panel.live.importing is None


def captured(panel):
    """A job of the selected strip, done on the service."""
    assert bpy.ops.stripmocap.capture() == {"FINISHED"}
    panel.beat_until(lambda: panel.service.jobs, what="a job")
    panel.finish()
