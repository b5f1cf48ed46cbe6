from __future__ import annotations

import pytest
from stripmocap.methods.smplify.pace import Pace, Part, Sparingly

SIZES = {
    Part.APART: 30,
    Part.SHAPE: 20,
    Part.APART_AGAIN: 30,
    Part.CHAINED: 100,
    Part.PLANTED: 100,
}


@pytest.fixture
def said() -> list[tuple[str, int, int]]:
    return []


@pytest.fixture
def pace(said) -> Pace:
    return Pace(lambda *now: said.append(now), frames=1000, parts=SIZES)


def test_every_part_moves_the_fit_on(pace, said):
    for part in SIZES:
        for done in (0, SIZES[part] / 2, SIZES[part]):
            pace(part, done)

    shares = [done for _, done, _ in said]
    assert shares == sorted(shares)
    assert len(set(shares)) == 11  # the end of a part is the beginning of the next
    assert (shares[0], shares[-1]) == (0, 1000)


def test_a_part_that_is_left_out_costs_nothing(pace, said):
    pace(Part.APART, SIZES[Part.APART])
    pace(Part.SHAPE, 0)

    assert said[0] == said[1]


def test_what_takes_longer_counts_more(pace, said):
    pace(Part.CHAINED, 0)
    pace(Part.PLANTED, 0)
    pace.finish()

    before, chained, end = (done for _, done, _ in said)
    assert before < chained - before  # keyframes are fewer, and quicker
    assert end - chained < chained - before  # the second pass begins near its end


def test_a_window_that_overlaps_the_last_one_does_not_go_back(pace, said):
    pace(Part.CHAINED, 50)
    pace(Part.CHAINED, 40)

    assert said[0] == said[1]


def test_steps_fill_the_span_that_they_were_given(pace, said):
    step = pace.steps(Part.CHAINED, begin=50, stop=100, most=4)
    for _ in range(4):
        step()
    pace(Part.CHAINED, 50)
    pace(Part.CHAINED, 100)

    first, *_, last, _, whole = (done for _, done, _ in said)
    assert first < last < whole


def test_a_part_without_frames_is_no_division_by_zero(said):
    pace = Pace(lambda *now: said.append(now), frames=0, parts=dict.fromkeys(Part, 0))

    pace(Part.PLANTED, 0)
    pace.finish()

    assert said == [("fit", 0, 0)] * 2


def test_what_is_dear_is_done_seldom_and_what_is_cheap_each_time():
    now, done = [0.0], []
    sparingly = Sparingly(0.1, clock=lambda: now[0])

    def act(seconds: float) -> None:
        done.append(now[0])
        now[0] += seconds

    for _ in range(100):
        sparingly(lambda: act(1.0))
        now[0] += 1.0
    assert len(done) == pytest.approx(10, abs=1)

    now[0] += 100
    done.clear()
    for _ in range(100):
        sparingly(lambda: act(0.0))
        now[0] += 1.0
    assert len(done) == 100
