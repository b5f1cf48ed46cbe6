from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_allclose
from stripmocap_extension.addon.contract import errors
from stripmocap_extension.addon.rigging import timing
from stripmocap_extension.addon.rigging.timing import MoviePlacement, StripTiming

NTSC = Fraction(30000, 1001)
RATES = [Fraction(24000, 1001), Fraction(24), Fraction(25), NTSC, Fraction(30), Fraction(60)]


def placement(**changes):
    values = {
        "start": 10.0,
        "length": 96.0,
        "source_frames": 120,
        "trim_start": 0,
        "trim_end": 0,
        "reverse": False,
    }
    return MoviePlacement(**values | changes)


@pytest.mark.parametrize("fps", RATES)
def test_second_later_is_one_scene_rate_further(fps):
    anchored = timing.anchored(fps, start_frame=7, start_s=1.5)

    assert_allclose(anchored.scene_frames([1.5, 2.5]), [7, 7 + float(fps)])


@pytest.mark.parametrize("fps", RATES)
def test_times_undo_scene_frames(fps):
    anchored = timing.anchored(fps, start_frame=-3.25, start_s=0.5)
    times = np.linspace(0, 600, 1000)

    assert_allclose(anchored.times_s(anchored.scene_frames(times)), times, atol=1e-9)


def test_adjusted_strip_plays_in_real_time():
    strip = timing.of_movie(placement(), scene_fps=Fraction(24), movie_fps=Fraction(30))

    assert_allclose(strip.scene_frames([0, 1, 2]), [10, 34, 58])


def test_unadjusted_strip_shows_a_movie_frame_for_each_scene_frame():
    strip = timing.of_movie(placement(length=120), scene_fps=Fraction(24), movie_fps=Fraction(30))

    assert_allclose(strip.scene_frames(np.arange(5) / 30), np.arange(10, 15))


def test_hard_trim_moves_the_first_shown_frame_to_the_start():
    strip = timing.of_movie(
        placement(trim_start=12, length=108), scene_fps=Fraction(30), movie_fps=Fraction(30)
    )

    assert_allclose(strip.scene_frames([12 / 30]), [10])


def test_reversed_strip_starts_with_the_last_frame():
    strip = timing.of_movie(
        placement(reverse=True, length=120), scene_fps=Fraction(30), movie_fps=Fraction(30)
    )

    assert_allclose(strip.scene_frames([119 / 30, 0]), [10, 129])


def test_ntsc_movie_at_its_own_rate_does_not_drift_in_ten_minutes():
    strip = timing.of_movie(
        placement(source_frames=17982, length=17982.0, start=1.0), scene_fps=NTSC, movie_fps=NTSC
    )

    assert_allclose(strip.scene_frames([17981 * 1001 / 30000]), [17982], atol=1e-6)


def test_movie_without_a_rate_is_refused_with_a_hint():
    with pytest.raises(errors.RequestError) as caught:
        timing.of_movie(placement(), scene_fps=Fraction(24), movie_fps=Fraction(0))

    assert "movie file" in caught.value.hint


@pytest.mark.parametrize("bad", [(float("nan"), 1.0), (0.0, 0.0), (0.0, float("inf"))])
def test_timing_that_is_no_timing_is_refused(bad):
    with pytest.raises(errors.RequestError):
        StripTiming(*bad)
