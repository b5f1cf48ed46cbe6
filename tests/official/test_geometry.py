"""Our geometry against `spin_geometry.npz`, `vibe_geometry.npz`, `procrustes.npz`."""

import numpy as np
import pytest
import torch
from stripmocap.geometry import cameras, procrustes, rotations

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


def test_six_numbers_become_the_matrices_of_spin(numbers):
    near(rotations.rot6d_to_matrix(numbers["rot6d_in"]), numbers["rot6d_out"])


def test_six_numbers_become_the_matrices_of_vibe(oracles):
    vibe = oracles("vibe_geometry")

    near(
        rotations.rot6d_to_matrix(torch.tensor(vibe["rot6d_in"]), epsilon=1e-6),
        vibe["rot6d_out_vibe"],
    )


def test_axis_angles_become_the_matrices_of_spin(numbers):
    near(rotations.aa_to_matrix_by_quat(numbers["aa_in"]), numbers["rodrigues_out"])
    near(rotations.aa_to_matrix(numbers["aa_in"]), numbers["rodrigues_out"])


def test_matrices_become_the_rotations_of_vibe(oracles):
    vibe = oracles("vibe_geometry")
    matrix = torch.tensor(vibe["rotmat"])

    aa = rotations.matrix_to_aa(matrix)

    # Compared as rotations: near pi an axis and its opposite are one turn.
    expected = rotations.aa_to_matrix(torch.tensor(vibe["rotmat_to_aa"]))
    near(rotations.aa_to_matrix(aa), expected, tolerance=1e-4)


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


def test_alignment_is_the_official_one(numbers):
    aligned = procrustes.aligned(numbers["S1"], numbers["S2"])

    near(aligned, numbers["S1_hat"])
    error = (aligned - numbers["S2"]).norm(dim=-1).mean(dim=-1)
    near(error, numbers["recon_error_each"])
