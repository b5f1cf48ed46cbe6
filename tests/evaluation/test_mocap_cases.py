from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from stripmocap.contract import body_file
from stripmocap.contract.errors import RequestError
from stripmocap.contract.messages import CaptureRequest
from stripmocap.contract.messages import Clip as Footage
from stripmocap.contract.methods import SpinOptions, VibeOptions
from stripmocap.contract.skeleton import JOINT_NAMES, LIMB_JOINTS
from stripmocap.evaluation import mocap_cases, trials
from stripmocap.evaluation.mocap_cases import Bench, MocapCase
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.methods.hmr.keypoint_network import KeypointNetwork
from stripmocap.methods.hmr.weights import save_keypoint_network
from stripmocap.methods.vibe.keypoint_network import Sizes, TemporalNetwork
from stripmocap.methods.vibe.keypoint_weights import save_temporal_network
from stripmocap.training.mocap import Clip
from stripmocap.training.shots import shot_of
from stripmocap.training.synthetic import LandmarkBody
from toybody import toy_body

FRAMES = 8
SPIN = CaptureRequest(Footage("none"), estimator="spin", options=SpinOptions())
VIBE = CaptureRequest(Footage("none"), estimator="vibe", options=VibeOptions())
LIMBS = [JOINT_NAMES.index(name) for name in LIMB_JOINTS]


@pytest.fixture(autouse=True)
def small_body(monkeypatch):
    body = replace(toy_body(), name="embedded neutral")
    monkeypatch.setattr(body_file, "load", lambda path, gender="neutral": body)


def clip(*, feet_ok: bool = True) -> Clip:
    rng = np.random.default_rng(5)
    upright = np.array([np.pi / 2, 0, 0])  # the rest body's y becomes the world's z
    return Clip(
        name="toy_01",
        kind="standing",
        body_pose=rng.normal(scale=0.05, size=(FRAMES, 23, 3)),
        feet_ok=feet_ok,
        global_orient=upright + rng.normal(scale=0.02, size=(FRAMES, 3)),
        pelvis=np.tile([0.0, 0.0, 0.95], (FRAMES, 1)),
    )


def case_of(bench: Bench, motion: Clip) -> MocapCase:
    shot = shot_of(motion, LandmarkBody.from_template(toy_body()), seed=3)
    return MocapCase(shot, (mocap_cases.truth_of(shot, motion),), bench)


@pytest.fixture(scope="module")
def bench(tmp_path_factory) -> Bench:
    folder = tmp_path_factory.mktemp("weights")
    single, temporal = folder / "single.safetensors", folder / "temporal.safetensors"
    torch.manual_seed(0)
    save_keypoint_network(KeypointNetwork(16, blocks=1, hidden=16), single, metadata={})
    network = TemporalNetwork(Sizes(features=16, blocks=1, memory=12))
    save_temporal_network(network, temporal, metadata={})
    return Bench(networks={"spin": single, "vibe": temporal})


def test_the_truth_is_the_shots_own_joints_before_its_camera(bench):
    case = case_of(bench, clip())

    assert_allclose(
        case.truths[0].limbs_camera, case.shot.samples.joints[:, LIMBS].numpy(), atol=1e-5
    )


def test_the_truths_world_is_the_clips(bench):
    motion = clip()
    case = case_of(bench, motion)
    truth = case.truths[0]

    pelvis = aa_to_matrix(torch.from_numpy(motion.global_orient)).numpy()
    assert_allclose(truth.rotation @ pelvis, case.shot.samples.rotmat[:, 0].numpy(), atol=1e-5)
    up = truth.limbs_world[:, LIMB_JOINTS.index("left_shoulder")] - truth.feet_world[:, 0]
    assert (up[:, 2] > 1.0).all()


def test_feet_that_are_wrong_in_the_clip_are_not_known(bench):
    assert np.isfinite(case_of(bench, clip()).truths[0].feet_world).all()
    assert np.isnan(case_of(bench, clip(feet_ok=False)).truths[0].feet_world).all()


@pytest.mark.parametrize(("method", "take"), [(SPIN, "frame"), (VIBE, "temporal")])
def test_a_regressor_is_judged_wherever_it_puts_the_body(bench, method, take):
    (found,) = trials.try_out([case_of(bench, clip())], [method], report=lambda *said: None)

    assert isinstance(found, trials.Trial)
    assert (found.case, found.kind, found.method) == ("toy_01", "standing", method.estimator)
    assert found.found.label == take
    assert found.found.scores.frames == FRAMES
    assert np.isfinite(found.found.scores.pa_mpjpe_mm)


def test_pixels_are_not_asked_for(bench):
    pixels = CaptureRequest(
        Footage("none"), estimator="spin", options=SpinOptions(), weights="official"
    )

    with pytest.raises(RequestError, match="mocap has none"):
        case_of(bench, clip()).capture(pixels, report=lambda *said: None)
