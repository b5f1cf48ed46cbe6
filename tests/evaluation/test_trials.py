from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.contract.methods import SpinOptions
from stripmocap.evaluation import trials
from stripmocap.evaluation.trials import Missed, Trial
from toytrials import BOTH, SMPLIFY, ToyCase, scores_of, tried

pytestmark = pytest.mark.usefixtures("small_body")


def test_each_take_is_named_after_the_methods_that_it_went_through():
    found = tried(ToyCase())

    assert [each.method for each in found] == ["spin", "spin+smplify", "smplify"]
    assert [each.found.scores.pa_mpjpe_mm for each in found] == [30, 20, 30]


def test_a_take_that_two_requests_make_is_given_once():
    spin = CaptureRequest(Clip("x"), estimator="spin", options=SpinOptions())

    found = tried(ToyCase(), methods=(BOTH, spin))

    assert [each.method for each in found] == ["spin", "spin+smplify"]


def test_whoever_is_not_found_is_told_and_the_others_are_scored():
    found = tried(ToyCase(persons=("man", "woman"), lost=("woman",)), methods=(SMPLIFY,))

    assert [type(each) for each in found] == [Trial, Missed]
    assert found[0].subject == "walk man"
    assert found[1].reason == "no woman"


def test_footage_of_nobody_misses_everybody():
    found = tried(ToyCase(persons=("a", "b"), lost=("a", "b")), ToyCase("run"), methods=(SMPLIFY,))

    assert [(each.case, type(each)) for each in found] == [
        ("walk", Missed),
        ("walk", Missed),
        ("run", Trial),
    ]


def test_means_count_every_frame_the_same_and_leave_out_what_is_not_known():
    (one,) = tried(ToyCase(), methods=(SMPLIFY,))
    few, many = (
        replace(one, found=scores_of(error, frames=frames))
        for error, frames in ((10.0, 10), (40.0, 30))
    )

    mean = trials.mean_scores([few, many])

    assert mean.pa_mpjpe_mm == pytest.approx(32.5)
    assert mean.frames == 40
    assert np.isnan(mean.foot_slide_cm_s)
