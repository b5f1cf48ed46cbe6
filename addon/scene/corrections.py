"""An artist's corrections of who is who, kept on the strip that shows the footage.

They are one JSON text in a custom property: saved with the file, undone as any property, and copied
with the strip. They name people by time and place in the file, so they still hold when the strip is
trimmed, moved or cut in two.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import bpy

from ..contract import corrections, errors

Corrections = tuple[corrections.Correction, ...]  # in the order in which they were made

PROPERTY = "stripmocap_corrections"


def text_of(strip: bpy.types.Strip) -> str:
    """What is written on the strip; "" for nothing. It differs when the corrections do."""
    return str(strip.get(PROPERTY, ""))


def read(strip: bpy.types.Strip) -> Corrections:
    """The corrections of who is who in the strip's footage, in the order they were made."""
    try:
        said = json.loads(text_of(strip) or "[]")
        return tuple(corrections.correction_from_json(each) for each in said)
    except (TypeError, ValueError, errors.StripMocapError):  # somebody typed into it
        return ()


def write(strip: bpy.types.Strip, made: Sequence[corrections.Correction]) -> None:
    """Keeps `made` on the strip in place of what was there."""
    if made:
        strip[PROPERTY] = json.dumps([each.to_json() for each in made])
    elif PROPERTY in strip:
        del strip[PROPERTY]
