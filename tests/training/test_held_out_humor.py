import pytest
import torch
from stripmocap.methods.humor.network import MotionPrior, Sizes
from stripmocap.methods.humor.state import State
from stripmocap.training import held_out_humor
from stripmocap.training.held_out_humor import HORIZONS_S, held_out_stretches, judged_prior
from stripmocap.training.humor_data import StretchBank
from stripmocap.training.synthetic import embedded_body
from toyclips import toy_clip


@pytest.fixture(scope="module")
def body():
    return embedded_body()


@pytest.fixture(scope="module")
def people(body):
    clips = (toy_clip(frames=120), toy_clip(name="b", frames=120, feet_ok=False))
    return held_out_stretches(StretchBank.of(clips, body), people=8, seed=0)


@pytest.fixture(scope="module")
def judged(people, body):
    torch.manual_seed(0)
    network = MotionPrior(Sizes(latent=4, hidden=32, layers=1, coasting=1)).eval()
    return judged_prior(network, people, body=body)


def test_feet_are_known_in_all_that_is_judged(people):
    assert people.feet.all()
    assert len(people.betas) == len(people.states.numbers) > 0


def test_errors_are_numbers_at_every_horizon(judged):
    for name in ("explained_mm", "likeliest_mm", "imagined_mm", "best_mm", "diversity_mm"):
        values = getattr(judged, name)
        assert len(values) == len(HORIZONS_S)
        assert all(value >= 0 for value in values), name


def test_the_best_sample_is_no_worse_than_they_are_on_average(judged):
    # The best is by the mean up to the horizon, which is below the error at it for what drifts.
    assert judged.best_mm[0] <= judged.imagined_mm[0]
    assert judged.best_mm[-1] <= judged.imagined_mm[-1]


def test_holding_still_is_as_far_off_as_people_move(judged, people):
    first, last = (people.states.joints[:, index] for index in (0, -1))
    moved = 1000 * (last - first).norm(dim=-1).mean()

    assert judged.standing_mm[-1] == pytest.approx(float(moved), rel=1e-3)


def test_feet_that_are_moved_through_the_floor_are_told(people, body):
    numbers = people.states.numbers.clone()
    states = State(numbers)
    states.transl[..., 2] -= 0.1
    states.joints[..., 2] -= 0.1

    touching = torch.ones_like(people.contacts)
    low = held_out_humor._plausible(states, touching, betas=people.betas, body=body)
    usual = held_out_humor._plausible(people.states, touching, betas=people.betas, body=body)

    assert low.depth_mm > usual.depth_mm + 10
    assert low.deep > usual.deep + 0.1
    assert low.slide_cm_s == pytest.approx(usual.slide_cm_s, rel=1e-3)
