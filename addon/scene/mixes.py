"""Mixed takes: an action of a rig that is partly its refined take, partly the one before.

Both takes stay as they are. The mix is written from their keys, in whatever state an artist left
them, and is written over only as long as nobody edits its poses: after that it is the artist's, and
the next mix is another action.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from ..contract import skeleton
from ..rigging import mixing
from ..rigging.mixing import Amounts, Span
from ..rigging.quaternions import continuous
from ..rigging.timing import StripTiming
from . import compat, follow, seals, takes

_REFINED = "refined"
_ROOT = skeleton.JOINT_NAMES[0]
_LINEAR = 1  # of the enumeration of interpolations; foreach_set takes its number


@dataclass(frozen=True)
class Made:
    """What came of mixing."""

    action: bpy.types.Action
    kept: str  # name of the mix before, if it was edited and therefore stays; else empty


@dataclass(frozen=True, eq=False)
class _Poses:
    """A take at T frames."""

    quats: np.ndarray  # (T, 24, 4) wxyz
    places: np.ndarray  # (T, 3) metres


def pair_of(rig: bpy.types.Object) -> tuple[bpy.types.Action, bpy.types.Action] | None:
    """The take before the refined one, and the refined one; None if a rig has not both."""
    known = takes.of(rig)  # the best last
    if len(known) < 2 or _REFINED not in known:
        return None
    *_, plain, refined = known.values()
    return plain, refined


def timing_of(rig: bpy.types.Object) -> StripTiming:
    """When the refined take of a rig plays; a second a frame if it has none."""
    pair = pair_of(rig)
    return follow.timing_of(pair[1]) if pair is not None else StripTiming(0.0, 1.0)


def make(rig: bpy.types.Object, everywhere: Amounts, spans: Sequence[Span]) -> Made | None:
    """Writes the mix of a rig, and lets it play in place of a take; None without two takes.

    A rig that plays an action of the artist's own, or none, goes on playing that.
    """
    pair = pair_of(rig)
    if pair is None:
        return None
    keys = [seals.read(each) for each in pair]
    frames = max(keys[1].values(), key=len, default=np.empty((0, 2)))[:, 0]  # of the fullest curve
    if not len(frames):
        return None
    plain, refined = (_poses(action, read, frames) for action, read in zip(pair, keys, strict=True))
    amounts = mixing.amounts_at(timing_of(rig).times_s(frames), everywhere, spans)
    mixed = _Poses(
        continuous(mixing.mixed_quats(plain.quats, refined.quats, amounts)),
        mixing.mixed_places(plain.places, refined.places, amounts[:, 0]),
    )
    playing = takes.playing(rig)
    action, old_keys, kept = _action_of(rig, pair[1])
    _write(action, frames, mixed, old_keys=old_keys)
    if playing:
        compat.assign(rig, action)
        rig.update_tag(refresh={"OBJECT", "DATA", "TIME"})
    return Made(action, kept)


def _action_of(
    rig: bpy.types.Object, refined: bpy.types.Action
) -> tuple[bpy.types.Action, seals.Keys, str]:
    """The action to write the mix into, its keys, and the name of one that is the artist's now."""
    old, kept = takes.mix_of(rig), ""
    if old is not None and old.library is None:
        keys = seals.read(old)
        if seals.holds(old, keys):
            return old, keys, kept
        seals.drop(old)
        kept = old.name
    action = refined.copy()  # its slot, groups, contacts and what it follows are the mix's, too
    action.name = f"{rig.name}_{takes.MIXED}"
    action.use_fake_user = True
    takes.keep_mix(rig, action)
    return action, seals.read(action), kept


def _poses(action: bpy.types.Action, keys: seals.Keys, frames: np.ndarray) -> _Poses:
    """The poses of an action at frames (T,), whatever keys it has; at rest where it has none."""
    quats = np.zeros((len(frames), skeleton.JOINT_COUNT, 4))
    quats[..., 0] = 1.0
    poses = _Poses(quats, np.zeros((len(frames), 3)))
    tracks = _tracks(poses)
    for curve in compat.curves(action):
        name = (curve.data_path, curve.array_index)
        if name in tracks:
            tracks[name][:] = _values(curve, keys[name], frames)
    return poses


def _write(
    action: bpy.types.Action, frames: np.ndarray, poses: _Poses, *, old_keys: seals.Keys
) -> None:
    """Keys the poses and seals the action; curves that have these keys already are left alone."""
    tracks, keys = _tracks(poses), dict(old_keys)
    for curve in compat.curves(action):
        name = (curve.data_path, curve.array_index)
        if name not in tracks:
            continue
        wanted = np.stack([frames, tracks[name]], axis=1).astype(np.float32)
        if not np.array_equal(keys[name], wanted):
            _fill(curve, wanted)
            keys[name] = wanted
    seals.seal(action, keys)


def _fill(curve: Any, keys: np.ndarray) -> None:
    points = curve.keyframe_points
    if len(points) != len(keys):
        points.clear()
        points.add(len(keys))
        points.foreach_set("interpolation", np.full(len(keys), _LINEAR, dtype=np.int32))
    points.foreach_set("co", keys.ravel())
    curve.update()


def _tracks(poses: _Poses) -> dict[tuple[str, int], np.ndarray]:
    """Views (T,) of what each curve moves, by the curve's path and index."""
    tracks = {(f'pose.bones["{_ROOT}"].location', axis): poses.places[:, axis] for axis in range(3)}
    for joint, bone in enumerate(skeleton.JOINT_NAMES):
        path = f'pose.bones["{bone}"].rotation_quaternion'
        tracks |= {(path, index): poses.quats[:, joint, index] for index in range(4)}
    return tracks


def _values(curve: Any, keys: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """(T,) values at frames (T,) of a curve with those keys."""
    if not len(curve.modifiers) and np.array_equal(keys[:, 0], frames):
        return keys[:, 1]
    return np.array([curve.evaluate(frame) for frame in frames.tolist()])
