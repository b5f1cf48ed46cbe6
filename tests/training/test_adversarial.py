import copy

import torch
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.methods.hmr.regressor import Regressed
from stripmocap.training.adversarial import ANSWERS, Critic, Discriminator
from torch.testing import assert_close


def bodies(*, spread, seed=0, count=64):
    generator = torch.Generator().manual_seed(seed)
    rotmat = aa_to_matrix(spread * torch.randn(count, 24, 3, generator=generator))
    return Regressed(rotmat, torch.randn(count, 10, generator=generator), torch.ones(count, 3))


def test_there_is_an_answer_for_each_joint_for_all_and_for_the_shape():
    torch.manual_seed(0)
    body = bodies(spread=0.3)

    answers = Discriminator(hidden=16)(body.body_pose, body.betas)

    assert answers.shape == (64, 25)
    assert ANSWERS == 25


def test_a_joint_is_judged_by_its_own_rotation():
    torch.manual_seed(0)
    critic, body = Discriminator(hidden=16), bodies(spread=0.3)
    other = body.body_pose.clone()
    other[:, 4] = torch.eye(3)

    change = (critic(other, body.betas) - critic(body.body_pose, body.betas)).abs().amax(dim=0)

    assert change[4] > 0
    assert change[23] > 0  # all joints together
    assert_close(change[[*range(4), *range(5, 23), 24]], torch.zeros(23))


def test_a_critic_learns_to_tell_wild_poses_from_calm_ones():
    torch.manual_seed(0)
    critic = Critic(device="cpu", hidden=32)

    for seed in range(150):
        critic.term(bodies(spread=1.5, seed=2 * seed), real=bodies(spread=0.1, seed=2 * seed + 1))

    with torch.no_grad():
        wild, calm = bodies(spread=1.5, seed=1001), bodies(spread=0.1, seed=1002)
        told = critic.network(calm.body_pose, calm.betas)[:, :-1].mean()
        found_out = critic.network(wild.body_pose, wild.betas)[:, :-1].mean()
    assert told > 0.8
    assert found_out < 0.3


def test_the_term_teaches_the_regressor_and_not_the_critic():
    torch.manual_seed(0)
    critic, made = Critic(device="cpu", hidden=16), bodies(spread=0.5)
    made.rotmat.requires_grad_()

    critic.optimizer.zero_grad()
    critic.term(made, real=bodies(spread=0.1)).backward()

    assert made.rotmat.grad is not None
    assert made.rotmat.grad[:, 1:].abs().sum() > 0
    after = [each.grad.clone() for each in critic.network.parameters()]
    critic.network.zero_grad()
    torch.manual_seed(0)
    alone = Critic(device="cpu", hidden=16)
    alone.term(bodies(spread=0.5), real=bodies(spread=0.1))
    assert_close(after, [each.grad for each in alone.network.parameters()])


def test_a_critic_goes_on_from_its_state():
    torch.manual_seed(0)
    first, second = Critic(device="cpu", hidden=16), Critic(device="cpu", hidden=16)
    first.term(bodies(spread=1.0), real=bodies(spread=0.1))

    second.load_state_dict(copy.deepcopy(first.state_dict()))

    for critic in (first, second):
        critic.term(bodies(spread=1.0, seed=3), real=bodies(spread=0.1, seed=4))
    assert_close(first.network.state_dict(), second.network.state_dict(), atol=0, rtol=0)
