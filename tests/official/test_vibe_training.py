"""VIBE's motion discriminator and losses against `vibe_discriminator.npz` and `vibe_losses.npz`."""

import json

import numpy as np
import pytest
import torch
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.training.motion_discriminator import (
    MotionDiscriminator,
    fooling_loss,
    telling_loss,
)
from stripmocap.training.vibe_losses import Known, Made, Weights, supervised

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
def losses(oracles):
    return oracles("vibe_losses")


@pytest.fixture(scope="module")
def normal(oracles):
    def draw(name, shape, std=1.0):
        return torch.tensor(oracles.synth.normal(name, shape, oracles.seed, std))

    return draw


@pytest.fixture(scope="module")
def motion(normal):
    return normal("disc_seq", (4, 16, 69), 0.3)


def matrices(pose):
    return aa_to_matrix(pose.unflatten(-1, (24, 3)))


@pytest.fixture(scope="module")
def made(normal):
    """Four sequences: two that are known by keypoints, two by all."""
    return Made(
        matrices(normal("vl_pose", (4, 16, 72), 0.3)).flatten(0, 1),
        normal("vl_shape", (4, 16, 10)).flatten(0, 1),
        normal("vl_kp3", (4, 16, 49, 3), 0.4).flatten(0, 1),
        normal("vl_kp2", (4, 16, 49, 2), 0.5).flatten(0, 1),
    )


@pytest.fixture(scope="module")
def known(oracles, normal, losses):
    scores = [
        torch.tensor(oracles.synth.uniform(name, (2, 16, 49, 1), oracles.seed))
        for name in ("vl_d2c", "vl_d3c")
    ]
    places = [normal(name, (2, 16, 49, 2), 0.5) for name in ("vl_d2", "vl_d3")]
    keypoints = [torch.cat(each, dim=-1) for each in zip(places, scores, strict=True)]
    pose = matrices(normal("vl_rt", (2, 16, 75), 0.3)[..., 3:])

    def behind(array):  # the first two sequences have keypoints only
        return torch.cat([torch.zeros_like(array), array]).flatten(0, 1)

    return Known(
        torch.cat(keypoints).flatten(0, 1),
        behind(normal("vl_d3k", (2, 16, 49, 3), 0.4)),
        behind(torch.tensor(losses["w_3d"]) > 0),
        behind(pose),
        behind(normal("vl_rs", (2, 16, 10))),
        behind(torch.tensor(losses["w_smpl"]) > 0),
    )


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


def test_what_a_maker_pays_is_what_it_pays_in_vibe(discriminator, normal, made, known, losses):
    with torch.no_grad():
        terms = supervised(made, known, weights=Weights())
        terms["critic"] = Weights.critic * fooling_loss(
            discriminator(normal("vl_pose", (4, 16, 72), 0.3)[..., 3:])
        )

    near(terms["keypoints"], losses["loss_kp_2d"])
    near(terms["joints"], losses["loss_kp_3d"])
    near(terms["rotmat"], losses["loss_pose"])
    near(terms["betas"], losses["loss_shape"])
    near(terms["critic"], losses["e_m_disc_loss"])
    near(sum(terms.values()), losses["gen_loss"])


def test_what_a_critic_pays_is_what_it_pays_in_vibe(discriminator, normal, losses):
    with torch.no_grad():
        fake = discriminator(normal("vl_pose", (4, 16, 72), 0.3)[..., 3:])
        real = discriminator(normal("vl_mosh", (4, 16, 75), 0.3)[..., 6:])

        near(Weights.critic * telling_loss(fake, real=real), losses["d_m_disc_loss"])
        near(Weights.critic * telling_loss(fake, real=real.new_ones(4, 1)), losses["d_m_disc_fake"])
        near(Weights.critic * telling_loss(fake * 0, real=real), losses["d_m_disc_real"])
