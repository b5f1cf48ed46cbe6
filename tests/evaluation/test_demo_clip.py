from pathlib import Path

import av
import numpy as np
import pytest
from stripmocap.evaluation import truth

DEMO = Path(__file__).parents[2] / "demo"
FRAMES, FPS, SIZE = 120, 30, (480, 640)


@pytest.fixture(scope="module")
def walk() -> truth.Truth:
    return truth.load(DEMO / "walk.truth.npz", camera=None, person=None)


def test_clip_is_small_and_as_long_as_its_truth(walk):
    assert (DEMO / "walk.mp4").stat().st_size <= 3e6
    with av.open(str(DEMO / "walk.mp4")) as movie:
        stream = movie.streams.video[0]
        times = [frame.time for frame in movie.decode(stream)]
        size = stream.width, stream.height

    assert size == SIZE
    np.testing.assert_allclose(times, np.arange(FRAMES) / FPS, atol=1e-3)
    np.testing.assert_allclose(walk.times_s, times, atol=1e-3)


def test_truth_is_complete_and_in_the_picture(walk):
    pixels = walk.limbs_px()

    assert walk.valid.all()
    assert (pixels > 0).all()
    assert (pixels < SIZE).all()


def test_walker_keeps_his_bones_and_stands_on_the_floor(walk):
    names = truth.LIMB_JOINTS
    hip, knee = (walk.limbs_world[:, names.index(name)] for name in ("left_hip", "left_knee"))
    thigh = np.linalg.norm(hip - knee, axis=-1)

    assert np.ptp(thigh) < 2e-3
    assert 0.35 < thigh.mean() < 0.50
    lowest = walk.feet_world[..., 2].min(axis=1)
    assert np.abs(lowest).max() < 0.05


def test_walker_walks_forward_and_turns(walk):
    names = truth.LIMB_JOINTS
    middle = walk.limbs_world[:, [names.index("left_hip"), names.index("right_hip")]].mean(axis=1)
    start, end = middle[10] - middle[0], middle[-1] - middle[-11]

    assert np.linalg.norm(middle[-1] - middle[0]) > 1.5
    turned = np.degrees(
        np.arccos(start[:2] @ end[:2] / np.linalg.norm(start[:2]) / np.linalg.norm(end[:2]))
    )
    assert 60 < turned < 120
