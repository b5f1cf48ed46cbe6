"""Looking for people alone, and correcting who is who: what is made again, and of whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from movies import write_movie
from standins import SIZE, cast, person, request, silent, stand_in
from stripmocap import lookout, pipeline
from stripmocap.contract import marking, result_file
from stripmocap.contract.corrections import Correction, Mark
from stripmocap.contract.errors import NobodyFound, RequestError
from stripmocap.contract.messages import Clip
from stripmocap.contract.motion import Capture
from stripmocap.steps import StepStore

LEFT, RIGHT = Mark(0.1, 0.25, 0.5), Mark(0.1, 0.75, 0.5)


@pytest.fixture
def footage(tmp_path) -> Path:
    return write_movie(tmp_path / "walk.mp4", size=SIZE, frames=10)


@pytest.fixture
def said(tmp_path, monkeypatch) -> dict:
    """What happened: `looked` how often, and of whom bodies were `fitted`, each time."""
    said = stand_in(monkeypatch, tmp_path / "network") | {"looked": 0, "fitted": []}
    load = pipeline.ESTIMATORS["smplify"]["embedded"]

    def follow(frames, **_):
        said["looked"] += 1
        times_s = [frame.time_s for frame in frames]
        return cast(
            replace(person(times_s), person=0, boxes=_boxes(0.25, len(times_s))),
            replace(person(times_s), person=1, boxes=_boxes(0.75, len(times_s))),
        )

    def noted(*arguments):
        estimate = load(*arguments)

        def fit(people, *rest, **named):
            said["fitted"].append([each.person for each in people])
            return estimate(people, *rest, **named)

        return fit

    monkeypatch.setattr(lookout, "follow", follow)
    monkeypatch.setattr(pipeline, "ESTIMATORS", {"smplify": {"embedded": noted}})
    return said


@pytest.fixture
def capture(said, footage, tmp_path) -> Callable[..., Capture]:
    store = StepStore(tmp_path / "cache", limit_bytes=2**24)

    def capture(*corrections: Correction, **changes) -> Capture:
        asked = request(footage, corrections=corrections, **changes)
        return pipeline.Workshop().capture(asked, report=silent, steps=store)

    return capture


def _boxes(x: float, frames: int) -> np.ndarray:
    width, height = SIZE
    return np.tile([x * width - 8, 0, x * width + 8, height], (frames, 1))


def test_who_is_there_is_told_without_a_method(capture, said):
    found = capture(estimator=None)

    assert found.takes == ()
    assert [each.person for each in found.tracks] == [0, 1]
    assert all(len(each.times_s) == 10 for each in found.tracks)
    assert found.provenance["methods"] == []
    assert set(found.provenance["files"]) == {"blazepose_detector", "blazepose_landmarks"}
    assert said["fitted"] == []


def test_a_capture_of_people_alone_can_be_kept_in_a_file(capture, tmp_path):
    result_file.save(capture(estimator=None), tmp_path / "people.npz")

    assert len(result_file.load(tmp_path / "people.npz").tracks) == 2


def test_who_was_looked_for_is_not_looked_for_again(capture, said):
    capture(estimator=None)
    capture()
    capture(Correction("ignore", LEFT))

    assert said["looked"] == 1
    assert said["fitted"] == [[0, 1], [1]]


def test_each_track_has_a_mark_that_names_its_person(capture):
    tracks = capture(estimator=None).tracks

    for track in tracks:
        left_out = marking.corrected(tracks, [Correction("ignore", track.mark)], size_px=SIZE)
        assert [each.person for each in left_out if not each.kept] == [track.person]


def test_a_result_has_everybody_as_followed_whatever_is_corrected(capture):
    corrected = capture(
        Correction("merge", LEFT, RIGHT), Correction("ignore", LEFT), estimator=None
    )

    assert [each.person for each in corrected.tracks] == [0, 1]
    assert all(each.kept for each in corrected.tracks)


def test_corrections_are_in_the_provenance(capture):
    ignored = Correction("ignore", LEFT)

    found = capture(ignored)

    assert found.provenance["request"]["corrections"] == [ignored.to_json()]


def test_a_correction_fits_those_whom_it_leaves(capture, said):
    capture(Correction("split", LEFT, time_s=0.15))
    capture(Correction("merge", LEFT, RIGHT))

    assert said["fitted"] == [[0, 1, 2], [0]]


@pytest.mark.parametrize(
    "corrections",
    [
        (Correction("choose", LEFT), Correction("choose", RIGHT)),
        (Correction("ignore", LEFT), Correction("choose", LEFT), Correction("choose", RIGHT)),
        (Correction("split", LEFT, time_s=99.0),),
        (Correction("merge", LEFT, LEFT),),
    ],
)
def test_corrections_that_change_nobody_fit_nobody_again(capture, said, corrections):
    capture()
    capture(*corrections)

    assert said["fitted"] == [[0, 1]]


def test_corrections_that_come_to_the_same_fit_once(capture, said):
    capture(Correction("ignore", LEFT))
    capture(Correction("choose", RIGHT))

    assert said["fitted"] == [[1]]


def test_a_capture_of_nobody_who_is_left_is_refused(capture, said):
    with pytest.raises(NobodyFound, match="of 2 people") as refused:
        capture(Correction("ignore", LEFT), Correction("ignore", RIGHT))

    assert "Keep somebody" in refused.value.hint
    assert said["fitted"] == []


def test_a_correction_of_nobody_is_refused_before_bodies_are_made(capture, said):
    with pytest.raises(RequestError, match=r"0\.10 s"):
        capture(Correction("ignore", Mark(0.1, 0.5, 0.5)))

    assert said["fitted"] == []


@pytest.mark.slow
def test_two_people_outdoors_are_found_and_put_right(shared):
    video = shared / "data" / "videos" / "outdoor_two_people.mp4"
    workshop = pipeline.Workshop()
    asked = replace(request(video, estimator=None), clip=Clip(str(video), 2.0, 3.5))

    found = workshop.capture(asked, report=silent)

    first, second = found.tracks
    size_px = found.camera.size_px
    assert all((each.presence > 0).mean() > 0.9 for each in found.tracks)
    assert all(len(each.pictures) for each in found.tracks)
    swap = Correction("swap", first.mark, second.mark, time_s=2.7)
    swapped = marking.corrected(found.tracks, [swap], size_px=size_px)
    late = first.times_s >= 2.7
    np.testing.assert_array_equal(swapped[1].boxes[swapped[1].times_s >= 2.7], first.boxes[late])
