from __future__ import annotations

from pathlib import Path

import pytest
from stripmocap.contract.errors import TruthFileError
from stripmocap.evaluation import cases
from stripmocap.pipeline import Workshop
from toytrials import write_truth


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


@pytest.mark.parametrize(
    ("count", "at_most", "kept"),
    [(10, None, list(range(10))), (3, 5, [0, 1, 2]), (10, 2, [2, 7]), (9, 3, [1, 4, 7])],
)
def test_fewer_cases_are_spread_over_all(count, at_most, kept):
    assert cases.spread(range(count), at_most) == kept
