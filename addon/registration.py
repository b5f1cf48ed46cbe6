"""What the extension adds to Blender, in order, and how it is taken away again."""

from .ui import operators

_MODULES = (operators,)


def register() -> None:
    """Adds everything; harmless when it is there already."""
    unregister()
    for module in _MODULES:
        module.register()


def unregister() -> None:
    """Removes everything in reverse; harmless when it is gone already."""
    for module in reversed(_MODULES):
        module.unregister()
