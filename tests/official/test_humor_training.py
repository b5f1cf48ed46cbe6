"""Our losses of HuMoR's training against `humor_train_loss.npz`."""

import numpy as np
import pytest
import torch
from stripmocap.body.model import Body
from stripmocap.body.official import official_template
from stripmocap.methods.humor.network import Gaussian
from stripmocap.methods.humor.state import State
from stripmocap.training.humor_losses import (
    Moment,
    Posed,
    Weights,
    contact_accuracy,
    divergence,
    reconstruction,
)

pytestmark = pytest.mark.official
COUNT, EPOCH = 6, 10
TERMS = {  # ours, by the names of the official code
    "trans": "transl",
    "trans_vel": "transl_vel",
    "root_orient": "global_orient",
    "root_orient_vel": "global_orient_vel",
    "pose_body": "body_pose",
    "joints": "joints",
    "joints_vel": "joints_vel",
    "contacts": "contacts",
    "contacts_vel": "contact_velocity",
    "smpl_joint": "body_joints",
    "smpl_mesh": "mesh",
    "smpl_joint_consistency": "consistency",
}


@pytest.fixture(scope="module")
def numbers(oracles):
    return oracles("humor_train_loss")


@pytest.fixture(scope="module")
def drawn(oracles):
    """Draws by the recipe's functions, as tensors."""

    def draw(name, shape, **options):
        kind = options.pop("kind", oracles.synth.normal)
        return torch.tensor(kind(name, shape, oracles.seed, **options))

    return draw


@pytest.fixture(scope="module")
def body(oracles):
    template = official_template(oracles.synth.body("smplh", oracles.seed), name="synthetic")
    return Body.from_template(template)


def state_of(tag, oracles, drawn):
    def rotations(name, count):
        return torch.tensor(oracles.synth.rotmats(name, count, oracles.seed)).float()

    return State.of(
        transl=drawn(f"{tag}_trans", (COUNT, 3), std=0.3),
        transl_vel=drawn(f"{tag}_tv", (COUNT, 3), std=0.3),
        global_orient=rotations(f"{tag}_ro", COUNT),
        global_orient_vel=drawn(f"{tag}_rov", (COUNT, 3), std=0.3),
        body_pose=rotations(f"{tag}_pb", COUNT * 21).view(COUNT, 21, 3, 3),
        joints=drawn(f"{tag}_j", (COUNT, 66), std=0.5).unflatten(-1, (22, 3)),
        joints_vel=drawn(f"{tag}_jv", (COUNT, 66), std=0.5).unflatten(-1, (22, 3)),
    )


def posed(state, betas, body):
    hands = torch.eye(3).expand(COUNT, 30, 3, 3)
    pose = torch.cat([state.body_pose, hands], dim=1)
    options = {"betas": betas, "transl": state.transl}
    joints = body.joints(state.global_orient, pose, **options)[:, :22]
    return Posed(joints, body.vertices(state.global_orient, pose, **options))


@pytest.fixture(scope="module")
def touching(oracles, drawn):
    return (drawn("hl_gc", (COUNT, 9), kind=oracles.synth.uniform) > 0.5).float()


@pytest.fixture(scope="module")
def terms(oracles, drawn, body, touching):
    betas = drawn("hl_b", (COUNT, 16), std=0.5)
    said, truth = (state_of(tag, oracles, drawn) for tag in ("hl_p", "hl_g"))
    return reconstruction(
        Moment(said, drawn("hl_pc", (COUNT, 9)), posed(said, betas, body)),
        Moment(truth, touching, posed(truth, betas, body)),
        weights=Weights(),
    )


@pytest.fixture(scope="module")
def weighed_divergence(oracles, drawn):
    means = [drawn(name, (COUNT, 48)) for name in ("hl_qm", "hl_pm")]
    variances = [
        drawn(name, (COUNT, 48), kind=oracles.synth.uniform, lo=0.3, hi=2.0)
        for name in ("hl_qv", "hl_pv")
    ]
    posterior, prior = (Gaussian(*each) for each in zip(means, variances, strict=True))
    return divergence(posterior, prior, epoch=EPOCH, weights=Weights())


@pytest.mark.parametrize("official", TERMS)
def test_every_term_is_that_of_humor(official, terms, numbers):
    weight = 0.01 if official.startswith("contacts") else 1.0

    np.testing.assert_allclose(
        terms[TERMS[official]], weight * numbers[f"stat_{official}_loss"], rtol=1e-5
    )


def test_the_divergence_comes_in_as_in_humor(weighed_divergence, numbers):
    np.testing.assert_allclose(weighed_divergence, numbers["stat_kl_weighted_loss"], rtol=1e-5)


def test_the_loss_is_that_of_humor(terms, weighed_divergence, numbers):
    total = sum(terms.values())

    np.testing.assert_allclose(total, numbers["stat_reconstr_weighted_loss"], rtol=1e-5)
    np.testing.assert_allclose(total + weighed_divergence, numbers["loss_epoch10"], rtol=1e-5)


def test_contacts_are_scored_as_by_humor(drawn, touching, numbers):
    found = contact_accuracy(drawn("hl_pc", (COUNT, 9)), touching)

    stats = [numbers[f"stat_contacts_{each}"] for each in ("acc", "pos_acc", "neg_acc")]
    np.testing.assert_allclose(found, stats, rtol=1e-5)
