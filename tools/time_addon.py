"""Times what the add-on does with a long shot on Blender's main thread.

    python tools/time_addon.py                    ten minutes of one person at 30 frames a second
    python tools/time_addon.py --minutes 2

Started by a Python without Blender, it goes on in the oldest Blender that tools/blender_env.py has
or can make. The shot is made up. What is done in slices is told by its longest step and in all, by
the clock, and by the processor's time of the main thread: the latter is fair on a busy machine.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import sys
import time
import types
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
EXTENSION = "stripmocap_extension"
FPS = 30
AMOUNTS = (0.9, 0.8, 0.7, 0.6)  # that a slider passes while it is dragged


@dataclass(frozen=True)
class Row:
    """How long something took."""

    what: str
    longest: tuple[float, float]  # seconds that Blender stood still: clock, processor
    total: tuple[float, float]  # seconds in all


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="how long the shot is")
    words = sys.argv[1:] if arguments is None else arguments
    options = parser.parse_args(words)
    if importlib.util.find_spec("bpy") is None:
        sys.path.insert(0, str(Path(__file__).parent))
        blender_env = importlib.import_module("blender_env")
        return blender_env.run_program([str(Path(__file__).resolve()), *words])
    frames = round(options.minutes * 60 * FPS)
    print(f"{frames} frames, milliseconds:\n{table(timed(frames))}", flush=True)
    os._exit(0)  # Blender 4.2 crashes and 4.5 hangs in the interpreter's own end


def table(rows: list[Row]) -> str:
    """The rows as text, milliseconds."""
    lines = [f"{'':36}{'longest':>10}{'processor':>10}{'in all':>10}{'processor':>10}"]
    for row in rows:
        values = "".join(f"{1000 * each:10.1f}" for each in (*row.longest, *row.total))
        lines.append(f"{row.what:36}{values}")
    return "\n".join(lines)


def timed(frames: int) -> list[Row]:
    """What each verb takes in a new file with one person of so many frames."""
    import bpy

    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    _module("registration").register()
    try:
        return _timed(frames)
    finally:
        _module("registration").unregister()


def _timed(frames: int) -> list[Row]:
    import bpy

    character, mixes = _module("scene.character"), _module("scene.mixes")
    timing = _module("rigging.timing").StripTiming(1.0, float(FPS))
    contract = _module("contract")
    body = contract.body_file.load(contract.body_file.EMBEDDED_BODY, "neutral")
    steps = character.importing(made_up(frames), body=body, scene=bpy.context.scene, timing=timing)
    rows = [_in_steps("import", steps)]
    rig = next(each for each in bpy.data.objects if each.type == "ARMATURE")
    bpy.context.view_layer.objects.active = rig
    update = bpy.context.view_layer.update
    rows.append(_at_once("Blender's own update after it", update))
    whole = mixes.Amounts(whole=0.5)
    mixes.make(rig, whole, [])
    update()
    half = mixes.Amounts(whole=0.4)
    rows.append(_at_once("a mix written at once", lambda: mixes.make(rig, half, [])))
    update()
    rows += _slider(rig)
    rows.append(_at_once("show another take", lambda: _verb("show_take", take="fitted")))
    update()
    _verb("show_take", take="refined")
    update()
    rows.append(_at_once("Pin Feet", lambda: _verb("pin_feet")))
    rows.append(_at_once("Blender's own step of undo", _push))
    return rows


def _slider(rig: Any) -> list[Row]:
    """A slider that is dragged, and what is left when it rests."""
    import bpy

    remix, slices = _module("ui.remix"), _module("ui.slices")
    remix.may_wait, slices.RESTS_S = (lambda: True), 0.0
    update = bpy.context.view_layer.update
    everywhere = rig.stripmocap_refine.everywhere
    dragged, drawn = [], []
    for amount in AMOUNTS:
        dragged.append(_spent(lambda amount=amount: setattr(everywhere, "legs", amount)))
        drawn.append(_spent(update))
    rested, drawn_again, left = [], [], True
    while left:
        before = _now()
        left = remix.turn() is not None
        rested.append(_since(before))
        drawn_again.append(_spent(update))
    return [
        _row("a slider of the legs, dragged", dragged),
        _row("Blender's own update after it", drawn),
        _row("its mix, in slices", rested),
        _row("Blender's own update after them", drawn_again),
    ]


def made_up(frames: int) -> Any:
    """A capture of somebody who sways for so many frames, a fitted and a refined take."""
    import numpy as np

    motion, skeleton = _module("contract").motion, _module("contract").skeleton
    times_s = np.arange(frames) / FPS
    rates = np.linspace(1.0, 3.0, 69).reshape(23, 3)
    touch = np.zeros((frames, skeleton.CONTACT_COUNT))
    for side, name in enumerate(("left_foot", "right_foot")):
        touch[:, skeleton.CONTACT_NAMES.index(name)] = np.arange(frames) // 20 % 2 == side
    takes = []
    for label, size in (("fitted", 0.3), ("refined", 0.25)):
        person = motion.Motion(
            person=0,
            times_s=times_s,
            global_orient=np.stack([np.pi + 0 * times_s, 0.2 * np.sin(times_s), 0 * times_s], 1),
            body_pose=size * np.sin(times_s[:, None, None] * rates),
            betas=np.zeros(10),
            transl=np.stack([np.sin(times_s), -0.9 + 0 * times_s, 4 + 0 * times_s], axis=1),
            confidence=np.ones(frames),
            contacts=touch if label == "refined" else None,
        )
        takes.append(motion.Take(label=label, motions=(person,)))
    view = motion.Camera(
        focal_px=1000.0, center_px=(640.0, 360.0), size_px=(1280, 720), world_from_camera=np.eye(4)
    )
    return motion.Capture(view, tuple(takes), {"request": {"clip": {"path": "made-up.mp4"}}}, ())


def _in_steps(what: str, steps: Generator[Any, None, Any]) -> Row:
    spent = []
    while True:
        before = _now()
        try:
            next(steps)
        except StopIteration:
            return _row(what, spent)
        finally:
            spent.append(_since(before))


def _at_once(what: str, work: Callable[[], Any]) -> Row:
    return _row(what, [_spent(work)])


def _row(what: str, spent: list[tuple[float, float]]) -> Row:
    clock, processor = zip(*spent, strict=True)
    return Row(what, (max(clock), max(processor)), (sum(clock), sum(processor)))


def _spent(work: Callable[[], Any]) -> tuple[float, float]:
    before = _now()
    work()
    return _since(before)


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.thread_time()


def _since(before: tuple[float, float]) -> tuple[float, float]:
    clock, processor = _now()
    return clock - before[0], processor - before[1]


def _verb(name: str, **words: str) -> None:
    import bpy

    getattr(bpy.ops.stripmocap, name)(**words)


def _push() -> None:
    import bpy

    bpy.ops.ed.undo_push(message="timed")


def _module(name: str) -> Any:
    if EXTENSION not in sys.modules:
        package = types.ModuleType(EXTENSION)
        package.__path__ = [str(ROOT)]
        sys.modules[EXTENSION] = package
    return importlib.import_module(f"{EXTENSION}.addon.{name}")


if __name__ == "__main__":
    sys.exit(main())
