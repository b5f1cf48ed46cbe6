"""A long clip: bodies of its beginning are there while the rest is still followed."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from movies import write_movie
from numpy.testing import assert_array_equal
from stage import landmarks_at
from standins import silent
from stripmocap import assets, lookout, pipeline, preview
from stripmocap.contract import result_file
from stripmocap.contract.corrections import Correction, Mark
from stripmocap.contract.errors import Cancelled
from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.contract.motion import Capture, Motion
from stripmocap.methods.toolbox import Estimate
from stripmocap.people.blazepose import Landmarks, Sighting
from stripmocap.people.regions import Region
from stripmocap.steps import StepStore

SIZE = (160, 120)
FRAMES, FPS = 150, 30


class Eyes:
    """See somebody who moves a little to the right with every look."""

    def __init__(self) -> None:
        self.looks = 0

    def detect(self, image: np.ndarray) -> list[Sighting]:
        found = landmarks_at(np.array([60.0, 60.0]))
        return [Sighting(found.next_region, np.array([50.0, 30, 70, 50]), 0.9)]

    def landmarks(self, image: np.ndarray, region: Region) -> Landmarks:
        self.looks += 1
        x, y = region.center_px
        return landmarks_at(np.array([x + 0.05, y]))


@pytest.fixture
def eyes(tmp_path, monkeypatch) -> Eyes:
    """What sees, in a pipeline whose methods look at each frame alone."""
    network = tmp_path / "network"
    network.write_bytes(b"weights")
    seeing = Eyes()

    def load(tools, options):
        def estimate(people, camera, report, *, start=None, clip=None, publish=None, journal=None):
            return Estimate(camera, tuple(posed(each) for each in people))

        return estimate

    methods = {key: {"embedded": load} for key in ("vibe", "smplify")}
    monkeypatch.setattr(lookout, "BlazePose", lambda: seeing)
    monkeypatch.setattr(pipeline, "ESTIMATORS", methods)
    monkeypatch.setattr(assets, "locate", lambda name: network)
    monkeypatch.setattr(preview, "EVERY_S", 1.0)
    monkeypatch.setattr(preview, "SHARE", 1e9)
    return seeing


@pytest.fixture
def footage(tmp_path) -> Path:
    return write_movie(tmp_path / "walk.mp4", size=SIZE, frames=FRAMES)


def posed(person) -> Motion:
    frames = len(person.times_s)
    return Motion(
        person=person.person,
        times_s=person.times_s,
        global_orient=np.zeros((frames, 3)),
        body_pose=np.repeat(person.keypoints[:, :23, :1] / 1000, 3, axis=2),
        betas=np.zeros(10),
        transl=person.landmarks3d[:, 0] + [0, 0, 4],
        confidence=person.presence,
    )


def captured(
    footage: Path, *, steps: StepStore | None = None, report=silent, **changes
) -> tuple[Capture, list[tuple[int, Capture]]]:
    """What is captured in the end, and what was shown on the way, after how many frames."""
    shown, done = [], [0]

    def told(stage: str, frame: int, of: int) -> None:
        done[0] = frame if stage == "people" else done[0]
        report(stage, frame, of)

    found = pipeline.Workshop().capture(
        CaptureRequest(Clip(str(footage)), **changes),
        report=told,
        steps=steps,
        publish=lambda capture: shown.append((done[0], capture)),
    )
    return found, shown


def test_bodies_of_the_beginning_are_shown_before_the_end(eyes, footage):
    whole, shown = captured(footage, estimator="vibe")

    assert [after for after, _ in shown] == [30, 60, 90, 120]
    (final,) = whole.take("temporal").motions
    assert len(final.times_s) == FRAMES
    for after, part in shown:
        (motion,) = part.take("temporal").motions
        assert part.provenance["partial"] is True
        frames = after + 1  # what is reported of a frame is how many were done before
        assert_array_equal(motion.times_s, final.times_s[:frames])
        assert_array_equal(motion.body_pose, final.body_pose[:frames])
        assert_array_equal(motion.transl, final.transl[:frames])
        assert len(part.tracks[0].times_s) == frames
    assert "partial" not in whole.provenance


def test_what_is_fitted_in_the_end_is_shown_by_the_fast_method_before(eyes, footage):
    whole, shown = captured(footage)

    assert {take.label for _, part in shown for take in part.takes} == {"temporal"}
    assert [take.label for take in whole.takes] == ["fitted"]
    assert shown[0][1].provenance["request"]["estimator"] == "vibe"
    assert shown[0][1].provenance["methods"][0]["key"] == "vibe"


def test_the_result_is_the_same_whether_or_not_anybody_looks_on(eyes, footage):
    shown, _ = captured(footage)
    alone = pipeline.capture(CaptureRequest(Clip(str(footage))), report=silent)

    assert_same(shown, alone)


@pytest.mark.parametrize(("room", "readers"), [(0, 0), (10**6, 1)])
def test_large_pictures_are_not_decoded_ahead_and_the_result_is_the_same(
    eyes, footage, monkeypatch, room, readers
):
    expected, _ = captured(footage)
    seen = set()

    def count(stage, done, of):
        if stage == "people" and done == 10:
            seen.add(sum(each.name == "read ahead" for each in threading.enumerate()))

    monkeypatch.setattr(lookout, "AHEAD_BYTES", room)
    found, _ = captured(footage, report=count)

    assert seen == {readers}
    assert_same(found, expected)
    assert not any(each.name == "read ahead" for each in threading.enumerate())


def test_a_run_that_was_stopped_shows_and_gives_the_same(eyes, footage, tmp_path):
    store = StepStore(tmp_path / "cache", limit_bytes=2**26)
    expected, shown = captured(footage)

    def stop(stage, done, of):
        if stage == "people" and done == 100:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        captured(footage, steps=store, report=stop)
    looks = eyes.looks
    found, again = captured(footage, steps=store)

    assert eyes.looks - looks < 60  # a hundred frames were not looked at again
    assert_same(found, expected)
    for (_, first), (_, second) in zip(shown, again, strict=True):
        assert_same(first, second)


def test_corrections_about_later_frames_wait_for_them(eyes, footage):
    late = Correction("split", Mark(4.5, 0.4, 0.5), time_s=4.5)

    whole, shown = captured(footage, estimator="vibe", corrections=(late,))

    assert len(whole.take("temporal").motions) == 2
    assert shown == []


def assert_same(found: Capture, expected: Capture) -> None:
    first, second = result_file.packed(found), result_file.packed(expected)
    assert list(first) == list(second)
    for name, each in first.items():
        assert_array_equal(each, second[name], err_msg=name)
