from __future__ import annotations

import os
import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from stripmocap.body.model import Body
from stripmocap.contract.errors import AssetCorrupt, AssetMissing, TruthFileError
from stripmocap.contract.skeleton import JOINT_NAMES, LIMB_JOINTS
from stripmocap.evaluation import threedpw
from toy3dpw import FOCAL, FRAMES, NAME, toy_sequence, write_dataset
from toybody import toy_body


@pytest.fixture(scope="module")
def sequence() -> dict:
    return toy_sequence(toy_body())


def read(tmp_path, sequence):
    path = write_dataset(tmp_path, sequence)
    return threedpw.read_sequence(path, pictures=tmp_path / "imageFiles")


def test_everybody_is_found_with_their_camera(tmp_path, sequence):
    found = read(tmp_path, sequence)

    assert (found.name, found.focal_px) == (NAME, FOCAL)
    assert [each.gender for each in found.actors] == ["male", "female"]
    assert found.first_picture.is_file()
    assert found.actors[0].keypoints.shape == (FRAMES, 18, 3)


def test_the_pose_in_camera_axes_gives_the_joints_in_camera_axes(tmp_path, sequence):
    body = Body.from_template(toy_body(), dtype=torch.float64)

    for actor in read(tmp_path, sequence).actors:
        joints = body.joints(
            torch.from_numpy(actor.global_orient),
            torch.from_numpy(actor.body_pose),
            betas=torch.from_numpy(actor.betas),
        ).numpy()
        apart = actor.joints - joints
        assert_allclose(apart, np.broadcast_to(apart[:, :1], apart.shape), atol=1e-9)


def test_the_truth_is_in_the_picture_where_the_dataset_says(tmp_path, sequence):
    found = read(tmp_path, sequence)
    actor = found.actors[1]

    truth = found.truth_of(actor)

    knee = JOINT_NAMES.index("left_knee")
    assert_allclose(
        truth.limbs_px()[:, LIMB_JOINTS.index("left_knee")], actor.keypoints[:, knee, :2], atol=1e-6
    )
    assert_allclose(truth.times_s, np.arange(FRAMES) / 24)


def test_frames_whose_camera_was_lost_do_not_count(tmp_path, sequence):
    lost = np.ones(FRAMES, dtype=int)
    lost[2] = 0
    joints = [each.copy() for each in sequence["jointPositions"]]
    joints[0][4] = np.nan
    spoilt = {**sequence, "campose_valid": [lost, lost], "jointPositions": joints}

    found = read(tmp_path, spoilt)

    first, second = (found.truth_of(each) for each in found.actors)
    assert first.valid.all(axis=1).tolist() == [True, True, False, True, False, True]
    assert second.valid.all(axis=1).tolist() == [True, True, False, True, True, True]
    assert np.isfinite(first.limbs_world).all()


def test_pickles_are_found_by_split(tmp_path, sequence):
    path = write_dataset(tmp_path, sequence, split="validation")

    assert threedpw.sequence_files(tmp_path, split="validation") == [path]
    with pytest.raises(TruthFileError, match="sequenceFiles/test"):
        threedpw.sequence_files(tmp_path)


@pytest.mark.parametrize("missing", ["poses", "cam_poses", "jointPositions", "genders", "betas"])
def test_an_incomplete_sequence_is_refused(tmp_path, sequence, missing):
    partial = {name: each for name, each in sequence.items() if name != missing}

    with pytest.raises(TruthFileError, match=missing):
        read(tmp_path, partial)


@pytest.mark.parametrize(
    "change",
    [
        {"poses": [np.zeros((FRAMES, 71))] * 2},
        {"cam_poses": np.zeros((FRAMES, 3, 4))},
        {"cam_intrinsics": np.zeros((3, 3))},
        {"cam_intrinsics": np.full((3, 3), np.nan)},
        {"poses": []},
        {"genders": ["m", "x"]},
        {"betas": [np.zeros(3)] * 2},
        {"campose_valid": [np.ones(2)] * 2},
        {"jointPositions": 7},
    ],
)
def test_a_sequence_of_another_form_is_refused(tmp_path, sequence, change):
    with pytest.raises(TruthFileError, match="no sequence in 3DPW's layout"):
        read(tmp_path, {**sequence, **change})


def test_a_list_is_no_sequence(tmp_path, sequence):
    path = write_dataset(tmp_path, sequence)
    path.write_bytes(pickle.dumps([1, 2, 3], protocol=2))

    with pytest.raises(TruthFileError, match="holds no names"):
        threedpw.read_sequence(path, pictures=tmp_path / "imageFiles")


class Hostile:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


def test_a_hostile_pickle_is_refused_and_runs_nothing(tmp_path, sequence):
    path = write_dataset(tmp_path, sequence)
    marker = tmp_path / "ran"
    path.write_bytes(pickle.dumps({**sequence, "sequence": Hostile(marker)}, protocol=2))

    with pytest.raises(AssetCorrupt, match="system"):
        threedpw.read_sequence(path, pictures=tmp_path / "imageFiles")
    assert not marker.exists()


def test_missing_pictures_and_pickles_are_named(tmp_path, sequence):
    path = write_dataset(tmp_path, sequence)

    with pytest.raises(TruthFileError, match=r"image_00000\.jpg"):
        threedpw.read_sequence(path, pictures=tmp_path / "elsewhere")
    with pytest.raises(AssetMissing, match="absent"):
        threedpw.read_sequence(tmp_path / "absent.pkl", pictures=tmp_path)
