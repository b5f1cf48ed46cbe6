import torch
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.methods.humor.motion import states_of, velocities
from stripmocap.methods.humor.state import FPS
from torch.testing import assert_close


def test_a_body_that_moves_and_turns_evenly_has_the_same_speeds_throughout():
    times = torch.arange(6, dtype=torch.float64) / FPS
    step = torch.tensor([0.5, -1.0, 0.2], dtype=torch.float64)  # m/s
    turn = torch.tensor([0.0, 0.0, 0.7], dtype=torch.float64)  # rad/s
    start = torch.randn(22, 3, dtype=torch.float64)

    states = states_of(
        transl=times[:, None] * step,
        global_orient=aa_to_matrix(times[:, None] * turn),
        body_pose=torch.eye(3, dtype=torch.float64).expand(6, 21, 3, 3),
        joints=start + times[:, None, None] * step,
    )

    assert_close(states.transl_vel, step.expand(6, 3))
    assert_close(states.joints_vel, step.expand(6, 22, 3))
    # One-sided differences of a turn are off by the square of the angle between frames.
    assert_close(states.global_orient_vel, turn.expand(6, 3), rtol=0, atol=1e-3)


def test_speeds_are_central_within_and_one_sided_at_the_ends():
    numbers = torch.tensor([[0.0], [1.0], [4.0], [9.0]])

    found = velocities(numbers)

    assert_close(found, FPS * torch.tensor([[1.0], [2.0], [4.0], [5.0]]))


def test_two_frames_are_enough():
    assert_close(velocities(torch.tensor([[0.0], [2.0]])), torch.tensor([[60.0], [60.0]]))
