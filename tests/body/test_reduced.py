import time

import numpy as np
import pytest
import torch
from stripmocap.body.model import Body
from stripmocap.body.reduced import ReducedBody
from stripmocap.geometry.rotations import aa_to_matrix
from torch.testing import assert_close
from torchtoys import random_state, toy_template


def a_body(*, posedirs=True, dtype=torch.float64):
    template = toy_template(posedirs=posedirs)
    rng = np.random.default_rng(1)
    shape = (3, len(template.v_template))
    scattered = rng.uniform(size=shape) * (rng.uniform(size=shape) < 0.1)
    rows = np.concatenate([template.landmark_regressor, scattered])
    rows /= rows.sum(axis=1, keepdims=True)
    return (
        Body.from_template(template, dtype=dtype),
        ReducedBody.from_template(template, rows, dtype=dtype),
        torch.tensor(rows, dtype=dtype),
    )


@pytest.fixture
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("posedirs", [True, False])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-6), (torch.float64, 1e-12)])
def test_points_equal_joints_and_rows_of_the_full_mesh(posedirs, dtype, tolerance):
    body, reduced, rows = a_body(posedirs=posedirs, dtype=dtype)
    state = random_state(6, dtype=dtype)

    points = reduced.points(**state)

    expected = torch.cat([body.joints(**state), rows @ body.vertices(**state)], dim=1)
    assert_close(points, expected, atol=tolerance, rtol=0)


def test_pairs_without_weight_are_left_out():
    _, reduced, _ = a_body()

    # Each of the four landmarks of the toy follows two joints at most.
    pairs = len(reduced.pair_joint)
    assert (reduced.pair_of[: 4 * 24] < pairs).sum() <= 8


def test_linearised_points_are_the_points():
    _, reduced, _ = a_body()
    state = random_state(3)

    line = reduced.linearise(**state)

    assert_close(line.points, reduced.points(**state))


@pytest.mark.parametrize("joint", [0, 3, 9, 16, 18, 23])
def test_arms_are_the_derivative_of_the_points_by_a_turn_in_world_axes(joint):
    _, reduced, _ = a_body(posedirs=False)
    state = random_state(2)
    arms = reduced.linearise(**state).arms[:, :, joint]

    def moved(omega):
        return reduced.points(**turned(reduced, state, joint, omega))

    jacobian = torch.func.jacrev(moved)(torch.zeros(3, dtype=torch.float64))  # (N, P, 3, 3)

    axes = torch.eye(3, dtype=torch.float64)
    crossed = torch.linalg.cross(axes.expand(*arms.shape[:2], 3, 3), arms.unsqueeze(-2))
    assert_close(jacobian, crossed.mT, atol=1e-7, rtol=0)


@pytest.mark.parametrize("posedirs", [True, False])
@pytest.mark.parametrize("shared", [True, False])
def test_betas_jacobian_is_the_derivative_of_the_points(posedirs, shared):
    _, reduced, _ = a_body(posedirs=posedirs)
    state = random_state(2)
    betas = state["betas"][0] if shared else state["betas"]

    line = reduced.linearise(**state | {"betas": betas})

    def moved(step):
        return reduced.points(**state | {"betas": betas + step})

    jacobian = torch.func.jacrev(moved)(torch.zeros(10, dtype=torch.float64))
    assert_close(line.betas_jacobian, jacobian)


def test_linearise_works_in_single_precision():
    double, single = a_body()[1], a_body(dtype=torch.float32)[1]

    for exact, rounded in zip(
        double.linearise(**random_state(3)),
        single.linearise(**{k: v.float() for k, v in random_state(3).items()}),
        strict=True,
    ):
        assert_close(rounded.double(), exact, atol=5e-6, rtol=1e-5)


def test_reduced_body_is_ten_times_as_fast_as_the_full_mesh(one_thread):
    template = toy_template(vertices=6890, posedirs=False)
    rows = np.eye(33, 6890)
    body, reduced = Body.from_template(template), ReducedBody.from_template(template, rows)
    state = {
        name: value.requires_grad_()
        for name, value in random_state(64, dtype=torch.float32).items()
    }

    def full():
        return torch.cat([body.joints(**state), body.vertices(**state)[:, :33]], dim=1)

    def seconds(points):
        def run():
            started = time.process_time()
            points().square().sum().backward()
            return time.process_time() - started

        return min(run() for _ in range(4))

    assert seconds(full) > 10 * seconds(lambda: reduced.points(**state))


def turned(reduced, state, joint, omega):
    """The state with `joint` and all below it turned by `omega` in world axes."""
    turn = aa_to_matrix(omega)
    if joint == 0:
        return state | {"global_orient": turn @ state["global_orient"]}
    rotations = reduced.linearise(**state).global_rotations
    above = [a for a in reduced.subtree[:, joint].nonzero().flatten().tolist() if a != joint]
    parent = max(above)
    carried = rotations[:, parent]
    local = carried.mT @ turn @ carried @ state["body_pose"][:, joint - 1]
    body_pose = torch.cat(
        [state["body_pose"][:, : joint - 1], local.unsqueeze(1), state["body_pose"][:, joint:]], 1
    )
    return state | {"body_pose": body_pose}
