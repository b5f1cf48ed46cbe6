"""Rings on the floor where the people of a capture touch it, in the 3D view.

Drawing reads what Blender has in memory: where bones are, and the contacts at the playhead.
"""

from __future__ import annotations

import bpy
import gpu
import numpy as np
from bpy.props import BoolProperty

from ..scene import contacts, takes

COLOUR = (0.15, 0.85, 0.5)
RADIUS_M, WIDTH_PX, CORNERS = 0.07, 2.5, 24
LEAST = 0.05  # chance that is shown

_TURN = np.linspace(0, 2 * np.pi, CORNERS + 1)
_RING = np.stack([np.cos(_TURN), np.sin(_TURN), np.zeros(CORNERS + 1)], axis=1) * RADIUS_M


def rings(scene: bpy.types.Scene) -> list[tuple[np.ndarray, float]]:
    """Corners (C, 3) of each ring, metres, world axes, with the chance that it stands for."""
    found = []
    for rig in scene.objects:
        if rig.type != "ARMATURE" or not takes.of(rig) or not rig.visible_get():
            continue
        for name, chance in contacts.now(rig).items():
            bone = rig.pose.bones.get(name)
            if chance >= LEAST and bone is not None:
                head = np.array(rig.matrix_world @ bone.head)
                found.append((head + _RING, min(chance, 1.0)))
    return found


def draw() -> None:
    """Draws the rings into the 3D view that is being drawn."""
    context = bpy.context
    if not (context.space_data.overlay.show_overlays and is_shown(context)):
        return
    shader = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
    gpu.state.blend_set("ALPHA")
    shader.uniform_float("viewportSize", (context.region.width, context.region.height))
    shader.uniform_float("lineWidth", WIDTH_PX * context.preferences.system.ui_scale)
    for corners, chance in rings(context.scene):
        shader.uniform_float("color", (*COLOUR, chance))
        buffer = gpu.types.GPUVertBuf(shader.format_calc(), len(corners))
        buffer.attr_fill("pos", corners.astype(np.float32))
        gpu.types.GPUBatch(type="LINE_STRIP", buf=buffer).draw(shader)
    gpu.state.blend_set("NONE")


def is_shown(context: bpy.types.Context) -> bool:
    """Whether rings are to be drawn."""
    return context.window_manager.stripmocap_show_contacts


def register() -> None:
    """Adds the switch, and the rings to every 3D view."""
    bpy.types.WindowManager.stripmocap_show_contacts = BoolProperty(
        name="Show in View",
        description="Draw a ring around each foot, knee or hand that touches something",
        default=True,
        update=_redraw,
    )
    if not bpy.app.background:
        space = bpy.types.SpaceView3D
        _handlers.append(space.draw_handler_add(draw, (), "WINDOW", "POST_VIEW"))


def unregister() -> None:
    """Removes them; harmless when they are gone already."""
    while _handlers:
        bpy.types.SpaceView3D.draw_handler_remove(_handlers.pop(), "WINDOW")
    if hasattr(bpy.types.WindowManager, "stripmocap_show_contacts"):
        del bpy.types.WindowManager.stripmocap_show_contacts


_handlers: list[object] = []


def _redraw(_: bpy.types.WindowManager, context: bpy.types.Context) -> None:
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()
