import random
from dataclasses import replace

import numpy as np
import pytest
from stripmocap.contract import casting, marking
from stripmocap.contract.corrections import KINDS, Correction, Mark
from stripmocap.contract.errors import RequestError
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


def test_for_pictures_only_those_are_looked_at_of_whom_somebody_is_made():
    class Counted(tuple):
        times_gone_through = 0

        def __iter__(self):
            Counted.times_gone_through += 1
            return super().__iter__()

    people = Counted(track(each, start_s=each, stop_s=each + 2) for each in range(50))

    marking.corrected(people, (), size_px=SIZE)

    assert Counted.times_gone_through < len(people)


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


LEFT, MIDDLE, RIGHT = at(1.0, 200), at(1.0, 500), at(1.0, 800)
LATE = at(6.0, 500)
SWAP = Correction("swap", LEFT, other=MIDDLE, time_s=3.0)


def standing(*, left=(0, 10), middle=(0, 10), right=(0, 10)):
    """Three people who stand apart, each from one time to another."""
    return tuple(
        track(person, start_s=start_s, stop_s=stop_s, path=lambda _, x=x: x)
        for person, x, (start_s, stop_s) in (
            (0, 200.0, left), (1, 500.0, middle), (2, 800.0, right)
        )
    )  # fmt: skip


def places(people, corrections, span_s):
    """At which places somebody is captured at which times of a span, and who is one person."""
    told = set()
    for role in casting.roles(people, corrections, size_px=SIZE):
        line = casting.line_of(people, role)
        inside = (line.times_s >= span_s[0]) & (line.times_s < span_s[1])
        middles = line.boxes[inside, ::2].mean(axis=1)
        if role.kept and inside.any():
            told.add(tuple(zip(line.times_s[inside].tolist(), middles.tolist(), strict=True)))
    return told


@pytest.mark.parametrize(
    ("people", "corrections"),
    [
        (standing(), [Correction("ignore", LEFT), SWAP]),
        (standing(), [Correction("choose", LEFT), SWAP]),
        (standing(), [SWAP, Correction("ignore", LEFT)]),
        (
            standing(left=(0, 4), middle=(4.5, 10)),
            [Correction("choose", LEFT), Correction("merge", LEFT, other=LATE)],
        ),
        (
            standing(left=(0, 4), middle=(4.5, 10)),
            [Correction("ignore", LEFT), Correction("merge", LATE, other=LEFT)],
        ),
        (standing(left=(0, 4)), [Correction("choose", LEFT)]),
        (standing(left=(0, 4)), [replace(SWAP, time_s=7.0)]),
        (standing(middle=(0, 4)), [replace(SWAP, time_s=7.0)]),
        (
            standing(left=(0, 4)),
            [replace(SWAP, time_s=7.0), Correction("ignore", at(8.0, 500))],
        ),
        (standing(left=(0, 4.98)), [Correction("ignore", at(5.0, 200))]),
        (
            standing(left=(0, 3), middle=(6, 10)),
            [
                Correction("merge", at(2.0, 200), other=at(7.0, 500)),
                Correction("ignore", at(5.5, 450)),
            ],
        ),
    ],
)
def test_a_part_of_the_clip_makes_bodies_of_whom_the_whole_clip_does(people, corrections):
    span_s = (4.95, 8.95)

    moved = marking.within(people, corrections, size_px=SIZE, span_s=span_s)

    expected = places(people, corrections, span_s)
    assert places(cut(people, span_s), moved, span_s) == expected


@pytest.mark.parametrize("seed", range(100))
def test_whatever_is_corrected_a_part_of_the_clip_makes_the_same_bodies(seed):
    rng = random.Random(seed)
    people = standing(**{
        name: sorted(rng.sample(range(11), 2)) for name in ("left", "middle", "right")
    })  # fmt: skip
    corrections = drawn(people, rng, count=4)
    start_s, stop_s = sorted(rng.sample(range(11), 2))
    span_s = (start_s - 0.05, stop_s - 0.05)

    moved = marking.within(people, corrections, size_px=SIZE, span_s=span_s)

    part = cut(people, span_s)
    captured = places(part, moved, span_s) if part else set()
    assert captured == places(people, corrections, span_s)


def drawn(people, rng, *, count):
    """Corrections that can be made, drawn by chance."""
    made = []
    while len(made) < count:
        kind = rng.choice(list(KINDS))
        takes = {"other": mark_in(people, rng), "time_s": rng.uniform(1, 9)}
        each = Correction(kind, mark_in(people, rng), **{name: takes[name] for name in KINDS[kind]})
        try:
            casting.roles(people, [*made, each], size_px=SIZE)
        except RequestError:
            continue
        made.append(each)
    return made


def mark_in(people, rng):
    someone = rng.choice(people)
    return at(float(rng.choice(someone.times_s)), float(someone.boxes[0, ::2].mean()))
