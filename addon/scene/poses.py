"""The poses of an action as numbers: read whatever keys it has, and keyed again."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from ..contract import skeleton
from ..rigging.pinning import Poses
from . import compat, seals, steps

_ROOT = skeleton.JOINT_NAMES[0]
_LINEAR = 1  # of the enumeration of interpolations; foreach_set takes its number
_NEAR = 5  # keys before and after the frame that is shown


def frames_of(keys: seals.Keys) -> np.ndarray:
    """(T,) scene frames of an action's poses: those of the curve that has most keys."""
    return max(keys.values(), key=len, default=np.empty((0, 2)))[:, 0]


def read(action: bpy.types.Action, keys: seals.Keys, frames: np.ndarray) -> Poses:
    """The poses of an action with those keys at frames (T,); at rest where it has none."""
    return steps.run(reading(action, keys, frames))


def reading(action: bpy.types.Action, keys: seals.Keys, frames: np.ndarray) -> steps.Steps[Poses]:
    """The same in steps."""
    poses = _at_rest(len(frames))
    tracks = _tracks(poses)
    for batch in steps.batches(action):
        for curve in batch:
            name = (curve.data_path, curve.array_index)
            if name in tracks and name in keys:
                tracks[name][:] = _values(curve, keys[name], frames)
        yield
    return poses


def at(action: bpy.types.Action, frame: float) -> Poses:
    """The one pose of an action at a scene frame; at rest where it has no keys."""
    poses = _at_rest(1)
    tracks = _tracks(poses)
    for curve in compat.curves(action):
        track = tracks.get((curve.data_path, curve.array_index))
        if track is not None:
            track[0] = curve.evaluate(frame)
    return poses


def strike(rig: bpy.types.Object, poses: Poses) -> None:
    """Poses a rig by the first of `poses`, until its animation is evaluated again."""
    for joint, name in enumerate(skeleton.JOINT_NAMES):
        bone = rig.pose.bones.get(name)
        if bone is not None:
            bone.rotation_quaternion = poses.quats[0, joint].tolist()
            if name == _ROOT:
                bone.location = poses.places[0].tolist()


def write(action: bpy.types.Action, frames: np.ndarray, poses: Poses, *, keys: seals.Keys) -> None:
    """Keys the poses in an action that has these `keys`, in which what is written is noted.

    Curves whose keys already are what is wanted are left alone.
    """
    steps.run(writing(action, frames, poses, keys=keys, shown=None))


def writing(
    action: bpy.types.Action,
    frames: np.ndarray,
    poses: Poses,
    *,
    keys: seals.Keys,
    shown: float | None,
) -> steps.Steps[None]:
    """The same in steps, the keys near the frame that is `shown` first, if it is told.

    At each step `keys` are those of the action, unless somebody else has changed some since they
    were read. Curves with such keys are left as they are, too.
    """
    wanted = {
        name: np.stack([frames, track], axis=1).astype(np.float32)
        for name, track in _tracks(poses).items()
    }
    if shown is not None:
        _write_near(action, wanted, keys, place=int(np.searchsorted(frames, shown)))
        yield
    for batch in steps.batches(action):
        for curve in batch:
            name = (curve.data_path, curve.array_index)
            if name not in wanted or name not in keys or np.array_equal(keys[name], wanted[name]):
                continue
            if np.array_equal(seals.keys_of(curve), keys[name]):
                _fill(curve, wanted[name])
            keys[name] = wanted[name]
        yield


def values_of(curve: Any, frames: np.ndarray) -> np.ndarray:
    """(T,) values of a curve at frames (T,)."""
    return np.array([curve.evaluate(frame) for frame in frames.tolist()])


def _write_near(
    action: bpy.types.Action, wanted: seals.Keys, keys: seals.Keys, *, place: int
) -> None:
    """Writes the wanted keys around that `place` among them, and notes them in `keys`."""
    for curve in compat.curves(action):
        name = (curve.data_path, curve.array_index)
        if name not in wanted or len(keys.get(name, ())) != len(wanted[name]):
            continue
        near = slice(max(0, place - _NEAR), place + _NEAR)
        for index, key in enumerate(wanted[name][near].tolist(), near.start):
            curve.keyframe_points[index].co = key
        keys[name] = np.concatenate(
            [keys[name][: near.start], wanted[name][near], keys[name][near.stop :]]
        )


def _fill(curve: Any, keys: np.ndarray) -> None:
    points = curve.keyframe_points
    if len(points) != len(keys):
        points.clear()
        points.add(len(keys))
        points.foreach_set("interpolation", np.full(len(keys), _LINEAR, dtype=np.int32))
    points.foreach_set("co", keys.ravel())
    curve.update()


def _at_rest(count: int) -> Poses:
    quats = np.zeros((count, skeleton.JOINT_COUNT, 4))
    quats[..., 0] = 1.0
    return Poses(quats, np.zeros((count, 3)))


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
