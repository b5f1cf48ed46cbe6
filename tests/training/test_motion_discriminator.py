import copy

import pytest
import torch
from stripmocap.training.motion_discriminator import (
    MotionCritic,
    MotionDiscriminator,
    SelfAttention,
    fooling_loss,
    telling_loss,
)
from torch.testing import assert_close

NUMBERS = 6


def steady(*, seed, count=32, frames=12):
    """Motion whose poses follow from each other."""
    generator = torch.Generator().manual_seed(seed)
    first = torch.randn(count, 1, NUMBERS, generator=generator)
    step = 0.05 * torch.randn(count, 1, NUMBERS, generator=generator)
    return first + step * torch.arange(frames)[:, None]


def shuffled(motion, *, seed):
    """The same poses as in `motion`, in an order that nobody moves in."""
    generator = torch.Generator().manual_seed(seed)
    return motion + torch.randn(motion.shape, generator=generator)


def critic(hidden=16, learning_rate=1e-3):
    return MotionCritic(NUMBERS, device="cpu", hidden=hidden, learning_rate=learning_rate)


@pytest.mark.parametrize(("people", "frames"), [(1, 1), (1, 16), (5, 3)])
def test_there_is_one_answer_for_each_motion(people, frames):
    network = MotionDiscriminator(NUMBERS, hidden=8)

    assert network(torch.zeros(people, frames, NUMBERS)).shape == (people, 1)


def test_motions_are_judged_apart_from_each_other():
    torch.manual_seed(0)
    network, motion = MotionDiscriminator(NUMBERS, hidden=8).eval(), steady(seed=0)

    assert_close(network(motion)[3:4], network(motion[3:4]))


def test_order_in_time_counts():
    torch.manual_seed(0)
    network, motion = MotionDiscriminator(NUMBERS, hidden=8).eval(), steady(seed=0)

    assert (network(motion) - network(motion.flip(1))).abs().max() > 1e-4


def test_attention_of_equal_moments_is_equal_and_sums_to_one():
    attention = SelfAttention(4).eval()

    weights = attention.weights(torch.ones(2, 5, 4))

    assert_close(weights, torch.full((2, 5), 0.2))
    assert_close(attention(torch.ones(2, 5, 4)), torch.ones(2, 4))


def test_a_maker_pays_nothing_for_what_passes_for_real():
    assert fooling_loss(torch.ones(3, 1)) == 0
    assert fooling_loss(torch.zeros(3, 1)) == 1


def test_a_critic_pays_nothing_when_all_is_told_apart():
    real, made = torch.ones(3, 1), torch.zeros(5, 1)

    assert telling_loss(made, real=real) == 0
    assert telling_loss(real, real=made) == 2


def test_a_critic_learns_to_tell_jitter_from_motion():
    torch.manual_seed(0)
    learner = critic(hidden=32, learning_rate=3e-3)

    for seed in range(80):
        learner.term(shuffled(steady(seed=seed), seed=seed), real=steady(seed=1000 + seed))

    learner.network.eval()
    with torch.no_grad():
        told = learner.network(steady(seed=5000)).mean()
        found_out = learner.network(shuffled(steady(seed=5001), seed=5001)).mean()
    assert told > 0.7
    assert found_out < 0.3


def test_the_term_teaches_the_maker_and_not_the_critic():
    torch.manual_seed(0)
    learner, made = critic(), steady(seed=1).requires_grad_()

    term = learner.term(made, real=steady(seed=2))
    before = [each.grad.clone() for each in learner.network.parameters()]
    term.backward()

    assert made.grad is not None
    assert made.grad.abs().sum() > 0
    assert_close([each.grad for each in learner.network.parameters()], before)


def test_a_critic_is_not_ruined_by_one_batch_of_no_numbers():
    learner = critic()

    learner.term(torch.full((2, 3, NUMBERS), torch.nan), real=steady(seed=0))

    assert all(each.isfinite().all() for each in learner.network.parameters())


def test_real_motion_may_be_more_and_longer_than_what_is_made():
    term = critic().term(steady(seed=0, count=2, frames=4), real=steady(seed=1, count=7))

    assert torch.isfinite(term)


def test_a_critic_goes_on_from_its_state():
    torch.manual_seed(0)
    first, second = critic(), critic()
    first.term(steady(seed=0), real=steady(seed=1))

    second.load_state_dict(copy.deepcopy(first.state_dict()))

    for each in (first, second):
        torch.manual_seed(5)  # the same moments are dropped
        each.term(steady(seed=2), real=steady(seed=3))
    assert_close(first.network.state_dict(), second.network.state_dict(), atol=0, rtol=0)
