"""The poses of an action as numbers: read whatever keys it has, and keyed again."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from ..contract import skeleton
from ..rigging.pinning import Poses
from . import compat, seals

_ROOT = skeleton.JOINT_NAMES[0]
_LINEAR = 1  # of the enumeration of interpolations; foreach_set takes its number


def frames_of(keys: seals.Keys) -> np.ndarray:
    """(T,) scene frames of an action's poses: those of the curve that has most keys."""
    return max(keys.values(), key=len, default=np.empty((0, 2)))[:, 0]


def read(action: bpy.types.Action, keys: seals.Keys, frames: np.ndarray) -> Poses:
    """The poses of an action with those keys at frames (T,); at rest where it has none."""
    quats = np.zeros((len(frames), skeleton.JOINT_COUNT, 4))
    quats[..., 0] = 1.0
    poses = Poses(quats, np.zeros((len(frames), 3)))
    tracks = _tracks(poses)
    for curve in compat.curves(action):
        name = (curve.data_path, curve.array_index)
        if name in tracks:
            tracks[name][:] = _values(curve, keys[name], frames)
    return poses


def write(
    action: bpy.types.Action, frames: np.ndarray, poses: Poses, *, old_keys: seals.Keys
) -> seals.Keys:
    """Keys the poses, and tells what keys the action has then.

    Curves whose keys `old_keys` already are what is wanted are left alone.
    """
    tracks, keys = _tracks(poses), dict(old_keys)
    for curve in compat.curves(action):
        name = (curve.data_path, curve.array_index)
        if name not in tracks:
            continue
        wanted = np.stack([frames, tracks[name]], axis=1).astype(np.float32)
        if not np.array_equal(keys[name], wanted):
            _fill(curve, wanted)
            keys[name] = wanted
    return keys


def values_of(curve: Any, frames: np.ndarray) -> np.ndarray:
    """(T,) values of a curve at frames (T,)."""
    return np.array([curve.evaluate(frame) for frame in frames.tolist()])


def _fill(curve: Any, keys: np.ndarray) -> None:
    points = curve.keyframe_points
    if len(points) != len(keys):
        points.clear()
        points.add(len(keys))
        points.foreach_set("interpolation", np.full(len(keys), _LINEAR, dtype=np.int32))
    points.foreach_set("co", keys.ravel())
    curve.update()


def _tracks(poses: Poses) -> dict[tuple[str, int], np.ndarray]:
    """Views (T,) of what each curve moves, by the curve's path and index."""
    tracks = {(f'pose.bones["{_ROOT}"].location', axis): poses.places[:, axis] for axis in range(3)}
    for joint, bone in enumerate(skeleton.JOINT_NAMES):
        path = f'pose.bones["{bone}"].rotation_quaternion'
        tracks |= {(path, index): poses.quats[:, joint, index] for index in range(4)}
    return tracks


def _values(curve: Any, keys: np.ndarray, frames: np.ndarray) -> np.ndarray:
    if not len(curve.modifiers) and np.array_equal(keys[:, 0], frames):
        return keys[:, 1]
    return values_of(curve, frames)
