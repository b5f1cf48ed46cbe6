"""Every energy of our HuMoR fit alone, against `humor_fit_losses.npz`."""

import numpy as np
import pytest
import torch
from official.humor_fit import CENTER_PX
from stripmocap.methods.humor import energies
from stripmocap.methods.humor.figure import IGNORED_OPENPOSE
from stripmocap.methods.humor.objective import DEFAULT_FOCAL_PX
from stripmocap.methods.humor.state import JOINTS
from stripmocap.methods.smplify import energies as of_frames

pytestmark = pytest.mark.official


@pytest.fixture(scope="module")
def losses(oracles):
    return {name: torch.tensor(each) for name, each in oracles("humor_fit_losses").items()}


def near(got, expected):
    torch.testing.assert_close(got.sum(), expected, rtol=1e-6, atol=0)


def test_robust_pixels_are_those_of_humor(oracles, losses):
    body = oracles("smplh_forward")
    beyond = torch.tensor(body["Jtr73"])[:, :, JOINTS:]
    points = torch.cat([losses["joints3d"], beyond], dim=2)[:, :, body["op25_map"].tolist()]
    confidence = losses["obs2d"][..., 2].clone()
    confidence[..., list(IGNORED_OPENPOSE)] = 0

    found = of_frames.reprojection(
        points,
        losses["obs2d"][..., :2],
        confidence=confidence,
        focal=torch.tensor(DEFAULT_FOCAL_PX),
        center=torch.tensor(CENTER_PX),
    )

    np.testing.assert_array_equal(confidence, losses["obs2d_after"][..., 2])
    near(found, losses["L_joints2d"])


def test_distances_from_observed_joints_are_those_of_humor(losses):
    assert losses["joints3d_obs"].isinf().any()
    near(energies.distances(losses["joints3d"], losses["joints3d_obs"]), losses["L_joints3d"])


def test_steadiness_and_shape_are_those_of_humor(losses):
    near(energies.unsteadiness(losses["joints3d"]), losses["L_joints3d_smooth"])
    near(of_frames.shape(losses["betas"]), losses["L_shape_prior"])


def test_what_keeps_the_decoders_joints_on_a_body_is_that_of_humor(losses):
    told = losses["joints3d_obs"]
    told = torch.where(told.isfinite(), told, 0.0)

    near(energies.inconsistency(losses["joints3d"], told), losses["L_joint_consistency"])
    near(energies.stretching(losses["joints3d"]), losses["L_bone_length"])


def test_what_contacts_cost_is_that_of_humor(losses):
    joints, contacts = losses["joints3d"], losses["conf_contacts"]

    near(energies.skating(joints, contacts), losses["L_contact_vel"])
    near(energies.hovering(joints, contacts), losses["L_contact_height"])


def test_what_floors_cost_is_that_of_humor(losses):
    observed = losses["floor4_obs"]

    found = energies.floor_change(losses["floor3"], observed[:, :3] * observed[:, 3:])

    near(found, losses["L_floor_reg"])
