"""Where the verbs stand besides the panel: the Strip menu and the sequencer's context menu."""

from __future__ import annotations

import bpy

from . import capture, people, update

_MENUS = ("SEQUENCER_MT_strip", "SEQUENCER_MT_context_menu")


def register() -> None:
    """Adds the entries."""
    for name in _MENUS:
        menu = getattr(bpy.types, name, None)
        if menu is not None:
            menu.append(_draw)


def unregister() -> None:
    """Removes them; harmless when they are gone already."""
    for name in _MENUS:
        menu = getattr(bpy.types, name, None)
        if menu is not None:
            menu.remove(_draw)


def _draw(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    menu.layout.separator()
    menu.layout.operator(people.STRIPMOCAP_OT_find_people.bl_idname, icon="VIEWZOOM")
    menu.layout.operator(capture.STRIPMOCAP_OT_capture.bl_idname, icon="ARMATURE_DATA")
    menu.layout.operator(update.STRIPMOCAP_OT_update.bl_idname, icon="FILE_REFRESH")
    menu.layout.operator(update.STRIPMOCAP_OT_capture_new_part.bl_idname, icon="ADD")
