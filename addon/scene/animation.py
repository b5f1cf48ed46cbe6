"""Key arrays as actions: one action for each take of a person, with linear keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from ..contract import skeleton
from . import compat, steps

_CONSTANT, _LINEAR = 0, 1  # of the enumeration of interpolations; foreach_set takes its number
_HELD_GROUP = "Contacts"
_HELD_COLOURS = "THEME03"  # of the dope sheet's rows; a theme has twenty such sets


@dataclass(frozen=True, eq=False)
class Held:
    """A property of a rig that keeps each value until the next key."""

    path: str
    keys: np.ndarray  # (K, 2) scene frame, rising, and value


def building_action(
    name: str,
    rig: bpy.types.Object,
    *,
    frames: np.ndarray,
    quats: np.ndarray,
    locations: np.ndarray,
    held: Sequence[Held] = (),
) -> steps.Steps[bpy.types.Action]:
    """An action that poses `rig`, in steps, kept by a fake user; it is assigned to the rig.

    Args:
        name: of the action.
        rig: armature object with the skeleton's bones.
        frames: (T,) scene frames, rising; they may lie between whole frames.
        quats: (T, 24, 4) poses of the bones, wxyz.
        locations: (T, 3) metres, of the root bone.
        held: properties of the rig that the action moves, too.
    """
    action = bpy.data.actions.new(name)
    action.use_fake_user = True
    root = skeleton.JOINT_NAMES[0]
    tracks = {(root, "location"): locations}
    tracks |= {
        (bone, "rotation_quaternion"): quats[:, joint]
        for joint, bone in enumerate(skeleton.JOINT_NAMES)
    }
    values = _empty_curves(action, rig, tracks, held)
    keys = np.empty((len(frames), 2), dtype=np.float32)
    keys[:, 0] = frames
    linear = np.full(len(keys), _LINEAR, dtype=np.int32)
    yield
    for batch in steps.batches(action):
        for curve in batch:
            track = values.get((curve.data_path, curve.array_index))
            if track is not None:
                keys[:, 1] = track
                _fill(curve, keys, linear)
        yield
    return action


def key(
    action: bpy.types.Action,
    owner: bpy.types.ID,
    frames: np.ndarray,
    tracks: dict[str, np.ndarray],
) -> None:
    """Keys properties of `owner` in `action`, which is assigned to it, with linear keys.

    Args:
        action: new and empty.
        owner: what moves.
        frames: (T,) scene frames, rising; they may lie between whole frames.
        tracks: (T, N) values by the path of a property of N numbers.
    """
    curves, _ = compat.channels(owner, action)
    for path, track in tracks.items():
        for index, values in enumerate(track.T):
            keys = np.stack([frames, values], axis=1).astype(np.float32)
            _fill(curves.new(path, index=index), keys, np.full(len(keys), _LINEAR, np.int32))


def _empty_curves(
    action: bpy.types.Action,
    rig: bpy.types.Object,
    tracks: dict[tuple[str, str], np.ndarray],
    held: Sequence[Held],
) -> dict[tuple[str, int], np.ndarray]:
    """Makes a curve without keys for each channel; the values (T,) of each, by path and index.

    Behind them come the curves of what is held, whose keys are few, with them.
    """
    curves, groups = compat.channels(rig, action)
    values = {}
    for (bone, channel), track in tracks.items():
        group = groups.get(bone) or groups.new(bone)
        path = f'pose.bones["{bone}"].{channel}'
        for index in range(track.shape[1]):
            curves.new(path, index=index).group = group
            values[path, index] = track[:, index]
    for each in held:
        group = groups.get(_HELD_GROUP) or groups.new(_HELD_GROUP)
        group.color_set = _HELD_COLOURS
        curve = curves.new(each.path)
        curve.group = group
        constant = np.full(len(each.keys), _CONSTANT, dtype=np.int32)
        _fill(curve, each.keys.astype(np.float32), constant)
    return values


def _fill(curve: Any, keys: np.ndarray, interpolation: np.ndarray) -> None:
    points = curve.keyframe_points
    points.add(len(keys))
    points.foreach_set("co", keys.ravel())
    points.foreach_set("interpolation", interpolation)
    curve.update()
