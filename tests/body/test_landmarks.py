from dataclasses import replace

import numpy as np
import pytest
import torch
from stripmocap.body import landmarks
from stripmocap.body.landmarks import MeshKeypoints
from stripmocap.body.model import Body
from stripmocap.body.reduced import ReducedBody
from stripmocap.contract.errors import BodyFileError
from stripmocap.contract.skeleton import BLAZEPOSE_NAMES, JOINT_NAMES, SPIN_NAMES
from torch.testing import assert_close
from torchtoys import random_state, toy_template


@pytest.fixture
def template():
    """A toy that has every landmark of every set, each one vertex."""
    names = [*landmarks.SPIN_PLACES, *BLAZEPOSE_NAMES, *landmarks.COCO_NAMES]
    names = tuple(dict.fromkeys(name for name in names if name not in JOINT_NAMES))
    return replace(
        toy_template(),
        landmark_names=names,
        landmark_regressor=np.eye(120)[: len(names)],
    )


SETS = [landmarks.blazepose_rows, landmarks.coco_rows, landmarks.spin49_rows]


def test_every_name_of_spin_has_a_place():
    assert len(landmarks.SPIN_PLACES) == len(SPIN_NAMES)
    assert SPIN_NAMES[19] == "OP LBigToe"
    assert landmarks.SPIN_PLACES[19] == "left_big_toe"


@pytest.mark.parametrize("rows", SETS)
def test_reduced_body_and_full_mesh_give_the_same_keypoints(template, rows):
    keypoints, state = rows(template), random_state(3)
    body = Body.from_template(template, dtype=torch.float64)
    reduced = ReducedBody.from_template(template, keypoints.rows, dtype=torch.float64)
    reader = MeshKeypoints.from_rows(keypoints, dtype=torch.float64)

    of_mesh = reader.read(body.joints(**state), body.vertices(**state))

    assert_close(of_mesh, reduced.points(**state)[:, keypoints.points])


def test_shoulders_of_blazepose_are_joints_and_its_nose_a_vertex(template):
    keypoints = landmarks.blazepose_rows(template)
    body, state = Body.from_template(template), random_state(1, dtype=torch.float32)
    joints, vertices = body.joints(**state), body.vertices(**state)

    points = MeshKeypoints.from_rows(keypoints).read(joints, vertices)

    shoulder = BLAZEPOSE_NAMES.index("left_shoulder")
    assert_close(points[:, shoulder], joints[:, JOINT_NAMES.index("left_shoulder")])
    nose = template.landmark_names.index("nose")
    assert_close(points[:, BLAZEPOSE_NAMES.index("nose")], vertices[:, nose])


def test_landmarks_that_a_body_lacks_are_left_out_of_the_columns():
    keypoints = landmarks.blazepose_rows(toy_template())

    names = [BLAZEPOSE_NAMES[column] for column in keypoints.columns]
    assert "nose" in names
    assert "mouth_left" not in names
    assert len(keypoints.points) == len(names) == 16


def test_a_body_without_all_of_spins_keypoints_is_refused_by_name():
    with pytest.raises(BodyFileError, match="head_top"):
        landmarks.spin49_rows(toy_template())


def test_keypoints_of_blazepose_go_to_openpose_places():
    seen = np.arange(33 * 3, dtype=np.float64).reshape(33, 3) + 1

    found = landmarks.spin49_from_blazepose(seen)

    knee = landmarks.SPIN_PLACES.index("left_knee")
    np.testing.assert_array_equal(found[knee], seen[BLAZEPOSE_NAMES.index("left_knee")])
    toe = landmarks.SPIN_PLACES.index("right_big_toe")
    np.testing.assert_array_equal(found[toe], seen[BLAZEPOSE_NAMES.index("right_foot_index")])
    assert (found[25:] == 0).all()
    assert (found[1] == 0).all()
