from __future__ import annotations

import numpy as np
import pytest
from standins import cast, person
from stripmocap.contract.errors import Cancelled, RequestError
from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.contract.methods import SmplifyOptions, SpinOptions
from stripmocap.preview import EVERY_S, SHARE, Preview, shown_meanwhile

FPS = 30
FOLLOWED_MS, RECORD_MS = 40.0, 0.05  # of a frame, in the story that these tests tell


class Story:
    """Somebody is followed through a long clip, and shown at so much a frame."""

    def __init__(self, *, shown_ms: float) -> None:
        self.now_s = 100.0
        self.spent_s = 0.0
        self.shown_ms = shown_ms
        self.shown: list[float] = []  # seconds of the clip

    def told(self, length_s: float, *, start_s: float = 0.0) -> None:
        preview = Preview(self.show, clock=lambda: self.now_s)
        for frame in range(round(length_s * FPS)):
            self.now_s += FOLLOWED_MS / 1000
            time_s = start_s + frame / FPS
            preview(time_s, lambda last=time_s: self.so_far(start_s, last))

    def so_far(self, start_s: float, last_s: float):
        times_s = np.arange(start_s, last_s + 0.5 / FPS, 1 / FPS)
        self._work(RECORD_MS * len(times_s))
        return cast(person(times_s.tolist()))

    def show(self, found) -> None:
        self.shown.append(float(found.times_s[-1]))
        self._work(self.shown_ms * len(found.times_s))

    def _work(self, ms: float) -> None:
        self.now_s += ms / 1000
        self.spent_s += ms / 1000


def test_a_short_clip_is_not_shown_before_it_is_done():
    story = Story(shown_ms=0.1)

    story.told(EVERY_S)

    assert story.shown == []


def test_the_first_minute_is_shown_while_the_rest_is_followed():
    story = Story(shown_ms=0.3)

    story.told(300, start_s=7)

    assert story.shown[0] == pytest.approx(7 + EVERY_S, abs=0.1)
    assert any(60 <= each - 7 <= 120 for each in story.shown)
    assert len(story.shown) >= 4


@pytest.mark.parametrize("shown_ms", [0.01, 0.1, 0.5, 3.0, 50.0])
def test_looks_cost_a_small_share_whatever_one_costs(shown_ms):
    story = Story(shown_ms=shown_ms)

    story.told(1200)

    # Nobody knows beforehand what the first look costs.
    first_s = (shown_ms + RECORD_MS) / 1000 * (EVERY_S * FPS + 1)
    assert 1 <= len(story.shown) <= 60
    assert story.spent_s <= max(SHARE * (story.now_s - 100), first_s) + 1e-9


def test_what_cannot_be_shown_is_left_out_and_a_cancel_is_heard():
    tries = []

    def show(found):
        tries.append(found)
        raise RequestError("nobody is there yet") if len(tries) < 3 else Cancelled("stopped")

    preview = Preview(show, clock=lambda: 0.0)
    for time_s in (0.0, 60.0, 120.0):
        preview(time_s, lambda: cast(person([0.0])))
    assert len(tries) == 2

    with pytest.raises(Cancelled):
        preview(180.0, lambda: cast(person([0.0])))


@pytest.mark.parametrize("failure", [MemoryError(), RuntimeError("not enough memory"), KeyError(0)])
def test_a_capture_outlives_what_fails_while_it_is_shown(failure):
    tries = []

    def show(found):
        tries.append(found)
        raise failure

    preview = Preview(show, clock=lambda: 0.0)
    for time_s in (0.0, 60.0, 120.0):
        preview(time_s, lambda: cast(person([0.0])))

    assert len(tries) == 1


def test_nobody_is_not_shown():
    def show(found):
        raise AssertionError("somebody is shown")

    preview = Preview(show)

    preview(0.0, cast)
    preview(60.0, cast)


def request(**changes) -> CaptureRequest:
    return CaptureRequest(Clip("walk.mp4"), **changes)


def test_a_fast_method_is_shown_as_it_is():
    asked = request(estimator="spin", options=SpinOptions())

    assert shown_meanwhile(asked) == asked


def test_what_is_refined_later_is_shown_before():
    asked = request(estimator="spin", refiners=("smplify",), height_m=1.8)

    assert shown_meanwhile(asked) == request(estimator="spin", height_m=1.8)


def test_a_slow_method_is_shown_by_a_fast_one():
    asked = request(options=SmplifyOptions(smoothness=3), focal_px=900.0)

    assert shown_meanwhile(asked) == request(estimator="vibe", focal_px=900.0)


def test_what_looks_at_pixels_or_makes_no_bodies_is_not_shown():
    assert shown_meanwhile(request(estimator="spin", weights="official")) is None
    assert shown_meanwhile(request(estimator=None)) is None
