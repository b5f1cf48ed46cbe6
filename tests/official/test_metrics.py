"""Our errors against `procrustes.npz` and `vibe_metrics.npz`."""

import numpy as np
import pytest
from stripmocap.evaluation import metrics, published

pytestmark = pytest.mark.official


def near(got, expected, tolerance=1e-5):
    got, expected = np.asarray(got), np.asarray(expected)
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance * (1 + np.abs(expected).max()))


@pytest.fixture(scope="module")
def pairs(oracles):
    return oracles("procrustes")


@pytest.fixture(scope="module")
def vibe(oracles):
    return oracles("vibe_metrics")


@pytest.fixture(scope="module")
def rooted(vibe):
    return published.about_hips(vibe["pred"]), published.about_hips(vibe["gt"])


def test_frames_are_aligned_as_spin_aligns_them(pairs):
    everything = np.ones(pairs["S1"].shape[:2], dtype=bool)

    near(metrics.procrustes(pairs["S1"], pairs["S2"], valid=everything), pairs["S1_hat"])


def test_errors_after_alignment_are_those_of_spin(pairs):
    errors = published.pa_errors(pairs["S1"], pairs["S2"])

    near(errors, pairs["recon_error_each"])
    near(errors.mean(), pairs["recon_error_mean"])


def test_the_numbers_of_this_house_and_the_published_ones_agree_where_they_mean_the_same(pairs):
    everything = np.ones(pairs["S1"].shape[:2], dtype=bool)

    ours = metrics.pa_mpjpe_mm(pairs["S1"], pairs["S2"], valid=everything)

    near(ours, 1000 * pairs["recon_error_mean"])


def test_frames_are_aligned_as_vibe_aligns_them(vibe):
    everything = np.ones(vibe["pred"].shape[:2], dtype=bool)

    near(metrics.procrustes(vibe["pred"], vibe["gt"], valid=everything), vibe["pa_aligned"])


def test_mpjpe_and_pa_mpjpe_are_those_of_vibe(rooted, vibe):
    near(published.joint_errors(*rooted), vibe["mpjpe_pa"][0])
    near(published.pa_errors(*rooted), vibe["mpjpe_pa"][1])


def test_accelerations_are_those_of_vibe(vibe):
    near(published.accelerations(vibe["pred"]), vibe["accel_pred"])


def test_acceleration_errors_are_those_of_vibe(vibe):
    near(published.accel_errors(vibe["pred"], vibe["gt"]), vibe["accel_err"])


def test_unseen_frames_are_left_out_as_vibe_leaves_them_out(vibe):
    errors = published.accel_errors(vibe["pred"], vibe["gt"], visible=vibe["vis"])

    near(errors, vibe["accel_err_vis"])
