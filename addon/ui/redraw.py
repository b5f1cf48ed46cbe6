"""Regions that are drawn again when what they show has changed in memory."""

from __future__ import annotations

from collections.abc import Mapping

import bpy


def regions(context: bpy.types.Context, shown_in: Mapping[str, str]) -> None:
    """Has regions drawn again in every window: those of a type, by the type of their area.

    No others: a strip's preview, or the 3D view itself, may take long to draw.
    """
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            for region in area.regions:
                if region.type == shown_in.get(area.type):
                    region.tag_redraw()
