"""Our body against `smpl_forward.npz`, `smplh_forward.npz`: what the official layers give."""

import numpy as np
import pytest
import torch
from stripmocap.body.landmarks import MeshKeypoints, openpose25_rows, smplx_rows, spin49_rows
from stripmocap.body.model import Body
from stripmocap.body.official import official_template
from stripmocap.body.reduced import ReducedBody
from stripmocap.evaluation.published import LSP14_OF_H36M
from stripmocap.geometry.rotations import aa_to_matrix

pytestmark = pytest.mark.official
TOLERANCE = 1e-5  # times 1 + the largest number, as the oracles ask of a single forward


@pytest.fixture(scope="module")
def template(oracles):
    extra = oracles.synth.regressor("extra", 9, oracles.seed)
    arrays = oracles.synth.body("smpl", oracles.seed)
    return official_template(arrays, name="synthetic", extra_regressor=extra)


@pytest.fixture(scope="module")
def numbers(oracles):
    return oracles("smpl_forward")


@pytest.fixture(scope="module")
def state(numbers):
    pose = aa_to_matrix(torch.tensor(numbers["pose"]).unflatten(-1, (24, 3)))
    betas = torch.tensor(numbers["betas"])
    return {"global_orient": pose[:, 0], "body_pose": pose[:, 1:], "betas": betas}


def near(got, expected):
    got, expected = np.asarray(got), np.asarray(expected)
    np.testing.assert_allclose(got, expected, rtol=0, atol=TOLERANCE * (1 + np.abs(expected).max()))


def test_vertices_are_those_of_the_official_layer(template, numbers, state):
    vertices = Body.from_template(template).vertices(**state)

    near(vertices[:, ::50], numbers["verts_every50"])


def test_translation_is_applied_as_the_official_layer_does(template, numbers, state):
    body, transl = Body.from_template(template), torch.tensor(numbers["transl"])

    vertices = body.vertices(**state, transl=transl)
    joints = body.joints(**state, transl=transl)

    near(vertices[:, ::50], numbers["verts_every50_with_transl"])
    near(joints, numbers["joints45_base_with_transl"][:, :24])


def test_45_joints_are_those_of_the_official_layer(template, numbers, state):
    keypoints = smplx_rows(template)
    reduced = ReducedBody.from_template(template, keypoints.rows)

    points = reduced.points(**state, transl=torch.tensor(numbers["transl"]))[:, keypoints.points]

    near(points, numbers["joints45_base_with_transl"])


@pytest.mark.parametrize("name", ["joints49", "joints49_from_rotmat"])
def test_49_keypoints_of_the_full_mesh_are_those_of_spin(template, numbers, state, name):
    body, keypoints = Body.from_template(template), spin49_rows(template)

    points = MeshKeypoints.from_rows(keypoints).read(body.joints(**state), body.vertices(**state))

    near(points, numbers[name])


def test_every_keypoint_that_is_a_joint_is_the_one_that_spin_takes(template, numbers):
    joints = numbers["joint_map"] < len(template.J_regressor)

    points = spin49_rows(template).points

    np.testing.assert_array_equal(points[joints], numbers["joint_map"][joints])
    assert (points[~joints] >= len(template.J_regressor)).all()


def test_49_keypoints_of_the_reduced_body_are_those_of_spin(template, numbers, state):
    keypoints = spin49_rows(template)
    reduced = ReducedBody.from_template(template, keypoints.rows)

    points = reduced.points(**state)[:, keypoints.points]

    near(points, numbers["joints49"])


def test_joints_regressed_from_the_mesh_are_those_of_h36m(oracles, template, numbers, state):
    regressor = oracles.synth.regressor("h36m", 17, oracles.seed)
    reduced = ReducedBody.from_template(template, regressor)

    joints = reduced.points(**state)[:, 24:]
    near(joints, numbers["j17_h36m"])
    near(joints[:, LSP14_OF_H36M], numbers["j14_h36m"])


def test_joints_of_h36m_are_those_of_the_whole_mesh_too(oracles, template, numbers, state):
    regressor = torch.tensor(oracles.synth.regressor("h36m", 17, oracles.seed)).float()

    near(regressor @ Body.from_template(template).vertices(**state), numbers["j17_h36m"])


@pytest.fixture(scope="module")
def hands(oracles):
    """SMPL-H, as a template; the numbers; and the states, hands at rest."""
    template = official_template(oracles.synth.body("smplh", oracles.seed), name="synthetic")
    numbers = {name: torch.tensor(array) for name, array in oracles("smplh_forward").items()}
    pose = torch.cat([numbers["root"], numbers["pose"], torch.zeros(2, 20, 90)], dim=-1)
    rotmat = aa_to_matrix(pose.unflatten(-1, (52, 3)))
    state = {
        "global_orient": rotmat[..., 0, :, :],
        "body_pose": rotmat[..., 1:, :, :],
        "betas": numbers["betas"].unsqueeze(1),
        "transl": numbers["trans"],
    }
    return template, numbers, state


def test_vertices_with_fingers_are_those_of_the_official_layer(hands):
    template, numbers, state = hands

    vertices = Body.from_template(template).vertices(**state)

    near(vertices[..., ::200, :], numbers["verts_every200"])
    near(vertices[..., numbers["keypt_idx"], :], numbers["keypt_verts"])


def test_73_joints_of_the_reduced_body_are_those_of_the_official_layer(hands):
    template, numbers, state = hands
    keypoints = smplx_rows(template)
    reduced = ReducedBody.from_template(template, keypoints.rows)

    points = reduced.points(**state)[..., keypoints.points, :]

    near(points, numbers["Jtr73"])


def test_vertices_for_keypoints_are_read_without_the_mesh(hands):
    template, numbers, state = hands
    rows = np.eye(len(template.v_template), dtype=np.float32)[numbers["keypt_idx"]]

    points = ReducedBody.from_template(template, rows).points(**state)[..., 52:, :]

    near(points, numbers["keypt_verts"])


def test_openposes_25_are_the_official_ones_of_73(hands):
    template, numbers, state = hands
    keypoints = openpose25_rows(template)
    reduced = ReducedBody.from_template(template, keypoints.rows)

    points = reduced.points(**state)[..., keypoints.points, :]

    near(points, numbers["Jtr73"][..., numbers["op25_map"].long(), :])
