from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from stripmocap.contract.camera_path import MOST_POSES, CameraPath, path_from_json
from stripmocap.contract.errors import RequestError
from toybody import rotation
from toyshot import toy_camera


def poses(count: int = 5) -> np.ndarray:
    """A camera that turns and rises, (K, 4, 4)."""
    found = np.tile(np.eye(4), (count, 1, 1))
    for k, pose in enumerate(found):
        pose[:3, :3] = rotation(np.array([0.1 * k, -0.3, 0.05 * k]))
        pose[:3, 3] = [0.2 * k, -3.0, 1.5 + 0.1 * k]
    return found


def times_s(count: int = 5) -> np.ndarray:
    return 1.0 + np.arange(count) / 24


def a_path(count: int = 5) -> CameraPath:
    return CameraPath.of_matrices(times_s(count), poses(count))


def test_a_path_of_matrices_has_those_matrices():
    assert_allclose(a_path().world_from_camera, poses(), atol=1e-5)
    assert_allclose(a_path().at(times_s()), poses(), atol=1e-5)


def test_between_two_poses_the_camera_is_half_way():
    (half,) = a_path().at((times_s()[1:2] + times_s()[2:3]) / 2)

    assert_allclose(half[:3, 3], [0.3, -3.0, 1.65], atol=1e-5)
    assert_allclose(half[:3, :3] @ half[:3, :3].T, np.eye(3), atol=1e-12)
    first, second = poses()[1, :3, :3], poses()[2, :3, :3]
    assert np.trace(half[:3, :3].T @ first) == pytest.approx(
        np.trace(half[:3, :3].T @ second), abs=1e-5
    )


def test_out_of_its_time_the_camera_stands_still():
    path = a_path()

    around = path.at(np.array([0.0, 1000.0]))

    assert_array_equal(around, path.world_from_camera[[0, -1]])


def test_a_path_of_one_pose_is_a_camera_that_stands_still():
    assert_allclose(a_path(1).at(np.array([0.0, 1.0, 2.0])), poses(1).repeat(3, axis=0), atol=1e-5)


def test_a_path_comes_back_from_json_as_it_was_and_equal():
    path = a_path()

    back = path_from_json(json.loads(json.dumps(path.to_json(), allow_nan=False)))

    assert back == path
    assert hash(back) == hash(path)
    assert back != a_path(4)


def test_a_path_of_too_many_poses_keeps_some_of_them_evenly():
    count = 2 * MOST_POSES + 1
    still = np.tile(np.eye(4), (count, 1, 1))

    path = CameraPath.of_matrices(np.arange(count) / 24, still)

    assert len(path.times_s) == MOST_POSES
    assert (path.times_s[0], path.times_s[-1]) == (0.0, pytest.approx((count - 1) / 24))
    assert np.diff(path.times_s).max() <= 3 / 24 + 1e-5


def scaled() -> np.ndarray:
    grown = poses()
    grown[2, :3, :3] *= 1.1
    return grown


def mirrored() -> np.ndarray:
    turned = poses()
    turned[:, :3, 0] *= -1
    return turned


@pytest.mark.parametrize(
    ("when", "where", "said"),
    [
        (times_s(), scaled(), "not rigid"),
        (times_s(), mirrored(), "not rigid"),
        (times_s()[::-1], poses(), "do not rise"),
        (times_s(4), poses(), "shape"),
        (times_s(), np.full((5, 4, 4), np.nan), "not finite"),
        (times_s(0), poses(0), "0 poses"),
    ],
)
def test_matrices_that_are_no_path_are_refused(when, where, said):
    with pytest.raises(RequestError, match=said):
        CameraPath.of_matrices(when, where)


@pytest.mark.parametrize(
    "changes",
    [
        {"times_s": None},
        {"times_s": ["soon"] * 5},
        {"times_s": [0.0, 0.0, 1.0, 2.0, 3.0]},
        {"times_s": []},
        {"positions": [[0.0, 0.0]] * 5},
        {"positions": [[1e9, 0.0, 0.0]] * 5},
        {"quats": [[2.0, 0.0, 0.0, 0.0]] * 5},
        {"quats": [[0.0, 0.0, 0.0, 0.0]] * 5},
        {"colour": "red"},
    ],
)
def test_json_that_is_no_path_is_refused(changes):
    with pytest.raises(RequestError):
        path_from_json({**a_path().to_json(), **changes})


def test_json_that_lacks_something_is_refused_with_what_it_needs():
    with pytest.raises(RequestError) as refused:
        path_from_json({"times_s": [0.0]})

    assert "quats" in refused.value.hint


def test_the_world_of_a_camera_with_a_path_is_the_paths():
    camera = replace(toy_camera(), path=a_path())

    assert_allclose(camera.world_from_camera, poses()[0], atol=1e-5)
    assert_allclose(camera.world_from_camera_at(times_s()), poses(), atol=1e-5)
    grounded = replace(camera, world_from_camera=np.eye(4))  # as a fit does that finds a floor
    assert_allclose(grounded.world_from_camera, poses()[0], atol=1e-5)


def test_a_camera_without_a_path_is_always_at_one_place():
    camera = toy_camera()

    found = camera.world_from_camera_at(times_s())

    assert_array_equal(found, np.tile(camera.world_from_camera, (5, 1, 1)))
