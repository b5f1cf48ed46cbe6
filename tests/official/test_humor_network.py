"""Our motion prior against `humor_step.npz`, `humor_rollout.npz` and `humor_infer.npz`."""

import json

import numpy as np
import pytest
import torch
from stripmocap.methods.humor.canonical import Placement, published_turn_of, turn_matrix
from stripmocap.methods.humor.network import MotionPrior
from stripmocap.methods.humor.rollout import imagine, likeliest, roll_out, transitions
from stripmocap.methods.humor.state import CONTACT_JOINTS, State, changed

pytestmark = pytest.mark.official
TOLERANCE = 1e-5  # times 1 + the largest number, as the oracles ask of a single forward
PARTS = {  # ours, by the names of the official code
    "trans": "transl",
    "trans_vel": "transl_vel",
    "root_orient": "global_orient",
    "root_orient_vel": "global_orient_vel",
    "pose_body": "body_pose",
    "joints": "joints",
    "joints_vel": "joints_vel",
}


@pytest.fixture(scope="module")
def state(oracles):
    entries = json.loads((oracles.folder / "humor_keys.json").read_text("utf-8"))["entries"]
    return oracles.synth.fill_all({each["key"]: each["shape"] for each in entries}, oracles.seed)


@pytest.fixture(scope="module")
def network(state):
    network = MotionPrior().eval().requires_grad_(False)
    network.load_state_dict({name: torch.as_tensor(each) for name, each in state.items()})
    return network


@pytest.fixture(scope="module")
def step(oracles):
    return oracles("humor_step")


@pytest.fixture(scope="module")
def rolled(oracles):
    return oracles("humor_rollout")


@pytest.fixture(scope="module")
def past(step):
    return State(torch.tensor(step["past"]))


@pytest.fixture(scope="module")
def latents(rolled):
    return torch.tensor(rolled["zseq"])


def near(got, expected):
    expected = np.asarray(expected)
    got = np.asarray(got).reshape(expected.shape)
    np.testing.assert_allclose(got, expected, rtol=0, atol=TOLERANCE * (1 + np.abs(expected).max()))


def all_near(states, numbers, *, prefix):
    """Every part that the official code gives under `prefix`."""
    given = {each: prefix + each for each in PARTS if prefix + each in numbers}
    assert given
    for official, name in given.items():
        near(getattr(states, PARTS[official]), numbers[name])


def test_weights_are_filled_as_the_oracles_were(state, step):
    sums = [state[str(name)].astype(np.float64).sum() for name in step["checksum_names"]]

    np.testing.assert_allclose(sums, step["checksums"], rtol=1e-6)


def test_our_state_is_that_of_humor_entry_by_entry(state, network):
    ours = {name: tuple(each.shape) for name, each in network.state_dict().items()}

    assert ours == {name: each.shape for name, each in state.items()}


def test_prior_and_posterior_are_those_of_humor(network, past, step):
    prior = network.prior(past)
    posterior = network.posterior(past, State(torch.tensor(step["next"])))

    near(prior.mean, step["prior_mean"])
    near(prior.variance, step["prior_var"])
    near(posterior.mean, step["post_mean"])
    near(posterior.variance, step["post_var"])
    near(posterior.divergence(prior), step["kl"])


def test_the_next_moment_is_that_of_humor(network, past, step):
    change = network.decode(past, torch.tensor(step["z"]))
    following = changed(past, change)

    near(change.numbers, step["decoder_raw"])
    near(torch.cat([following.numbers, change.contacts], dim=-1), step["decoded"])
    all_near(following, step, prefix="split_")
    near(change.contacts, step["split_contacts"])


def test_a_roll_out_and_its_priors_are_those_of_humor(network, past, latents, rolled):
    found = roll_out(network, past, latents=latents, turning=published_turn_of)
    prior = network.prior(found.past)

    all_near(found.states, rolled, prefix="plain_")
    near(found.contacts, rolled["plain_contacts"])
    near(prior.mean, rolled["prior_mean"])
    near(prior.variance, rolled["prior_var"])


def test_a_roll_out_from_anywhere_is_that_of_humor(network, past, latents, rolled):
    frame = Placement.of(past, published_turn_of)

    found = roll_out(network, frame.enter(past), latents=latents, turning=published_turn_of)

    all_near(found.states, rolled, prefix="canon_")
    all_near(frame.over_time().leave(found.states), rolled, prefix="canon_uncanon_")
    near(found.contacts, rolled["canon_uncanon_contacts"])


def test_what_the_prior_makes_up_is_that_of_humor(network, past, rolled):
    found = imagine(network, past, steps=10, choose=likeliest, turning=published_turn_of)

    all_near(found.states, rolled, prefix="mean_")
    near(found.contacts, rolled["mean_contacts"])


def test_transitions_are_read_as_by_humor(oracles, network):
    numbers = oracles("humor_infer")

    past, following = transitions(State(torch.tensor(numbers["seq"])), turning=published_turn_of)
    prior, posterior = network.prior(past), network.posterior(past, following)

    near(prior.mean, numbers["prior_mean"])
    near(prior.variance, numbers["prior_var"])
    near(posterior.mean, numbers["post_mean"])
    near(posterior.variance, numbers["post_var"])


def test_bodies_are_turned_as_by_humor(oracles):
    numbers = oracles("humor_infer")

    turns = turn_matrix(published_turn_of(torch.tensor(numbers["w2a_in"])))

    near(turns, numbers["w2a_out"])


def test_contacts_are_of_the_joints_of_humor(oracles):
    assert list(CONTACT_JOINTS) == oracles("humor_misc")["contact_inds"].tolist()
