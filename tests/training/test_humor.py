import copy

import pytest
import torch
from stripmocap.methods.humor.network import Sizes
from stripmocap.training import loop
from stripmocap.training.humor import (
    HumorLesson,
    Plan,
    Stretcher,
    begun,
    led_further,
)
from stripmocap.training.humor_data import StretchBank
from stripmocap.training.synthetic import embedded_body
from toyclips import toy_clip

SMALL = Sizes(latent=6, hidden=32, layers=1, coasting=1)
PLAN = Plan(SMALL, people=6, moments=4, late_moments=8)


@pytest.fixture(scope="module")
def body():
    return embedded_body()


@pytest.fixture(scope="module")
def bank(body):
    return StretchBank.of((toy_clip(frames=90), toy_clip(name="b", feet_ok=False)), body)


def lesson(bank, body, *, steps=10, plan=PLAN):
    torch.manual_seed(0)
    source = Stretcher(bank, seed=2)
    return HumorLesson(
        begun(plan.sizes, source),
        source,
        body,
        plan=plan,
        steps=steps,
        held_out=bank.draw(3, 6, torch.Generator().manual_seed(4)),
    )


@pytest.mark.parametrize("step", [0, 3, 9])
def test_every_weight_that_learns_gets_a_slope(bank, body, step):
    taught = lesson(bank, body)

    terms = taught.losses(step)

    sum(terms.values()).backward()
    assert all(torch.isfinite(term) for term in terms.values())
    assert all(each.grad is not None for each in taught.network.parameters())


def test_it_learns(bank, body, tmp_path):
    taught = lesson(bank, body, steps=30)
    before = taught.scores(copy.deepcopy(taught.network).eval())

    schedule = loop.Schedule(steps=30, learning_rate=1e-2, averaging=0.5, warmup=5)
    trained = loop.train(taught, schedule, folder=tmp_path, seed=0, plan={}, report=lambda *_: None)

    after = taught.scores(trained.network)
    assert after["joints mm"] < before["joints mm"]
    assert after["contacts %"] > 50


def test_who_is_led_further_is_led_from_the_first_step_on(bank, body):
    plan = led_further(PLAN)
    taught = lesson(bank, body, plan=plan)

    terms = taught.losses(0)

    assert (plan.people, plan.moments) == (3, 8)
    assert plan.lost_m > PLAN.lost_m
    assert all(torch.isfinite(term) for term in terms.values())


def test_a_stopped_source_goes_on_where_it_was(bank):
    source, other = Stretcher(bank, seed=5), Stretcher(bank, seed=6)
    source.draw(2, 4)

    other.load_state_dict(source.state_dict())

    assert torch.equal(other.draw(2, 4).states.numbers, source.draw(2, 4).states.numbers)
