import numpy as np
import torch
from scipy.stats import multivariate_normal
from stripmocap.methods.humor.canonical import Placement
from stripmocap.methods.humor.initial_state import NUMBERS, InitialStatePrior, numbers_of
from torch.testing import assert_close


def mixture():
    rng = np.random.default_rng(0)
    spread = rng.standard_normal((3, NUMBERS, NUMBERS)) / 10
    covariances = spread @ spread.transpose(0, 2, 1) + 0.5 * np.eye(NUMBERS)
    return rng.standard_normal((3, NUMBERS)), covariances, np.array([0.5, 0.3, 0.2])


def test_the_energy_is_that_of_the_whole_mixture(draw):
    means, covariances, weights = mixture()
    prior = InitialStatePrior.from_mixture(means, covariances, weights=weights, dtype=torch.float64)
    first = draw(4)

    energies = prior.energy(first)

    logs = [
        np.log(weight) + multivariate_normal(mean, covariance).logpdf(numbers_of(first).numpy())
        for mean, covariance, weight in zip(means, covariances, weights, strict=True)
    ]
    assert_close(energies, -torch.tensor(np.logaddexp.reduce(logs)))


def test_a_moment_far_from_all_has_a_finite_energy_that_leads_back(draw):
    means, covariances, weights = mixture()
    prior = InitialStatePrior.from_mixture(means, covariances, weights=weights)
    far = type(draw(1))((1e4 * draw(1).numbers).float().requires_grad_(True))

    energy = prior.energy(far).sum()
    (slope,) = torch.autograd.grad(energy, far.numbers)

    assert energy.isfinite()
    assert slope.isfinite().all()
    assert slope.abs().max() > 0


def test_it_is_over_joints_first_and_the_roots_turning_last(draw):
    state = Placement.of(draw(2)).enter(draw(2))

    numbers = numbers_of(state)

    assert numbers.shape == (2, NUMBERS)
    assert torch.equal(numbers[:, :3], state.joints[:, 0])
    assert torch.equal(numbers[:, 132:135], state.transl_vel)
    assert torch.equal(numbers[:, 135:], state.global_orient_vel)
