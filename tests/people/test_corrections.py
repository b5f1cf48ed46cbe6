"""Whatever is corrected, what was seen of people stays as it was seen."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from stripmocap.contract import casting, marking
from stripmocap.contract.corrections import Correction, Mark
from stripmocap.contract.errors import RequestError
from stripmocap.lookout import tracks_of
from stripmocap.people.corrections import corrected
from stripmocap.people.observations import Cast, Person

SIZE = (1000, 500)
FPS = 10
CLOCK_S = np.arange(60) / FPS
FIELDS = ("times_s", "boxes", "keypoints", "landmarks3d", "presence")


def person(number: int, *, frames: range, x: float, unseen: tuple[int, ...] = ()) -> Person:
    """Somebody who stands at `x` px while made-up landmarks move."""
    rng = np.random.default_rng(number)
    count = len(frames)
    here = ~np.isin(frames, unseen)
    keypoints = rng.uniform(0.1, 0.9, size=(count, 33, 3))
    keypoints[~here, :, 2] = 0
    return Person(
        person=number,
        times_s=CLOCK_S[frames],
        boxes=np.tile([x - 50, 100, x + 50, 400], (count, 1)),
        keypoints=keypoints,
        landmarks3d=rng.normal(size=(count, 33, 3)),
        presence=np.where(here, rng.uniform(0.5, 1, count), 0),
    )


@pytest.fixture
def cast() -> Cast:
    """Three people: of the middle one ten frames are guesses, the last one comes late."""
    people = (
        person(0, frames=range(0, 60), x=200),
        person(1, frames=range(0, 30), x=500, unseen=tuple(range(10, 20))),
        person(2, frames=range(40, 60), x=800),
    )
    return Cast(CLOCK_S, people, pictures=((),) * 3)


def mark(time_s: float, x: float) -> Mark:
    return Mark(time_s, x / SIZE[0], 0.5)


LEFT, MIDDLE, RIGHT = mark(1.0, 200), mark(0.5, 500), mark(5.0, 800)


def people_of(cast: Cast, *corrections: Correction) -> dict[int, Person]:
    people, _ = corrected(cast, corrections, size_px=SIZE)
    return {each.person: each for each in people}


def makeup_of(cast: Cast, *corrections: Correction) -> list:
    return corrected(cast, corrections, size_px=SIZE)[1]


def assert_same(found: Person, expected: Person) -> None:
    for name in FIELDS:
        assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)


def test_without_corrections_everybody_is_who_was_found(cast):
    people, makeup = corrected(cast, (), size_px=SIZE)

    assert all(one is other for one, other in zip(people, cast.people, strict=True))
    assert makeup == []


def test_who_is_ignored_is_left_out_and_nobody_else_changes(cast):
    people = people_of(cast, Correction("ignore", MIDDLE))

    assert list(people) == [0, 2]
    assert people[0] is cast.people[0]
    assert people[2] is cast.people[2]


def test_nobody_may_be_left(cast):
    assert people_of(cast, *(Correction("ignore", each) for each in (LEFT, MIDDLE, RIGHT))) == {}


def test_of_whom_some_are_chosen_only_they_are_left(cast):
    assert list(people_of(cast, Correction("choose", RIGHT))) == [2]


def test_a_merged_gap_is_a_straight_line_that_nobody_saw(cast):
    merged = people_of(cast, Correction("merge", MIDDLE, RIGHT))[1]

    one, other = cast.people[1], cast.people[2]
    assert_array_equal(merged.times_s, CLOCK_S)
    assert_array_equal(merged.keypoints[40:], other.keypoints)
    seen = one.presence > 0
    assert_array_equal(merged.landmarks3d[:30][seen], one.landmarks3d[seen])
    assert (merged.presence[30:40] == 0).all()
    assert (merged.keypoints[30:40, :, 2] == 0).all()
    steps = np.diff(merged.landmarks3d[29:41], axis=0)
    np.testing.assert_allclose(steps, np.broadcast_to(steps[0], steps.shape), atol=1e-5)


def test_where_merged_people_overlap_the_surer_one_counts(cast):
    merged = people_of(cast, Correction("merge", LEFT, MIDDLE))[0]

    left, middle = cast.people[:2]
    surer = middle.presence > left.presence[:30]
    assert 0 < surer.sum() < 30
    assert_array_equal(merged.keypoints[:30][surer], middle.keypoints[surer])
    assert_array_equal(merged.keypoints[:30][~surer], left.keypoints[:30][~surer])
    assert_array_equal(merged.presence[30:], left.presence[30:])


def test_a_split_divides_the_frames_at_its_time(cast):
    people = people_of(cast, Correction("split", LEFT, time_s=CLOCK_S[25]))

    before, after = people[0], people[3]
    for name in FIELDS:
        together = np.concatenate([getattr(before, name), getattr(after, name)])
        assert_array_equal(together, getattr(cast.people[0], name))
    assert after.times_s[0] == CLOCK_S[25]


def test_guesses_at_the_end_of_what_was_split_go(cast):
    people = people_of(cast, Correction("split", MIDDLE, time_s=CLOCK_S[15]))

    assert people[1].times_s[-1] == CLOCK_S[9]
    assert people[3].times_s[0] == CLOCK_S[20]


def test_from_a_swap_on_each_is_the_other(cast):
    people = people_of(cast, Correction("swap", LEFT, MIDDLE, time_s=CLOCK_S[5]))

    left, middle = cast.people[:2]
    assert_array_equal(people[0].keypoints[:5], left.keypoints[:5])
    assert_array_equal(people[0].keypoints[5:10], middle.keypoints[5:10])
    assert_array_equal(people[1].boxes[:5], middle.boxes[:5])
    assert_array_equal(people[1].boxes[5:], left.boxes[5:])
    assert people[0].times_s[-1] == CLOCK_S[29]


SWAP = Correction("swap", mark(0.5, 200), MIDDLE, time_s=0.8)


@pytest.mark.parametrize(
    "corrections",
    [
        (Correction("split", LEFT, time_s=2.0), Correction("merge", LEFT, mark(3.0, 200))),
        (Correction("split", MIDDLE, time_s=1.5), Correction("merge", MIDDLE, mark(2.5, 500))),
        (SWAP, SWAP),
    ],
)
def test_what_is_undone_leaves_no_trace(cast, corrections):
    people, makeup = corrected(cast, corrections, size_px=SIZE)

    assert all(one is other for one, other in zip(people, cast.people, strict=True))
    assert makeup == []


def test_corrections_that_come_to_the_same_are_made_up_alike(cast):
    one_way = (Correction("ignore", LEFT), Correction("ignore", RIGHT))
    another = (Correction("choose", MIDDLE),)

    assert makeup_of(cast, *one_way) == makeup_of(cast, *another) != []
    assert makeup_of(cast, *one_way) == makeup_of(cast, *reversed(one_way))
    assert makeup_of(cast, *one_way) != makeup_of(cast, one_way[0])


EACH = (
    Correction("merge", MIDDLE, RIGHT),
    Correction("split", LEFT, time_s=2.0),
    Correction("swap", mark(0.2, 200), mark(0.3, 500), time_s=0.75),
    Correction("ignore", mark(5.5, 800)),
)


@pytest.mark.parametrize("order", list(itertools.permutations(range(len(EACH)), 3)))
def test_every_frame_that_was_seen_is_somebodys_and_as_it_was(cast, order):
    people, makeup = corrected(cast, [EACH[each] for each in order], size_px=SIZE)

    roles = casting.roles(cast.people, [EACH[each] for each in order], size_px=SIZE)
    assert [each.person for each in people] == [each.person for each in roles if each.kept]
    assert len({each.person for each in people}) == len(people)
    for found in people:
        assert set(found.times_s) <= set(CLOCK_S)
        assert_array_equal(found.presence > 0, found.keypoints[:, :, 2].max(axis=1) > 0)
        for row in np.flatnonzero(found.presence > 0):
            time_s = found.times_s[row]
            sources = [
                each.keypoints[each.times_s == time_s][0]
                for each in cast.people
                if time_s in each.times_s
            ]
            assert any((found.keypoints[row] == each).all() for each in sources)
    sighted = sum((each.presence > 0).sum() for each in cast.people)
    if not any(EACH[each].kind in ("merge", "ignore") for each in order):
        assert sum((each.presence > 0).sum() for each in people) == sighted
    assert makeup


@pytest.mark.parametrize("order", list(itertools.permutations(range(len(EACH)), 3)))
def test_the_list_that_an_artist_sees_is_what_bodies_are_made_of(cast, order):
    corrections = [EACH[each] for each in order]

    listed = marking.corrected(tracks_of(cast, size_px=SIZE), corrections, size_px=SIZE)

    people = people_of(cast, *corrections)
    assert [each.person for each in listed if each.kept] == list(people)
    for track in listed:
        if track.kept:
            person = people[track.person]
            seen, sighted = track.presence > 0, person.presence > 0
            assert_array_equal(track.times_s[seen], person.times_s[sighted])
            assert_array_equal(track.boxes[seen], person.boxes[sighted])
            assert_array_equal(track.presence[seen], person.presence[sighted])


def test_a_mark_at_which_nobody_is_says_when_and_where(cast):
    with pytest.raises(RequestError) as refused:
        corrected(cast, (Correction("ignore", mark(1.0, 990)),), size_px=SIZE)

    assert "1.00 s" in refused.value.message
    assert "99%" in refused.value.message
    assert refused.value.hint


def test_a_correction_names_people_as_those_before_it_made_them(cast):
    split = Correction("split", LEFT, time_s=2.0)

    people = people_of(cast, split, Correction("ignore", mark(3.0, 200)))

    assert list(people) == [0, 1, 2]
    assert people[0].times_s[-1] < 2.0
