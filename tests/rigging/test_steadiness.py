from fractions import Fraction

import pytest
from stripmocap_extension.addon.rigging import steadiness

movies = pytest.importorskip("movies")


@pytest.mark.parametrize("fps", [Fraction(24000, 1001), Fraction(25), Fraction(60)])
def test_movie_with_a_steady_rate_is_steady(tmp_path, fps):
    path = movies.write_movie(tmp_path / "a.mp4", frames=40, fps=fps)

    rhythm = steadiness.rhythm_of(path)

    assert rhythm.is_steady
    assert rhythm.mean_fps == pytest.approx(float(fps))


def test_times_rounded_to_milliseconds_are_steady(tmp_path):
    stamps = [round(number * 1000 / 30) for number in range(40)]
    path = movies.write_movie(tmp_path / "a.mp4", frames=40, stamps_ms=stamps)

    assert steadiness.rhythm_of(path).is_steady


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_movie_with_pauses_is_not_steady(tmp_path, suffix):
    stamps = [number * 33 + (200 if number > 20 else 0) for number in range(40)]
    path = movies.write_movie(tmp_path / f"a{suffix}", frames=40, stamps_ms=stamps)

    rhythm = steadiness.rhythm_of(path)
    assert not rhythm.is_steady
    assert rhythm.mean_fps == pytest.approx(39 / (39 * 0.033 + 0.2), rel=1e-3)


def test_other_formats_say_nothing(tmp_path):
    path = movies.write_movie(tmp_path / "a.mkv", frames=10)

    assert steadiness.rhythm_of(path) is None


def test_file_that_is_gone_says_nothing(tmp_path):
    assert steadiness.rhythm_of(tmp_path / "gone.mp4") is None


@pytest.mark.parametrize("share", [0.3, 0.9, 0.99])
def test_damaged_file_says_nothing_or_is_read(tmp_path, share):
    path = movies.write_movie(tmp_path / "a.mp4", frames=40)

    rhythm = steadiness.rhythm_of(movies.cut_short(path, share))

    assert rhythm is None or rhythm.is_steady


def test_random_bytes_say_nothing(tmp_path):
    (tmp_path / "a.mp4").write_bytes(bytes(range(256)) * 40)

    assert steadiness.rhythm_of(tmp_path / "a.mp4") is None
