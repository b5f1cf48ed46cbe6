from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from standins import person
from stripmocap.contract import casting
from stripmocap.lookout import tracks_of
from stripmocap.people.observations import PICTURE_PX, Cast, Person, Picture

SIZE = (640, 480)
TIMES_S = [0.0, 0.1, 0.2, 0.3]


def walker(number: int, *, lefts: list[float], width: float = 100) -> Person:
    """Somebody whose box begins at so many pixels, frame by frame."""
    boxes = [[left, 100, left + width, 400] for left in lefts]
    return replace(person(TIMES_S), person=number, boxes=boxes)


def cast(*people: Person) -> Cast:
    return Cast(np.array(TIMES_S), people, pictures=((),) * len(people))


def named(found: Cast) -> list[int]:
    """Whom the mark of each track names."""
    roles = casting.roles(found.people, (), size_px=SIZE)
    return [
        casting.named(found.people, roles, each.mark, size_px=SIZE).person
        for each in tracks_of(found, size_px=SIZE)
    ]


def test_marks_name_their_own_people_who_stand_apart():
    assert named(cast(walker(0, lefts=[50] * 4), walker(1, lefts=[400] * 4))) == [0, 1]


def test_marks_name_people_who_pass_each_other_where_they_are_apart():
    crossing = cast(walker(0, lefts=[300, 290, 200, 0]), walker(1, lefts=[300, 310, 400, 500]))

    assert named(crossing) == [0, 1]
    assert {each.mark.time_s for each in tracks_of(crossing, size_px=SIZE)} <= {0.2, 0.3}


@pytest.mark.parametrize("left", [-90.0, 620.0])
def test_who_is_half_out_of_the_picture_can_be_named(left):
    assert named(cast(walker(0, lefts=[left] * 4), walker(1, lefts=[300] * 4))) == [0, 1]


def test_a_track_has_what_was_followed_and_its_pictures():
    album = tuple(
        Picture(time_s, np.full((PICTURE_PX, PICTURE_PX, 3), shade, np.uint8))
        for time_s, shade in ((0.1, 10), (0.3, 20))
    )
    who = walker(7, lefts=[10, 20, 30, 40])

    (track,) = tracks_of(Cast(np.array(TIMES_S), (who,), (album,)), size_px=SIZE)

    assert (track.person, track.kept) == (7, True)
    for name in ("times_s", "boxes", "presence"):
        np.testing.assert_array_equal(getattr(track, name), getattr(who, name))
    np.testing.assert_array_equal(track.pictured_s, [0.1, 0.3])
    assert [each.max() for each in track.pictures] == [10, 20]


def test_who_was_seen_in_no_frame_is_no_track():
    nobody = replace(walker(1, lefts=[0] * 4), presence=np.zeros(4))

    tracks = tracks_of(cast(walker(0, lefts=[0] * 4), nobody), size_px=SIZE)

    assert [each.person for each in tracks] == [0]
