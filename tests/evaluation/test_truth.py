from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from stripmocap.contract import npz_file
from stripmocap.contract.errors import TruthFileError
from stripmocap.contract.skeleton import LIMB_JOINTS
from stripmocap.evaluation import truth

NAMES = ["RHip", "RKnee", "RAnkle", "RBigToe", "LHip", "LKnee", "LAnkle", "LBigToe"]
NAMES += ["RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist"]


def truth_arrays(persons: int = 1) -> dict[str, np.ndarray]:
    joints = np.random.default_rng(0).uniform(-1, 1, size=(persons, 5, len(NAMES), 3))
    valid = np.ones(joints.shape[:3], dtype=bool)
    joints[0, 2, NAMES.index("LWrist")] = np.nan
    valid[0, 1, NAMES.index("LHip")] = False
    return {
        "joints3d": joints.astype(np.float32),
        "valid": valid,
        "joint_names": np.array(NAMES),
        "person_names": np.array(["man", "woman"][:persons]),
        "camera_names": np.array(["front", "side"]),
        "fps": np.array(25.0),
        "K": np.tile([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]], (2, 1, 1)),
        "dist": np.zeros((2, 4)),
        # looks along the world's +y from 4 m behind the origin
        "R": np.tile([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]], (2, 1, 1)),
        "t": np.array([[0.0, 0, 4], [0, 0, 8]]),
    }


def write(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    npz_file.write(path, arrays, error=TruthFileError)
    return path


def test_joints_are_found_by_name_in_camera_axes(tmp_path):
    arrays = truth_arrays()
    path = write(tmp_path / "gt.npz", arrays)

    found = truth.load(path, camera="side", person="man")

    wrist = arrays["joints3d"][0, :, NAMES.index("RWrist")].astype(float)
    expected = np.stack([wrist[:, 0], -wrist[:, 2], wrist[:, 1] + 8], axis=-1)
    assert_allclose(found.limbs_camera[:, LIMB_JOINTS.index("right_wrist")], expected, atol=1e-6)
    assert_allclose(found.times_s, [0, 0.04, 0.08, 0.12, 0.16])


def test_joints_that_are_nan_or_not_valid_are_marked(tmp_path):
    found = truth.load(write(tmp_path / "gt.npz", truth_arrays()), camera="front", person="man")

    expected = np.ones((5, 12), dtype=bool)
    expected[2, LIMB_JOINTS.index("left_wrist")] = False
    expected[1, LIMB_JOINTS.index("left_hip")] = False
    assert (found.valid == expected).all()
    assert np.isnan(found.limbs_px()[2, LIMB_JOINTS.index("left_wrist")]).all()
    assert np.isfinite(found.limbs_camera).all()


def test_each_person_may_have_their_own_cameras(tmp_path):
    arrays = truth_arrays(persons=2)
    for name in ("K", "dist", "R", "t"):
        arrays[name] = np.stack([arrays[name], arrays[name]])
    arrays["t"][1] += 1

    found = truth.load(write(tmp_path / "gt.npz", arrays), camera="front", person="woman")

    assert_allclose(found.translation, [1, 1, 5])


def test_a_point_on_the_axis_is_at_the_principal_point_however_bent_the_lens(tmp_path):
    arrays = truth_arrays()
    arrays["joints3d"][:] = 0
    arrays["dist"][:] = [0.1, 0.2, 0.01, 0.02]

    found = truth.load(write(tmp_path / "gt.npz", arrays), camera="front", person="man")

    assert_allclose(found.limbs_px()[0, 0], [320, 240])


def test_distortion_is_that_of_opencv(tmp_path):
    cv2 = pytest.importorskip("cv2")
    arrays = truth_arrays()
    arrays["joints3d"] = np.nan_to_num(arrays["joints3d"])
    arrays["dist"][:] = [0.1, -0.05, 0.01, 0.02]

    found = truth.load(write(tmp_path / "gt.npz", arrays), camera="front", person="man")

    points = found.limbs_camera[0]
    expected, _ = cv2.projectPoints(
        points, np.zeros(3), np.zeros(3), arrays["K"][0], arrays["dist"][0]
    )
    assert_allclose(found.limbs_px()[0], expected[:, 0], atol=1e-6)


def test_a_truth_without_toes_has_unknown_toes(tmp_path):
    arrays = truth_arrays()
    arrays["joint_names"] = np.array([name.replace("BigToe", "Ear") for name in NAMES])

    found = truth.load(write(tmp_path / "gt.npz", arrays), camera="front", person="man")

    assert np.isnan(found.feet_world[:, 2:]).all()
    assert np.isfinite(found.feet_world[:, :2]).all()


@pytest.mark.parametrize(
    ("camera", "person", "listed"),
    [("top", "man", "front or side"), ("front", "dog", "man"), (None, "man", "front or side")],
)
def test_an_unknown_or_missing_name_lists_what_there_is(tmp_path, camera, person, listed):
    path = write(tmp_path / "gt.npz", truth_arrays())

    with pytest.raises(TruthFileError) as caught:
        truth.load(path, camera=camera, person=person)

    assert listed in caught.value.hint


def test_the_only_person_need_not_be_named(tmp_path):
    path = write(tmp_path / "gt.npz", truth_arrays())

    assert truth.load(path, camera="side", person=None).person_name == "man"


def test_at_its_own_rate_the_truth_is_itself(tmp_path):
    found = truth.load(write(tmp_path / "gt.npz", truth_arrays()), camera="front", person="man")

    again = found.at_rate(25.0, start_s=0.0)

    assert_allclose(again.limbs_world, found.limbs_world)
    assert (again.valid == found.valid).all()
    assert_allclose(again.times_s, found.times_s)


def test_between_frames_the_truth_is_on_a_line_and_known_where_both_are(tmp_path):
    found = truth.load(write(tmp_path / "gt.npz", truth_arrays()), camera="front", person="man")

    between = found.at_rate(25.0, start_s=0.02)

    halfway = (found.limbs_world[:-1] + found.limbs_world[1:]) / 2
    known = found.valid[:-1] & found.valid[1:]
    assert (between.valid == known).all()
    assert_allclose(between.limbs_world[known], halfway[known])
    assert_allclose(between.times_s, [0.02, 0.06, 0.10, 0.14])


def test_after_the_truth_ends_there_is_nothing(tmp_path):
    found = truth.load(write(tmp_path / "gt.npz", truth_arrays()), camera="front", person="man")

    assert len(found.at_rate(10.0, start_s=7.0).limbs_world) == 0


@pytest.mark.parametrize("missing", ["joints3d", "K", "fps", "camera_names"])
def test_an_incomplete_file_is_refused(tmp_path, missing):
    arrays = truth_arrays()
    del arrays[missing]

    with pytest.raises(TruthFileError, match="not a complete truth file"):
        truth.load(write(tmp_path / "gt.npz", arrays), camera="front", person="man")


def test_a_file_without_wrists_says_which_joint_is_missing(tmp_path):
    arrays = truth_arrays()
    arrays["joint_names"] = np.array([name.replace("LWrist", "LThumb") for name in NAMES])

    with pytest.raises(TruthFileError, match="left_wrist"):
        truth.load(write(tmp_path / "gt.npz", arrays), camera="front", person="man")


@pytest.mark.parametrize("view", ["cam01", "cam02"])
def test_the_calibration_of_the_balancing_trial_meets_its_own_keypoints(shared, view):
    path = shared / "data" / "videos" / "p2s_single" / "gt.npz"
    found = truth.load(path, camera=view, person="man")

    arrays = np.load(path)
    column = list(arrays["joint_names"]).index("LWrist")
    seen = arrays["joints2d"][list(arrays["camera_names"]).index(view), :, column]
    miss = np.linalg.norm(
        found.limbs_px()[:, LIMB_JOINTS.index("left_wrist")] - seen[:, :2], axis=-1
    )
    assert np.nanmedian(miss) < 15
