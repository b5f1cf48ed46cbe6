"""Our body against `smpl_forward.npz`: vertices and joints of the official layer."""

import numpy as np
import pytest
import torch
from stripmocap.body.landmarks import MeshKeypoints, spin49_rows
from stripmocap.body.model import Body
from stripmocap.body.official import official_template
from stripmocap.body.reduced import ReducedBody
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


def test_49_keypoints_of_the_full_mesh_are_those_of_spin(template, numbers, state):
    body, keypoints = Body.from_template(template), spin49_rows(template)

    points = MeshKeypoints.from_rows(keypoints).read(body.joints(**state), body.vertices(**state))

    near(points, numbers["joints49"])


def test_49_keypoints_of_the_reduced_body_are_those_of_spin(template, numbers, state):
    keypoints = spin49_rows(template)
    reduced = ReducedBody.from_template(template, keypoints.rows)

    points = reduced.points(**state)[:, keypoints.points]

    near(points, numbers["joints49"])


def test_joints_regressed_from_the_mesh_are_those_of_h36m(oracles, template, numbers, state):
    regressor = oracles.synth.regressor("h36m", 17, oracles.seed)
    reduced = ReducedBody.from_template(template, regressor)

    near(reduced.points(**state)[:, 24:], numbers["j17_h36m"])
