from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from fitscenes import CAMERA, walk
from stripmocap.contract.skeleton import BLAZEPOSE_NAMES, JOINT_NAMES
from stripmocap.methods.ground import find_lower_ground
from stripmocap.methods.smplify import ground
from stripmocap.methods.smplify.evidence import FOOT_POINTS, Evidence, gather
from toybody import toy_body

FPS = 30
SIDES = ("left", "right")


def evidence_of(*, speed_m_s: float = 0.5) -> Evidence:
    person = walk(toy_body(), frames=30, fps=FPS, speed_m_s=speed_m_s).person
    return gather([person], CAMERA, device=torch.device("cpu"), dtype=torch.float64)


def standing(evidence: Evidence, *, jump_px: float = 0.0) -> Evidence:
    """Everybody's feet nailed to one place; from frame 15 on, `jump_px` to the right of it."""
    keypoints = evidence.keypoints.clone()
    feet = [BLAZEPOSE_NAMES.index(name) for name in FOOT_POINTS]
    keypoints[:, feet] = keypoints[:1, feet]
    keypoints[15:, feet, 0] += jump_px
    return replace(evidence, keypoints=keypoints)


def hidden(evidence: Evidence, frames: slice) -> Evidence:
    weights = evidence.weights.clone()
    weights[frames] = 0
    return replace(evidence, weights=weights)


def test_a_foot_that_stays_is_at_rest_and_a_foot_that_goes_is_not():
    still, going = evidence_of(), evidence_of(speed_m_s=1.5)

    assert (ground.resting_feet(standing(still)) > 0.95).all()
    assert (ground.resting_feet(going) < 0.1).all()


def test_a_hidden_foot_rests_where_it_was_before_and_after():
    stayed = hidden(standing(evidence_of()), slice(10, 20))
    moved = hidden(standing(evidence_of(), jump_px=80.0), slice(10, 20))

    assert (ground.resting_feet(stayed)[10:20] > 0.9).all()
    assert (ground.resting_feet(moved)[10:20] == 0).all()


@pytest.mark.parametrize(("pitch", "roll"), [(0.0, 0.0), (0.2, 0.0), (-0.1, 0.05)])
def test_the_ground_is_found_under_upright_people(pitch: float, roll: float):
    up = np.array([np.sin(roll), -np.cos(roll) * np.cos(pitch), -np.sin(pitch)])
    up /= np.linalg.norm(up)
    rng = np.random.default_rng(0)
    spots = rng.uniform([-2, 0, 3], [2, 0, 8], (40, 3))
    spots[:, 1] = (-1.5 - spots @ up) / up[1]  # on the plane 1.5 m under the camera
    feet = np.stack([spots, spots + 1e-3], axis=1)
    feet[5] -= 0.4 * up  # one foot that was placed wrongly
    joints = np.zeros((40, 24, 3))
    joints[:, JOINT_NAMES.index("pelvis")] = spots + 0.9 * up
    joints[:, JOINT_NAMES.index("neck")] = spots + 1.4 * up

    normal, offset = ground.find_ground(joints, feet, np.ones((40, 2)))

    assert np.degrees(np.arccos(normal @ up)) < 1.0
    assert offset == pytest.approx(1.5, abs=0.03)


@pytest.mark.parametrize("higher", [0.4, 0.6])
def test_the_ground_is_that_of_the_lower_of_two_levels(higher: float):
    up = np.array([0.0, -1.0, 0.0])
    rng = np.random.default_rng(1)
    feet = rng.uniform([-2, 1.5, 4], [0, 1.5, 8], (60, 2, 3))
    roof = rng.random(60) < higher
    feet[roof] += [3.0, -2.5, 0.0]  # on a roof to the right
    joints = np.zeros((60, 24, 3))
    joints[:, JOINT_NAMES.index("pelvis")] = feet[:, 0] + 0.9 * up
    joints[:, JOINT_NAMES.index("neck")] = feet[:, 0] + 1.4 * up

    normal, offset = find_lower_ground(joints, feet, np.ones((60, 2)))

    assert np.degrees(np.arccos(normal @ up)) < 2.0
    assert offset == pytest.approx(1.5, abs=0.05)


def stood(up: np.ndarray, *, legs: float, stoop: float) -> np.ndarray:
    """(40, 24, 3) joints of somebody whose mass is over the feet, with a trunk that stoops, rad."""
    aside = np.array([0.0, -up[2], up[1]])
    trunk = np.cos(stoop) * up + np.sin(stoop) * aside
    pelvis = np.array([0.0, 1.5, 4.0]) + legs * up
    places = {name: pelvis for name in JOINT_NAMES}
    heights = {"spine1": 0.1, "spine2": 0.2, "spine3": 0.3, "neck": 0.5, "head": 0.6}
    heights |= {f"{side}_{name}": 0.45 for side in SIDES for name in ("shoulder", "elbow")}
    places |= {name: pelvis + height * trunk for name, height in heights.items()}
    back = 0.17 * np.sin(stoop) * aside  # the hips give way to the trunk, about so much
    places = {name: place - back for name, place in places.items()}
    foot = np.array([0.0, 1.5, 4.0])
    for side in SIDES:
        hip = places[f"{side}_hip"]
        places |= {f"{side}_knee": (hip + foot) / 2}
        places |= {f"{side}_ankle": foot, f"{side}_foot": foot}
    return np.tile(np.stack([places[name] for name in JOINT_NAMES]), (40, 1, 1))


def test_whoever_stoops_on_straight_legs_tells_where_up_is():
    pitch = np.radians(22)
    up = np.array([0.0, -np.cos(pitch), -np.sin(pitch)])
    joints = stood(up, legs=0.9, stoop=np.radians(50))
    feet = np.tile([[0.0, 1.5, 4.0]], (40, 2, 1))

    normal, _ = ground.find_ground(joints, feet, np.ones((40, 2)))

    assert np.degrees(np.arccos(normal @ up)) < 5.0  # a camera is thought to be level: 22 degrees


def test_feet_that_err_in_depth_hardly_tilt_the_ground():
    up = np.array([0.0, -1.0, 0.0])
    joints = stood(up, legs=0.9, stoop=0.0)
    depth = np.linspace(3.5, 4.5, 40)
    feet = np.stack([0 * depth, 1.5 + 0.15 * (depth - 4), depth], axis=1)  # 8.5 degrees if believed
    feet = np.stack([feet, feet], axis=1)

    normal, _ = ground.find_ground(joints, feet, np.ones((40, 2)))

    assert np.degrees(np.arccos(normal @ up)) < 6.0


def test_without_resting_feet_the_ground_is_where_the_lowest_foot_is():
    feet = np.array([[[0, 1.2, 4.0]], [[0, 1.5, 4.0]]])
    joints = np.zeros((2, 24, 3))

    normal, offset = ground.find_ground(joints, feet, np.zeros((2, 1)))

    heights = feet.reshape(-1, 3) @ normal + offset
    assert heights.min() == pytest.approx(0, abs=0.02)


def test_the_world_is_upright_with_the_ground_at_zero():
    normal, offset = np.array([0.1, -0.99, -0.05]), 1.4
    normal /= np.linalg.norm(normal)
    foot = np.array([0.3, 0.0, 5.0])
    foot[1] = (-offset - foot @ normal) / normal[1]

    world = ground.world_from_camera(normal, offset)

    np.testing.assert_allclose(world[:3, :3] @ world[:3, :3].T, np.eye(3), atol=1e-12)
    assert np.linalg.det(world[:3, :3]) == pytest.approx(1)
    assert (world @ [*foot, 1])[2] == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(world[:3, :3] @ normal, [0, 0, 1], atol=1e-12)
    assert (world[:3, :3] @ [0, 0, 1])[1] > 0.9
