"""What the scenarios share: a window with a 3D view and a sequencer, and eyes on the panel."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import bpy
import drive

EXTENSION = "bl_ext.user_default.stripmocap"
Area = Callable[[], bpy.types.Area]


def module(name: str) -> ModuleType:
    """A module of the installed extension."""
    return sys.modules[f"{EXTENSION}.addon.{name}"]


def session() -> ModuleType:
    """The panel's memory."""
    return module("ui.session")


def two_areas() -> drive.Steps:
    """Makes half of the 3D view a sequencer; how to get the two (areas die when files load)."""
    yield 0.5
    view = drive.area("VIEW_3D")
    with bpy.context.temp_override(
        window=drive.window(), area=view, region=drive.region(view, "WINDOW")
    ):
        bpy.ops.screen.area_split(direction="VERTICAL", factor=0.5)
    yield 0.3
    views = [each for each in drive.window().screen.areas if each.type == "VIEW_3D"]
    max(views, key=lambda each: each.x).ui_type = "SEQUENCE_EDITOR"
    yield 0.5
    return lambda: drive.area("SEQUENCE_EDITOR"), lambda: drive.area("VIEW_3D")


def add_strip(path: str) -> None:
    """Adds the movie to the scene's sequencer, selected, as a step of undo."""
    scene = bpy.context.scene
    if hasattr(drive.window().workspace, "sequencer_scene"):
        drive.window().workspace.sequencer_scene = scene
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    made = strips.new_movie("walk", path, 1, 1)
    made.select, editor.active_strip = True, made
    bpy.ops.ed.undo_push(message="Add strip")


def strips() -> list[str]:
    """Names of the strips of the scene."""
    editor = bpy.context.scene.sequence_editor
    if editor is None:
        return []
    return [each.name for each in getattr(editor, "strips", None) or editor.sequences]


def people() -> list[str]:
    """Names of the rigs in the file."""
    return sorted(each.name for each in bpy.data.objects if each.type == "ARMATURE")


def states() -> list[str]:
    """States of all jobs that the panel lists."""
    return [each.state for each in session().current().ledger.rows()]


def share() -> float:
    """How far the job is that is listed first."""
    rows = session().current().ledger.rows()
    return rows[0].share if rows else 0.0


def is_settled() -> bool:
    """Whether somebody was imported and nothing is under way."""
    live = session().current()
    return bool(people()) and live.importing is None and not live.ledger.active


def spent(*, forget: bool = False) -> dict[str, float]:
    """The longest turn of the panel's timer, in seconds, by what it did."""
    longest: dict[str, float] = {}
    turns = module("ui.heartbeat").spent
    for did, seconds in turns:
        longest[did] = max(longest.get(did, 0.0), round(seconds, 4))
    if forget:
        turns.clear()
    return longest


def forget_people() -> None:
    """Removes everybody from the file."""
    for each in [each for each in bpy.data.objects if each.type == "ARMATURE"]:
        bpy.data.objects.remove(each)


def arrive(path: Path) -> None:
    """Lets the result file at `path` arrive as if its job had been imported by hand."""
    contract, errands = module("contract"), module("remote.errands")
    capture = contract.result_file.load(path)
    body = contract.body_file.load(contract.body_file.EMBEDDED_BODY, "neutral")
    live = session().current()
    live.by_hand.add("long")
    live.ready.append(errands.Arrived("long", path, capture, body))


def imported(path: Path) -> drive.Steps:
    """Has the result file at `path` in an empty scene with a strip; how to get the 3D view."""
    bpy.context.preferences.view.ui_scale = 0.9  # the whole sidebar fits into the window
    for each in list(bpy.data.objects):  # the cube, the light and the camera of a new file
        bpy.data.objects.remove(each)
    sequencer, view = yield from two_areas()
    add_strip(os.environ["STRIPMOCAP_GUI_CLIP"])
    yield from drive.open_sidebar(sequencer(), "Mocap")
    arrive(path)
    yield from drive.wait(is_settled, what="the import", limit_s=300)
    return view


class Stalls:
    """Longest times between two turns of the main loop, while it is watched."""

    EVERY_S = 0.005

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._last_s = time.perf_counter()
        self._on = True
        bpy.app.timers.register(self._turn, persistent=True)

    def _turn(self) -> float | None:
        now = time.perf_counter()
        self.longest_s = max(self.longest_s, now - self._last_s)
        self._last_s = now
        return self.EVERY_S if self._on else None

    def end(self) -> float:
        """Stops watching; the longest in seconds."""
        self._on = False
        return self.longest_s
