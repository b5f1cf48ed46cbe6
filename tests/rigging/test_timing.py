from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_allclose
from stripmocap_extension.addon.contract import errors
from stripmocap_extension.addon.rigging import timing
from stripmocap_extension.addon.rigging.timing import Content, StripTiming

NTSC = Fraction(30000, 1001)
RATES = [Fraction(24000, 1001), Fraction(24), Fraction(25), NTSC, Fraction(30), Fraction(60)]


def content(**changes):
    values = {
        "start": 10.0,
        "length": 120.0,
        "pictures": 120,
        "trim_start": 0,
        "trim_end": 0,
        "reverse": False,
        "step": 1.0,
    }
    return Content(**values | changes)


@pytest.mark.parametrize("fps", RATES)
def test_second_later_is_one_scene_rate_further(fps):
    anchored = timing.anchored(fps, start_frame=7, start_s=1.5)

    assert_allclose(anchored.scene_frames([1.5, 2.5]), [7, 7 + float(fps)])


@pytest.mark.parametrize("fps", RATES)
def test_times_undo_scene_frames(fps):
    anchored = timing.anchored(fps, start_frame=-3.25, start_s=0.5)
    times = np.linspace(0, 600, 1000)

    assert_allclose(anchored.times_s(anchored.scene_frames(times)), times, atol=1e-9)


def test_length_tells_whether_the_speed_is_kept():
    rates = {"scene_fps": Fraction(24), "fps": Fraction(30)}

    assert timing.unretimed_step(120, length=96, **rates) == 1.25
    assert timing.unretimed_step(120, length=120, **rates) == 1.0
    assert timing.unretimed_step(120, length=108, **rates) is None


def test_length_is_cut_off_to_whole_frames():
    rates = {"scene_fps": Fraction(24), "fps": Fraction(25)}

    assert timing.unretimed_step(61, length=58, **rates) == pytest.approx(25 / 24)  # of 58.56


def test_strip_whose_length_tells_nothing_is_taken_to_keep_its_speed():
    rates = {"scene_fps": Fraction(24), "fps": Fraction(24000, 1001)}

    assert timing.unretimed_step(500, length=500, **rates) == pytest.approx(1000 / 1001)


def test_strip_that_keeps_its_speed_plays_in_real_time():
    strip = timing.of_content(content(step=1.25, length=96), fps=Fraction(30))

    assert_allclose(strip.scene_frames([0, 1, 2]), [10, 34, 58])


def test_strip_at_its_own_step_shows_a_picture_for_each_scene_frame():
    strip = timing.of_content(content(), fps=Fraction(30))

    assert_allclose(strip.scene_frames(np.arange(5) / 30), np.arange(10, 15))


def test_hard_trim_moves_the_first_shown_picture_to_the_start():
    strip = timing.of_content(content(trim_start=12, length=108), fps=Fraction(30))

    assert_allclose(strip.scene_frames([12 / 30]), [10])


def test_content_that_starts_late_on_the_clock_starts_where_the_strip_does():
    strip = timing.of_content(content(), fps=Fraction(24), first_s=2.5)

    assert_allclose(strip.scene_frames([2.5]), [10])


def test_reversed_strip_starts_with_the_last_picture():
    strip = timing.of_content(content(reverse=True), fps=Fraction(30))

    assert_allclose(strip.scene_frames([119 / 30, 0]), [10, 129])


def test_ntsc_movie_at_its_own_rate_does_not_drift_in_ten_minutes():
    strip = timing.of_content(content(pictures=17982, length=17982.0, start=1.0), fps=NTSC)

    assert_allclose(strip.scene_frames([17981 * 1001 / 30000]), [17982], atol=1e-6)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("step", [0.4, 1.0, 1.25, 2.5])
def test_picture_at_a_frame_is_the_one_whose_time_is_nearest(reverse, step):
    strip = content(step=step, trim_start=5, length=115 / step, reverse=reverse)
    frames = np.arange(10, 10 + 115 / step - 1)

    times = timing.of_content(strip, fps=Fraction(30)).times_s(frames)

    shown = [strip.picture_at(frame) for frame in frames]
    assert_allclose(shown, np.clip(times * 30, 5, 119), atol=0.5 + 1e-9)


@pytest.mark.parametrize(("frame", "picture"), [(-100, 5), (10, 5), (1000, 116)])
def test_ends_of_the_content_are_held(frame, picture):
    assert content(trim_start=5, trim_end=3, length=112).picture_at(frame) == picture


def test_turning_twice_changes_nothing():
    once = timing.backwards(7, 30)

    assert once.then(once).is_identity()
    assert_allclose(once([7, 36]), [36, 7])


def test_timing_through_a_map_shows_every_second_where_the_map_puts_it():
    strip = StripTiming(offset=3.5, rate=24.0)
    turned = timing.backwards(3, 100)

    times = np.linspace(0, 4, 9)
    assert_allclose(strip.through(turned).scene_frames(times), turned(strip.scene_frames(times)))


@pytest.mark.parametrize("new", [(20.0, 30.0), (20.0, 60.0), (5.5, -30.0)])
def test_shifted_keys_stay_on_their_seconds(new):
    old, new = StripTiming(10.0, 30.0), StripTiming(*new)
    times = np.linspace(0, 10, 7)

    moved = timing.shifted(old, new)

    assert_allclose(moved(old.scene_frames(times)), new.scene_frames(times))
    assert_allclose(moved.inverse(new.scene_frames(times)), old.scene_frames(times))


def test_unchanged_strip_shifts_nothing():
    strip = StripTiming(10.1, 23.976)

    assert timing.shifted(strip, strip).is_identity()
    assert not timing.shifted(strip, StripTiming(10.2, 23.976)).is_identity()


@pytest.mark.parametrize(
    ("wanted", "spans"),
    [
        ((2.0, 5.0), []),
        ((3.0, 4.0), []),
        ((1.0, 4.0), [(1.0, 2.0)]),
        ((3.0, 7.0), [(5.0, 7.0)]),
        ((0.0, 9.0), [(0.0, 2.0), (5.0, 9.0)]),
        ((7.0, 9.0), [(7.0, 9.0)]),
        ((0.0, 1.0), [(0.0, 1.0)]),
        ((2.0 - 1e-5, 5.0 + 1e-5), []),
    ],
)
def test_only_what_was_not_captured_is_uncovered(wanted, spans):
    assert timing.uncovered((2.0, 5.0), wanted) == spans


def test_nothing_is_uncovered_of_what_was_captured_whole():
    assert timing.uncovered((0.1, 5.0), (0.1, 5.0), least_s=0.0) == []


@pytest.mark.parametrize("bad", [(float("nan"), 1.0), (0.0, 0.0), (0.0, float("inf"))])
def test_timing_that_is_no_timing_is_refused(bad):
    with pytest.raises(errors.RequestError):
        StripTiming(*bad)
