"""Bodies between frames and ticks, in the world and before a camera."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from fitscenes import walk
from refinescenes import motion_of
from scipy.spatial.transform import Rotation
from stripmocap.contract import body_file
from stripmocap.contract.body_file import EMBEDDED_BODY
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.methods.features.resampling import ticks_of
from stripmocap.methods.humor.posed import (
    Posed,
    change_of,
    changed_by,
    faded,
    from_ticks,
    is_fast,
    on_ticks,
    posed_by,
    states_of,
)

REST = torch.tensor([0.1, -0.2, 0.3], dtype=torch.float64)


def swaying(times_s: np.ndarray, *, tremble_rad: float = 0.0) -> Posed:
    """Two joints that sway twice a second, and tremble at 25 a second."""
    tremble = tremble_rad * np.sin(2 * np.pi * 25 * times_s)
    angle = 0.5 * np.sin(2 * np.pi * 2 * times_s) + tremble
    turns = torch.tensor(np.outer(angle, [0.6, 0.0, 0.8])).unsqueeze(1).expand(-1, 2, -1)
    place = np.stack([times_s, 0.1 * np.sin(2 * np.pi * times_s) + tremble, 0 * times_s], axis=1)
    return Posed(aa_to_matrix(turns), torch.tensor(place))


def apart(one: Posed, other: Posed) -> tuple[float, float]:
    """The largest angle in radians and the largest distance in metres."""
    turn = (one.rotmat @ other.rotmat.mT).reshape(-1, 3, 3).numpy()
    distance = (one.pelvis - other.pelvis).norm(dim=-1).max()
    return Rotation.from_matrix(turn).magnitude().max(), float(distance)


def test_a_motion_comes_back_as_states():
    motion = motion_of(walk(body_file.load(EMBEDDED_BODY), frames=5))

    bodies = posed_by(motion, rest_pelvis=REST)
    states = states_of(bodies, rest_pelvis=REST, betas=torch.tensor(motion.betas))

    np.testing.assert_allclose(states.transl, motion.transl, atol=1e-6)
    np.testing.assert_allclose(states.body_pose, motion.body_pose, atol=1e-6)
    back = Rotation.from_matrix(states.global_rotmat.numpy())
    there = Rotation.from_rotvec(motion.global_orient)
    assert (back * there.inv()).magnitude().max() < 1e-6


def test_moving_bodies_moves_the_pelvis_as_a_point_and_leaves_the_joints():
    bodies = swaying(np.arange(3) / 30)
    transform = np.eye(4)
    transform[:3, :3] = Rotation.from_euler("z", 90, degrees=True).as_matrix()
    transform[:3, 3] = (1, 2, 3)

    moved = bodies.moved(np.tile(transform, (3, 1, 1)))

    assert torch.equal(moved.rotmat[:, 1:], bodies.rotmat[:, 1:])
    expected = [[1 - y, 2 + x, 3 + z] for x, y, z in bodies.pelvis.tolist()]
    np.testing.assert_allclose(moved.pelvis, expected, atol=1e-12)


@pytest.mark.parametrize("fps", [29.97, 30.0])
def test_footage_of_the_ticks_rate_comes_back_as_it_was(fps):
    times_s = 3.0 + np.arange(40) / fps
    ticks_s, start = ticks_of(times_s), swaying(times_s, tremble_rad=0.1)

    begun = on_ticks(start, times_s=times_s, ticks_s=ticks_s)
    found = from_ticks(begun, begun, start=start, times_s=times_s, ticks_s=ticks_s)

    assert max(apart(found, start)) < 1e-6


@pytest.mark.parametrize("fps", [12.0, 15.0, 24.0, 25.0])
def test_slow_footage_comes_back_nearly_as_it_was(fps):
    times_s = np.arange(int(2 * fps)) / fps
    ticks_s, start = ticks_of(times_s), swaying(times_s)

    begun = on_ticks(start, times_s=times_s, ticks_s=ticks_s)
    found = from_ticks(begun, begun, start=start, times_s=times_s, ticks_s=ticks_s)

    assert max(apart(found, start)) < 0.03  # of a sway of half a radian


@pytest.mark.parametrize("fps", [50.0, 59.94, 120.0])
def test_what_is_too_fast_for_ticks_stays_in_fast_footage(fps):
    times_s = np.arange(int(2 * fps)) / fps
    ticks_s, start = ticks_of(times_s), swaying(times_s, tremble_rad=0.02)
    begun = on_ticks(start, times_s=times_s, ticks_s=ticks_s)
    further = Posed(begun.rotmat, begun.pelvis + torch.tensor([0.0, 0.0, 0.5]))

    found = from_ticks(further, begun, start=start, times_s=times_s, ticks_s=ticks_s)

    assert is_fast(times_s)
    expected = Posed(start.rotmat, start.pelvis + torch.tensor([0.0, 0.0, 0.5]))
    assert max(apart(found, expected)) < 1e-6


def test_ticks_of_fast_footage_are_means_so_that_tremble_is_none_of_them():
    times_s = np.arange(240) / 120
    ticks_s = ticks_of(times_s)

    begun = on_ticks(swaying(times_s, tremble_rad=0.05), times_s=times_s, ticks_s=ticks_s)

    steady = swaying(ticks_s)
    assert apart(begun.at(slice(3, -3)), steady.at(slice(3, -3)))[0] < 0.025


def test_a_pause_between_frames_makes_no_swing():
    times_s = np.concatenate([np.arange(20) / 30, 3 + np.arange(20) / 30])
    place = np.random.default_rng(0).normal(size=(40, 3)) * 0.02
    still = Posed(torch.eye(3).double().expand(40, 2, 3, 3), torch.tensor(place))

    begun = on_ticks(still, times_s=times_s, ticks_s=ticks_of(times_s))

    assert begun.pelvis.abs().max() <= np.abs(place).max() + 1e-9


def test_a_change_leads_from_one_to_the_other_and_none_of_it_changes_nothing():
    before, after = swaying(np.arange(5) / 30), swaying(1 + np.arange(5) / 11)

    change = change_of(before, after)

    assert max(apart(changed_by(change, before), after)) < 1e-6
    assert max(apart(changed_by(faded(change, np.zeros(5)), before), before)) < 1e-6
    assert max(apart(changed_by(faded(change, np.ones(5)), before), after)) < 1e-6


def test_a_single_frame_is_everywhere_the_same():
    one = swaying(np.array([4.0]))

    begun = on_ticks(one, times_s=np.array([4.0]), ticks_s=np.array([4.0, 4.1]))

    assert torch.equal(begun.pelvis, one.pelvis.expand(2, -1))
