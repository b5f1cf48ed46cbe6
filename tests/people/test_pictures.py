from __future__ import annotations

import numpy as np
import pytest
from stripmocap.people.observations import PICTURE_PX
from stripmocap.people.pictures import MOST, Album, cut_out

BOX = np.array([20.0, 10.0, 40.0, 60.0])


def image(value: int = 100) -> np.ndarray:
    return np.full((80, 120, 3), value, dtype=np.uint8)


def shown(times_s: np.ndarray, scores: np.ndarray) -> Album:
    """An album of somebody whose pictures tell their time in their colour."""
    album = Album()
    for number, (time_s, score) in enumerate(zip(times_s, scores, strict=True)):
        album.show(float(time_s), image(number % 256), BOX, score=float(score))
    return album


@pytest.mark.parametrize("length_s", [0.03, 2.0, 7.0, 60.0, 3600.0])
def test_pictures_are_few_and_spread_over_the_time(length_s):
    times_s = np.linspace(0, length_s, 400)

    pictures = shown(times_s, np.ones(400)).pictures

    kept = np.array([each.time_s for each in pictures])
    assert 1 <= len(kept) <= MOST
    assert (np.diff(kept) > 0).all()
    gaps = np.diff([0, *kept, length_s])
    assert gaps.max() <= max(0.5, length_s / 2)
    assert len(kept) > 3 or length_s < 2


def test_the_clearest_picture_of_a_spell_is_kept():
    times_s = np.arange(240) / 30
    scores = np.full(240, 0.5)
    scores[[100, 101]] = 0.9, 0.91

    pictures = shown(times_s, scores).pictures

    assert times_s[100] in [each.time_s for each in pictures]
    assert times_s[101] not in [each.time_s for each in pictures]  # hardly better


def test_a_picture_shows_what_is_in_the_box():
    photo = image(0)
    photo[10:61, 20:41] = 200

    picture = cut_out(photo, BOX)

    assert picture is not None
    assert picture.shape == (PICTURE_PX, PICTURE_PX, 3)
    share = (picture > 100).mean()
    assert share == pytest.approx(21 * 51 / 60**2, abs=0.03)
    assert (picture[PICTURE_PX // 2, PICTURE_PX // 2] == 200).all()


@pytest.mark.parametrize(
    "box",
    [
        (-30, -20, 30, 60),
        (100, 50, 500, 90),
        (-1e6, -1e6, 1e6, 1e6),
        (119.4, 79.2, 119.6, 79.4),
        (50, 20, 50, 20),
    ],
)
def test_a_box_may_leave_the_picture(box):
    picture = cut_out(image(), np.array(box, dtype=np.float32))

    assert picture is not None
    assert (picture == 100).all()  # pixels at the border are repeated


def test_a_box_out_of_the_picture_has_none():
    assert cut_out(image(), np.array([200.0, 0, 260, 60])) is None

    album = Album()
    album.show(0.0, image(), np.array([-90.0, 0, -50, 60]), score=1.0)
    assert album.pictures == ()


def test_who_is_not_seen_at_all_has_no_picture():
    assert shown(np.arange(5.0), np.zeros(5)).pictures == ()
