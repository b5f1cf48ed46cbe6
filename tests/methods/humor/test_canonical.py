import math

import pytest
import torch
from stripmocap.methods.humor.canonical import (
    Placement,
    published_turn_of,
    turn_matrix,
    turn_of,
)
from stripmocap.methods.humor.state import State
from torch.testing import assert_close


def facing(angle):
    """(3, 3) a body whose right lies at `angle` radians from x towards y."""
    right = torch.tensor([math.cos(angle), math.sin(angle), 0.0], dtype=torch.float64)
    up = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    return torch.stack([-right, up, -torch.linalg.cross(right, up)], dim=-1)


def test_a_motion_in_its_own_frame_starts_at_the_origin_facing_y(draw):
    state = draw(5)

    inside = Placement.of(state).enter(state)

    right = -inside.global_orient[..., 0]
    assert_close(inside.transl[:, :2], torch.zeros(5, 2, dtype=torch.float64))
    assert_close(right[:, 1], torch.zeros(5, dtype=torch.float64))
    assert (right[:, 0] > 0).all()


def test_heights_poses_and_speeds_stay(draw):
    state = draw(5)

    inside = Placement.of(state).enter(state)

    assert_close(inside.transl[:, 2], state.transl[:, 2])
    assert_close(inside.joints[..., 2], state.joints[..., 2])
    assert_close(inside.joints_vel.norm(dim=-1), state.joints_vel.norm(dim=-1))
    assert torch.equal(inside.body_pose, state.body_pose)


def test_leaving_is_the_inverse_of_entering(draw):
    state, frame = draw(5), Placement.of(draw(5, seed=1))

    assert_close(frame.leave(frame.enter(state)).numbers, state.numbers)


def test_one_frame_serves_a_motion_over_time(draw):
    motions = State(draw(12).numbers.view(3, 4, -1))
    frame = Placement.of(State(motions.numbers[:, 0]))

    together = frame.over_time().enter(motions)

    for time in range(4):
        alone = frame.enter(State(motions.numbers[:, time]))
        assert_close(together.numbers[:, time], alone.numbers)


def test_distances_between_joints_stay(draw):
    state = draw(3)

    inside = Placement.of(state).enter(state)

    assert_close(torch.cdist(inside.joints, inside.joints), torch.cdist(state.joints, state.joints))


@pytest.mark.parametrize("angle", [0.0, 1e-9, 0.3, math.pi / 2, math.pi, -3.0])
def test_a_turn_brings_the_right_along_x(angle):
    turned = turn_matrix(turn_of(facing(angle))) @ facing(angle)

    assert_close(turned, facing(0.0), rtol=0, atol=1e-12)


@pytest.mark.parametrize("angle", [0.3, math.pi / 2, -3.0])
def test_the_published_turn_is_ours_but_for_its_slack(angle):
    assert_close(published_turn_of(facing(angle)), turn_of(facing(angle)), rtol=0, atol=1e-4)


def test_the_published_turn_goes_too_far_for_a_body_all_but_aligned():
    turn = published_turn_of(facing(1e-4))

    assert_close(turn[1].item(), -math.sqrt(2e-6), rtol=0.02, atol=0)


@pytest.mark.parametrize("turning", [turn_of, published_turn_of])
@pytest.mark.parametrize("right", [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])
def test_gradients_are_finite_wherever_the_right_points(turning, right):
    orient = torch.eye(3, dtype=torch.float64)
    orient[:, 0] = -torch.tensor(right, dtype=torch.float64)
    orient.requires_grad_(True)

    turn = turning(orient)
    turn.sum().backward()

    assert_close(turn.norm().item(), 1.0)
    assert orient.grad is not None
    assert orient.grad.isfinite().all()
