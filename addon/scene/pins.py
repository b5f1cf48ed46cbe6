"""Feet pinned to the ground in what a rig plays: an action beside it, with the same contacts."""

from __future__ import annotations

import bpy
import numpy as np

from ..rigging import pinning
from . import armature, compat, contacts, follow, poses, seals

PINNED = "pinned"  # at the end of the action's name
_LEAST = 0.5  # chance from which something counts as touching


def pin(rig: bpy.types.Object, *, fade_s: float) -> bpy.types.Action | None:
    """Lets a rig play what it plays with feet that stay where they are while they touch.

    Both actions stay; where an artist has moved the keys of contacts, those count. None if what
    plays has no contacts or no poses.
    """
    if not contacts.has(rig):
        return None
    source = rig.animation_data.action
    keys = seals.read(source)
    frames = poses.frames_of(keys)
    if not len(frames):
        return None
    heads = np.array([each.head_local for each in armature.bones_of(rig)])
    pinned = pinning.pinned(
        poses.read(source, keys, frames),
        pinning.Rest(heads, armature.rest_rotations(rig).astype(np.float64)),
        touches=_touches(source, frames),
        times_s=follow.timing_of(source).times_s(frames),
        fade_s=fade_s,
    )
    action = source.copy()
    action.name = f"{rig.name}_{PINNED}"
    action.use_fake_user = True
    seals.drop(action)
    poses.write(action, frames, pinned, keys=keys)
    compat.assign(rig, action)
    return action


def _touches(action: bpy.types.Action, frames: np.ndarray) -> dict[str, np.ndarray]:
    """(T,) whether each joint of the feet touches at frames (T,)."""
    names = {contacts.path_of(name): name for name in pinning.FEET}
    return {
        names[curve.data_path]: poses.values_of(curve, frames) >= _LEAST
        for curve in compat.curves(action)
        if curve.data_path in names
    }
