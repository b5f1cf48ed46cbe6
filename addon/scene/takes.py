"""The takes of captured people: each rig knows its actions by take, and plays one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import bpy

from ..contract import motion
from . import compat

_TAKES = "stripmocap_takes"  # on a rig: actions by label


def keep(rig: bpy.types.Object, actions: Mapping[str, bpy.types.Action]) -> None:
    """Keeps on a rig which take each of its actions is."""
    rig[_TAKES] = dict(actions)


def of(rig: bpy.types.Object) -> dict[str, bpy.types.Action]:
    """The takes of a rig that are still there, the best last; none of any other object."""
    known = rig.get(_TAKES)
    if known is None or not hasattr(known, "items"):
        return {}
    there = {label: each for label, each in known.items() if isinstance(each, bpy.types.Action)}
    return {label: there[label] for label in motion.TAKE_LABELS if label in there}


def playing(rig: bpy.types.Object) -> str:
    """The label of the take that a rig plays; empty if it plays something else."""
    action = rig.animation_data.action if rig.animation_data is not None else None
    return next((label for label, each in of(rig).items() if each == action), "")


def show(rigs: Iterable[bpy.types.Object], label: str) -> int:
    """Lets each rig that has a take of this label play it; how many have one."""
    shown = 0
    for rig in rigs:
        action = of(rig).get(label)
        if action is not None:
            compat.assign(rig, action)
            shown += 1
    return shown
