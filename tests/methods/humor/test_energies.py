import pytest
import torch
from stripmocap.methods.humor import energies
from stripmocap.methods.humor.state import JOINTS


@pytest.fixture
def joints():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 5, JOINTS, 3, generator=generator, dtype=torch.float64)


def test_what_was_not_observed_costs_nothing_and_pulls_nowhere(joints):
    observed = joints.clone()
    observed[0, 1, 2], observed[1, 0, 0] = torch.inf, torch.nan
    points = (joints + 1).requires_grad_()

    found = energies.distances(points, observed)
    found.sum().backward()

    assert found.tolist() == pytest.approx([3 * (5 * JOINTS - 1) / 2] * 2)
    assert points.grad is not None
    assert not points.grad[0, 1, 2].any()
    assert points.grad.isfinite().all()


def test_a_motion_that_drifts_evenly_is_as_unsteady_as_it_is_fast(joints):
    drift = torch.tensor([3.0, 0, 4.0]) * torch.arange(5.0)[:, None, None]

    found = energies.unsteadiness(joints[:, :1] + drift.double())

    assert found.tolist() == pytest.approx([4 * JOINTS * 25 / 2] * 2)


def test_bones_of_a_body_that_only_moves_and_turns_keep_their_length(joints):
    turn, _ = torch.linalg.qr(joints[:, :, :3])

    moved = joints[:, :1] @ turn + joints[:, :, :1]

    assert energies.stretching(moved).abs().max() < 1e-18
    assert (energies.stretching(joints) > 1).all()


def test_only_what_touches_may_not_skate(joints):
    contacts = torch.zeros(2, 5, JOINTS, dtype=torch.float64)
    contacts[0, 3, 7] = 0.5

    found = energies.skating(joints, contacts)

    gone = (joints[0, 3, 7] - joints[0, 2, 7]).square().sum()
    assert found.tolist() == pytest.approx([float(gone) / 4, 0])


@pytest.mark.parametrize(("height", "cost"), [(0.05, 0), (-0.05, 0), (0.1, 0.02), (-0.18, 0.1)])
def test_what_touches_is_near_the_floor(height, cost):
    joints = torch.full((1, 1, JOINTS, 3), height, dtype=torch.float64)
    contacts = torch.zeros(1, 1, JOINTS, dtype=torch.float64)
    contacts[..., 10] = 1

    assert float(energies.hovering(joints, contacts)) == pytest.approx(cost)


def test_a_point_of_a_cloud_far_from_every_body_does_not_pull(joints):
    vertices = joints[:, :, :8]
    beside = 0.01 * torch.linspace(0.5, 1.5, 8).double()[:, None]
    cloud = torch.cat([vertices + beside, torch.full((2, 5, 1, 3), 50.0).double()], dim=2)

    found = energies.cloud_distances(cloud, vertices)

    assert (found > 0).all()
    assert (found < 1).all()


def test_pieces_that_agree_part_nowhere(joints):
    assert not energies.parting(joints, joints).any()
    assert energies.parting(joints, joints + 2).tolist() == pytest.approx([5 * JOINTS * 6] * 2)


def test_a_floor_where_it_is_thought_to_be_costs_nothing():
    floor = torch.tensor([[0.0, 1.0, 0.0], [0.0, 1.0, 0.2]])

    found = energies.floor_change(floor, floor[:1])

    assert found.tolist() == pytest.approx([0, 0.02])
