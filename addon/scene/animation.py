"""Key arrays as actions: one action for each take of a person, with linear keys."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from ..contract import skeleton
from . import compat

_LINEAR = 1  # of the enumeration of interpolations; foreach_set takes its number


def build_action(
    name: str,
    rig: bpy.types.Object,
    *,
    frames: np.ndarray,
    quats: np.ndarray,
    locations: np.ndarray,
) -> bpy.types.Action:
    """An action that poses `rig`, kept by a fake user; it is assigned to the rig.

    Args:
        name: of the action.
        rig: armature object with the skeleton's bones.
        frames: (T,) scene frames, rising; they may lie between whole frames.
        quats: (T, 24, 4) poses of the bones, wxyz.
        locations: (T, 3) metres, of the root bone.
    """
    action = bpy.data.actions.new(name)
    action.use_fake_user = True
    curves, groups = compat.channels(rig, action)
    keys = np.empty((len(frames), 2), dtype=np.float32)
    keys[:, 0] = frames
    root = skeleton.JOINT_NAMES[0]
    tracks = [(root, "location", locations)]
    tracks += [
        (bone, "rotation_quaternion", quats[:, joint])
        for joint, bone in enumerate(skeleton.JOINT_NAMES)
    ]
    for bone, channel, values in tracks:
        group = groups.get(bone) or groups.new(bone)
        for index in range(values.shape[1]):
            keys[:, 1] = values[:, index]
            curve = curves.new(f'pose.bones["{bone}"].{channel}', index=index)
            curve.group = group
            _fill(curve, keys)
    return action


def _fill(curve: Any, keys: np.ndarray) -> None:
    points = curve.keyframe_points
    points.add(len(keys))
    points.foreach_set("co", keys.ravel())
    points.foreach_set("interpolation", np.full(len(keys), _LINEAR, dtype=np.int32))
    curve.update()
