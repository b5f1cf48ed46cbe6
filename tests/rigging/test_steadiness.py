from fractions import Fraction

import pytest
from stripmocap_extension.addon.rigging import steadiness

movies = pytest.importorskip("movies")


@pytest.mark.parametrize("fps", [Fraction(24000, 1001), Fraction(25), Fraction(60)])
def test_movie_with_a_steady_rate_is_steady(tmp_path, fps):
    path = movies.write_movie(tmp_path / "a.mp4", frames=40, fps=fps)

    assert steadiness.is_steady(path) is True


def test_times_rounded_to_milliseconds_are_steady(tmp_path):
    stamps = [round(number * 1000 / 30) for number in range(40)]
    path = movies.write_movie(tmp_path / "a.mp4", frames=40, stamps_ms=stamps)

    assert steadiness.is_steady(path) is True


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_movie_with_pauses_is_not_steady(tmp_path, suffix):
    stamps = [number * 33 + (200 if number > 20 else 0) for number in range(40)]
    path = movies.write_movie(tmp_path / f"a{suffix}", frames=40, stamps_ms=stamps)

    assert steadiness.is_steady(path) is False


def test_other_formats_say_nothing(tmp_path):
    path = movies.write_movie(tmp_path / "a.mkv", frames=10)

    assert steadiness.is_steady(path) is None


def test_file_that_is_gone_says_nothing(tmp_path):
    assert steadiness.is_steady(tmp_path / "gone.mp4") is None


@pytest.mark.parametrize("share", [0.3, 0.9, 0.99])
def test_damaged_file_says_nothing_or_is_read(tmp_path, share):
    path = movies.write_movie(tmp_path / "a.mp4", frames=40)

    assert steadiness.is_steady(movies.cut_short(path, share)) in {None, True}


def test_random_bytes_say_nothing(tmp_path):
    (tmp_path / "a.mp4").write_bytes(bytes(range(256)) * 40)

    assert steadiness.is_steady(tmp_path / "a.mp4") is None
