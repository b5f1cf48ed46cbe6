"""What the shipped network does: at any frame rate the same, steadily, and through gaps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from fitscenes import CAMERA, Scene, walk
from scipy.spatial.transform import Rotation
from stripmocap import bodies
from stripmocap.contract.methods import SpinOptions, VibeOptions
from stripmocap.contract.motion import Motion
from stripmocap.methods.hmr import estimate as spin
from stripmocap.methods.toolbox import Tools
from stripmocap.methods.vibe import estimate as vibe
from stripmocap.people.observations import Person

SECONDS = 2.0


@pytest.fixture(scope="module")
def tools():
    return Tools(bodies.embedded("neutral"), torch.device("cpu"))


@pytest.fixture(scope="module")
def over_time(tools):
    return vibe.load(tools, VibeOptions())


def scene(tools, fps: float, *, noise_px: float = 0.0) -> Scene:
    return walk(tools.body, frames=round(SECONDS * fps) + 1, fps=fps, noise_px=noise_px)


def motion_of(estimator, person: Person) -> Motion:
    return estimator([person], CAMERA, lambda *_: None).motions[0]


def poses(motion: Motion) -> np.ndarray:
    """(T, 23, 3, 3)"""
    pose = motion.body_pose
    return Rotation.from_rotvec(pose.reshape(-1, 3)).as_matrix().reshape(*pose.shape[:2], 3, 3)


def apart_deg(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(T, 23) degrees between two ways of posing."""
    turns = Rotation.from_matrix((np.swapaxes(one, -1, -2) @ other).reshape(-1, 3, 3))
    return np.degrees(turns.magnitude()).reshape(one.shape[:2])


def tremble(motion: Motion) -> float:
    """Mean second difference of the poses' matrices."""
    return float(np.abs(np.diff(poses(motion), n=2, axis=0)).mean())


@pytest.mark.parametrize("fps", [12, 24, 25, 50, 60, 120])
def test_footage_of_any_rate_is_posed_alike(tools, over_time, fps):
    usual = motion_of(over_time, scene(tools, 300).person)  # has all the others' moments in it
    found = motion_of(over_time, scene(tools, fps).person)

    same = np.searchsorted(usual.times_s, found.times_s - 1e-6)
    apart = apart_deg(poses(usual)[same], poses(found))
    assert apart[2:-2].mean() < 1.0
    assert apart[2:-2].max() < 8.0


def test_it_trembles_less_than_single_frames_and_is_no_worse(tools, over_time):
    seen = scene(tools, 30, noise_px=4.0)
    single = motion_of(spin.load(tools, SpinOptions()), seen.person)

    found = motion_of(over_time, seen.person)

    truth = seen.states.body_pose.numpy()
    true = Rotation.from_rotvec(truth.reshape(-1, 3)).as_matrix().reshape(*truth.shape[:2], 3, 3)
    errors = [apart_deg(true, poses(each)).mean() for each in (found, single)]
    assert tremble(found) < 0.35 * tremble(single)
    assert errors[0] < 1.05 * errors[1]


def test_somebody_hidden_for_half_a_second_goes_on_moving_smoothly(tools, over_time):
    seen = scene(tools, 30).person
    keypoints, presence = seen.keypoints.copy(), seen.presence.copy()
    keypoints[25:40, :, 2], presence[25:40] = 0.0, 0.0
    hidden = Person(
        person=0,
        times_s=seen.times_s,
        boxes=seen.boxes,
        keypoints=keypoints,
        landmarks3d=seen.landmarks3d,
        presence=presence,
    )

    found, whole = motion_of(over_time, hidden), motion_of(over_time, seen)

    steps = apart_deg(poses(found)[:-1], poses(found)[1:])
    assert steps.max() < 10.0
    assert apart_deg(poses(whole), poses(found))[25:40].mean() < 12.0
    assert found.confidence[25:40].max() <= 0.2
    assert np.linalg.norm(np.diff(found.transl, axis=0), axis=1).max() < 0.1
