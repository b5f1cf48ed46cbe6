from __future__ import annotations

from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.evaluation import folders
from toy3dpw import FOCAL, NAME, toy_sequence, write_dataset
from toybody import toy_body
from toytrials import write_truth


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
