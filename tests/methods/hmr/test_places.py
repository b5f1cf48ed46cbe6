from __future__ import annotations

import numpy as np
import pytest
import torch
from stripmocap.contract.motion import Camera
from stripmocap.methods.hmr.places import find_places

CAMERA = Camera(focal_px=1000.0, center_px=np.array([639.5, 359.5]), size_px=(1280, 720))
COUNT = 60


def body(frames: int = COUNT, seed: int = 0) -> torch.Tensor:
    """(T, 12, 3) metres: points about the size of somebody, the same in every frame."""
    rng = np.random.default_rng(seed)
    points = rng.uniform([-0.4, -0.9, -0.2], [0.4, 0.9, 0.2], (12, 3))
    return torch.tensor(points, dtype=torch.float32).expand(frames, -1, -1)


def seen(points: torch.Tensor, places: np.ndarray, *, noise_px: float = 0.0) -> torch.Tensor:
    """(T, 12, 3) pixels and scores of points at places (T, 3)."""
    where = points.double().numpy() + places[:, None]
    pixels = CAMERA.focal_px * where[..., :2] / where[..., 2:] + CAMERA.center_px
    pixels += noise_px * np.random.default_rng(1).standard_normal(pixels.shape)
    scores = np.ones((*pixels.shape[:2], 1))
    return torch.tensor(np.concatenate([pixels, scores], axis=2), dtype=torch.float32)


def found(points, keypoints, *, times_s=None, steady="depth"):
    times_s = np.arange(len(points)) / 30 if times_s is None else times_s
    weights = torch.ones(points.shape[1])
    place, fit = find_places(
        points, keypoints, CAMERA, weights=weights, times_s=times_s, steady=steady
    )
    return place.numpy(), fit.numpy()


def walk(frames: int = COUNT) -> np.ndarray:
    """(T, 3) metres: across the picture and nearer."""
    along = np.linspace(0, 1, frames)[:, None]
    return np.array([-1.0, 0.2, 6.0]) + along * np.array([2.0, 0.0, -2.0])


def test_somebody_who_is_seen_as_posed_stands_where_they_are_and_fits():
    place, fit = found(body(), seen(body(), walk()))

    np.testing.assert_allclose(place, walk(), atol=0.02)
    assert fit.min() > 0.95


def test_noise_moves_people_less_in_depth_than_each_picture_says():
    keypoints = seen(body(), walk(), noise_px=6.0)

    place, _ = found(body(), keypoints)

    alone = np.concatenate(
        [found(body(1), keypoints[[t]], times_s=np.zeros(1))[0] for t in range(COUNT)]
    )
    trembles = [np.diff(each[:, 2], 2).std() for each in (place, alone)]
    assert trembles[0] < 0.1 * trembles[1]
    assert np.abs(place[:, 2] - walk()[:, 2]).mean() < 0.1


def test_two_landmarks_of_somebody_else_do_not_move_a_person():
    keypoints = seen(body(), walk())
    keypoints[20:25, :2, 0] += 200.0

    place, fit = found(body(), keypoints)

    np.testing.assert_allclose(place, walk(), atol=0.04)
    assert fit[22] < 0.9


@pytest.mark.parametrize("fps", [12, 30, 60, 120])
def test_bodies_posed_over_time_follow_a_tremble_of_what_is_seen_in_no_direction(fps):
    places, times_s = walk(2 * fps), np.arange(2 * fps) / fps
    keypoints = seen(body(2 * fps), places, noise_px=6.0)

    alone, _ = found(body(2 * fps), keypoints, times_s=times_s)
    place, _ = found(body(2 * fps), keypoints, times_s=times_s, steady="all")

    trembles = [np.diff(each[:, :2], 2, axis=0).std() for each in (place, alone)]
    assert trembles[0] < (0.2 if fps >= 30 else 0.7) * trembles[1]
    assert np.abs(place - places)[:, :2].mean() < 0.02


def test_a_jump_is_followed_though_places_are_steady():
    times_s = np.arange(COUNT) / 30
    places = walk()
    places[:, 1] -= 0.5 * np.clip(1 - ((times_s - 1.0) / 0.32) ** 2, 0, None)  # half a metre up

    place, _ = found(body(), seen(body(), places), steady="all")

    assert np.abs(place - places)[:, :2].max() < 0.06
    assert np.abs(place - places)[:, :2].mean() < 0.01


@pytest.mark.parametrize("steady", ["depth", "all"])
def test_frames_that_see_nothing_lie_between_those_around_them(steady):
    keypoints = seen(body(), walk())
    keypoints[:5, :, 2] = 0
    keypoints[30:40] = 0

    place, fit = found(body(), keypoints, steady=steady)

    np.testing.assert_allclose(place[30:40], walk()[30:40], atol=0.05)
    assert np.isfinite(place).all()
    assert (fit[30:40] == 0).all()


@pytest.mark.parametrize("frames", [1, 2, 3])
@pytest.mark.parametrize("steady", ["depth", "all"])
def test_short_sightings_have_a_place(frames, steady):
    places = walk()[:frames]

    place, _ = found(body(frames), seen(body(frames), places), steady=steady)

    np.testing.assert_allclose(place, places, atol=0.02)


@pytest.mark.parametrize("steady", ["depth", "all"])
def test_where_nothing_was_ever_seen_the_place_is_a_number_before_the_camera(steady):
    place, fit = found(body(), torch.zeros(COUNT, 12, 3), steady=steady)

    assert np.isfinite(place).all()
    assert (place[:, 2] > 0).all()
    assert (fit == 0).all()


@pytest.mark.parametrize("steady", ["depth", "all"])
def test_garbage_never_gives_what_are_no_numbers(steady):
    rng = np.random.default_rng(0)
    keypoints = torch.tensor(rng.uniform(0, 1, (COUNT, 12, 3)), dtype=torch.float32)
    keypoints[..., :2] *= 1e4

    times_s = np.cumsum(rng.uniform(1e-9, 0.1, COUNT))
    place, fit = found(body(), keypoints, times_s=times_s, steady=steady)

    assert np.isfinite(place).all()
    assert ((fit >= 0) & (fit <= 1)).all()
