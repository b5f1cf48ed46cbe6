"""What the extension adds to Blender, in order, and how it is taken away again."""

from .ui import (
    bodies,
    capture,
    heartbeat,
    imports,
    jobs,
    menus,
    panels,
    preferences,
    properties,
    session,
    takes,
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
    views,
    panels,
    menus,
    heartbeat,
)


def register() -> None:
    """Adds everything; harmless when it is there already."""
    unregister()
    for module in _MODULES:
        module.register()


def unregister() -> None:
    """Removes everything in reverse; harmless when it is gone already."""
    for module in reversed(_MODULES):
        module.unregister()
