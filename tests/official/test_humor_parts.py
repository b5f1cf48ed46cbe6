"""What surrounds our motion prior against `humor_misc`, `vposer_v1` and `humor_fit_losses`."""

import json

import numpy as np
import pytest
import torch
from stripmocap.evaluation.penetration import THRESHOLDS_M, TOE_JOINTS, depths_m, shares_deeper
from stripmocap.evaluation.published import accelerations
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.methods.humor.floor import Floor, PriorFrame
from stripmocap.methods.humor.initial_state import InitialStatePrior
from stripmocap.methods.humor.network import Gaussian
from stripmocap.methods.humor.pose_prior import PosePrior, latent_energy
from stripmocap.methods.humor.robust import bisquare_weights
from stripmocap.methods.humor.state import FPS, State

pytestmark = pytest.mark.official
TOLERANCE = 1e-5  # times 1 + the largest number, as the oracles ask of a single forward


@pytest.fixture(scope="module")
def misc(oracles):
    return oracles("humor_misc")


@pytest.fixture(scope="module")
def losses(oracles):
    return {name: torch.tensor(array) for name, array in oracles("humor_fit_losses").items()}


@pytest.fixture(scope="module")
def vposer(oracles):
    entries = json.loads((oracles.folder / "vposer_v1_keys.json").read_text("utf-8"))["entries"]
    shapes = {each["key"]: each["shape"] for each in entries}
    return oracles.synth.fill_all(shapes, oracles.seed)


@pytest.fixture(scope="module")
def pose_prior(vposer):
    network = PosePrior().eval().requires_grad_(False)
    network.load_state_dict({name: torch.as_tensor(each) for name, each in vposer.items()})
    return network


def near(got, expected):
    expected = np.asarray(expected)
    got = np.asarray(got).reshape(expected.shape)
    np.testing.assert_allclose(got, expected, rtol=0, atol=TOLERANCE * (1 + np.abs(expected).max()))


def test_our_pose_prior_has_the_state_of_vposer_entry_by_entry(vposer, pose_prior):
    ours = {name: tuple(each.shape) for name, each in pose_prior.state_dict().items()}

    assert ours == {name: each.shape for name, each in vposer.items()}


def test_poses_and_latents_are_those_of_vposer(oracles, pose_prior):
    numbers = oracles("vposer_v1")

    found = pose_prior.encode(torch.tensor(numbers["pose_aa"]).unflatten(-1, (21, 3)))

    near(pose_prior.decode(torch.tensor(numbers["z"])), numbers["decoded"])
    near(found.mean, numbers["enc_mean"])
    near(found.variance.sqrt(), numbers["enc_std"])


def test_the_energy_of_a_pose_is_that_of_humor(losses):
    near(latent_energy(losses["z"][..., :32]).sum(), losses["L_pose_prior"])


def test_the_energy_of_latents_is_that_of_humor(losses):
    latents, prior = losses["z"], Gaussian(losses["cond_mean"], losses["cond_var"])

    near(prior.energy(latents).sum(), losses["L_motion_prior_cond"])
    near(latent_energy(latents).sum(), losses["L_motion_prior_std"])


def test_how_likely_a_motion_begins_so_is_as_in_humor(oracles, losses):
    mixture = oracles.synth.state_gmm(oracles.seed)
    prior = InitialStatePrior.from_mixture(
        mixture["means"], mixture["covariances"], weights=mixture["weights"]
    )
    first = State.of(
        transl=torch.zeros(2, 3),
        transl_vel=losses["trans_vel"][:, 0],
        global_orient=torch.eye(3).expand(2, 3, 3),
        global_orient_vel=losses["root_orient_vel"][:, 0],
        body_pose=torch.eye(3).expand(2, 21, 3, 3),
        joints=losses["joints3d"][:, 0],
        joints_vel=losses["joints_vel"][:, 0],
    )

    energies = prior.energy(first)

    near(energies, -losses["gmm_logprob"])
    near(energies.sum(), losses["L_init_motion"])


def test_floors_are_those_of_humor(misc):
    floor = Floor.of(torch.tensor(misc["floor3"]))

    near(torch.cat([floor.normal, floor.height.unsqueeze(-1)], dim=-1), misc["floor4"])


def test_the_frame_on_the_floor_is_that_of_humor(misc):
    transl, joints = torch.tensor(misc["c2p_trans"]), torch.tensor(misc["c2p_joints"])
    orient = aa_to_matrix(torch.tensor(misc["c2p_root"]))

    frame = PriorFrame.under(
        Floor.of(torch.tensor(misc["floor3"])), transl=transl, global_orient=orient
    )

    near(frame.rotmat, misc["cam2prior_R"])
    near(frame.enter(joints)[:, 0, 2], misc["cam2prior_root_height"])
    near(frame.enter(transl.unsqueeze(1))[:, 0, :2], np.zeros((4, 2)))
    near(-transl, misc["cam2prior_t"])


def test_outliers_are_left_out_as_by_humor(misc):
    distances = torch.tensor(misc["robust_res"])

    weights = bisquare_weights(distances)

    near(weights, misc["robust_w"])
    near(weights * distances.square(), misc["robust_wres"])


def test_rotations_are_made_as_by_humor(misc):
    near(aa_to_matrix(torch.tensor(misc["rodrigues_in"])), misc["rodrigues_out"])


def test_accelerations_are_those_of_humor(misc):
    per_frame = accelerations(misc["met_joints"])

    near(per_frame * FPS**2, misc["met_accel_mag"].mean(axis=-1))


@pytest.mark.parametrize("floor", ["met_plane", "met_plane2"])
def test_how_deep_toes_sink_is_as_by_humor(misc, floor):
    prefix = floor.replace("plane", "pen")
    toes = misc["met_joints"][:, list(TOE_JOINTS)]

    depths = depths_m(toes, normal=misc[floor][:3], height=float(misc[floor][3]))

    assert np.prod(depths.shape) == misc["met_pen_tot"]
    near(shares_deeper(depths) * depths.size, misc[f"{prefix}_counts"])
    found = depths[depths > 0]
    assert found.shape == misc[f"{prefix}_dist"].shape
    np.testing.assert_allclose(found, misc[f"{prefix}_dist"], atol=TOLERANCE)
    near(THRESHOLDS_M, misc["pen_thresholds"])
