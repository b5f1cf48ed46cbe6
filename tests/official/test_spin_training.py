"""SPIN's losses and augmentations against `spin_train_losses.npz` and `spin_crop.npz`."""

import math

import numpy as np
import pytest
import torch
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.training import augmentation, spin_losses

pytestmark = pytest.mark.official


@pytest.fixture(scope="module")
def numbers(oracles):
    return {name: torch.tensor(array) for name, array in oracles("spin_train_losses").items()}


@pytest.fixture(scope="module")
def changes(oracles):
    return {name: torch.tensor(array) for name, array in oracles("spin_crop").items()}


@pytest.fixture(scope="module")
def has(numbers):
    return numbers["has"] > 0


def near(got, expected, relative=1e-5):
    expected = np.asarray(expected)
    np.testing.assert_allclose(
        np.asarray(got), expected, rtol=0, atol=relative * (1e-6 + np.abs(expected).max())
    )


@pytest.mark.parametrize("openpose", [0, 1])
def test_error_of_keypoints_is_that_of_spin(numbers, openpose):
    loss = spin_losses.keypoint_loss(
        numbers["pred_kp2d"], numbers["gt_kp2d"], openpose_weight=openpose, training_weight=1
    )

    near(loss, numbers[f"keypoint_loss_op{openpose}_gt1"])


def test_error_of_joints_is_that_of_spin(numbers, has):
    loss = spin_losses.joint_loss(numbers["pred_kp3d"], numbers["gt_kp3d"], has=has)

    near(loss, numbers["keypoint_3d_loss"])


def test_error_of_rotations_is_that_of_spin(numbers, has):
    truth = aa_to_matrix(numbers["gt_pose"].unflatten(1, (24, 3)))
    known = has[:, None].expand(-1, 24).float()

    near(spin_losses.pose_loss(numbers["pred_rotmat"], truth, known=known), numbers["loss_pose"])


def test_error_of_betas_is_that_of_spin(numbers, has):
    loss = spin_losses.betas_loss(numbers["pred_betas"], numbers["gt_betas"], valid=has)

    near(loss, numbers["loss_betas"])


def test_error_of_vertices_is_that_of_spin(numbers, has):
    near(spin_losses.shape_loss(numbers["v1"], numbers["v2"], has=has), numbers["shape_loss"])


def test_guard_of_the_scale_is_that_of_spin(numbers):
    near(spin_losses.camera_loss(numbers["cam"]), numbers["cam_positive_term"])


def test_a_turned_picture_turns_the_body_as_in_spin(oracles, changes):
    aa = torch.tensor(oracles("spin_geometry")["aa_in"])[2:8]
    bodies = torch.cat([aa, torch.zeros(len(aa), 69)], dim=1)

    turned = augmentation.turned(bodies, torch.full((len(aa),), math.radians(25)))

    near(turned[:, :3], changes["rot_aa"])


def test_a_mirrored_picture_mirrors_the_body_as_in_spin(oracles, changes):
    bodies = torch.tensor(oracles("smpl_forward")["pose"])

    mirrored = augmentation.mirror_where(torch.ones(len(bodies), dtype=torch.bool), bodies)

    near(mirrored, changes["flip_pose"])


def test_a_mirrored_picture_mirrors_the_49_keypoints_as_in_spin(changes):
    near(augmentation.mirrored_points(changes["flip_kp_in"]), changes["flip_kp49"])
    training = changes["flip_kp_in"][augmentation.OPENPOSE_COUNT :]
    near(
        augmentation.mirrored_points(training), changes["flip_kp49"][augmentation.OPENPOSE_COUNT :]
    )
