from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from stripmocap.evaluation import published
from stripmocap.evaluation.published import Compared, published_scores


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def test_the_truth_itself_has_no_error(rng):
    joints = rng.normal(size=(7, 17, 3))

    scores = published_scores(
        [Compared(joints, joints, np.zeros(7))], root="pelvis", borders="kept"
    )

    values = (scores.pa_mpjpe_mm, scores.mpjpe_mm, scores.pve_mm, scores.accel_error_mm)
    assert_allclose(values, 0, atol=1e-9)
    assert scores.frames == 7
    assert scores.accel_mm > 0


@pytest.mark.parametrize("root", ["pelvis", "hips"])
def test_where_the_body_stands_is_forgiven(rng, root):
    joints = rng.normal(size=(7, 17, 3))

    moved = Compared(joints + rng.normal(size=(7, 1, 3)), joints)

    assert published_scores([moved], root=root, borders="kept").mpjpe_mm == pytest.approx(0)


def test_the_two_roots_give_other_numbers_where_the_pelvis_is_off(rng):
    truth = rng.normal(size=(5, 17, 3))
    joints = truth.copy()
    joints[:, 0, 0] += 0.05  # only SPIN looks at this joint, and it is not scored itself

    by_root = {
        root: published_scores([Compared(joints, truth)], root=root, borders="kept").mpjpe_mm
        for root in ("pelvis", "hips")
    }

    assert by_root["pelvis"] == pytest.approx(50)
    assert by_root["hips"] == pytest.approx(0, abs=1e-9)


def test_second_differences_cross_borders_only_where_asked():
    still = np.zeros((4, 17, 3))
    elsewhere = still.copy()
    elsewhere[:, 1:, 0] = 1.0  # all but the root jump where the sequences meet
    sequences = [Compared(still, still), Compared(elsewhere, still)]

    kept = published_scores(sequences, root="pelvis", borders="kept")
    crossed = published_scores(sequences, root="pelvis", borders="crossed")

    assert kept.accel_error_mm == 0
    assert crossed.accel_error_mm == pytest.approx(1000 * 2 / 6)


def test_every_frame_counts_the_same_however_long_its_sequence(rng):
    truth = rng.normal(size=(9, 17, 3))
    joints = truth.copy()
    joints[0, 1:] += np.array([0.09, 0, 0])
    whole = [Compared(joints, truth)]
    parts = [Compared(joints[:1], truth[:1]), Compared(joints[1:], truth[1:])]

    one, two = (published_scores(each, root="pelvis", borders="kept") for each in (whole, parts))

    assert one.mpjpe_mm == pytest.approx(10)
    assert two.mpjpe_mm == pytest.approx(10)


def test_without_meshes_there_is_no_vertex_error_and_json_says_null(rng):
    joints = rng.normal(size=(2, 17, 3))

    scores = published_scores([Compared(joints, joints)], root="hips", borders="kept")

    assert math.isnan(scores.pve_mm)
    assert scores.to_json()["pve_mm"] is None
    assert scores.to_json()["accel_mm"] is None


def test_vertex_errors_are_not_aligned():
    truth = np.zeros((3, 6, 3))

    errors = published.vertex_errors_mm(truth + np.array([0, 0, 0.02]), truth)

    assert_allclose(errors, 20)


def test_names_and_rows_of_the_scored_joints_belong_together():
    assert len(published.LSP14_NAMES) == len(set(published.LSP14_OF_H36M)) == 14
    assert published.LSP14_NAMES[2:4] == ("right_hip", "left_hip")
