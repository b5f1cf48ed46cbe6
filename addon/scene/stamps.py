"""Ids kept on strips, so that a capture finds its strip again after any editing.

An id is a custom property, so it is saved, and comes and goes with undo like any other property:
whoever stamps pushes an undo step. Blender copies it with the strip when a strip is duplicated or
split; the strip whose name was written beside it is the one that is meant.
"""

from __future__ import annotations

import uuid

import bpy

from . import metas

_KEY = "stripmocap_id"
_OWNER = "stripmocap_strip"  # scene and name of the strip that was stamped


def stamp(strip: bpy.types.Strip) -> str:
    """The id of `strip`, 32 hex digits; made now if it has none of its own."""
    strip_id = stamp_of(strip) or uuid.uuid4().hex
    strip[_KEY] = strip_id
    strip[_OWNER] = _name(strip)  # it may have been renamed since
    return strip_id


def stamp_of(strip: bpy.types.Strip) -> str:
    """The id of `strip`; "" if it has none, or only a copy of another strip's."""
    borne = _borne(strip)
    if borne and strip.get(_OWNER) != _name(strip) and find(borne) != strip:
        return ""
    return borne


def find(strip_id: str) -> bpy.types.Strip | None:
    """The strip with that id, in any scene and meta; None if it is gone.

    Of several it is the one that was stamped, else, if that was renamed or deleted, the first.
    """
    if not strip_id:
        return None
    bearers = [each.strip for each in metas.everywhere() if _borne(each.strip) == strip_id]
    stamped = (strip for strip in bearers if strip.get(_OWNER) == _name(strip))
    return next(stamped, bearers[0] if bearers else None)


def _borne(strip: bpy.types.Strip) -> str:
    return str(strip.get(_KEY, ""))


def _name(strip: bpy.types.Strip) -> str:
    return f"{strip.id_data.name}/{strip.name}"
