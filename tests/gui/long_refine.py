"""Inside Blender: a slider of a long shot, which must not hold the window up."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import drive
import stage

AT = 40  # the scene's frame that is looked at
FAR = 3000  # one that is not


def scenario() -> drive.Steps:
    """Import, drag, see the pose follow, undo and redo while keys are due, then wait for them."""
    view = yield from stage.imported(Path(os.environ["STRIPMOCAP_GUI_LONG"]))
    yield from drive.open_sidebar(view(), "Mocap")
    bpy.context.scene.frame_set(AT)
    bpy.context.view_layer.objects.active = person()
    yield 3.0

    steps, slices, seen = spent("mix"), spent("turn"), knee()
    yield from drive.drag(view(), "stripmocap_refine.everywhere.legs", by_px=-90)
    drive.tell(dragged_s=steps, moved=difference(knee(), seen) > 1e-4, due=is_due())
    yield from drive.wait(lambda: not is_due(), what="the keys", limit_s=120)
    drive.tell(slices_s=slices, written=told())
    drive.picture("long-1-less-of-the-legs")

    yield from drive.drag(view(), "stripmocap_refine.everywhere.arms", by_px=-90)
    yield from drive.press(view(), "ctrl+z")
    yield from drive.wait(lambda: not is_due(), what="the keys", limit_s=120)
    drive.tell(undone=told())
    yield from drive.press(view(), "ctrl+z")
    yield from drive.wait(lambda: not is_due(), what="the keys", limit_s=120)
    drive.tell(undone_too=told())
    yield from drive.press(view(), "ctrl+shift+z")
    yield from drive.wait(lambda: not is_due(), what="the keys", limit_s=120)
    drive.tell(redone=told())


def spent(name: str) -> list[float]:
    """Seconds of the processor that each call of a function of the panel takes from now on."""
    remix, seconds = stage.module("ui.remix"), list[float]()
    work = getattr(remix, name)

    def timed(*given: object) -> object:
        began = time.thread_time()
        try:
            return work(*given)
        finally:
            seconds.append(round(time.thread_time() - began, 4))

    setattr(remix, name, timed)
    return seconds


def told() -> dict[str, object]:
    """What plays, by which amount, and how far it is from both takes where nobody looks."""
    takes: ModuleType = stage.module("scene.takes")
    known, rig = takes.of(person()), person()
    legs = rig.stripmocap_refine.everywhere.legs
    now = far(rig.animation_data.action)
    return {
        "legs": round(legs, 3),
        "playing": takes.playing(rig),
        "from_fitted": round(difference(now, far(known["fitted"])), 5),
        "from_refined": round(difference(now, far(known["refined"])), 5),
    }


def is_due() -> bool:
    """Whether keys are still to be written."""
    return stage.module("scene.mixes").is_due(person())


def far(action: bpy.types.Action) -> list[float]:
    """The turn of a knee at a frame that is not looked at, as the keys have it."""
    return list(stage.module("scene.poses").at(action, FAR).quats[0, 4])


def knee() -> list[float]:
    """The turn of a knee on screen."""
    return list(person().pose.bones["left_knee"].rotation_quaternion)


def difference(one: list[float], other: list[float]) -> float:
    """How far two turns are from each other."""
    return 1 - abs(sum(a * b for a, b in zip(one, other, strict=True)))


def person() -> bpy.types.Object:
    """The rig, which undo may have made anew."""
    return bpy.data.objects[stage.people()[0]]


drive.run(scenario)
