from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from stripmocap.contract import result_file
from stripmocap.contract.camera_path import CameraPath
from stripmocap.contract.errors import ResultFileError
from stripmocap.contract.motion import Capture
from toyshot import toy_camera, toy_capture

TRACK_FIELDS = ("times_s", "boxes", "presence", "pictured_s", "pictures")
MOTION_FIELDS = ("times_s", "global_orient", "body_pose", "betas", "transl", "confidence")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "result.npz"
    result_file.save(toy_capture(frames=5), path)
    return path


def changed(path: Path, **entries: np.ndarray | None) -> Path:
    """The file at `path` with other `entries`; None takes one out."""
    with np.load(path) as file:
        arrays = {**file, **entries}
    np.savez(path, **{name: each for name, each in arrays.items() if each is not None})
    return path


def test_a_capture_comes_back_as_it_was(saved):
    capture = toy_capture(frames=5)

    found = result_file.load(saved)

    assert found.provenance == capture.provenance
    assert found.camera.focal_px == capture.camera.focal_px
    assert found.camera.size_px == capture.camera.size_px
    assert_array_equal(found.camera.center_px, capture.camera.center_px)
    assert_array_equal(found.camera.world_from_camera, capture.camera.world_from_camera)
    assert [each.label for each in found.takes] == [each.label for each in capture.takes]
    for take, wanted in zip(found.takes, capture.takes, strict=True):
        assert [each.person for each in take.motions] == [each.person for each in wanted.motions]
        for motion, original in zip(take.motions, wanted.motions, strict=True):
            for name in MOTION_FIELDS:
                assert_array_equal(getattr(motion, name), getattr(original, name))


def test_who_was_followed_comes_back_as_it_was(saved):
    capture = toy_capture(frames=5)

    found = result_file.load(saved)

    assert len(found.tracks) == len(capture.tracks)
    for track, wanted in zip(found.tracks, capture.tracks, strict=True):
        assert (track.person, track.mark, track.kept) == (wanted.person, wanted.mark, wanted.kept)
        for name in TRACK_FIELDS:
            assert_array_equal(getattr(track, name), getattr(wanted, name))
            assert getattr(track, name).dtype == getattr(wanted, name).dtype


def test_a_file_of_the_first_format_has_takes_and_no_tracks(saved):
    with np.load(saved) as file:
        newer = {name: None for name in file if name.startswith("tracks.")}

    found = result_file.load(changed(saved, format=np.array(1), **newer))

    assert len(found.takes) == 2
    assert found.tracks == ()


def moved(frames: int = 5) -> Capture:
    """A capture with contacts in one take, a camera that moves, and notes."""
    capture = toy_capture(frames=frames)
    chances = np.linspace(0, 1, frames * 9, dtype=np.float32).reshape(frames, 9)
    refined = replace(
        capture.takes[0],
        motions=tuple(replace(each, contacts=chances) for each in capture.takes[0].motions),
    )
    quats = np.tile([1.0, 0.0, 0.0, 0.0], (2, 1))
    path = CameraPath(np.array([0.0, 1.0]), np.array([[0.0, 0.0, 1.5], [1.0, 0.0, 1.5]]), quats)
    return replace(
        capture,
        camera=replace(capture.camera, path=path),
        takes=(refined, *capture.takes[1:]),
        notes=("Person 2 is not refined: nothing of them is seen.",),
    )


def test_contacts_a_moving_camera_and_notes_come_back_as_they_were(tmp_path):
    capture, path = moved(), tmp_path / "moved.npz"

    result_file.save(capture, path)
    found = result_file.load(path)

    assert found.notes == capture.notes
    assert found.camera.path == capture.camera.path
    refined, fitted = found.takes
    for motion, original in zip(refined.motions, capture.takes[0].motions, strict=True):
        assert_array_equal(motion.contacts, original.contacts)
    assert [each.contacts for each in fitted.motions] == [None, None]


def test_a_file_of_the_second_format_has_no_contacts_and_no_notes(saved):
    found = result_file.load(changed(saved, format=np.array(2), notes=None))

    assert found.notes == ()
    assert found.camera.path is None
    assert found.best.motions[0].contacts is None


@pytest.mark.parametrize(
    "entries",
    [
        {"notes": None},
        {"notes": np.array("Well.")},
        {"notes": np.array("[1]")},
        {"notes": np.array('{"a": 1}')},
        {"refined.0.contacts": np.full((5, 9), 1.5)},
        {"refined.0.contacts": np.full((5, 9), np.nan)},
        {"refined.0.contacts": np.zeros((5, 4))},
        {"camera.path.quats": None},
        {"camera.path.times_s": np.array([1.0, 0.0])},
        {"camera.path.positions": np.full((2, 3), np.inf)},
    ],
)
def test_what_format_3_added_is_refused_where_it_cannot_be(tmp_path, entries):
    path = tmp_path / "moved.npz"
    result_file.save(moved(), path)

    with pytest.raises(ResultFileError):
        result_file.load(changed(path, **entries))


def test_a_track_without_pictures_shows_a_grey_one(saved):
    none = {"pictured_s": np.zeros(0), "pictures": np.zeros((0, 8, 8, 3), np.uint8)}

    found = result_file.load(changed(saved, **{f"tracks.1.{k}": v for k, v in none.items()}))

    assert found.tracks[1].picture.shape == (1, 1, 3)


def test_a_capture_of_nobody_comes_back(tmp_path):
    path = tmp_path / "result.npz"

    result_file.save(Capture(camera=toy_camera(), takes=(), provenance={}), path)

    assert result_file.load(path).takes == ()


def test_a_newer_format_asks_for_an_update(saved):
    changed(saved, format=np.array(result_file.FORMAT + 1))

    with pytest.raises(ResultFileError, match="has format") as refused:
        result_file.load(saved)

    assert "Update" in refused.value.hint


@pytest.mark.parametrize(
    "entries",
    [
        {"format": None},
        {"format": np.array(np.inf)},
        {"camera.focal_px": np.array(0.0)},
        {"camera.size_px": np.array([0, 720])},
        {"camera.size_px": np.array([np.inf, 720])},
        {"camera.world_from_camera": np.full((4, 4), np.nan)},
        {"takes": np.array(["best"])},
        {"takes": np.array("fitted")},
        {"fitted.persons": None},
        {"fitted.0.times_s": np.zeros(5)},
        {"fitted.0.body_pose": np.zeros((5, 21, 3))},
        {"fitted.1.confidence": np.full(5, 2.0)},
        {"tracks.persons": None},
        {"tracks.0.boxes": np.zeros((4, 4))},
        {"tracks.0.presence": np.full(5, -1.0)},
        {"tracks.0.pictured_s": np.array([1.0, 0.5])},
        {"tracks.0.pictures": np.zeros((1, 8, 8, 3), np.uint8)},
        {"tracks.1.mark": np.array([0.0, np.nan, 0.5])},
        {"tracks.1.mark": np.zeros(2)},
    ],
)
def test_an_entry_that_cannot_be_is_refused(saved, entries):
    with pytest.raises(ResultFileError):
        result_file.load(changed(saved, **entries))


@pytest.mark.parametrize(
    "provenance",
    [
        "",
        "[]",
        "null",
        '{"request": 3}',
        '{"request": {"clip": "walk.mp4"}}',
        '{"source": []}',
        '{"versions": "1"}',
        "[" * 100_000,
    ],
)
def test_a_provenance_that_is_no_record_is_refused(saved, provenance):
    with pytest.raises(ResultFileError):
        result_file.load(changed(saved, provenance=np.array(provenance)))


def test_a_provenance_of_another_program_is_kept(saved):
    provenance = {"made_by": "hand"}

    found = result_file.load(changed(saved, provenance=np.array(json.dumps(provenance))))

    assert found.provenance == provenance
