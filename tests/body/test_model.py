from collections import defaultdict

import numpy as np
import pytest
import torch
from stripmocap.body.model import Body
from stripmocap.geometry.rotations import aa_to_matrix
from torch.testing import assert_close
from torchtoys import random_state, toy_template


@pytest.fixture(params=[True, False], ids=["posedirs", "plain"])
def template(request):
    return toy_template(posedirs=request.param)


def test_vertices_and_joints_equal_those_of_smplx(template):
    smplx = pytest.importorskip("smplx", reason="the reference needs the extra `official`")
    state = random_state(5, dtype=torch.float32)
    posedirs = (
        template.posedirs
        if template.posedirs.shape[2]
        else np.zeros((*template.v_template.shape, 207))
    )
    data = smplx.utils.Struct(
        v_template=template.v_template,
        shapedirs=template.shapedirs,
        posedirs=posedirs,
        J_regressor=template.J_regressor,
        weights=template.lbs_weights,
        kintree_table=np.stack([template.parents, np.arange(24)]),
        f=template.triangles,
    )
    # smplx appends named vertices to its joints; which ones does not matter here.
    reference = smplx.SMPL("", data_struct=data, vertex_ids=defaultdict(int))
    with_joint_axis = {"global_orient": state["global_orient"].unsqueeze(1)}
    expected = reference(**state | with_joint_axis, pose2rot=False)

    body = Body.from_template(template)

    assert_close(body.vertices(**state), expected.vertices, atol=1e-6, rtol=0)
    assert_close(body.joints(**state), expected.joints[:, :24], atol=1e-6, rtol=0)


def test_body_at_rest_is_the_template(template):
    body = Body.from_template(template, dtype=torch.float64)
    identity = torch.eye(3, dtype=torch.float64)

    vertices = body.vertices(
        identity, identity.expand(23, 3, 3), betas=torch.zeros(10, dtype=torch.float64)
    )

    assert_close(vertices, torch.tensor(template.v_template, dtype=torch.float64))


def test_turning_the_body_turns_it_about_its_rest_pelvis(template):
    body = Body.from_template(template, dtype=torch.float64)
    state = random_state(3)
    turn = aa_to_matrix(torch.tensor([0.3, -1.0, 0.5], dtype=torch.float64))
    pelvis = body.rest_joints(state["betas"])[:, :1]
    rest_placed = state | {"transl": torch.zeros(3, 3, dtype=torch.float64)}

    turned = body.vertices(**rest_placed | {"global_orient": turn @ state["global_orient"]})

    expected = (body.vertices(**rest_placed) - pelvis) @ turn.T + pelvis
    assert_close(turned, expected)


def test_translation_is_added_last(template):
    body = Body.from_template(template, dtype=torch.float64)
    state = random_state(3)

    moved = body.vertices(**state) - body.vertices(**state | {"transl": None})

    assert_close(moved, state["transl"].unsqueeze(1).expand_as(moved))


def test_one_shape_serves_many_frames(template):
    body = Body.from_template(template, dtype=torch.float64)
    state = random_state(4)
    shared = state | {"betas": state["betas"][0]}
    repeated = state | {"betas": state["betas"][:1].expand(4, 10)}

    assert_close(body.vertices(**shared), body.vertices(**repeated))


def test_joints_of_the_model_agree_with_the_file(template):
    betas = np.linspace(-2, 2, 10)
    body = Body.from_template(template, dtype=torch.float64)

    joints = body.rest_joints(torch.tensor(betas))

    np.testing.assert_allclose(joints.numpy(), template.rest_joints(betas), atol=1e-5)
