from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from stripmocap.contract.skeleton import LIMB_JOINTS
from stripmocap.evaluation import metrics

FPS = 30.0
EVERYTHING = np.ones((6, 12), dtype=bool)


@pytest.fixture
def truth() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(6, 12, 3))


def rotation(angle: float) -> np.ndarray:
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


def test_the_truth_itself_has_no_error(truth):
    feet = np.zeros((6, 4, 3))

    scores = metrics.score(
        truth,
        truth,
        valid=EVERYTHING,
        feet=feet,
        contacts=np.ones((6, 4), dtype=bool),
        joints_world=np.zeros((6, 12, 3)),
        soles=np.zeros((6, 2, 4, 3)),
        fps=FPS,
    )

    values = (scores.pa_mpjpe_mm, scores.mpjpe_mm, scores.accel_error_m_s2)
    assert_allclose(values, 0, atol=1e-9)
    assert (scores.foot_slide_cm_s, scores.jitter, scores.frames) == (0, 0, 6)


def test_a_foot_sinks_as_deep_as_its_lowest_point():
    soles = np.zeros((3, 2, 4, 3))
    soles[0, 0, 2, 2] = -0.06
    soles[1, 1, :, 2] = 0.5
    soles[2] = np.nan

    assert metrics.penetration_mm(soles) == pytest.approx(60 / 4)
    assert math.isnan(metrics.penetration_mm(soles[2:]))


def test_a_turned_scaled_and_moved_motion_has_no_pa_mpjpe(truth):
    moved = 1.7 * truth @ rotation(0.8).T + [3, -1, 2]

    assert metrics.pa_mpjpe_mm(moved, truth, valid=EVERYTHING) == pytest.approx(0, abs=1e-9)
    assert metrics.mpjpe_mm(moved, truth, valid=EVERYTHING) > 100


def test_a_mirrored_motion_is_not_forgiven(truth):
    assert metrics.pa_mpjpe_mm(truth * [-1, 1, 1], truth, valid=EVERYTHING) > 100


def test_mpjpe_forgives_where_the_body_stands(truth):
    assert metrics.mpjpe_mm(truth + np.array([5, 6, 7]), truth, valid=EVERYTHING) == pytest.approx(
        0
    )


def test_mpjpe_of_one_moved_joint_is_its_share(truth):
    joints = truth.copy()
    joints[:, LIMB_JOINTS.index("left_wrist"), 0] += 0.12

    assert metrics.mpjpe_mm(joints, truth, valid=EVERYTHING) == pytest.approx(10)


def test_joints_that_the_truth_does_not_know_do_not_count(truth):
    valid = EVERYTHING.copy()
    valid[:, 3] = False
    joints = truth.copy()
    joints[:, 3] = np.nan

    assert metrics.mpjpe_mm(joints, truth, valid=valid) == pytest.approx(0)
    assert metrics.pa_mpjpe_mm(joints, truth, valid=valid) == pytest.approx(0, abs=1e-9)


def test_frames_without_both_hips_have_no_mpjpe(truth):
    valid = EVERYTHING.copy()
    valid[:, LIMB_JOINTS.index("left_hip")] = False

    assert math.isnan(metrics.mpjpe_mm(truth, truth, valid=valid))


def test_acceleration_error_is_in_metres_a_second_squared(truth):
    seconds = np.arange(6) / FPS
    joints = truth + (0.5 * 3.0 * seconds**2)[:, None, None] * [0, 1, 0]

    error = metrics.acceleration_error(joints, truth, valid=EVERYTHING, fps=FPS)

    assert error == pytest.approx(3)


def test_acceleration_skips_three_frames_with_a_gap(truth):
    valid = EVERYTHING.copy()
    valid[2] = False
    joints = truth.copy()
    joints[2] = np.nan

    error = metrics.acceleration_error(joints, truth, valid=valid, fps=FPS)

    assert error == pytest.approx(0)


def test_jitter_of_steady_acceleration_is_nothing_and_of_a_cubic_its_jerk():
    seconds = np.arange(10) / FPS
    squared = np.zeros((10, 12, 3)) + (seconds**2)[:, None, None]
    cubed = np.zeros((10, 12, 3))
    cubed[..., 0] = (seconds**3)[:, None]

    assert metrics.jitter(squared, fps=FPS) == pytest.approx(0, abs=1e-6)
    assert metrics.jitter(cubed, fps=FPS) == pytest.approx(6)


def standing_feet(frames: int = 30) -> np.ndarray:
    """Left foot stands; right foot flies at 2 m/s, 0.3 m up, after the first third."""
    feet = np.zeros((frames, 4, 3))
    feet[:, :2, 2] = 0.08
    flight = slice(frames // 3, None)
    feet[flight, 1::2, 2] += 0.3
    feet[flight, 1::2, 0] = (np.arange(frames - frames // 3) * 2 / FPS)[:, None]
    return feet


def test_a_standing_foot_is_planted_and_a_flying_one_is_not():
    contacts = metrics.planted(standing_feet(), fps=FPS)

    assert contacts[:, [0, 2]].all()
    assert not contacts[10:, [1, 3]].any()
    assert contacts[:8, [1, 3]].all()


def test_an_unknown_foot_is_never_planted():
    feet = standing_feet()
    feet[:, 0] = np.nan

    assert not metrics.planted(feet, fps=FPS)[:, 0].any()


def test_foot_slide_is_the_horizontal_speed_while_the_truth_stands():
    contacts = metrics.planted(standing_feet(), fps=FPS)
    captured = standing_feet()
    captured[:, [0, 2], 1] += (np.arange(30) * 0.05 / FPS)[:, None]  # 5 cm/s
    captured[:, [0, 2], 2] += 0.5  # hovering saves nobody

    slide = metrics.foot_slide_cm_s(captured[:, [0, 2]], contacts=contacts[:, [0, 2]], fps=FPS)

    assert slide == pytest.approx(5)


def test_numbers_that_no_frame_gives_are_null_in_json():
    scores = metrics.Scores(1.0, math.nan, math.nan, math.nan, math.nan, 1)

    assert scores.to_json()["mpjpe_mm"] is None
    assert scores.to_json()["pa_mpjpe_mm"] == 1.0


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_very_short_motions_have_scores(truth, frames):
    scores = metrics.score(
        truth[:frames],
        truth[:frames],
        valid=EVERYTHING[:frames],
        feet=np.zeros((frames, 4, 3)),
        contacts=metrics.planted(np.zeros((frames, 4, 3)), fps=FPS),
        joints_world=truth[:frames],
        soles=np.zeros((frames, 2, 4, 3)),
        fps=FPS,
    )

    assert scores.frames == frames
    assert scores.pa_mpjpe_mm == pytest.approx(0, abs=1e-9)
    assert math.isnan(scores.jitter)
