from dataclasses import replace

import pytest
import torch
from humorpages import small_bank, small_network, small_page
from stripmocap.methods.humor.state import State, changed
from stripmocap.training import loop
from stripmocap.training.humor_windows import posed, walked
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


def test_a_window_begins_where_the_truth_does(network, page):
    past = walked(network, page, true_share=0.0, generator=torch.Generator().manual_seed(0))

    assert_close(past.numbers[:, 0], page.past.numbers[:, 0])
    assert not torch.allclose(past.numbers[:, 1:], page.past.numbers[:, 1:], atol=1e-3)
    assert_close(past.transl[..., :2], torch.zeros(5, 6, 2), atol=1e-5, rtol=0)


@pytest.mark.parametrize("bounds", [{"true_share": 1.0}, {"true_share": 0.0, "lost_m": 0.0}])
def test_a_window_may_stay_with_the_truth(network, page, bounds):
    past = walked(network, page, **bounds)

    assert_close(past.numbers, page.past.numbers)


def test_a_step_is_what_is_led_to_from_the_step_before(network, page):
    past = walked(network, page, true_share=0.0, generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(0)
    first = State(past.numbers[:, 0])
    with torch.no_grad(), loop.half("cpu"):
        posterior = network.posterior(first, State(page.following.numbers[:, 0]))
        change = network.decode(first, posterior.sample(generator))

    led = changed(first, replace(change, numbers=change.numbers.float()))

    assert_close(past.body_pose[:, 1], led.body_pose)
    assert_close(past.transl[:, 1, 2], led.transl[:, 2])


def test_rows_of_a_page_are_those_windows(page):
    part = page[1:3]

    assert_close(part.following.numbers, page.following.numbers[1:3])
    assert_close(part.known.points, page.known.points[1:3])
    assert part.betas.shape == (2, 10)


def test_the_true_states_are_posed_where_they_are(body, page):
    _, following = flat(page)
    betas = page.betas[:, None].expand(-1, 6, -1).flatten(0, 1)

    assert_close(posed(body, following, betas=betas).joints, following.joints, atol=1e-4, rtol=0)
