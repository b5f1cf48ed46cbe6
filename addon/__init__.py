"""The Blender side of Strip Mocap.

This file imports nothing, so that the logic under it can be tested without Blender.
"""

# Blender keys preferences and user folders by the extension's package, "bl_ext.<repo>.stripmocap".
EXTENSION = (__package__ or "").rpartition(".")[0]
