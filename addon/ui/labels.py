"""Sentences in panels: Blender's labels have one line, and cut off what does not fit."""

from __future__ import annotations

import textwrap

import bpy

_CHARACTER_PX = 7.0  # mean width of a letter at a scale of 1
_MARGIN_PX = 50.0
_LEAST_COLUMNS = 16


def say(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    text: str,
    *,
    icon: str = "NONE",
    indent: str = "NONE",
) -> None:
    """A text in as many lines as the region needs for it.

    Args:
        layout: where.
        context: of the drawing.
        text: any; line breaks in it do not matter.
        icon: before the first line.
        indent: icon before the others; by default blank if there is one before the first.
    """
    scale = context.preferences.system.ui_scale
    width = context.region.width if context.region is not None else 300
    columns = max(_LEAST_COLUMNS, int((width / scale - _MARGIN_PX) / _CHARACTER_PX))
    if indent == "NONE" and icon != "NONE":
        indent = "BLANK1"
    column = layout.column(align=True)
    column.scale_y = 0.8
    for number, line in enumerate(textwrap.wrap(text, columns)):
        column.label(text=line, icon=icon if number == 0 else indent)
