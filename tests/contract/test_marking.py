import numpy as np
import pytest
from stripmocap.contract import casting, marking
from stripmocap.contract.corrections import Correction, Mark
from stripmocap.contract.tracks import PersonTrack

SIZE = (1000, 500)
FPS = 10


def track(person, *, start_s=0.0, stop_s=10.0, path=lambda _: 100.0, pictured_s=()):
    """Somebody whose middle is at `path(t)` pixels from the left."""
    times_s = np.arange(round(start_s * FPS), round(stop_s * FPS)) / FPS
    middles = np.array([path(each) for each in times_s])
    high = np.full(len(times_s), 100.0)
    boxes = np.stack([middles - 50, high, middles + 50, high + 300], axis=1)
    return PersonTrack(
        person,
        times_s,
        boxes,
        np.full(len(times_s), 0.9),
        mark=Mark(start_s, 0.5, 0.5),
        pictured_s=np.array(pictured_s, dtype=np.float64),
        pictures=np.full((len(pictured_s), 2, 2, 3), 10 * person + 1),
    )


def crossing():
    """Two people who walk past each other, nearest at five seconds."""
    return (
        track(0, path=lambda t: 100 + 80 * t, pictured_s=(1.0, 8.0)),
        track(1, path=lambda t: 900 - 80 * t, pictured_s=(2.0, 7.0)),
    )


def at(time_s, x):
    return Mark(time_s, x / SIZE[0], 0.5)


def swap_at(time_s):
    return Correction("swap", at(1.0, 180), other=at(1.0, 820), time_s=time_s)


def signature(people, corrections, span_s):
    """Which stretches of whom are captured together in a span, and whether at all."""
    told = set()
    for role in casting.roles(people, corrections, size_px=SIZE):
        line = casting.line_of(people, role)
        inside = (line.times_s >= span_s[0]) & (line.times_s < span_s[1])
        frames = zip(line.times_s[inside].round(3).tolist(), line.found[inside], strict=True)
        told.add((role.kept, tuple((time_s, people[each].person) for time_s, each in frames)))
    return {each for each in told if each[1]}


def cut(people, span_s):
    """The same people as they are found in a part of the clip, under other numbers."""
    made = []
    for number, each in enumerate(reversed(people)):
        inside = (each.times_s >= span_s[0]) & (each.times_s < span_s[1])
        if inside.any():
            made.append(
                PersonTrack(
                    number, each.times_s[inside], each.boxes[inside], each.presence[inside],
                    mark=each.mark, pictured_s=np.zeros(0), pictures=np.zeros((0, 1, 1, 3)),
                )
            )  # fmt: skip
    return tuple(made)


def test_a_mark_of_somebody_names_them_and_lies_clear_of_others():
    people = crossing()
    cast = casting.roles(people, (), size_px=SIZE)

    for person in (0, 1):
        mark = marking.mark_of(people, cast, person, size_px=SIZE)
        assert mark is not None
        assert casting.named(people, cast, mark, size_px=SIZE).person == person
        assert abs(mark.time_s - 5) > 0.6


def test_a_mark_within_a_span_lies_in_it_and_there_is_none_where_nobody_sees_them():
    people = (track(0, stop_s=4), track(1, path=lambda _: 600))
    cast = casting.roles(people, (), size_px=SIZE)

    mark = marking.mark_of(people, cast, 1, size_px=SIZE, span_s=(6, 7))

    assert mark is not None
    assert 6 <= mark.time_s < 7
    assert marking.mark_of(people, cast, 0, size_px=SIZE, span_s=(6, 7)) is None


def test_corrected_people_have_the_pictures_and_marks_of_their_own_parts():
    people = crossing()

    first, second = marking.corrected(people, [swap_at(5.0)], size_px=SIZE)

    assert first.pictured_s.tolist() == [1.0, 7.0]
    assert first.pictures[:, 0, 0, 0].tolist() == [1, 11]
    assert second.pictured_s.tolist() == [2.0, 8.0]
    cast = casting.roles(people, [swap_at(5.0)], size_px=SIZE)
    for each in (first, second):
        assert casting.named(people, cast, each.mark, size_px=SIZE).person == each.person


def test_who_is_split_off_may_have_no_picture():
    people = (track(0, pictured_s=(1.0,)),)

    _, behind = marking.corrected(
        people, [Correction("split", at(1, 100), time_s=5.0)], size_px=SIZE
    )

    assert len(behind.pictures) == 0
    assert behind.picture.shape == (1, 1, 3)


def test_who_is_ignored_stays_on_the_list_and_is_not_kept():
    listed = marking.corrected(crossing(), [Correction("ignore", at(1.0, 180))], size_px=SIZE)

    assert [(each.person, each.kept) for each in listed] == [(0, False), (1, True)]


@pytest.mark.parametrize("span_s", [(0, 4), (3, 7), (6, 10), (0, 10), (-5, 20)])
@pytest.mark.parametrize(
    "corrections",
    [
        [swap_at(5.0)],
        [swap_at(5.0), Correction("ignore", at(9.0, 820))],
        [Correction("split", at(1.0, 180), time_s=6.5), Correction("ignore", at(9.0, 820))],
        [Correction("split", at(1.0, 180), time_s=2.0), Correction("choose", at(1.0, 180))],
        [
            Correction("split", at(1.0, 180), time_s=3.5),
            Correction("merge", at(9.0, 180), other=at(1.0, 180)),
        ],
        [swap_at(3.5), swap_at(6.5)],
    ],
)
def test_corrections_make_the_same_people_of_a_part_of_the_clip(corrections, span_s):
    people = crossing()
    part = cut(people, span_s)
    renamed = {each.person: number for number, each in enumerate(reversed(people))}

    moved = marking.within(people, corrections, size_px=SIZE, span_s=span_s)

    expected = {
        (kept, tuple((time_s, renamed[person]) for time_s, person in frames))
        for kept, frames in signature(people, corrections, span_s)
    }
    assert signature(part, moved, span_s) == expected


def test_a_mark_that_lies_in_the_part_stays_where_it_is():
    corrections = (swap_at(5.0),)

    assert marking.within(crossing(), corrections, size_px=SIZE, span_s=(0, 10)) == corrections
