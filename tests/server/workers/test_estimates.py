"""Shares that never fall, and times left that turn out true."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from stripmocap import pipeline
from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.contract.methods import METHODS
from stripmocap.server.workers import estimates
from stripmocap.server.workers.estimates import Estimate

PLAN = ("people", "fit")


class Clock:
    """A clock that goes on only when it is told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def played(rates, job, *, share=0.0):
    """The progress at each report of a job, with the true time of each.

    Args:
        rates: seconds a step that are known.
        job: stages as (name, steps, seconds a step, steps between reports).
        share: of earlier attempts.
    """
    clock = Clock()
    estimate = Estimate(rates, plan=PLAN, share=share, clock=clock)
    found = []
    for stage, steps, seconds, every in job:
        for step in range(0, steps, every):
            found.append((clock.now_s - 1000.0, estimate.report(stage, step, steps)))
            clock.now_s += seconds * min(every, steps - step)
    return found, clock.now_s - 1000.0, estimate


def wildest_error(found, total_s, *, after=0.2):
    """The worst relative error of the time left, from the share `after` of the time on."""
    return max(
        abs(progress.left_s - (total_s - at_s)) / (total_s - at_s)
        for at_s, progress in found
        if after * total_s <= at_s <= 0.98 * total_s
    )


@pytest.mark.parametrize(
    ("key", "weights"),
    [(key, kind) for key in ("spin", "vibe") for kind in METHODS[key].weights],
)
def test_every_stage_of_a_plan_is_the_pipelines_has_a_rate_and_comes_in_order(key, weights):
    request = CaptureRequest(Clip("a.mp4"), estimator=key, refiners=("smplify",), weights=weights)

    assert tuple(each for each in pipeline.STAGES if each in request.stages) == request.stages
    assert set(request.stages) <= set(estimates.USUAL_RATES)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_reported_the_share_never_falls_and_the_time_left_is_none_or_a_time(seed):
    rng = np.random.default_rng(seed)
    clock = Clock()
    estimate = Estimate({"fit": 0.001} if seed % 2 else {}, plan=PLAN, share=seed / 50, clock=clock)
    shares = [estimate.now().share]

    for _ in range(200):
        clock.now_s += rng.choice([0.0, 0.01, 1.0, 500.0])
        stage = str(rng.choice(["check", "load", "people", "fit", "unheard of"]))
        progress = estimate.report(stage, int(rng.integers(-5, 50)), int(rng.integers(-5, 50)))
        clock.now_s += rng.choice([0.0, 0.2])
        for each in (progress, estimate.now()):
            shares.append(each.share)
            assert each.left_s is None or (math.isfinite(each.left_s) and each.left_s >= 0)

    assert all(0 <= each < 1 for each in shares)
    assert shares == sorted(shares)
    assert shares[0] == seed / 50


@pytest.mark.parametrize("every", [1, 5, 60])
def test_with_known_rates_the_time_left_is_true_from_the_first_fifth_on(every):
    rates = {"people": 0.1, "fit": 0.03}

    found, total_s, _ = played(rates, [("people", 600, 0.1, every), ("fit", 600, 0.03, every)])

    assert wildest_error(found, total_s) < 0.3


@pytest.mark.parametrize("factor", [0.3, 3.0])
def test_on_a_machine_of_another_speed_the_current_stage_tells(factor):
    found, total_s, _ = played({}, [("fit", 10_000, 0.015 * factor, 20)])

    assert wildest_error(found, total_s) < 0.3


@pytest.mark.parametrize("factor", [0.4, 4.0])
def test_on_a_machine_of_another_speed_later_stages_are_judged_by_the_first(factor):
    job = [("people", 1000, 0.045 * factor, 4), ("fit", 1000, 0.015 * factor, 4)]

    found, total_s, _ = played({}, job)

    assert wildest_error(found, total_s) < 0.3


def test_a_fit_that_moves_only_twice_goes_by_the_known_rate():
    clock = Clock()
    estimate = Estimate({"fit": 0.05}, plan=PLAN, clock=clock)
    errors = []

    for tick in range(300):
        left_s = estimate.report("fit", 150 if tick >= 150 else 0, 300).left_s
        errors.append(abs(left_s - (300 - tick) * 0.05))
        clock.now_s += 0.05

    assert max(errors) < 0.3 * 15


def test_a_slow_start_is_forgotten():
    job = [("fit", 1, 20.0, 1), ("people", 1, 8.0, 1), ("people", 1000, 0.05, 4)]

    found, _, _ = played({"people": 0.05, "fit": 0.01}, job)

    at_s, progress = next(each for each in found if each[1].done >= 700)
    assert at_s > 28
    assert progress.left_s == pytest.approx(300 * 0.05, rel=0.3)


def test_a_quick_start_over_what_was_kept_is_forgotten():
    clock = Clock()
    estimate = Estimate({"people": 0.1, "fit": 0.01}, plan=PLAN, clock=clock)

    for step in range(801):
        progress = estimate.report("people", step, 1000)
        clock.now_s += 0.002 if step < 500 else 0.1

    assert progress.left_s == pytest.approx(200 * 0.1 + 1000 * 0.01, rel=0.1)


def test_a_stage_that_was_kept_takes_no_share():
    clock = Clock()
    estimate = Estimate({"people": 0.1, "fit": 0.1}, plan=PLAN, clock=clock)
    estimate.report("people", 0, 100)
    estimate.report("people", 100, 100)

    began = estimate.report("fit", 0, 100)
    for step in range(51):
        progress = estimate.report("fit", step, 100)
        clock.now_s += 0.1

    assert began.share == 0
    assert progress.share == pytest.approx(0.5, abs=0.02)


def test_a_later_attempt_begins_where_the_one_before_ended_and_moves_at_once():
    found, _, _ = played({"people": 0.1, "fit": 0.1}, [("people", 50, 0.1, 1)], share=0.6)

    shares = [progress.share for _, progress in found]
    assert shares[0] == 0.6
    assert all(after > before for before, after in pairwise(shares))


def test_the_time_left_falls_while_nothing_is_said_and_is_never_nothing():
    clock = Clock()
    estimate = Estimate({"people": 1.0, "fit": 1.0}, plan=PLAN, clock=clock)
    estimate.report("fit", 0, 100)

    lefts = []
    for _ in range(4):
        lefts.append(estimate.now().left_s)
        clock.now_s += 20

    assert lefts[:3] == pytest.approx([100, 80, 60])
    clock.now_s += 1e6
    assert estimate.now().left_s > 0


def test_before_the_first_frame_nobody_knows_how_long_it_takes():
    estimate = Estimate({}, plan=PLAN)

    assert estimate.now().left_s is None
    assert estimate.report("check", 10, 100).left_s is None
    assert estimate.report("people", 0, 0).left_s is None


def test_the_rates_of_stages_that_were_long_enough_are_told():
    job = [("load", 1, 0.5, 1), ("people", 100, 0.08, 1), ("fit", 10, 0.01, 1)]

    _, _, estimate = played({}, job)

    assert estimate.finish() == pytest.approx({"people": 0.08}, rel=0.05)


def test_a_rate_is_that_of_the_steps_once_they_have_found_their_pace():
    clock = Clock()
    estimate = Estimate({}, plan=PLAN, clock=clock)

    for step in range(401):
        estimate.report("people", step, 400)
        clock.now_s += 0.001 if step < 200 else 0.05

    assert estimate.finish() == pytest.approx({"people": 0.05})


def test_a_jump_of_the_time_of_day_changes_nothing(monkeypatch):
    estimate = Estimate({"fit": 1.0}, plan=PLAN)
    before = estimate.report("fit", 0, 1000)

    monkeypatch.setattr("time.time", lambda: 0.0)
    after = estimate.report("fit", 1, 1000)

    assert after.left_s == pytest.approx(before.left_s, abs=60)


def test_what_a_plan_leaves_out_takes_no_time():
    estimate = Estimate({"people": 0.1, "frame": 0.001, "fit": 9.0}, plan=("people", "frame"))

    assert estimate.report("people", 0, 100).left_s == pytest.approx(10.1, rel=0.05)
