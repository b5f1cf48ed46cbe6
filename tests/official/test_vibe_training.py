"""VIBE's motion discriminator and losses against `vibe_discriminator.npz` and `vibe_losses.npz`."""

import json

import numpy as np
import pytest
import torch
from stripmocap.training.motion_discriminator import MotionDiscriminator

pytestmark = pytest.mark.official
TOLERANCE = 1e-5


def near(got, expected):
    expected = np.asarray(expected)
    np.testing.assert_allclose(
        np.asarray(got.detach()), expected, rtol=0, atol=TOLERANCE * (1 + np.abs(expected).max())
    )


@pytest.fixture(scope="module")
def state(oracles):
    entries = json.loads((oracles.folder / "vibe_discriminator_keys.json").read_text("utf-8"))
    shapes = {entry["key"]: entry["shape"] for entry in entries["entries"]}
    return oracles.synth.fill_all(shapes, oracles.seed)


@pytest.fixture(scope="module")
def discriminator(state):
    network = MotionDiscriminator().eval()
    network.load_state_dict({name: torch.as_tensor(each) for name, each in state.items()})
    return network


@pytest.fixture(scope="module")
def answers(oracles):
    return oracles("vibe_discriminator")


@pytest.fixture(scope="module")
def motion(oracles):
    return torch.tensor(oracles.synth.normal("disc_seq", (4, 16, 69), oracles.seed, std=0.3))


def test_our_critic_has_the_state_of_that_of_vibe_entry_by_entry(state, discriminator):
    ours = {name: tuple(each.shape) for name, each in discriminator.state_dict().items()}

    assert ours == {name: each.shape for name, each in state.items()}


def test_attention_and_answers_are_those_of_vibe(discriminator, motion, answers):
    with torch.no_grad():
        found, _ = discriminator.gru(motion)

        near(discriminator.attention.weights(found), answers["attention_scores"])
        near(discriminator.attention(found), answers["pooled"])
        near(discriminator(motion), answers["out"])


def test_one_motion_alone_is_answered_as_by_vibe(discriminator, motion, answers):
    with torch.no_grad():
        near(discriminator(motion[:1]).squeeze(0), answers["out_batch1"])
