from dataclasses import replace

import pytest
import torch
from humorpages import SMALL, small_bank, small_network, small_page
from stripmocap.methods.humor.state import State
from stripmocap.training.humor_scales import Scaled
from stripmocap.training.synthetic import embedded_body
from torch.testing import assert_close


@pytest.fixture(scope="module")
def body():
    return embedded_body()


@pytest.fixture(scope="module")
def bank(body):
    return small_bank(body)


@pytest.fixture(scope="module")
def page(bank):
    return small_page(bank)


@pytest.fixture
def network(bank):
    return small_network(bank)


def flat(page):
    return State(page.past.numbers.flatten(0, 1)), State(page.following.numbers.flatten(0, 1))


def test_scales_folded_into_the_weights_change_nothing(network, page):
    past, following = (State(each.numbers.double()) for each in flat(page))
    latent = torch.randn(len(past.numbers), 6, dtype=torch.float64)

    plain = network.double().plain().double()

    # What hardly changes is divided by little: weights that are single are not the same to 1e-5.
    close = {"atol": 1e-3, "rtol": 1e-3}
    assert_close(plain.prior(past), network.prior(past), **close)
    both = (each.posterior(past, following) for each in (plain, network))
    assert_close(*both, **close)
    said = (each.decode(past, latent).numbers for each in (plain, network))
    assert_close(*said, **close)


def test_what_is_shown_is_of_one_scale(network, page):
    past, _ = flat(page)

    shown = network._shown(past).numbers

    assert shown.abs().mean() < 2.0
    assert shown.std(dim=0).max() < 5.0


def test_a_network_without_coasting_says_changes_whole(page):
    network = Scaled(replace(SMALL, coasting=0)).eval()
    past, _ = flat(page)
    latent = torch.randn(len(past.numbers), 6)

    said = (each.decode(past, latent).numbers for each in (network, network.plain()))
    assert_close(*said, atol=1e-4, rtol=1e-4)
