"""Clips of CMU's motion capture as this project keeps them: an index and one .npz a split.

Poses are local axis-angles of SMPL's 24 joints, radians, at 30 fps; the pelvis carries the rest
body (y up) into a world with z up and the floor at 0. Feet are not to be trusted where `feet_ok` is
false, and hands are not in the data.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..contract import npz_file
from ..contract.errors import AssetCorrupt, AssetMissing
from ..contract.skeleton import JOINT_COUNT


@dataclass(frozen=True, eq=False)
class Clip:
    """One piece of one person's motion."""

    name: str
    kind: str  # what is done in it; the subject where nobody said
    body_pose: np.ndarray  # (T, 23, 3) axis-angle, rad, float64
    feet_ok: bool  # whether ankles and toes are right
    global_orient: np.ndarray  # (T, 3) axis-angle, rad, float64, pelvis to the world
    pelvis: np.ndarray  # (T, 3) metres, world, float64, of a person of the source's size


FPS = 30.0
Clips = tuple[Clip, ...]


def load_clips(folder: Path, split: str) -> Clips:
    """The clips of a split ("train", "val" or "test").

    Raises:
        AssetMissing: the folder has no such files.
        AssetCorrupt: they do not fit together.
    """
    index, shard = folder / "index.json", folder / f"cmu_{split}.npz"
    for path in (index, shard):
        if not path.is_file():
            raise AssetMissing(
                f"{path} is not there",
                hint=f"Give the folder that has index.json and cmu_{split}.npz.",
            )
    try:
        entries = json.loads(index.read_text(encoding="utf-8"))["clips"]
        arrays = npz_file.read(shard, error=AssetCorrupt, names=("poses", "trans"))
        poses = arrays["poses"].astype(np.float64).reshape(-1, JOINT_COUNT, 3)
        places = arrays["trans"].astype(np.float64).reshape(-1, 3)
        if len(places) != len(poses):
            raise ValueError(f"{len(places)} places for {len(poses)} poses")
        mine = [entry for entry in entries if entry["shard"] == shard.name]
        return tuple(_clip(entry, poses, places) for entry in mine)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AssetCorrupt(f"{folder} holds no motion capture as expected ({error})") from error


def shares(clips: Clips) -> list[float]:
    """What each clip weighs: a kind, and a clip within it, as the square root of its length."""
    minutes: dict[str, int] = {}
    roots: dict[str, float] = {}
    for clip in clips:
        minutes[clip.kind] = minutes.get(clip.kind, 0) + len(clip.body_pose)
        roots[clip.kind] = roots.get(clip.kind, 0.0) + len(clip.body_pose) ** 0.5
    return [
        minutes[clip.kind] ** 0.5 * len(clip.body_pose) ** 0.5 / roots[clip.kind] for clip in clips
    ]


def _clip(entry: dict, poses: np.ndarray, places: np.ndarray) -> Clip:
    first, frames = int(entry["start"]), int(entry["frames"])
    if first + frames > len(poses):
        raise ValueError(f"{entry['id']} ends after its file")
    return Clip(
        name=entry["id"],
        kind=entry["kind"] or f"subject {entry['subject']}",
        body_pose=poses[first : first + frames, 1:],
        feet_ok=bool(entry["feet_ok"]),
        global_orient=poses[first : first + frames, 0],
        pelvis=places[first : first + frames],
    )
