import pytest
import torch
from stripmocap.methods.humor.canonical import Placement, published_turn_of, turn_of
from stripmocap.methods.humor.network import MotionPrior, Sizes
from stripmocap.methods.humor.quick_rollout import roll_out_fixed
from stripmocap.methods.humor.rollout import roll_out
from stripmocap.methods.humor.state import State
from torch.testing import assert_close


@pytest.fixture(params=[0, 1], ids=["published", "coasting"])
def fixed(request):
    torch.manual_seed(0)
    sizes = Sizes(latent=6, hidden=64, layers=2, coasting=request.param)
    network = MotionPrior(sizes).double().eval().requires_grad_(False)
    with torch.no_grad():
        for each in network.decoder.net[-1].parameters():
            each *= 0.1  # random changes that do not double with every moment
    return network


def given(draw, *, count=2, steps=5):
    first = draw(count)
    numbers = Placement.of(first).enter(first).numbers.clone()
    generator = torch.Generator().manual_seed(3)
    latents = torch.randn(count, steps, 6, generator=generator, dtype=torch.float64)
    return numbers.requires_grad_(), latents.requires_grad_()


@pytest.mark.parametrize("turning", [turn_of, published_turn_of])
def test_motions_are_those_of_the_plain_roll_out(fixed, draw, turning):
    numbers, latents = given(draw)

    ours = roll_out_fixed(fixed, State(numbers), latents=latents, turning=turning)

    plain = roll_out(fixed, State(numbers), latents=latents, turning=turning)
    assert_close(ours.states.numbers, plain.states.numbers)
    assert_close(ours.past.numbers, plain.past.numbers)
    assert_close(ours.contacts, plain.contacts)
    assert ours.latents is latents


@pytest.mark.parametrize("turning", [turn_of, published_turn_of])
@pytest.mark.parametrize("asked", ["states", "past", "contacts"])
def test_gradients_are_those_of_the_plain_roll_out(fixed, draw, turning, asked):
    found = []
    for way in (roll_out_fixed, roll_out):
        numbers, latents = given(draw)
        answer = getattr(way(fixed, State(numbers), latents=latents, turning=turning), asked)
        answer = answer if asked == "contacts" else answer.numbers
        generator = torch.Generator().manual_seed(4)
        weights = torch.randn(answer.shape, generator=generator, dtype=torch.float64)
        (weights * answer).sum().backward()
        found.append((numbers.grad, latents.grad))

    ours, plain = found
    assert_close(ours[0], plain[0])
    assert_close(ours[1], plain[1])


def test_one_moment_can_be_led_to(fixed, draw):
    numbers, latents = given(draw, count=1, steps=1)

    ours = roll_out_fixed(fixed, State(numbers), latents=latents)

    assert_close(
        ours.states.numbers, roll_out(fixed, State(numbers), latents=latents).states.numbers
    )
    assert ours.contacts.shape == (1, 1, 9)
