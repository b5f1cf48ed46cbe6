"""The 3D view through the camera that filmed, with the footage behind what was captured."""

# Blender reads properties from annotations, so these must not be postponed into strings.

from typing import ClassVar

import bpy

from ..scene import compat, follow, selection, stamps
from . import reporting


class STRIPMOCAP_OT_view_footage(bpy.types.Operator):
    """Looks through the camera of a capture, or back again."""

    bl_idname = "stripmocap.view_footage"
    bl_label = "View Through Footage Camera"
    bl_description = (
        "Show the 3D view through the camera that filmed, with the footage behind; "
        "again to look from outside. The scene's own camera stays as it is"
    )
    bl_options: ClassVar[set[str]] = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """There are a captured camera and a view to show it in."""
        reason = ""
        if _view(context) is None:
            reason = "Open a 3D Viewport first"
        elif camera_of(context) is None:
            reason = "Capture a strip first: there is no footage camera in this scene"
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Turns the view."""
        space, seer = _view(context), camera_of(context)
        assert space is not None, "polled"
        assert seer is not None, "polled"
        through = space.region_3d.view_perspective == "CAMERA" and space.camera == seer
        if through and space.use_local_camera:
            space.use_local_camera = False
            space.region_3d.view_perspective = "PERSP"
            return {"FINISHED"}
        # A local camera is the view's own, so that the scene keeps its camera.
        space.use_local_camera = True
        space.camera = seer
        space.region_3d.view_perspective = "CAMERA"
        sequencer = compat.sequencer_scene(context)
        if sequencer is not None and sequencer != context.scene:
            reporting.done(
                self, "Sync Scene Time in the sequencer's footer keeps both scenes in step"
            )
        return {"FINISHED"}


def camera_of(context: bpy.types.Context) -> bpy.types.Object | None:
    """The footage camera that is meant: of what is active, of the selected strip, or the newest."""
    cameras = [each for each in context.scene.objects if follow.is_footage_camera(each)]
    if context.object in cameras:
        return context.object
    if context.object is not None:
        wanted = {each.name for each in context.object.users_collection}
        for each in cameras:
            inside = each.users_collection[0].children if each.users_collection else ()
            if wanted & {child.name for child in inside}:
                return each
    strip = selection.active(context)
    strip_id = stamps.stamp_of(strip) if strip is not None else ""
    own = [each for each in cameras if strip_id and follow.follows(each, strip_id)]
    return next(reversed(own or cameras), None)


CLASSES = (STRIPMOCAP_OT_view_footage,)


def register() -> None:
    """Adds the entry of the 3D view's menu."""
    bpy.types.VIEW3D_MT_view.append(_draw)


def unregister() -> None:
    """Removes it; harmless when it is gone already."""
    bpy.types.VIEW3D_MT_view.remove(_draw)


def _draw(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    menu.layout.separator()
    menu.layout.operator(STRIPMOCAP_OT_view_footage.bl_idname, icon="OUTLINER_OB_CAMERA")


def _view(context: bpy.types.Context) -> bpy.types.SpaceView3D | None:
    """The 3D view that the mouse is in, or else the largest of the window."""
    if context.area is not None and context.area.type == "VIEW_3D":
        return context.area.spaces.active
    screen = context.screen
    areas = [each for each in screen.areas if each.type == "VIEW_3D"] if screen else []
    largest = max(areas, key=lambda each: each.width * each.height, default=None)
    return largest.spaces.active if largest is not None else None
