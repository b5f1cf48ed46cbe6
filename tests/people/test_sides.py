from __future__ import annotations

import numpy as np
import pytest
from stage import landmarks_at
from stripmocap.people.sides import OTHER_SIDE, mistaken, other_way_round

FPS = 30


def track(frames: int, seed: int = 0) -> np.ndarray:
    """(T, 33, 3) somebody who faces the camera and moves a little."""
    rng = np.random.default_rng(seed)
    keypoints = np.stack([landmarks_at(np.array([100.0, 100.0])).keypoints] * frames)
    keypoints[:, :, :2] += np.cumsum(rng.normal(scale=0.3, size=(frames, 1, 2)), axis=0)
    keypoints[:, :, :2] += rng.normal(scale=0.2, size=(frames, 33, 2))
    return keypoints


def turned(keypoints: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    found = keypoints.copy()
    found[wrong] = found[wrong][:, OTHER_SIDE]
    return found


@pytest.mark.parametrize(
    "spans", [[(30, 31)], [(10, 40)], [(0, 20)], [(80, 100)], [(20, 22), (24, 30), (31, 45)]]
)
def test_frames_taken_the_other_way_round_are_found(spans):
    wrong = np.zeros(100, dtype=bool)
    for start, stop in spans:
        wrong[start:stop] = True

    found = mistaken(np.arange(100) / FPS, turned(track(100), wrong))

    np.testing.assert_array_equal(found, wrong)


def test_a_ruined_frame_does_not_break_the_chain():
    keypoints = track(60)
    keypoints[30, :, :2] += np.random.default_rng(1).normal(scale=25, size=(33, 2))

    assert not mistaken(np.arange(60) / FPS, keypoints)[31:].any()


def test_somebody_who_turns_round_is_believed():
    frames = 90
    width = np.cos(np.linspace(0, np.pi, frames))  # from the front through the side to the back
    keypoints = track(frames)
    middle = keypoints[:, :, 0].mean(axis=1, keepdims=True)
    keypoints[:, :, 0] = middle + (keypoints[:, :, 0] - middle) * width[:, None]

    assert not mistaken(np.arange(frames) / FPS, keypoints).any()


@pytest.mark.parametrize("frames", [0, 1, 2, 3])
def test_short_tracks_are_left_alone(frames):
    assert mistaken(np.arange(frames) / FPS, track(3)[:frames]).tolist() == [False] * frames


def test_the_other_way_round_twice_is_the_first_way():
    rng = np.random.default_rng(0)
    keypoints, landmarks3d = rng.normal(size=(33, 3)), rng.normal(size=(33, 3))

    again = other_way_round(*other_way_round(keypoints, landmarks3d))

    np.testing.assert_array_equal(again[0], keypoints)
    np.testing.assert_array_equal(again[1], landmarks3d)
