"""Our geometry against `spin_geometry.npz`, `vibe_geometry.npz`, `procrustes.npz`."""

import numpy as np
import pytest
import torch
from stripmocap.geometry import cameras, procrustes, rotations
from stripmocap.video import crops

pytestmark = pytest.mark.official
FOCAL_PX = 5000.0
TRAINING_JOINTS = slice(25, None)


def near(got, expected, tolerance=1e-5):
    got, expected = np.asarray(got), np.asarray(expected)
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance * (1 + np.abs(expected).max()))


@pytest.fixture(scope="module")
def numbers(oracles):
    return {
        name: torch.tensor(array)
        for file in ("spin_geometry", "procrustes")
        for name, array in oracles(file).items()
    }


@pytest.fixture(scope="module")
def vibe(oracles):
    return {name: torch.tensor(array) for name, array in oracles("vibe_geometry").items()}


def test_six_numbers_become_the_matrices_of_spin(numbers):
    near(rotations.rot6d_to_matrix(numbers["rot6d_in"]), numbers["rot6d_out"])


def test_six_numbers_become_the_matrices_of_vibe(vibe):
    near(rotations.rot6d_to_matrix(vibe["rot6d_in"], epsilon=1e-6), vibe["rot6d_out_vibe"])
    near(rotations.rot6d_to_matrix(vibe["rot6d_in"]), vibe["rot6d_out_spin"])


def test_axis_angles_become_the_matrices_of_spin(numbers):
    near(rotations.aa_to_matrix_by_quat(numbers["aa_in"]), numbers["rodrigues_out"])
    near(rotations.aa_to_matrix(numbers["aa_in"]), numbers["rodrigues_out"])


def test_matrices_become_the_rotations_of_vibe(vibe):
    aa = rotations.matrix_to_aa(vibe["rotmat"])

    # Compared as rotations: near pi an axis and its opposite are one turn.
    expected = rotations.aa_to_matrix(vibe["rotmat_to_aa"])
    near(rotations.aa_to_matrix(aa), expected, tolerance=1e-4)


def test_matrices_become_the_quaternions_of_vibe(vibe):
    got, expected = rotations.matrix_to_quat(vibe["rotmat"]), vibe["rotmat_to_quat"]

    # A quaternion and its opposite are one turn.
    near((got * expected).sum(dim=-1).abs(), np.ones(len(expected)))


def test_axis_angles_become_the_matrices_of_vibe(vibe):
    near(rotations.aa_to_matrix_by_quat(vibe["aa"]).flatten(1), vibe["rodrigues9"])
    near(rotations.aa_to_matrix(vibe["aa"]).flatten(1), vibe["rodrigues9"])


def test_quaternions_of_any_length_become_matrices(numbers):
    quat = torch.cat([torch.ones(12, 1), numbers["aa_in"]], dim=1)

    near(rotations.quat_to_matrix(quat), numbers["quat_out"])


def test_points_project_where_spin_projects_them(numbers):
    points, transl = numbers["proj_points"], numbers["proj_trans"].unsqueeze(1)
    center = numbers["proj_center"].unsqueeze(1)
    turned = points @ numbers["proj_rot"].mT

    near(cameras.project(turned + transl, focal=FOCAL_PX, center=center), numbers["proj_out"])
    near(
        cameras.project(points + transl, focal=FOCAL_PX, center=center),
        numbers["proj_out_identity"],
    )


def test_first_camera_is_that_of_spin(numbers):
    keypoints = numbers["esttrans_kp"][:, TRAINING_JOINTS]

    transl = cameras.transl_from_keypoints(
        numbers["proj_points"][:, TRAINING_JOINTS],
        keypoints[..., :2],
        confidence=keypoints[..., 2],
        focal=FOCAL_PX,
        center=torch.tensor([112.0, 112.0]),
    )

    near(transl, numbers["esttrans_out"])


@pytest.fixture(scope="module")
def boxes(vibe):
    box = vibe["bbox"]
    size = vibe["img_wh"].to(box.dtype)
    return {"box_center": box[:, :2], "box_side": box[:, 2], "size_px": size}


def test_the_pictures_weak_camera_is_that_of_vibe(vibe, boxes):
    near(cameras.crop_to_picture_camera(vibe["cam"], **boxes), vibe["orig_cam"])


def test_the_crops_weak_camera_comes_back_from_vibes(vibe, boxes):
    near(cameras.picture_to_crop_camera(vibe["orig_cam"], **boxes), vibe["cam"])


def test_keypoints_of_crops_come_to_the_picture_where_vibe_puts_them(vibe):
    half = crops.CROP_PX / 2

    got = [
        crops.to_picture(half * (1 + each), box[:2], side=float(box[2]))
        for each, box in zip(vibe["crop_kp"].numpy(), vibe["bbox"].numpy(), strict=True)
    ]

    near(got, vibe["orig_kp"])


def test_alignment_is_the_official_one(numbers):
    aligned = procrustes.aligned(numbers["S1"], numbers["S2"])

    near(aligned, numbers["S1_hat"])
    error = (aligned - numbers["S2"]).norm(dim=-1).mean(dim=-1)
    near(error, numbers["recon_error_each"])
