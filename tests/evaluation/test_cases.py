from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from stripmocap.contract.errors import TruthFileError
from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.contract.skeleton import LIMB_JOINTS
from stripmocap.evaluation import cases, folders
from stripmocap.pipeline import Workshop
from toy3dpw import FOCAL, NAME, toy_sequence, write_dataset
from toybody import toy_body


def write_truth(path: Path, *, cameras: tuple[str, ...], persons: tuple[str, ...] = ("man",)):
    count = len(cameras)
    np.savez(
        path,
        joints3d=np.zeros((len(persons), 4, 12, 3)),
        joint_names=np.array(LIMB_JOINTS),
        person_names=np.array(persons),
        camera_names=np.array(cameras),
        fps=np.array(25.0),
        K=np.tile(np.eye(3), (count, 1, 1)),
        R=np.tile(np.eye(3), (count, 1, 1)),
        t=np.tile([0.0, 0, 3], (count, 1)),
    )


def found_in(folder: Path) -> dict[str, tuple[str, ...]]:
    found = cases.filmed_cases(folder, workshop=Workshop(), steps=None)
    return {each.name: tuple(truth.camera_name for truth in each.truths) for each in found}


def test_a_movie_finds_the_truth_of_its_own_name(tmp_path):
    for name in ("walk.mp4", "run.mov", "lonely.mp4", "note.txt"):
        (tmp_path / name).write_bytes(b"")
    write_truth(tmp_path / "walk.truth.npz", cameras=("front",))
    write_truth(tmp_path / "run.gt.npz", cameras=("side",))

    assert found_in(tmp_path) == {"run": ("side",), "walk": ("front",)}


def test_a_movie_finds_its_camera_in_the_truth_of_the_folder(tmp_path):
    (tmp_path / "trial").mkdir()
    for name in ("cam1.mp4", "cam10.mp4", "cam10_occluded.mp4", "top.mp4"):
        (tmp_path / "trial" / name).write_bytes(b"")
    write_truth(tmp_path / "trial" / "gt.npz", cameras=("cam1", "cam10"), persons=("a", "b"))

    assert found_in(tmp_path) == {
        "trial/cam1": ("cam1", "cam1"),
        "trial/cam10": ("cam10", "cam10"),
        "trial/cam10_occluded": ("cam10", "cam10"),
    }


def test_a_folder_without_truth_says_what_is_missing(tmp_path):
    (tmp_path / "walk.mp4").write_bytes(b"")

    with pytest.raises(TruthFileError, match="no movie with a truth"):
        found_in(tmp_path)


class Shop:
    """A workshop that only writes down what it is asked for."""

    def __init__(self):
        self.asked = []

    def capture(self, request, *, report, steps):
        self.asked.append(request)


def test_a_sequence_of_3dpw_is_a_case_with_everybody_and_its_own_lens(tmp_path):
    path = write_dataset(tmp_path, toy_sequence(toy_body()))
    shop = Shop()
    case = folders.sequence_case(path, tmp_path / "imageFiles", workshop=shop, steps=None)

    case.capture(CaptureRequest(Clip("other")), report=lambda *said: None)

    (asked,) = shop.asked
    assert (case.name, case.kind) == (NAME, "toy_walking")
    assert len(case.truths) == 2
    assert asked.clip == case.footage
    assert asked.focal_px == FOCAL


def test_a_focal_length_that_was_asked_for_wins(tmp_path):
    path = write_dataset(tmp_path, toy_sequence(toy_body()))
    shop = Shop()
    case = folders.sequence_case(path, tmp_path / "imageFiles", workshop=shop, steps=None)

    case.capture(CaptureRequest(Clip("other"), focal_px=77.0), report=lambda *said: None)

    assert shop.asked[0].focal_px == 77.0


def test_the_folder_says_itself_what_it_is(tmp_path):
    write_dataset(tmp_path / "pw", toy_sequence(toy_body()))
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "walk.mp4").write_bytes(b"")
    write_truth(tmp_path / "clips" / "walk.truth.npz", cameras=("front",))

    assert [each.name for each in folders.cases_in(tmp_path / "pw")] == [NAME]
    assert [each.name for each in folders.cases_in(tmp_path / "clips")] == ["walk"]


@pytest.mark.parametrize(
    ("count", "at_most", "kept"),
    [(10, None, list(range(10))), (3, 5, [0, 1, 2]), (10, 2, [2, 7]), (9, 3, [1, 4, 7])],
)
def test_fewer_cases_are_spread_over_all(count, at_most, kept):
    assert cases.spread(range(count), at_most) == kept
