"""Whether an action is still as it was written: if somebody has edited its poses, it is theirs.

A seal is a checksum of the poses' keys, kept on the action. What else the action moves may change
under it.
"""

from __future__ import annotations

import zlib
from typing import Any

import bpy
import numpy as np

from . import steps

Keys = dict[tuple[str, int], np.ndarray]  # (K, 2) frame and value, by a curve's path and index

_SEAL = "stripmocap_seal"
_OPEN = "open"  # in place of a checksum, while the poses are being written
_POSE = "pose.bones["


def read(action: bpy.types.Action) -> Keys:
    """The keys of every curve of `action` that poses bones, in single precision."""
    return steps.run(reading(action))


def reading(action: bpy.types.Action) -> steps.Steps[Keys]:
    """The same in steps."""
    keys: Keys = {}
    for batch in steps.batches(action):
        for each in batch:
            if each.data_path.startswith(_POSE):
                keys[each.data_path, each.array_index] = keys_of(each)
        yield
    return keys


def keys_of(curve: Any) -> np.ndarray:
    """(K, 2) frame and value of each key of a curve, in single precision."""
    keys = np.empty((len(curve.keyframe_points), 2), dtype=np.float32)
    curve.keyframe_points.foreach_get("co", keys.ravel())
    return keys


def seal(action: bpy.types.Action, keys: Keys) -> None:
    """Takes `keys`, which the action has, for what was written."""
    action[_SEAL] = _checksum(keys)


def leave_open(action: bpy.types.Action) -> None:
    """Until the next seal, whatever keys the action has are being written."""
    action[_SEAL] = _OPEN


def holds(action: bpy.types.Action, keys: Keys) -> bool:
    """Whether `keys`, which the action has, are those that were written; no if none ever were."""
    return is_sealed(action) and action[_SEAL] in (_OPEN, _checksum(keys))


def is_sealed(action: bpy.types.Action) -> bool:
    """Whether the action was sealed, whatever became of it since."""
    return _SEAL in action


def drop(action: bpy.types.Action) -> None:
    """From now on the action is somebody's own."""
    if is_sealed(action):
        del action[_SEAL]


def _checksum(keys: Keys) -> str:
    checksum = 0
    for curve, values in sorted(keys.items()):
        checksum = zlib.crc32(values.tobytes(), zlib.crc32(repr(curve).encode(), checksum))
    return f"{checksum:08x}"  # as text: Blender's whole numbers end at 2^31
