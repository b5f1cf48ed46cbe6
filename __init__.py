"""Blender's door to Strip Mocap: what Blender calls when the extension is enabled or disabled."""


def register() -> None:
    """Adds everything the extension shows to the running Blender."""
    from .addon import registration

    registration.register()


def unregister() -> None:
    """Removes everything that `register` added."""
    from .addon import registration

    registration.unregister()
