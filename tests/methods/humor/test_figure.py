import numpy as np
import pytest
import torch
from humorscenes import toy_figure
from stripmocap.body.landmarks import blazepose_rows
from stripmocap.body.reduced import ReducedBody
from stripmocap.contract.errors import BodyFileError
from stripmocap.methods.humor.figure import Figure
from stripmocap.methods.humor.state import JOINTS
from torchtoys import random_state, toy_template


@pytest.fixture
def resting_hands():
    state = random_state(4)
    state["body_pose"][:, 21:] = torch.eye(3, dtype=torch.float64)
    return state


def test_points_are_those_of_the_body_with_resting_hands(resting_hands):
    template = toy_template()
    seen = blazepose_rows(template)
    whole = ReducedBody.from_template(template, seen.rows, dtype=torch.float64)
    figure = toy_figure(template)

    expected = whole.points(**resting_hands)
    pose = resting_hands["body_pose"][:, :21]
    points = figure.points(**(resting_hands | {"body_pose": pose}))

    torch.testing.assert_close(points[:, :JOINTS], expected[:, :JOINTS])
    torch.testing.assert_close(points[:, figure.keypoints], expected[:, seen.points])


def test_a_landmark_of_the_hand_is_among_the_keypoints():
    template = toy_template()

    figure = toy_figure(template)

    assert "left_index" in template.landmark_names
    np.testing.assert_array_equal(figure.columns, blazepose_rows(template).columns)
    assert figure.counted.tolist() == [1] * len(figure.columns)


def test_bodies_turn_about_their_resting_pelvis(resting_hands):
    figure = toy_figure()
    pose = resting_hands["body_pose"][:, :21]

    points = figure.points(**(resting_hands | {"body_pose": pose}))

    rest = figure.rest_pelvis(resting_hands["betas"])
    torch.testing.assert_close(points[:, 0], rest + resting_hands["transl"])


def test_a_body_without_openposes_landmarks_cannot_be_seen_as_openpose_does():
    with pytest.raises(BodyFileError, match="right_ear"):
        Figure.of_openpose(toy_template())
