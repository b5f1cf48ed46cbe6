import pytest
import torch
from stripmocap.contract.skeleton import CONTACT_NAMES
from stripmocap.methods.humor.state import FPS, State
from stripmocap.training.humor_data import (
    StretchBank,
    contacts_of,
    drop_of,
    flat_heights,
    known_numbers,
)
from stripmocap.training.synthetic import embedded_body
from torch.testing import assert_close
from toyclips import toy_clip


@pytest.fixture(scope="module")
def body():
    return embedded_body()


@pytest.fixture(scope="module")
def bank(body):
    return StretchBank.of((toy_clip(frames=90), toy_clip(name="b", feet_ok=False)), body)


def drawn(bank, *, people=6, moments=12, seed=0):
    return bank.draw(people, moments, torch.Generator().manual_seed(seed))


def test_the_same_seed_draws_the_same(bank):
    first, again = drawn(bank), drawn(bank)

    assert torch.equal(first.states.numbers, again.states.numbers)
    assert not torch.equal(first.states.numbers, drawn(bank, seed=1).states.numbers)


def test_joints_are_those_of_the_body_in_its_pose(bank, body):
    stretches = drawn(bank)
    states = stretches.states
    hands = torch.eye(3).expand(6, 12, 2, 3, 3)
    rotmat = torch.cat([states.global_orient[:, :, None], states.body_pose, hands], dim=2)

    joints, _ = body.stand(
        rotmat, betas=stretches.betas[:, None].expand(-1, 12, -1), transl=states.transl
    )

    assert_close(states.joints, joints[:, :, :22], atol=1e-4, rtol=0)


def test_velocities_are_what_moves(bank):
    states = drawn(bank, moments=20).states

    between = (states.joints[:, 2:] - states.joints[:, :-2]) * (FPS / 2)
    assert_close(states.joints_vel[:, 1:-1], between, atol=2e-3, rtol=0)


def test_soles_reach_the_floor_whoever_walks(bank, body):
    stretches = drawn(bank, people=40, moments=60)
    states = stretches.states
    hands = torch.eye(3).expand(40, 60, 2, 3, 3)
    rotmat = torch.cat([states.global_orient[:, :, None], states.body_pose, hands], dim=2)
    betas = stretches.betas[:, None].expand(-1, 60, -1)
    _, landmarks = body.stand(rotmat, betas=betas, transl=states.transl)

    lowest = (landmarks[..., 29:33, 2] - flat_heights()).amin(dim=(1, 2))

    assert lowest[stretches.feet].abs().max() < 0.05
    assert states.joints[..., 2].min() > -0.05


def test_longer_legs_make_longer_ways(body):
    betas = torch.zeros(2, 10)
    betas[1, 0] = 2.0

    usual, other = drop_of(body, betas)

    assert 0.8 < usual < 1.0
    assert abs(other - usual) > 0.01


def test_a_joint_touches_while_it_rests_near_the_floor():
    joints = torch.zeros(30, 24, 3)
    joints[..., 2] = 1.0
    joints[:, 10, 2] = 0.02
    joints[15:, 10, 0] = 0.05 * torch.arange(15)
    joints[:, 7, 2] = 0.3

    touching = contacts_of(joints)

    toe, ankle = CONTACT_NAMES.index("left_foot"), CONTACT_NAMES.index("left_ankle")
    assert touching[:14, toe].all()
    assert not touching[16:, toe].any()
    assert not touching[:, ankle].any()


def test_what_nobody_recorded_does_not_count():
    numbers, contacts = known_numbers(torch.tensor([True, False]))
    whole, part = State(numbers[0]), State(numbers[1])

    assert (whole.joints == 1).all()
    assert (part.body_pose[[6, 7, 9, 10]] == 0).all()
    assert (part.joints[[10, 11]] == 0).all()
    assert (whole.body_pose[[19, 20]] < 1).all()
    assert contacts[0].all()
    assert contacts[1].tolist() == [1, 1, 1, 0, 0, 0, 0, 1, 1]


def test_a_short_clip_is_played_within_its_ends(body):
    bank = StretchBank.of((toy_clip(frames=10),), body)

    stretches = drawn(bank, moments=30)

    assert torch.isfinite(stretches.states.numbers).all()
    assert stretches.states.joints_vel.abs().max() < 5
