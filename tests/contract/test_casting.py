from dataclasses import dataclass

import numpy as np
import pytest
from stripmocap.contract import casting
from stripmocap.contract.casting import Part
from stripmocap.contract.corrections import Correction, Mark
from stripmocap.contract.errors import RequestError

SIZE = (1000, 500)
FPS = 10


@dataclass(frozen=True)
class Found:
    person: int
    times_s: np.ndarray
    boxes: np.ndarray
    presence: np.ndarray


def found(person, *, start_s=0.0, stop_s=10.0, x=100.0, presence=0.9):
    times_s = np.arange(round(start_s * FPS), round(stop_s * FPS)) / FPS
    box = np.array([x - 50, 100, x + 50, 400], dtype=np.float32)
    frames = len(times_s)
    return Found(
        person, times_s, np.tile(box, (frames, 1)), np.full(frames, presence, dtype=np.float32)
    )


def mark(time_s, x):
    return Mark(time_s, x / SIZE[0], 0.5)


def roles(people, *corrections):
    return casting.roles(people, corrections, size_px=SIZE)


def frames_of(people, *corrections):
    """For each number, whose frame it has at each time."""
    told = {}
    for role in roles(people, *corrections):
        line = casting.line_of(people, role)
        sources = [people[each].person for each in line.found]
        told[role.person] = dict(zip(line.times_s.round(3).tolist(), sources, strict=True))
    return told


def kept(people, *corrections):
    return [each.person for each in roles(people, *corrections) if each.kept]


PAIR = (found(0, x=100), found(1, x=600))


def test_without_corrections_everybody_is_as_found():
    assert kept(PAIR) == [0, 1]
    assert set(frames_of(PAIR)[1].values()) == {1}


def test_a_split_begins_somebody_new_at_its_very_frame_and_renumbers_nobody():
    told = frames_of(PAIR, Correction("split", mark(1, 100), time_s=4.0))

    assert sorted(told) == [0, 1, 2]
    assert max(told[0]) == 3.9
    assert min(told[2]) == 4.0
    assert len(told[1]) == 100


def test_a_time_in_single_precision_still_means_its_frame():
    told = frames_of(PAIR, Correction("split", mark(1, 100), time_s=float(np.float32(4.1))))

    assert min(told[2]) == 4.1


@pytest.mark.parametrize("time_s", [-1.0, 0.0, 10.0, 99.0])
def test_a_split_with_nobody_on_one_side_changes_nothing(time_s):
    assert frames_of(PAIR, Correction("split", mark(1, 100), time_s=time_s)) == frames_of(PAIR)


def test_merging_what_was_split_gives_the_very_parts_back():
    split = [Correction("split", mark(1, 100), time_s=each) for each in (6.0, 3.0)]
    last, middle = mark(8, 100), mark(4, 100)

    again = roles(
        PAIR,
        *split,
        Correction("merge", mark(1, 100), other=last),
        Correction("merge", mark(1, 100), other=middle),
    )

    assert [each.parts for each in again] == [(Part(0),), (Part(1),)]


def test_swapping_twice_gives_the_very_parts_back():
    swap = Correction("swap", mark(1, 100), other=mark(1, 600), time_s=5.0)

    once, twice = frames_of(PAIR, swap), roles(PAIR, swap, swap)

    assert (once[0][4.9], once[0][5.0], once[1][4.9], once[1][5.0]) == (0, 1, 1, 0)
    assert [each.parts for each in twice] == [(Part(0),), (Part(1),)]


def test_a_swap_that_leaves_somebody_without_a_frame_takes_them_off_the_list():
    people = (found(0, stop_s=4, x=100), found(1, start_s=6, x=600))

    told = frames_of(people, Correction("swap", mark(1, 100), other=mark(7, 600), time_s=5.0))

    assert list(told) == [0]
    assert len(told[0]) == 80


def test_nobody_can_be_swapped_with_themselves():
    with pytest.raises(RequestError, match="themselves"):
        roles(PAIR, Correction("swap", mark(1, 100), other=mark(2, 100), time_s=5.0))


def test_a_merge_keeps_the_number_and_takes_the_surer_frame():
    people = (found(3, stop_s=6, x=100, presence=0.5), found(7, start_s=4, x=130, presence=0.8))

    told = frames_of(people, Correction("merge", mark(1, 100), other=mark(9, 130)))

    assert list(told) == [3]
    assert (told[3][3.9], told[3][4.0], told[3][9.9]) == (3, 7, 7)


def test_of_equally_sure_frames_a_merge_takes_those_of_who_keeps_the_number():
    people = (found(0, stop_s=6, x=100), found(1, start_s=4, x=130))

    told = frames_of(people, Correction("merge", mark(9, 130), other=mark(1, 100)))

    assert told[1][5.0] == 1


def test_merging_somebody_with_themselves_changes_nothing():
    merge = Correction("merge", mark(1, 100), other=mark(2, 100))

    assert frames_of(PAIR, merge) == frames_of(PAIR)


def test_who_is_split_off_after_a_merge_gets_a_number_that_nobody_had():
    told = frames_of(
        (found(0, x=100), found(1, x=600), found(2, x=900)),
        Correction("merge", mark(1, 600), other=mark(1, 900)),
        Correction("split", mark(1, 100), time_s=5.0),
    )

    assert sorted(told) == [0, 1, 3]


def test_a_guess_at_the_end_of_a_cut_part_is_left_out():
    person = found(0)
    person.presence[38:42] = 0

    told = frames_of((person,), Correction("split", mark(1, 100), time_s=4.0))

    assert max(told[0]) == 3.7
    assert min(told[1]) == 4.2


def test_once_somebody_is_chosen_nobody_else_is_kept():
    assert kept(PAIR, Correction("choose", mark(1, 600))) == [1]


def test_who_is_ignored_is_not_kept_until_chosen():
    ignore, choose = Correction("ignore", mark(1, 100)), Correction("choose", mark(1, 100))

    assert kept(PAIR, ignore) == [1]
    assert kept(PAIR, ignore, choose) == [0]
    assert kept(PAIR, choose, ignore) == [1]


def test_what_was_wished_for_holds_for_who_is_split_off_and_for_who_is_merged():
    ignore = Correction("ignore", mark(1, 100))
    split = Correction("split", mark(1, 100), time_s=5.0)
    merge = Correction("merge", mark(1, 600), other=mark(1, 100))

    assert kept(PAIR, ignore, split) == [1]
    assert kept(PAIR, Correction("choose", mark(1, 100)), merge) == [1]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("choose", "ignore", [0]),
        ("ignore", "choose", [0]),
        ("ignore", "ignore", [2]),
        ("ignore", None, [0, 2]),
        (None, "ignore", [0, 2]),
        (None, "choose", [0]),
    ],
)
@pytest.mark.parametrize("kind", ["merge", "swap"])
def test_who_two_people_make_is_kept_if_either_was(kind, one, other, expected):
    people = (found(0, stop_s=5, x=100), found(1, start_s=5, x=600), found(2, x=900))
    marks = mark(1, 100), mark(9, 600)
    wishes = [
        Correction(each, mark)
        for each, mark in zip((one, other), marks, strict=True)
        if each is not None
    ]
    time_s = 5.0 if kind == "swap" else None

    together = Correction(kind, marks[0], other=marks[1], time_s=time_s)

    assert len(roles(people, *wishes, together)) == 2
    assert kept(people, *wishes, together) == expected


def test_who_has_no_frames_left_hands_what_was_wished_for_to_who_has_them():
    people = (found(0, start_s=5, x=100), found(1, stop_s=5, x=600), found(2, x=900))
    swap = Correction("swap", mark(9, 100), other=mark(1, 600), time_s=5.0)

    assert kept(people, Correction("choose", mark(9, 100)), swap) == [1]


def test_a_mark_means_whose_box_holds_it_and_whose_middle_is_nearest():
    people = (found(0, x=100), found(1, x=140))

    assert kept(people, Correction("choose", mark(1, 115))) == [0]
    assert kept(people, Correction("choose", mark(1, 125))) == [1]


def test_a_mark_means_rather_who_is_seen_than_who_is_guessed_there():
    people = (found(0, x=100), found(1, x=140))
    people[0].presence[8:13] = 0

    assert kept(people, Correction("choose", mark(1, 100))) == [1]


def test_a_mark_means_what_the_corrections_before_it_made():
    swap = Correction("swap", mark(1, 100), other=mark(1, 600), time_s=5.0)

    assert kept(PAIR, swap, Correction("ignore", mark(8, 100))) == [0]


@pytest.mark.parametrize(("time_s", "x"), [(1.0, 300.0), (11.0, 100.0), (-1.0, 100.0)])
def test_a_mark_where_nobody_is_says_when_and_where(time_s, x):
    with pytest.raises(RequestError, match=rf"{x / 10:.0f}% .* at {time_s:.2f} s"):
        roles(PAIR, Correction("ignore", mark(time_s, x)))


@pytest.mark.parametrize("time_s", [4.9, 5.0, float(np.float32(5.1)), 5.05])
@pytest.mark.parametrize("aside", [-40, 0, 40])
def test_a_mark_next_to_a_cut_means_who_is_there_then_wherever_in_the_box(time_s, aside):
    walker = found(0)
    walker.boxes[:, ::2] += 80 * walker.times_s[:, None].astype(np.float32)
    people = (walker,)
    split = Correction("split", mark(1, 180), time_s=5.0)

    named = mark(time_s, 100 + 80 * time_s + aside)

    assert kept(people, split, Correction("choose", named)) == [int(time_s >= 5)]


def test_a_mark_in_a_gap_means_who_is_on_both_sides_of_it():
    people = (found(0, stop_s=3, x=100), found(1, start_s=6, x=200))
    merge = Correction("merge", mark(1, 100), other=mark(7, 200))

    assert kept(people, merge, Correction("ignore", mark(4.5, 150))) == []


def test_a_box_moves_straight_between_two_frames():
    person = found(0)
    person.boxes[11] += 10

    (role,) = roles((person,))

    box = casting.line_of((person,), role).box_at(1.05)
    np.testing.assert_allclose(box, person.boxes[10] + 5, atol=1e-3)
