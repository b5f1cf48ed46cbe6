"""The takes of captured people: each rig knows its actions by take, and plays one of them.

Beside its takes a rig may have a mix of two of them, see `mixes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import bpy

from ..contract import motion
from . import compat

MIXED = "mixed"  # what the mix is called where takes have their labels

_TAKES = "stripmocap_takes"  # on a rig: actions by label
_MIX = "stripmocap_mix"  # on a rig: an action


def keep(rig: bpy.types.Object, actions: Mapping[str, bpy.types.Action]) -> None:
    """Keeps on a rig which take each of its actions is."""
    rig[_TAKES] = dict(actions)


def keep_mix(rig: bpy.types.Object, action: bpy.types.Action) -> None:
    """Keeps on a rig which action is the mix of its takes."""
    rig[_MIX] = action


def of(rig: bpy.types.Object) -> dict[str, bpy.types.Action]:
    """The takes of a rig that are still there, the best last; none of any other object."""
    known = rig.get(_TAKES)
    if known is None or not hasattr(known, "items"):
        return {}
    there = {label: each for label, each in known.items() if isinstance(each, bpy.types.Action)}
    return {label: there[label] for label in motion.TAKE_LABELS if label in there}


def mix_of(rig: bpy.types.Object) -> bpy.types.Action | None:
    """The mix of a rig's takes; None if there is none, or none any more."""
    action = rig.get(_MIX)
    return action if isinstance(action, bpy.types.Action) else None


def playable(rig: bpy.types.Object) -> dict[str, bpy.types.Action]:
    """What a rig can play: its takes, and after them the mix."""
    mix = mix_of(rig)
    return of(rig) | ({MIXED: mix} if mix is not None else {})


def playing(rig: bpy.types.Object) -> str:
    """The label of the take that a rig plays, or `MIXED`; empty if it plays something else."""
    action = rig.animation_data.action if rig.animation_data is not None else None
    return next((label for label, each in playable(rig).items() if each == action), "")


def may_change(rig: bpy.types.Object) -> bool:
    """Whether a rig can be given another action: not while that of an NLA strip is edited."""
    return rig.animation_data is None or not rig.animation_data.use_tweak_mode


def show(rigs: Iterable[bpy.types.Object], label: str) -> int:
    """Lets each rig that has a take of this label, or a mix, play it; how many have one."""
    shown = 0
    for rig in rigs:
        action = playable(rig).get(label)
        if action is not None:
            compat.assign(rig, action)
            shown += 1
    return shown
