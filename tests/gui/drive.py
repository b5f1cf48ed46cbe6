"""Drives a real Blender window as a person would, one step for each turn of its main loop.

A scenario is a generator that runs inside Blender: each `yield seconds` gives the main loop back,
so that events are handled and regions drawn. Buttons are found by what they do, not by where they
are: the mouse moves down the region until Blender says that the wanted operator is under it.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import bpy

OUT = Path(os.environ["STRIPMOCAP_GUI_OUT"])
STEP_PX = 9  # of the mouse on its way down the sidebar; buttons are 20 high
Steps = Generator[float, None, Any]

told: dict[str, Any] = {"blender": bpy.app.version_string}


def run(scenario: Callable[[], Steps]) -> None:
    """Runs a scenario in the window that opens; ends Blender, with status 1 if it failed."""
    bpy.context.preferences.view.show_splash = False
    steps = scenario()

    def turn() -> float | None:
        try:
            return next(steps)
        except StopIteration:
            _end("")
        except BaseException:
            fault = traceback.format_exc()
            print(fault, file=sys.stderr, flush=True)
            picture("failed")
            _end(fault)
        return None

    bpy.app.timers.register(turn, first_interval=1.0, persistent=True)


def tell(**facts: Any) -> None:
    """Keeps facts for the report that the test outside reads."""
    told.update(facts)
    print("TOLD", facts, flush=True)


def wait(done: Callable[[], object], *, what: str, limit_s: float = 60.0) -> Steps:
    """Waits until `done` is true; what it returned then."""
    until = time.monotonic() + limit_s
    while not (result := done()):
        assert time.monotonic() < until, f"waited {limit_s:.0f} s for {what}"
        yield 0.1
    return result


def window() -> bpy.types.Window:
    """The first window."""
    return bpy.context.window_manager.windows[0]


def area(kind: str) -> bpy.types.Area:
    """The area of that type."""
    return next(each for each in window().screen.areas if each.type == kind)


def region(owner: bpy.types.Area, kind: str) -> bpy.types.Region:
    """The region of that type."""
    return next(each for each in owner.regions if each.type == kind)


def enlarge(kind: str) -> Steps:
    """Gives the area of that type the whole window, where nothing has to be scrolled to."""
    with bpy.context.temp_override(window=window(), area=area(kind)):
        bpy.ops.screen.screen_full_area()
    yield 0.5


def open_sidebar(owner: bpy.types.Area, category: str) -> Steps:
    """Opens the sidebar of an area at a tab."""
    owner.spaces.active.show_region_ui = True
    yield 0.5
    for _ in range(20):
        try:
            region(owner, "UI").active_panel_category = category
            break
        except TypeError:  # not drawn yet
            yield 0.2
    owner.tag_redraw()
    yield 0.5


def click(
    owner: bpy.types.Area, wanted: str, *, column: float = 0.5, below: int | None = None
) -> Steps:
    """Presses the button that does `wanted`, part of an operator's call or a property's path.

    It is looked for `column` of the sidebar's width from its left, then elsewhere, and first below
    the height `below` of the window. Returns its height in the window.
    """
    spot = yield from find(owner, wanted, column=column, below=below)
    assert spot is not None, f"there is no button for {wanted}"
    _xdotool("mousemove", *_place(*spot), "click", "1")
    yield 0.4
    return spot[1]


def drag(owner: bpy.types.Area, wanted: str, *, by_px: int) -> Steps:
    """Drags the slider of a property so many pixels to the right; it is looked for as a button."""
    spot = yield from find(owner, wanted)
    assert spot is not None, f"there is no slider for {wanted}"
    _xdotool("mousemove", *_place(*spot), "mousedown", "1")
    yield 0.2
    for share in (0.25, 0.5, 0.75, 1.0):
        _xdotool("mousemove", *_place(spot[0] + int(share * by_px), spot[1]))
        yield 0.1
    _xdotool("mouseup", "1")
    yield 0.4


def click_at(x: int, y: int, *, holding: str = "") -> Steps:
    """Clicks at a pixel of the window, perhaps while a key is held."""
    _xdotool("mousemove", *_place(x, y))
    yield 0.2
    if holding:
        _xdotool("keydown", holding)
    _xdotool("click", "1")
    yield 0.3
    if holding:
        _xdotool("keyup", holding)
    yield 0.3


def find(
    owner: bpy.types.Area, wanted: str, *, column: float = 0.5, below: int | None = None
) -> Steps:
    """Where in the sidebar a button is, in pixels of the window; None if there is none."""
    pane = region(owner, "UI")
    top = pane.y + pane.height - 4
    tries = [(column, below)] if below is not None else []
    tries += [(share, top) for share in (column, 0.5, 0.86, 0.8, 0.25)]
    for share, start in tries:
        x = pane.x + int(pane.width * share)
        for y in range(start, pane.y + 4, -STEP_PX):
            _xdotool("mousemove", *_place(x, y))
            yield 0.02
            if wanted in _under_mouse(owner, pane):
                return x, y
    return None


def press(owner: bpy.types.Area, keys: str) -> Steps:
    """Presses keys, as X names them, with the mouse in the middle of the area's main region."""
    pane = region(owner, "WINDOW")
    _xdotool("mousemove", *_place(pane.x + pane.width // 2, pane.y + pane.height // 2), "key", keys)
    yield 0.6


def picture(name: str) -> None:
    """Keeps what a person would see."""
    path = OUT / f"{bpy.app.version[0]}.{bpy.app.version[1]}-{name}.png"
    subprocess.run(["import", "-silent", "-window", "root", str(path)], check=True)


def write_report(fault: str) -> None:
    """Writes what was told for the test outside; `fault` is empty if all went well."""
    (OUT / "report.json").write_text(json.dumps(told | {"fault": fault}), encoding="utf-8")


def _end(fault: str) -> None:
    write_report(fault)
    if fault:
        sys.stderr.flush()
        os._exit(1)
    bpy.ops.wm.quit_blender()


def _under_mouse(owner: bpy.types.Area, pane: bpy.types.Region) -> str:
    """What the button under the mouse is: an operator's call, or a property's path, or nothing."""
    manager = bpy.context.window_manager
    with bpy.context.temp_override(window=window(), area=owner, region=pane):
        for ask, options in (
            (bpy.ops.ui.copy_python_command_button, {}),
            (bpy.ops.ui.copy_data_path_button, {"full_path": True}),
        ):
            try:
                if ask.poll():
                    manager.clipboard = ""
                    ask(**options)
                    if manager.clipboard:
                        return str(manager.clipboard)
            except RuntimeError:
                continue
    return ""


def _place(x: int, y: int) -> list[str]:
    # Relative to the window: a manager's frame is counted twice otherwise. Blender's y runs up.
    return ["--window", _window_id(), str(x), str(window().height - 1 - y)]


@functools.cache
def _window_id() -> str:
    found = subprocess.run(
        ["xdotool", "search", "--onlyvisible", "--class", "blender"],
        capture_output=True,
        text=True,
        check=True,
    )
    return found.stdout.split()[-1]


def _xdotool(*words: str) -> None:
    subprocess.run(["xdotool", *words], check=True)
