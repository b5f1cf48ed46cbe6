"""Inside Blender: a refined capture, of which an artist takes some back by region and by span."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import drive
import stage

AT = 40  # the scene's frame at which things are looked at


def scenario() -> drive.Steps:
    """Import, less of the legs, undo, redo, a span, contacts, pinned feet."""
    view = yield from stage.imported(Path(os.environ["STRIPMOCAP_GUI_REFINED"]))
    rig = bpy.data.objects[stage.people()[0]]
    yield from drive.open_sidebar(view(), "Mocap")
    yield from look_at(view(), rig)
    drive.tell(imported=playing(rig))
    drive.picture("refine-1-imported")

    yield from drive.drag(view(), "stripmocap_refine.everywhere.legs", by_px=-90)
    drive.tell(legs=legs(), playing=playing())
    drive.picture("refine-2-less-of-the-legs")
    yield from drive.press(view(), "ctrl+z")
    drive.tell(legs_undone=legs(), playing_undone=playing())
    yield from drive.press(view(), "ctrl+shift+z")
    drive.tell(legs_redone=legs())

    yield from drive.click(view(), "stripmocap.add_refine_span(", column=0.93)
    yield 0.5
    drive.tell(spans=len(person().stripmocap_refine.spans))
    yield from drive.press(view(), "Escape")
    drive.picture("refine-3-a-span")

    began = time.perf_counter()
    person().stripmocap_refine.everywhere.arms = 0.5
    slowest_s = time.perf_counter() - began
    yield from drive.click(view(), "stripmocap.pin_feet(")
    drive.tell(pinned=person().animation_data.action.name)
    drive.picture("refine-4-pinned")
    rings = stage.module("ui.touching").rings(bpy.context.scene)
    drive.tell(touching=len(rings), slowest_s=slowest_s, spent=stage.spent())


def person() -> bpy.types.Object:
    """The rig, which undo may have made anew."""
    return bpy.data.objects[stage.people()[0]]


def legs() -> float:
    """How much of the legs is refined."""
    return round(person().stripmocap_refine.everywhere.legs, 4)


def playing(rig: bpy.types.Object | None = None) -> str:
    """What plays."""
    return stage.module("scene.takes").playing(rig or person())


def look_at(area: bpy.types.Area, rig: bpy.types.Object) -> drive.Steps:
    """Has the person in the middle of the view, at the moment that is looked at."""
    bpy.context.scene.frame_set(AT)
    bpy.context.view_layer.objects.active = rig
    for each in bpy.data.objects:
        each.select_set(each.parent == rig)
    region = drive.region(area, "WINDOW")
    with bpy.context.temp_override(window=drive.window(), area=area, region=region):
        bpy.ops.view3d.view_selected()
    rig.children[0].select_set(False)
    yield 1.5


drive.run(scenario)
