"""A capture as an .npz file, read without pickle and written whole or not at all.

Entries: `format`, `provenance` (JSON), `camera.*`, `takes` (labels in order), for each motion
`<label>.<person>.<field>`, for everybody who was followed `tracks.<person>.<field>`, and `notes`;
files of format 1 lack tracks, those up to 2 notes, contacts (which a motion may lack in any) and
the `camera.path.*` of a moving camera. What other tools read is made by `amass.py`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from . import npz_file
from .camera_path import CameraPath
from .corrections import Mark
from .errors import RequestError, ResultFileError
from .motion import Camera, Capture, Motion, Take
from .tracks import PersonTrack

FORMAT = 3
MOST_PROVENANCE = 2**20  # letters; ours has some thousands
_Name = TypeVar("_Name", str, int)
_MOTION_FIELDS = ("times_s", "global_orient", "body_pose", "betas", "transl", "confidence")
_PATH_FIELDS = ("times_s", "positions", "quats")
_TRACK_FIELDS = ("times_s", "boxes", "presence", "pictured_s", "pictures", "kept")


def save(capture: Capture, path: Path) -> None:
    """Writes `capture` to `path`; an earlier file there is replaced only once the new one is whole.

    Raises:
        ResultFileError: the folder is missing, not writable, or the disk is full.
    """
    npz_file.write(path, packed(capture), error=ResultFileError)


def packed(capture: Capture) -> dict[str, Any]:
    """`capture` as arrays under the names that a file has them."""
    camera = capture.camera
    arrays: dict[str, Any] = {
        "format": np.array(FORMAT),
        "provenance": np.array(json.dumps(capture.provenance)),
        "camera.focal_px": np.array(camera.focal_px),
        "camera.center_px": camera.center_px,
        "camera.size_px": np.array(camera.size_px),
        "camera.world_from_camera": camera.world_from_camera,
        "takes": np.array([take.label for take in capture.takes]),
        "notes": np.array(json.dumps(capture.notes)),
    }
    if camera.path is not None:
        for name in _PATH_FIELDS:
            arrays[f"camera.path.{name}"] = getattr(camera.path, name)
    for take in capture.takes:
        arrays[f"{take.label}.persons"] = np.array(
            [each.person for each in take.motions], dtype=np.int64
        )
        for motion in take.motions:
            for name in _MOTION_FIELDS:
                arrays[f"{take.label}.{motion.person}.{name}"] = getattr(motion, name)
            if motion.contacts is not None:
                arrays[f"{take.label}.{motion.person}.contacts"] = motion.contacts
    arrays["tracks.persons"] = np.array([each.person for each in capture.tracks], dtype=np.int64)
    for track in capture.tracks:
        for name in _TRACK_FIELDS:
            arrays[f"tracks.{track.person}.{name}"] = np.asarray(getattr(track, name))
        mark = track.mark
        arrays[f"tracks.{track.person}.mark"] = np.array([mark.time_s, mark.x, mark.y])
    return arrays


def load(path: Path) -> Capture:
    """The capture in the file at `path`.

    Raises:
        ResultFileError: the file is missing, damaged, or of a newer format.
    """
    return unpacked(npz_file.read(path, error=ResultFileError), name=str(path))


def unpacked(arrays: dict[str, np.ndarray], *, name: str) -> Capture:
    """The capture that `packed` was given; `name` is what errors call it.

    Raises:
        ResultFileError: an array is missing, or is not what it should be.
    """
    try:
        written = int(arrays["format"])
        if written > FORMAT:
            raise ResultFileError(
                f"{name} has format {written}, this version reads up to {FORMAT}",
                hint="Update Strip Mocap.",
            )
        width, height = (int(each) for each in arrays["camera.size_px"])
        camera = Camera(
            focal_px=float(arrays["camera.focal_px"]),
            center_px=arrays["camera.center_px"],
            size_px=(width, height),
            world_from_camera=arrays["camera.world_from_camera"],
            path=_path(arrays),
        )
        takes = tuple(_take(arrays, label) for label in _different(arrays["takes"], str))
        provenance = _provenance(str(arrays["provenance"]))
        tracks = () if written < 2 else _tracks(arrays)
        notes = () if written < 3 else _notes(str(arrays["notes"]))
        return Capture(camera, takes, provenance, tracks, notes)
    except (
        *(KeyError, ValueError, TypeError, OverflowError, RecursionError),
        RequestError,  # of a mark that names nobody
    ) as error:
        raise ResultFileError(
            f"{name} is not a complete capture ({error})", hint="Capture the clip again."
        ) from error


def _provenance(text: str) -> dict[str, Any]:
    """The record that `save` wrote; what readers look into is a record too."""
    if len(text) > MOST_PROVENANCE:
        raise ValueError(f"its provenance has {len(text)} letters")
    values = json.loads(text)
    if not isinstance(values, dict):
        raise ValueError(f"its provenance is {text[:20]!r}")
    records = cast("dict[str, Any]", values)
    inner = {name: records.get(name, {}) for name in ("request", "source", "versions")}
    if isinstance(inner["request"], dict):
        inner["clip"] = cast("dict[str, Any]", inner["request"]).get("clip", {})
    if wrong := [name for name, each in inner.items() if not isinstance(each, dict)]:
        raise ValueError(f"its provenance has no record of {', '.join(wrong)}")
    return records


def _notes(text: str) -> tuple[str, ...]:
    if len(text) > MOST_PROVENANCE:
        raise ValueError(f"its notes have {len(text)} letters")
    values = json.loads(text)
    notes = cast("list[Any]", values) if isinstance(values, list) else [values]
    if not all(isinstance(each, str) for each in notes):
        raise ValueError(f"its notes are {text[:20]!r}")
    return tuple(notes)


def _path(arrays: dict[str, np.ndarray]) -> CameraPath | None:
    if "camera.path.times_s" not in arrays:
        return None
    return CameraPath(**{name: arrays[f"camera.path.{name}"] for name in _PATH_FIELDS})


def _take(arrays: dict[str, np.ndarray], label: str) -> Take:
    motions: list[Motion] = []
    for person in _different(arrays[f"{label}.persons"], int):
        values = {name: arrays[f"{label}.{person}.{name}"] for name in _MOTION_FIELDS}
        contacts = arrays.get(f"{label}.{person}.contacts")
        motions.append(Motion(person=person, contacts=contacts, **values))
    return Take(label=label, motions=tuple(motions))


def _tracks(arrays: dict[str, np.ndarray]) -> tuple[PersonTrack, ...]:
    tracks: list[PersonTrack] = []
    for person in _different(arrays["tracks.persons"], int):
        values: dict[str, Any] = {name: arrays[f"tracks.{person}.{name}"] for name in _TRACK_FIELDS}
        time_s, x, y = (float(each) for each in arrays[f"tracks.{person}.mark"])
        values |= {"mark": Mark(time_s, x, y), "kept": bool(values["kept"])}
        tracks.append(PersonTrack(person=person, **values))
    return tuple(tracks)


def _different(values: np.ndarray, kind: type[_Name]) -> tuple[_Name, ...]:
    """The names or numbers in `values`; each stands for arrays, which are read only once."""
    if len(values) > len(np.unique(values)):
        raise ValueError(f"it names {values[:10]!s} more than once")
    return tuple(kind(each) for each in values)
