"""What touches something, as animation: a custom property of the rig for each foot, knee and hand.

The properties are keyed in the action of a take, beside the poses: a stretch of contact has a key
at its first and its last frame, which the dope sheet shows as a bar, and can be moved like any key.
Takes in which nobody looked for contacts have none.
"""

from __future__ import annotations

import bpy
import numpy as np

from ..contract import motion, skeleton
from ..rigging import contacts
from . import animation

NAMES = skeleton.CONTACT_NAMES

_HAS = "stripmocap_contacts"  # on an action


def property_of(name: str) -> str:
    """The rig's property for one of `NAMES`."""
    return f"contact_{name}"


def path_of(name: str) -> str:
    """The path of that property, as drivers and curves call it."""
    return f'["{property_of(name)}"]'


def declare(rig: bpy.types.Object) -> None:
    """Gives a rig the properties, at 0."""
    for name in NAMES:
        rig[property_of(name)] = 0.0
        rig.id_properties_ui(property_of(name)).update(
            min=0.0,
            max=1.0,
            description=f"Chance that the {name.replace('_', ' ')} touches something",
        )


def held(take: motion.Motion, frames: np.ndarray) -> tuple[animation.Held, ...]:
    """Keys of the contacts of a take whose frames are at scene frames (T,), in whatever order."""
    if take.contacts is None:
        return ()
    order = np.argsort(frames)
    chances = take.contacts[order]
    return tuple(
        animation.Held(path_of(name), contacts.held_keys(chances[:, index], frames[order]))
        for index, name in enumerate(NAMES)
    )


def note(action: bpy.types.Action) -> None:
    """Keeps on an action that it has contacts."""
    action[_HAS] = True


def has(rig: bpy.types.Object) -> bool:
    """Whether what a rig plays has contacts."""
    action = rig.animation_data.action if rig.animation_data is not None else None
    return action is not None and _HAS in action and property_of(NAMES[0]) in rig


def now(rig: bpy.types.Object) -> dict[str, float]:
    """Chance of each of `NAMES` at the playhead, of a rig that has contacts; else empty."""
    if not has(rig):
        return {}
    return {name: float(rig.get(property_of(name), 0.0)) for name in NAMES}
