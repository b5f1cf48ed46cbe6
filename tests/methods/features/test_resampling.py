from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from stripmocap.methods.features.resampling import (
    FPS,
    LONGEST_S,
    nearest_tick,
    seen_on,
    ticks_of,
    turned_at,
)

RATES = [5, 12, 15, 23.976, 24, 25, 29.97, 30, 48, 50, 59.94, 60, 90, 120, 240]


def steady(fps: float, seconds: float = 3.0, start_s: float = 7.0) -> np.ndarray:
    return start_s + np.arange(round(seconds * fps)) / fps


def unsteady(seed: int) -> np.ndarray:
    """Times of a telephone's footage: near to 30 a second, or twice that, and some are left out."""
    rng = np.random.default_rng(seed)
    gaps = rng.choice([1 / 60, 1 / 30, 1 / 24, 1 / 15], size=100) * rng.uniform(0.9, 1.1, size=100)
    return 2.0 + np.cumsum(gaps)


CLOCKS = [pytest.param(steady(fps), id=f"{fps} fps") for fps in RATES]
CLOCKS += [pytest.param(unsteady(seed), id=f"unsteady {seed}") for seed in range(4)]


def moving(times_s: np.ndarray) -> np.ndarray:
    """(T, 33, 3) keypoints, each of which goes steadily its own way, all surely seen."""
    ways = np.random.default_rng(0).normal(size=(2, 33, 2))
    places = 500 + 40 * ways[0] + 90 * ways[1] * (times_s[:, None, None] - times_s[0])
    return np.concatenate([places, np.full((*places.shape[:2], 1), 0.8)], axis=2).astype(np.float32)


def read(times_s, keypoints):
    landmarks3d = keypoints / 1000
    ticks_s = ticks_of(times_s)
    found = seen_on(ticks_s, times_s=times_s, keypoints=keypoints, landmarks3d=landmarks3d)
    return ticks_s, *found


@pytest.mark.parametrize("times_s", CLOCKS)
def test_ticks_are_even_and_thirty_a_second_and_go_from_the_first_frame_to_the_last(times_s):
    ticks_s = ticks_of(times_s)

    assert (ticks_s[0], ticks_s[-1]) == (times_s[0], times_s[-1])
    np.testing.assert_allclose(np.diff(ticks_s) * FPS, np.diff(ticks_s).mean() * FPS, rtol=1e-6)
    assert np.diff(ticks_s).mean() * FPS == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("times_s", CLOCKS)
def test_what_moves_steadily_is_seen_where_it_is_on_the_tick(times_s):
    ticks_s, keypoints, landmarks3d = read(times_s, moving(times_s))

    there = keypoints[..., 2] > 0
    expected = moving(np.concatenate([times_s[:1], ticks_s]))[1:]
    np.testing.assert_allclose(keypoints[there], expected[there], atol=2e-3)
    np.testing.assert_allclose(landmarks3d[there], expected[there] / 1000, atol=2e-6)
    if np.diff(times_s).max() <= LONGEST_S:
        assert there.all()


@pytest.mark.parametrize("fps", [29.97, 30, 30.5])
def test_footage_of_the_networks_own_rate_is_taken_as_it_is(fps):
    times_s = steady(fps).round(3)  # as files say it
    noisy = moving(times_s) + np.random.default_rng(1).normal(size=(len(times_s), 33, 1))

    _, keypoints, _ = read(times_s, noisy.astype(np.float32).clip(0.01))

    # Rounded times lie beside the ticks by half a millisecond at most.
    assert np.abs(keypoints - noisy.clip(0.01)).mean() < 0.06


def test_every_frame_of_fast_footage_is_heard():
    times_s = steady(120)
    noise = np.random.default_rng(2).normal(size=(len(times_s), 33, 3))
    keypoints = moving(times_s) + np.concatenate([noise[..., :2], np.zeros_like(noise[..., :1])], 2)

    ticks_s, found, _ = read(times_s, keypoints.astype(np.float32))

    expected = moving(np.concatenate([times_s[:1], ticks_s]))[1:]
    assert (found - expected)[3:-3, :, :2].std() < 0.55


def test_what_nobody_sees_is_seen_on_no_tick_and_hides_nothing_else():
    times_s = steady(24)
    keypoints = moving(times_s)
    keypoints[20:44, :, 2] = 0.0
    keypoints[20:44, :, :2] = 1e6  # what is there is not looked at
    keypoints[:, 5, 2] = 0.0

    ticks_s, found, _ = read(times_s, keypoints)

    blind = (ticks_s > times_s[19] + 0.5 / 24) & (ticks_s < times_s[44] - 0.5 / 24)
    assert blind.sum() >= 28
    assert (found[blind] == 0).all()
    assert (found[:, 5] == 0).all()
    sighted = (ticks_s <= times_s[19]) | (ticks_s >= times_s[44])
    assert (found[sighted][:, 6, 2] > 0).all()
    assert np.abs(found).max() < 5000


def test_in_a_long_pause_between_frames_nobody_looked():
    times_s = np.concatenate([steady(30, 1.0), steady(30, 1.0, start_s=12.0)])

    ticks_s, found, _ = read(times_s, moving(times_s))

    pause = (ticks_s > 8.0) & (ticks_s < 11.9)
    assert (found[pause, :, 2] == 0).all()
    assert (found[~pause & (ticks_s < 7.9), :, 2] > 0).all()


def turning(times_s: np.ndarray) -> np.ndarray:
    """(T, 2, 3, 3): one joint that turns steadily, and one that swings."""
    seconds = times_s - times_s[0]
    steadily = Rotation.from_rotvec(np.outer(3.0 * seconds, [0.6, 0.0, 0.8]))  # often around
    swing = Rotation.from_rotvec(np.outer(1.2 * np.sin(6 * seconds), [0.0, 1.0, 0.0]))
    return np.stack([steadily.as_matrix(), swing.as_matrix()], axis=1)


@pytest.mark.parametrize("times_s", CLOCKS)
def test_a_turn_comes_back_on_the_frames_own_times(times_s):
    ticks_s = ticks_of(times_s)

    found = turned_at(times_s, ticks_s=ticks_s, rotmat=torch.tensor(turning(ticks_s)))

    expected = turning(times_s)
    apart = Rotation.from_matrix((found.numpy() @ np.swapaxes(expected, -1, -2)).reshape(-1, 3, 3))
    assert apart.magnitude().max() < 2e-3


@pytest.mark.parametrize("times_s", CLOCKS)
def test_who_stands_still_stays(times_s):
    pose = Rotation.from_quat(np.random.default_rng(3).normal(size=(24, 4))).as_matrix()
    still = torch.tensor(pose).expand(len(ticks_of(times_s)), -1, -1, -1)

    found = turned_at(times_s, ticks_s=ticks_of(times_s), rotmat=still)

    assert found.shape == (len(times_s), 24, 3, 3)
    np.testing.assert_allclose(found, np.broadcast_to(pose, found.shape), atol=1e-9)


def test_the_curve_between_ticks_has_no_kinks():
    times_s = steady(240)
    ticks_s = ticks_of(times_s)

    found = turned_at(times_s, ticks_s=ticks_s, rotmat=torch.tensor(turning(ticks_s)))

    speed = np.diff(found[:, 1, 0, 0].numpy(), n=1) * 240
    true = np.diff(turning(times_s)[:, 1, 0, 0], n=1) * 240
    jump = np.abs(np.diff(speed - true)[20:-20]).max() * 240  # of the acceleration, rad/s^2
    assert jump < 0.02 * np.abs(np.diff(true)).max() * 240


def test_a_single_frame_is_its_own_tick():
    times_s = np.array([4.0])

    ticks_s, found, _ = read(times_s, moving(times_s))
    turned = turned_at(times_s, ticks_s=ticks_s, rotmat=torch.tensor(turning(ticks_s)))

    np.testing.assert_array_equal(found, moving(times_s))
    assert turned.shape == (1, 2, 3, 3)
    assert nearest_tick(times_s, ticks_s).tolist() == [0]


def test_neighbours_on_opposite_sides_give_rotations_all_the_same():
    pair = Rotation.from_rotvec([[0, 0, 0], [0, 0, np.pi]]).as_matrix()
    rotmat = torch.tensor(pair[np.arange(12) % 2])[:, None]

    found = turned_at(np.linspace(0, 0.36, 100), ticks_s=np.linspace(0, 0.36, 12), rotmat=rotmat)

    assert torch.isfinite(found).all()
    identity = torch.eye(3, dtype=found.dtype).expand_as(found)
    torch.testing.assert_close(found @ found.mT, identity, atol=1e-6, rtol=0)


def test_as_many_short_steps_as_long_ones_have_ticks():
    times_s = np.cumsum([0.0, 1 / 30, 2 / 30, 1 / 30, 2 / 30])  # the median step is none of them

    ticks_s = ticks_of(times_s)

    assert 1 / np.diff(ticks_s) == pytest.approx(FPS)
