from __future__ import annotations

import numpy as np
import pytest
from stripmocap.contract.messages import Clip
from stripmocap.contract.skeleton import BLAZEPOSE_NAMES
from stripmocap.people.blazepose import BlazePose, refined
from stripmocap.video.frames import read_frames

NOSE, LEFT_ANKLE = BLAZEPOSE_NAMES.index("nose"), BLAZEPOSE_NAMES.index("left_ankle")


@pytest.fixture(scope="module")
def yoga(shared) -> np.ndarray:
    path = shared / "data" / "videos" / "images" / "yoga_pose.jpg"
    return next(read_frames(Clip(str(path)))).image


def looked(blazepose, image):
    first = blazepose.landmarks(image, blazepose.detect(image)[0].region)
    return blazepose.landmarks(image, first.next_region)


def test_one_person_is_detected_once(blazepose, yoga):
    sightings = blazepose.detect(yoga)

    assert len(sightings) == 1
    assert sightings[0].score > 0.9


def test_landmarks_lie_on_the_person(blazepose, yoga):
    found = looked(blazepose, yoga)

    assert found.presence > 0.95
    assert found.keypoints[NOSE, 1] < found.keypoints[LEFT_ANKLE, 1] - yoga.shape[0] / 3
    assert np.ptp(found.landmarks3d[:, 1]) == pytest.approx(1.4, abs=0.5)


@pytest.mark.parametrize("threads", [1, 3])
def test_landmarks_do_not_depend_on_the_number_of_threads(blazepose, yoga, threads):
    others = BlazePose(threads=threads)
    region = blazepose.detect(yoga)[0].region

    found, expected = others.landmarks(yoga, region), blazepose.landmarks(yoga, region)

    assert others.detect(yoga)[0].region == region
    assert found.keypoints.tobytes() == expected.keypoints.tobytes()
    assert found.landmarks3d.tobytes() == expected.landmarks3d.tobytes()
    assert found.presence == expected.presence
    assert found.next_region == expected.next_region


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_landmarks_turn_with_the_picture(blazepose, yoga, turns):
    upright = looked(blazepose, yoga)
    picture = np.ascontiguousarray(np.rot90(yoga, turns))
    sideways = blazepose.landmarks(picture, _turned(upright.next_region, yoga, turns))

    expected = _turned_points(upright.keypoints[:, :2], yoga, turns)
    apart = np.linalg.norm(sideways.keypoints[:, :2] - expected, axis=1)
    assert np.median(apart) < 0.02 * yoga.shape[0]


def test_an_empty_wall_has_nobody(blazepose):
    assert blazepose.detect(np.full((480, 640, 3), 180, dtype=np.uint8)) == []


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 700, 3), (700, 2, 3)])
def test_a_tiny_or_narrow_picture_is_no_error(blazepose, shape):
    assert blazepose.detect(np.zeros(shape, dtype=np.uint8)) == []


def test_a_heatmap_peak_draws_its_place():
    heatmaps = np.full((64, 64, 2), -20.0)
    heatmaps[30, 21, 0] = 10.0
    places = np.array([[20.5 / 64, 30.5 / 64], [0.5, 0.5]])

    moved = refined(places, heatmaps)

    np.testing.assert_allclose(moved[0] * 64, [21, 30], atol=1e-3)
    np.testing.assert_array_equal(moved[1], places[1])


def test_a_place_outside_the_heatmap_stays():
    places = np.array([[1.4, -0.2]])

    np.testing.assert_array_equal(refined(places, np.full((64, 64, 1), 10.0)), places)


def _turned_points(points: np.ndarray, image: np.ndarray, turns: int) -> np.ndarray:
    """Where `points` of `image` are after that many counter-clockwise quarter turns."""
    width, height = image.shape[1], image.shape[0]
    for _ in range(turns):
        points = np.column_stack([points[:, 1], width - 1 - points[:, 0]])
        width, height = height, width
    return points


def _turned(region, image, turns):
    (center,) = _turned_points(np.array([region.center_px]), image, turns)
    return type(region)(tuple(center), region.size_px, region.angle - turns * np.pi / 2)
