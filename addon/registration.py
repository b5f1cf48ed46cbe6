"""What the extension adds to Blender, in order, and how it is taken away again.

A module of `ui` names its `CLASSES`; what it adds besides (a menu's entry, a timer) it adds and
removes by a `register` and an `unregister` of its own.
"""

from types import ModuleType

import bpy

from .ui import (
    bodies,
    capture,
    heartbeat,
    imports,
    jobs,
    menus,
    overlay,
    panels,
    people,
    people_panel,
    picking,
    pins,
    preferences,
    properties,
    refine,
    remix,
    rows,
    session,
    shot_panel,
    takes,
    touching,
    update,
    views,
)

_MODULES = (
    session,
    preferences,
    properties,
    imports,
    bodies,
    capture,
    jobs,
    update,
    takes,
    refine,
    remix,
    pins,
    views,
    rows,
    people,
    picking,
    overlay,
    touching,
    panels,
    people_panel,
    shot_panel,
    menus,
    heartbeat,
)


def register() -> None:
    """Adds everything; harmless when it is there already."""
    unregister()
    for module in _MODULES:
        for each in _classes(module):
            bpy.utils.register_class(each)
        if hasattr(module, "register"):
            module.register()


def unregister() -> None:
    """Removes everything in reverse; harmless when it is gone already."""
    for module in reversed(_MODULES):
        if hasattr(module, "unregister"):
            module.unregister()
        for each in reversed(_classes(module)):
            if each.is_registered:
                bpy.utils.unregister_class(each)


def _classes(module: ModuleType) -> tuple[type, ...]:
    return getattr(module, "CLASSES", ())
