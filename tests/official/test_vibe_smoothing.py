"""VIBE's smoothing of poses and boxes against `vibe_smoothing.npz`."""

import numpy as np
import pytest
import torch
from stripmocap.body.official import official_template
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.methods.smplify.paper import reduced_points
from stripmocap.methods.vibe import boxes, one_euro

pytestmark = pytest.mark.official
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def numbers(oracles):
    return {name: torch.tensor(array) for name, array in oracles("vibe_smoothing").items()}


@pytest.fixture(scope="module")
def calm(numbers):
    pose = numbers["pose"]
    return one_euro.of_numbers(pose, times=torch.arange(float(len(pose))))


def near(got, expected):
    np.testing.assert_allclose(
        got, expected, rtol=0, atol=TOLERANCE * (1 + float(expected.abs().max()))
    )


def test_poses_are_smoothed_as_by_vibe(calm, numbers):
    near(calm, numbers["one_euro"])
    near(calm, numbers["smooth_pose"])


def test_smoothed_bodies_are_those_of_vibe(oracles, calm, numbers):
    template = official_template(
        oracles.synth.body("smpl", oracles.seed),
        name="synthetic",
        extra_regressor=oracles.synth.regressor("extra", 9, oracles.seed),
    )
    rotmat = aa_to_matrix(calm.unflatten(-1, (24, 3)))

    joints = reduced_points(template)(rotmat[:, 0], rotmat[:, 1:], numbers["betas"])

    near(joints, numbers["smooth_joints3d"])


def test_boxes_over_time_are_those_of_vibe(numbers):
    found = boxes.boxes_over_time(numbers["kps"])

    near(found.numbers, numbers["all_bbox"])
    assert (found.first, found.stop) == (int(numbers["start"]), int(numbers["end"]))


def test_boxes_are_steadied_as_by_vibe(numbers):
    near(boxes.steadied(numbers["all_bbox"], beyond="published"), numbers["smooth_bbox"])
