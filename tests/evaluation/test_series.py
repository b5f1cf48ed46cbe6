from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from stripmocap.contract.skeleton import LIMB_JOINTS
from stripmocap.evaluation import metrics
from stripmocap.evaluation.series import series_of

TIMES = np.arange(6) / 30
EVERYTHING = np.ones((6, 12), dtype=bool)


@pytest.fixture
def truth() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(6, 12, 3))


def test_means_over_frames_are_the_scores(truth):
    joints = truth + np.random.default_rng(2).normal(scale=0.05, size=truth.shape)

    found = series_of(joints, truth, valid=EVERYTHING, times_s=TIMES, fps=30)

    assert found.pa_mm.mean() == pytest.approx(metrics.pa_mpjpe_mm(joints, truth, valid=EVERYTHING))
    assert found.mpjpe_mm.mean() == pytest.approx(metrics.mpjpe_mm(joints, truth, valid=EVERYTHING))
    assert found.limbs_pa_mm.mean() == pytest.approx(found.pa_mm.mean())


def test_accelerations_are_those_of_the_scores_and_unknown_at_the_ends(truth):
    joints = truth + np.random.default_rng(2).normal(scale=0.05, size=truth.shape)

    found = series_of(joints, truth, valid=EVERYTHING, times_s=TIMES, fps=30).accel_m_s2

    expected = metrics.acceleration_error(joints, truth, valid=EVERYTHING, fps=30)
    assert found[1:-1].mean() == pytest.approx(expected)
    assert np.isnan(found[[0, -1]]).all()


def test_the_joint_that_is_off_is_the_one_that_shows(truth):
    joints = truth.copy()
    joints[:, LIMB_JOINTS.index("left_wrist")] += 0.1

    found = series_of(joints, truth, valid=EVERYTHING, times_s=TIMES, fps=30)

    assert LIMB_JOINTS[int(found.limbs_pa_mm.argmax())] == "left_wrist"


def test_frames_that_were_not_captured_have_no_error(truth):
    joints = truth.copy()
    joints[2] = np.nan

    found = series_of(joints, truth, valid=EVERYTHING, times_s=TIMES, fps=30)

    assert_allclose(found.pa_mm, [0, 0, np.nan, 0, 0, 0], atol=1e-9)
    assert_allclose(found.mpjpe_mm, [0, 0, np.nan, 0, 0, 0], atol=1e-9)


def test_the_worst_and_the_median_frame_are_found(truth):
    joints = truth.copy()
    joints[:, 3] += np.array([0.0, 0.3, 0.1, 0.2, np.nan, 0.4])[:, None] * [1, 0, 0]

    found = series_of(joints, truth, valid=EVERYTHING, times_s=TIMES, fps=30)

    assert found.frame_at(0.0) == 0
    assert found.frame_at(1.0) == int(np.nanargmax(found.pa_mm))
    assert (found.pa_mm <= found.pa_mm[found.frame_at(0.5)]).sum() == 3


def test_without_any_frame_there_is_no_worst_one(truth):
    found = series_of(truth, truth, valid=~EVERYTHING, times_s=TIMES, fps=30)

    assert found.frame_at(1.0) is None
    assert np.isnan(found.limbs_pa_mm).all()
