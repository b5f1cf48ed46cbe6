from dataclasses import replace

import torch
from stripmocap.methods.humor.network import Gaussian, MotionPrior, Sizes
from stripmocap.methods.humor.state import CHANGE_NUMBERS, FPS, State
from torch.distributions import Normal, kl_divergence
from torch.testing import assert_close


def gaussian(*, seed):
    generator = torch.Generator().manual_seed(seed)
    mean = torch.randn(4, 6, generator=generator)
    return Gaussian(mean, torch.rand(4, 6, generator=generator) + 0.2)


def test_a_decoder_that_heard_the_latents_before_says_the_same(draw, network):
    past = draw(5)
    latents = torch.randn(5, 6, dtype=torch.float64)

    heard = network.decoder.heard(latents)

    assert_close(network.decoder.led(past, heard).numbers, network.decode(past, latents).numbers)


def test_a_latent_reaches_every_layer_of_the_decoder(draw, network):
    past, latents = draw(1), torch.zeros(1, 6, dtype=torch.float64)
    quiet = network.decoder.heard(latents)
    loud = network.decoder.heard(latents + 1)

    for index in range(4):
        mixed = [*quiet[:index], loud[index], *quiet[index + 1 :]]
        assert not torch.allclose(
            network.decoder.led(past, mixed).numbers, network.decoder.led(past, quiet).numbers
        )


def test_people_and_times_are_read_as_a_row_is(draw, network):
    past, following = draw(6), draw(6, seed=1)
    latents = torch.randn(6, 6, dtype=torch.float64)

    def grid(state):
        return State(state.numbers.view(2, 3, -1))

    posterior = network.posterior(grid(past), grid(following))
    changes = network.decode(grid(past), latents.view(2, 3, -1))

    assert_close(posterior.mean.view(6, -1), network.posterior(past, following).mean)
    assert_close(changes.numbers.view(6, -1), network.decode(past, latents).numbers)


def test_sizes_build_the_same_class_smaller():
    small = MotionPrior(Sizes(latent=8, hidden=32, layers=1))

    change = small.decode(State(torch.zeros(2, 339)), torch.zeros(2, 8))

    assert change.numbers.shape == (2, CHANGE_NUMBERS)
    assert sum(each.numel() for each in small.parameters()) < 1e5


def test_energy_and_divergence_are_those_of_normal_distributions():
    one, other = gaussian(seed=0), gaussian(seed=1)
    values = torch.randn(4, 6)
    normal, second = (Normal(each.mean, each.variance.sqrt()) for each in (one, other))

    assert_close(one.energy(values), -normal.log_prob(values).sum(dim=-1))
    assert_close(one.divergence(other), kl_divergence(normal, second).sum(dim=-1))
    assert_close(one.divergence(one), torch.zeros(4))


def test_samples_scatter_as_they_should():
    few = gaussian(seed=0)
    many = Gaussian(few.mean.expand(20_000, 4, 6), few.variance.expand(20_000, 4, 6))

    drawn = many.sample(torch.Generator().manual_seed(0))

    assert_close(drawn.mean(dim=0), few.mean, rtol=0, atol=0.05)
    assert_close(drawn.var(dim=0), few.variance, rtol=0.05, atol=0)


def test_a_coasting_decoder_adds_what_velocities_promise():
    sizes = Sizes(latent=8, hidden=32, layers=1)
    plain, coasting = MotionPrior(sizes).eval(), MotionPrior(replace(sizes, coasting=1)).eval()
    coasting.load_state_dict(plain.state_dict())
    past, latent = State(torch.randn(3, 2, 339)), torch.randn(3, 2, 8)

    more = coasting.decode(past, latent).numbers - plain.decode(past, latent).numbers

    assert_close(more[..., :3], past.transl_vel / FPS, atol=1e-6, rtol=0)
    assert_close(more[..., 6:9], past.global_orient_vel / FPS, atol=1e-6, rtol=0)
    assert_close(more[..., 75:141], past.joints_vel.flatten(-2) / FPS, atol=1e-6, rtol=0)
    assert torch.count_nonzero(more[0, 0]) == 72
