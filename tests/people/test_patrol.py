from __future__ import annotations

import numpy as np
import pytest
from stripmocap.people.patrol import WINDOWS_PER_FRAME, Patrol, Window, windows
from stripmocap.people.regions import Region

SIZES = [(1920, 1080), (1080, 1920), (640, 640), (7680, 4320), (320, 240), (1, 1), (4000, 100)]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_windows_lie_inside_the_picture_and_cover_it(width, height):
    found = windows(width, height)

    assert found[0] == Window(0, 0, width, height)
    for window in found:
        assert 0 <= window.left < window.right <= width
        assert 0 <= window.top < window.bottom <= height


def test_a_wide_picture_is_searched_in_squares():
    squares = windows(1920, 1080)[1:]

    assert all(right - left == bottom - top for left, top, right, bottom in squares)
    seen = np.zeros((1080, 1920), dtype=bool)
    for left, top, right, bottom in squares:
        seen[top:bottom, left:right] = True
    assert seen.all()


def test_the_first_frame_is_searched_everywhere():
    patrol = Patrol(1920, 1080)

    assert list(patrol.due(3.0)) == windows(1920, 1080)


def test_every_window_has_its_turn_in_a_second():
    patrol = Patrol(1920, 1080)
    list(patrol.due(0.0))

    seen = {window for frame in range(1, 31) for window in patrol.due(frame / 30)}

    assert seen == set(windows(1920, 1080))


def test_a_slow_video_is_not_searched_without_end():
    patrol = Patrol(1920, 1080)
    list(patrol.due(0.0))

    assert len(list(patrol.due(10.0))) == WINDOWS_PER_FRAME


def test_a_body_is_cut_by_a_windows_side_only_inside_the_picture():
    patrol = Patrol(1000, 500)
    window = Window(0, 0, 500, 500)

    assert patrol.cuts(window, Region((480.0, 250.0), 250.0, 0.0))
    assert not patrol.cuts(window, Region((20.0, 250.0), 250.0, 0.0))
    assert not patrol.cuts(window, Region((250.0, 480.0), 250.0, 0.0))


@pytest.mark.parametrize("center", [(50.0, 50.0), (-500.0, -500.0), (2000.0, 90.0)])
def test_the_window_around_somebody_is_never_empty(center):
    left, top, right, bottom = Patrol(100, 100).around(Region(center, 30.0, 0.0))

    assert 0 <= left < right <= 100
    assert 0 <= top < bottom <= 100
