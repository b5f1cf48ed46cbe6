"""Captured animation that stays under its strip: moved when the strip was, without a new capture.

What was imported keeps on its actions and camera which strip it follows and under which timing its
keys were made; both are custom properties, so they are copied, saved and undone with them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from ..rigging.timing import FrameMap, StripTiming, shifted, uncovered
from . import camera, compat, seals
from .strips import Shot

_STRIP, _TIMING, _SPAN = "stripmocap_strip", "stripmocap_timing", "stripmocap_span"


@dataclass(frozen=True)
class Captured:
    """What of a strip was captured and imported, and when it plays."""

    timing: StripTiming
    span_s: tuple[float, float]  # seconds of the file


def mark(
    actions: Iterable[bpy.types.Action],
    seer: bpy.types.Object,
    *,
    strip_id: str,
    timing: StripTiming,
    span_s: tuple[float, float],
) -> None:
    """Keeps on actions and camera which strip they follow, "" for none, and how."""
    for each in (*actions, seer):
        each[_STRIP] = strip_id
        each[_TIMING] = [timing.offset, timing.rate]
        each[_SPAN] = [span_s[0], min(span_s[1], 1e9)]


def captured(strip_id: str) -> list[Captured]:
    """What was captured of a strip: one for each action that follows it."""
    return [
        Captured(
            _timing(each), (each[_SPAN][0], each[_SPAN][1] if each[_SPAN][1] < 1e9 else math.inf)
        )
        for each in _followers(bpy.data.actions, strip_id)
    ]


def follows(owner: bpy.types.ID, strip_id: str) -> bool:
    """Whether `owner` was captured of that strip."""
    return owner.get(_STRIP) == strip_id


def timing_of(action: bpy.types.Action) -> StripTiming:
    """When captured animation plays; a second a frame if nobody has marked it."""
    return _timing(action) if _TIMING in action else StripTiming(0.0, 1.0)


def is_footage_camera(thing: bpy.types.Object) -> bool:
    """Whether it is the camera of a capture with its footage behind what it sees."""
    return thing.type == "CAMERA" and _STRIP in thing and thing.data.show_background_images


def missing(shot: Shot) -> list[tuple[float, float]]:
    """Spans in seconds of the file that `shot` shows and no import of it has; none without any."""
    have = captured(shot.id)
    pieces = [(shot.start_s, shot.stop_s)] if have else []
    least_s = 0.5 / float(shot.fps) if shot.fps else 0.0  # half a picture is rounding
    for each in have:
        pieces = [
            rest for piece in pieces for rest in uncovered(each.span_s, piece, least_s=least_s)
        ]
    return pieces


def is_stale(strip_id: str, timing: StripTiming) -> bool:
    """Whether something that follows the strip plays at another time than `timing` says."""
    return any(_moved(each, timing) for each in _all_followers(strip_id))


def move(strip_id: str, timing: StripTiming) -> int:
    """Moves all that follows a strip to where `timing` has it; how many actions were moved.

    Raises:
        RequestError: footage behind the camera cannot be read; the keys have moved by then.
    """
    moved = 0
    for action in _followers(bpy.data.actions, strip_id):
        map_ = _moved(action, timing)
        if map_ is not None:
            is_ours = seals.is_sealed(action) and seals.holds(action, seals.read(action))
            _move_keys(action, map_)
            if is_ours:  # to be moved is not to be edited
                seals.seal(action, seals.read(action))
            action[_TIMING] = [timing.offset, timing.rate]
            moved += 1
    for seer in _followers(bpy.data.objects, strip_id):
        if _moved(seer, timing) is not None:
            seer[_TIMING] = [timing.offset, timing.rate]
            camera.follow(seer, timing)
    return moved


def _followers(datablocks: Iterable[bpy.types.ID], strip_id: str) -> list[bpy.types.ID]:
    if not strip_id:
        return []
    return [
        each
        for each in datablocks
        if each.library is None and each.get(_STRIP) == strip_id and _TIMING in each
    ]


def _all_followers(strip_id: str) -> list[bpy.types.ID]:
    return [*_followers(bpy.data.actions, strip_id), *_followers(bpy.data.objects, strip_id)]


def _timing(owner: bpy.types.ID) -> StripTiming:
    offset, rate = owner[_TIMING]
    return StripTiming(float(offset), float(rate))


def _moved(owner: bpy.types.ID, timing: StripTiming) -> FrameMap | None:
    """Where keys of `owner` go under `timing`; None if they are there."""
    map_ = shifted(_timing(owner), timing)
    return None if map_.is_identity() else map_


def _move_keys(action: bpy.types.Action, map_: FrameMap) -> None:
    for curve in compat.curves(action):
        points = curve.keyframe_points
        for part in ("co", "handle_left", "handle_right"):
            values = np.empty(2 * len(points), dtype=np.float32)
            points.foreach_get(part, values)
            pairs = values.reshape(-1, 2)
            pairs[:, 0] = map_(pairs[:, 0])
            points.foreach_set(part, pairs.ravel())
        if map_.scale < 0:  # Blender keeps keys in the order of their frames
            points.sort()
            _hold_backwards(points)
        curve.update()


def _hold_backwards(points: Any) -> None:
    """Lets keys that hold their value hold that of the key behind them: time has turned round."""
    if not len(points) or points[0].interpolation != "CONSTANT":
        return
    values = [each.co[1] for each in points]
    for point, value in zip(points, [*values[1:], values[-1]], strict=True):
        point.co[1] = value
    if values[0] != points[0].co[1]:
        points.insert(points[0].co[0] - 1, values[0]).interpolation = "CONSTANT"
