"""What a .blend file remembers of captures: where results go, and which have been imported.

One JSON text, in a custom property of the scene whose sequencer the strip is in. It is undone and
saved with the file, which is right: an import that was undone or never saved has not happened.
"""

from __future__ import annotations

import json
from typing import Any

import bpy

PROPERTY = "stripmocap_captures"


def note_target(scene: bpy.types.Scene, key: str, target: str) -> None:
    """Keeps that the result of the capture `key` goes into the scene called `target`."""
    kept = _read(scene)
    kept["targets"][key] = target
    _write(scene, kept)


def target_of(scene: bpy.types.Scene, key: str) -> bpy.types.Scene | None:
    """The scene that the result of `key` goes into; None if nobody said, or it is gone."""
    return bpy.data.scenes.get(_read(scene)["targets"].get(key, ""))


def awaited(scene: bpy.types.Scene) -> bool:
    """Whether a capture was asked for whose result was not imported."""
    return bool(_read(scene)["targets"])


def note_import(scene: bpy.types.Scene, job_id: str, *, key: str) -> None:
    """Keeps that the result of a job, which was asked for as `key`, is in the file."""
    kept = _read(scene)
    kept["targets"].pop(key, None)
    if job_id not in kept["imported"]:
        kept["imported"].append(job_id)
    _write(scene, kept)


def drop(key: str) -> None:
    """Forgets that the capture `key` was asked for: it was cancelled or forgotten."""
    for scene in bpy.data.scenes:
        kept = _read(scene)
        if kept["targets"].pop(key, None) is not None:
            _write(scene, kept)


def imported() -> set[str]:
    """Ids of all jobs whose result is in the open file."""
    return {job_id for scene in bpy.data.scenes for job_id in _read(scene)["imported"]}


def _read(scene: bpy.types.Scene) -> dict[str, Any]:
    kept: dict[str, Any] = {"targets": {}, "imported": []}
    try:
        said = json.loads(scene.get(PROPERTY, "{}"))
    except (TypeError, ValueError):  # somebody typed into it
        said = {}
    if isinstance(said, dict):
        kept |= {name: said[name] for name in kept if isinstance(said.get(name), type(kept[name]))}
    return kept


def _write(scene: bpy.types.Scene, kept: dict[str, Any]) -> None:
    scene[PROPERTY] = json.dumps(kept, sort_keys=True)
