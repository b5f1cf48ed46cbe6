"""What the fit's last stage starts from, against `humor_fit_point.npz`: velocities and latents."""

import json

import numpy as np
import pytest
import torch
from stripmocap.body.model import Body
from stripmocap.body.official import official_template
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.methods.humor.canonical import published_turn_of
from stripmocap.methods.humor.floor import Floor, PriorFrame
from stripmocap.methods.humor.motion import states_of
from stripmocap.methods.humor.network import MotionPrior
from stripmocap.methods.humor.pose_prior import PosePrior
from stripmocap.methods.humor.rollout import transitions

pytestmark = pytest.mark.official


@pytest.fixture(scope="module")
def numbers(oracles):
    return {name: torch.tensor(each) for name, each in oracles("humor_fit_point").items()}


@pytest.fixture(scope="module")
def filled(oracles):
    def fill(network, keys):
        entries = json.loads((oracles.folder / keys).read_text("utf-8"))["entries"]
        shapes = {each["key"]: each["shape"] for each in entries}
        arrays = oracles.synth.fill_all(shapes, oracles.seed)
        network.load_state_dict({name: torch.as_tensor(each) for name, each in arrays.items()})
        return network.eval().requires_grad_(False)

    return fill


@pytest.fixture(scope="module")
def pose(numbers, filled):
    """Orientation, body pose with resting hands, and translation: (2, 20) each, camera axes."""
    half_turn = torch.tensor([torch.pi, 0.0, 0.0])
    orient = aa_to_matrix(numbers["off_root_orient"] + half_turn)
    body_pose = filled(PosePrior(), "vposer_v1_keys.json").decode(numbers["off_latent_pose"])
    away = torch.tensor([0.0, 0.0, 1.0]) * numbers["init_z"][:, None, None]
    hands = torch.eye(3).expand(2, 20, 30, 3, 3)
    return orient, torch.cat([body_pose, hands], dim=2), numbers["off_trans"] + away


@pytest.fixture(scope="module")
def joints_of(oracles, numbers):
    """Says (2, 20, 22, 3) where the body model puts joints, metres."""
    template = official_template(oracles.synth.body("smplh", oracles.seed), name="synthetic")
    body, betas = Body.from_template(template), numbers["betas"].unsqueeze(1)

    def joints(orient, body_pose, transl):
        return body.joints(orient, body_pose, betas=betas, transl=transl)[..., :22, :]

    return joints


@pytest.fixture(scope="module")
def frame(pose, numbers):
    orient, _, transl = pose
    floor = Floor.of(numbers["floor_plane3"])
    return PriorFrame.under(floor, transl=transl[:, 0], global_orient=orient[:, 0])


@pytest.fixture(scope="module")
def motion(pose, joints_of, frame):
    """(2, 20) states in the frame on the floor.

    A body turns about its pelvis, not about its translation. The fit moves translations as if they
    were points, then all of a motion up or down until its first pelvis is as high as it was.
    """
    orient, body_pose, transl = pose
    moved, turned = frame.enter(transl), frame.rotmat.unsqueeze(1) @ orient
    high = frame.enter(joints_of(*pose)[:, 0])[:, :1, 2]
    low = joints_of(turned, body_pose, moved)[:, 0, :1, 2]
    moved = moved + (high - low).unsqueeze(-1) * torch.tensor([0.0, 0.0, 1.0])
    return states_of(
        transl=moved,
        global_orient=turned,
        body_pose=body_pose[:, :, :21],
        joints=joints_of(turned, body_pose, moved),
    )


def near(got, expected, *, tolerance):
    expected = np.asarray(expected)
    got = np.asarray(got).reshape(expected.shape)
    atol = tolerance * (1 + np.abs(expected).max())
    np.testing.assert_allclose(got, expected, rtol=0, atol=atol)


def test_the_frame_on_the_floor_is_that_of_the_fit(frame, pose, joints_of, numbers):
    near(frame.rotmat, numbers["cam2prior_R"], tolerance=1e-5)
    near(-pose[2][:, 0], numbers["cam2prior_t"], tolerance=1e-5)
    near(
        frame.enter(joints_of(*pose)[:, 0])[:, 0, 2],
        numbers["cam2prior_root_height"],
        tolerance=1e-5,
    )


@pytest.mark.parametrize(
    ("official", "ours"),
    [
        ("trans_vel", "transl_vel"),
        ("joints_vel", "joints_vel"),
        ("root_orient_vel", "global_orient_vel"),
    ],
)
def test_first_velocities_are_those_of_the_fit(official, ours, motion, numbers):
    # Differences over 1/30 s: rounding is thirty times as large.
    near(getattr(motion, ours)[:, 0], numbers[f"stage3_{official}_init"], tolerance=3e-5)


def test_first_latents_are_those_of_the_fit(filled, motion, numbers):
    network = filled(MotionPrior(), "humor_keys.json")

    posterior = network.posterior(*transitions(motion, turning=published_turn_of))

    near(posterior.mean, numbers["stage3_latent_motion_init"], tolerance=3e-5)
