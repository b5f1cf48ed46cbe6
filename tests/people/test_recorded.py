"""A run that was stopped and goes on finds what a run in one piece finds, to the last bit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from house.sources import ROOT
from notebook import Notebook
from stage import Actor, Stage
from stripmocap.contract.messages import Clip
from stripmocap.people.journal import CHUNK_S
from stripmocap.people.observations import PICTURE_PX, Cast, Picture, packed, unpacked
from stripmocap.people.recorded import Diverged, Recorded
from stripmocap.people.tracking import follow
from stripmocap.video.frames import read_frames

TIMES_S = np.arange(60) / 30


class Counted:
    """A detector that counts what it is asked, and breaks down after so many answers."""

    def __init__(self, detector: Any, *, answers: int = 10**9) -> None:
        self._detector, self.left, self.asked = detector, answers, 0

    def __getattr__(self, name: str) -> Any:
        def ask(*arguments: Any) -> Any:
            if self.left == 0:
                raise InterruptedError
            self.left -= 1
            self.asked += 1
            return getattr(self._detector, name)(*arguments)

        return ask


def two_people() -> Stage:
    """Who pass each other; one goes away for a while."""
    return Stage(
        Actor(lambda t: (60 + 60 * t, 128), clothes=40),
        Actor(lambda t: None if 0.8 < t < 1.1 else (190 - 50 * t, 120), clothes=220, depth=1),
    )


def followed(stage: Stage, detector: Any) -> Cast:
    return follow(
        stage.frames(TIMES_S), detector=detector, report=lambda *_: None, expected_frames=None
    )


def assert_same(found: Cast, expected: Cast) -> None:
    first, second = packed(found), packed(expected)
    assert list(first) == list(second)
    for name, each in first.items():
        assert each.dtype == second[name].dtype
        assert each.tobytes() == second[name].tobytes(), name


@pytest.fixture(scope="module")
def whole() -> Cast:
    stage = two_people()
    cast = followed(stage, stage)
    assert len(cast.people) >= 2
    return cast


@pytest.mark.parametrize("stops", [(1,), (37,), (50, 1, 80), (20,) * 6])
def test_a_run_that_was_stopped_goes_on_and_finds_the_same(whole, stops):
    notebook, asked = Notebook(), 0
    for answers in stops:
        stage = two_people()
        detector = Counted(stage, answers=answers)
        recorded = Recorded(detector, notebook)
        with pytest.raises(InterruptedError):
            followed(stage, recorded)
        recorded.flush()
        asked += detector.asked

    stage = two_people()
    detector = Counted(stage)
    found = followed(stage, Recorded(detector, notebook))

    assert_same(found, whole)
    straight = Counted(two_people())
    followed(straight._detector, straight)
    assert asked + detector.asked == straight.asked  # nobody was asked twice


def test_a_finished_run_asks_nobody(whole):
    notebook, stage = Notebook(), two_people()
    recorded = Recorded(stage, notebook)
    followed(stage, recorded)
    recorded.flush()

    assert_same(followed(two_people(), Recorded(Counted(None), notebook)), whole)


def test_answers_are_noted_every_few_seconds_of_work():
    now, notebook, stage = [0.0], Notebook(), two_people()

    class Slow(Counted):
        def __getattr__(self, name: str) -> Any:
            now[0] += 0.7
            return super().__getattr__(name)

    followed(stage, Recorded(Slow(stage), notebook, clock=lambda: now[0]))

    sizes = [len(chunk["asked"]) for chunk in notebook.chunks]
    assert len(sizes) > 5
    assert max(sizes) <= CHUNK_S / 0.7 + 1


def test_a_journal_of_other_footage_is_noticed():
    notebook, stage = Notebook(), two_people()
    recorded = Recorded(stage, notebook)
    followed(stage, recorded)
    recorded.flush()

    other = Stage(Actor(lambda t: (128 + 10 * t, 100)))
    with pytest.raises(Diverged):
        followed(other, Recorded(other, notebook))


def test_nothing_noted_is_no_chunk():
    notebook = Notebook()

    Recorded(two_people(), notebook).flush()

    assert notebook.chunks == []


def test_people_come_back_from_arrays_to_the_last_bit(whole):
    assert_same(unpacked(packed(whole)), whole)
    assert unpacked(packed(Cast(np.zeros(0), (), ()))).people == ()


def test_pictures_come_back_from_arrays(whole):
    image = np.arange(PICTURE_PX**2 * 3).reshape(PICTURE_PX, PICTURE_PX, 3) % 251
    album = (Picture(0.1, image), Picture(0.7, image[::-1]))

    found = unpacked(packed(replace(whole, pictures=(album, *((),) * (len(whole.people) - 1)))))

    assert [each.time_s for each in found.pictures[0]] == [0.1, 0.7]
    np.testing.assert_array_equal(found.pictures[0][1].image, image[::-1])
    assert found.pictures[1] == ()


@pytest.mark.slow
def test_the_real_networks_are_resumed_to_the_last_bit(blazepose):
    def frames():
        return read_frames(Clip(str(ROOT / "demo" / "walk.mp4"), stop_s=0.8))

    def run(detector) -> Cast:
        return follow(frames(), detector=detector, report=lambda *_: None, expected_frames=None)

    expected, notebook = run(blazepose), Notebook()
    for _ in range(2):
        recorded = Recorded(Counted(blazepose, answers=9), notebook)
        with pytest.raises(InterruptedError):
            run(recorded)
        recorded.flush()

    assert expected.people
    assert_same(run(Recorded(blazepose, notebook)), expected)
