from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from stripmocap.contract import amass
from stripmocap.contract.camera_path import CameraPath
from stripmocap.contract.errors import RequestError, ResultFileError
from stripmocap.contract.motion import LEVEL_WORLD_FROM_CAMERA, Camera, Motion

PELVIS = np.array([0.01, 0.93, -0.02])


def some_motion(frames: int = 12, *, fps: float = 30.0) -> Motion:
    rng = np.random.default_rng(4)
    seconds = np.arange(frames) / fps
    body_pose = 0.6 * np.sin(rng.normal(size=(1, 23, 3)) + seconds[:, None, None])
    body_pose[:, 21:] = 0  # AMASS has no place for SMPL's hand joints
    return Motion(
        person=0,
        times_s=seconds,
        global_orient=np.array([np.pi - 0.3, 0.1, 0.2]) + seconds[:, None] * [0.1, 0.5, 0],
        body_pose=body_pose,
        betas=rng.normal(size=10),
        transl=np.array([0.2, 1.0, 5.0]) + seconds[:, None] * [0.5, 0, 0.1],
        confidence=np.ones(frames),
    )


def tilted_camera() -> Camera:
    tilt = np.eye(4)
    tilt[:3, :3] = matrix_of(np.array([-0.3, 0.05, 0.02]))
    tilt[:3, 3] = [0.1, -2.0, 1.6]
    return Camera(
        focal_px=1000.0,
        center_px=np.array([960.0, 540]),
        size_px=(1920, 1080),
        world_from_camera=tilt @ LEVEL_WORLD_FROM_CAMERA,
    )


def matrix_of(axis_angle: np.ndarray) -> np.ndarray:
    """Rodrigues' formula, written apart from the code under test."""
    angle = np.linalg.norm(axis_angle)
    if angle == 0:
        return np.eye(3)
    x, y, z = axis_angle / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def matrices(axis_angle: np.ndarray) -> np.ndarray:
    flat = np.reshape(axis_angle, (-1, 3))
    return np.array([matrix_of(each) for each in flat]).reshape(*np.shape(axis_angle)[:-1], 3, 3)


def rigid_vertices(orient: np.ndarray, transl: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(T, N, 3) rest points of a body that turns about its pelvis, as SMPL's root does."""
    return (points - PELVIS) @ np.swapaxes(matrices(orient), -1, -2) + PELVIS + transl[:, None]


def test_there_and_back_is_the_same_motion():
    motion, camera = some_motion(), tilted_camera()

    arrays = amass.to_amass(motion, camera, PELVIS, fps=30)
    back, _ = amass.from_amass(arrays, PELVIS, camera=camera)

    assert_allclose(back.transl, motion.transl, atol=1e-5)
    assert_allclose(back.times_s, motion.times_s, atol=1e-9)
    assert_allclose(back.betas, motion.betas)
    assert_allclose(matrices(back.global_orient), matrices(motion.global_orient), atol=1e-5)
    assert_allclose(matrices(back.body_pose), matrices(motion.body_pose), atol=1e-5)


def test_moving_the_world_moves_every_vertex():
    motion, camera = some_motion(), tilted_camera()
    points = np.random.default_rng(0).normal(size=(7, 3))

    orient, transl = amass.moved(
        motion.global_orient, motion.transl, camera.world_from_camera, rest_pelvis=PELVIS
    )

    before = rigid_vertices(motion.global_orient, motion.transl, points)
    rotation, offset = camera.world_from_camera[:3, :3], camera.world_from_camera[:3, 3]
    assert_allclose(rigid_vertices(orient, transl, points), before @ rotation.T + offset, atol=1e-5)


def test_an_upright_person_is_upright_in_the_file():
    motion = some_motion()
    upright = Motion(**{**vars(motion), "global_orient": np.tile([np.pi, 0, 0], (12, 1))})
    camera = Camera(focal_px=1000.0, center_px=np.array([960.0, 540]), size_px=(1920, 1080))

    arrays = amass.to_amass(upright, camera, PELVIS, fps=30)

    up = matrices(arrays["poses"][:, :3])[:, :, 1]  # where the body's own y goes
    assert_allclose(up, np.tile([0, 0, 1.0], (12, 1)), atol=1e-6)


def test_a_moving_camera_leaves_the_motion_in_its_world():
    motion, still = some_motion(), tilted_camera()
    turns = [matrix_of(np.array([0.0, 0.0, 0.02 * each])) for each in range(12)]
    poses = np.tile(still.world_from_camera, (12, 1, 1))
    poses[:, :3, :3] = turns @ still.world_from_camera[:3, :3]
    poses[:, :3, 3] += np.arange(12)[:, None] * [0.1, 0.02, 0.0]
    moving = replace(still, path=CameraPath.of_matrices(motion.times_s, poses))
    seen = [
        amass.moved(
            motion.global_orient[[k]],
            motion.transl[[k]],
            np.linalg.inv(poses[k]) @ still.world_from_camera,
            rest_pelvis=PELVIS,
        )
        for k in range(12)
    ]
    orient, transl = (np.concatenate(each) for each in zip(*seen, strict=True))

    found = amass.to_amass(
        replace(motion, global_orient=orient, transl=transl), moving, PELVIS, fps=30
    )

    wanted = amass.to_amass(motion, still, PELVIS, fps=30)
    assert_allclose(found["trans"], wanted["trans"], atol=1e-4)
    found_poses, wanted_poses = (each["poses"].reshape(12, -1, 3) for each in (found, wanted))
    assert_allclose(matrices(found_poses), matrices(wanted_poses), atol=1e-4)


def test_contacts_stand_beside_what_amass_knows():
    chances = np.random.default_rng(5).uniform(size=(12, 9)).astype(np.float32)
    motion = replace(some_motion(), contacts=chances)

    arrays = amass.to_amass(motion, tilted_camera(), PELVIS, fps=60)
    back, _ = amass.from_amass(arrays, PELVIS)

    assert arrays["contacts"].shape == (23, 9)
    assert back.contacts is not None
    assert_allclose(back.contacts[::2], chances, atol=1e-6)
    del arrays["contact_names"]
    assert amass.from_amass(arrays, PELVIS)[0].contacts is None


def test_the_file_has_the_shapes_and_names_of_amass():
    arrays = amass.to_amass(some_motion(), tilted_camera(), PELVIS, fps=30, gender="female")

    shapes = {name: value.shape for name, value in arrays.items()}
    assert shapes == {
        "poses": (12, 156),
        "trans": (12, 3),
        "betas": (16,),
        "dmpls": (12, 8),
        "mocap_framerate": (),
        "gender": (),
    }
    assert arrays["mocap_framerate"].dtype == np.float64
    assert str(arrays["gender"]) == "female"
    assert not arrays["poses"][:, 66:].any()


def test_an_irregular_clock_becomes_steady():
    steady = some_motion(61, fps=60)
    keep = np.sort(np.random.default_rng(2).choice(np.arange(1, 60), size=40, replace=False))
    kept = np.concatenate([[0], keep, [60]])
    irregular = Motion(
        **{
            name: value if name in ("person", "betas", "contacts") else value[kept]
            for name, value in vars(steady).items()
        }
    )
    camera = tilted_camera()

    arrays = amass.to_amass(irregular, camera, PELVIS, fps=30)

    expected = amass.to_amass(steady, camera, PELVIS, fps=30)
    assert len(arrays["poses"]) == 31
    assert_allclose(arrays["trans"], expected["trans"], atol=2e-3)
    assert_allclose(matrices(arrays["poses"][:, :3]), matrices(expected["poses"][:, :3]), atol=2e-3)


def test_halfway_between_two_turns_is_half_the_turn():
    turns = np.array([[[0.0, 0, 0.2]], [[0.0, 0, 1.0]]])

    halfway = amass.resampled_rotations(turns, np.array([0.0, 1]), np.array([0.25, 0.5]))

    assert_allclose(halfway[:, 0, 2], [0.4, 0.6], atol=1e-12)


def test_turns_across_half_a_circle_take_the_short_way():
    turns = np.array([[[0.0, 0, np.pi - 0.1]], [[0.0, 0, -np.pi + 0.1]]])

    halfway = amass.resampled_rotations(turns, np.array([0.0, 1]), np.array([0.5]))

    assert_allclose(np.abs(halfway[0, 0]), [0, 0, np.pi], atol=1e-9)


@pytest.mark.parametrize(
    "turn",
    [
        [0.0, 0, 0],
        [1e-9, 0, 0],
        [np.pi, 0, 0],
        [0, np.pi - 1e-7, 0],
        [0.3, -2.0, 1.0],
    ],
)
def test_a_turn_of_the_world_is_exact_at_every_angle(turn):
    transform = np.eye(4)
    transform[:3, :3] = matrix_of(np.array(turn))

    orient, _ = amass.moved(np.zeros((1, 3)), np.zeros((1, 3)), transform, rest_pelvis=PELVIS)

    assert_allclose(matrices(orient)[0], transform[:3, :3], atol=1e-9)


def test_newer_key_names_are_read():
    motion, camera = some_motion(), tilted_camera()
    old = amass.to_amass(motion, camera, PELVIS, fps=30)
    new = {
        "root_orient": old["poses"][:, :3],
        "pose_body": old["poses"][:, 3:66],
        "pose_hand": old["poses"][:, 66:],
        "trans": old["trans"],
        "betas": old["betas"],
        "mocap_frame_rate": old["mocap_framerate"],
    }

    first, _ = amass.from_amass(old, PELVIS, camera=camera)
    second, _ = amass.from_amass(new, PELVIS, camera=camera)

    assert (first.body_pose == second.body_pose).all()
    assert (first.transl == second.transl).all()


def test_a_file_seen_by_no_camera_gets_a_level_one():
    arrays = amass.to_amass(some_motion(), tilted_camera(), PELVIS, fps=30)

    motion, camera = amass.from_amass(arrays, PELVIS)

    again = amass.to_amass(motion, camera, PELVIS, fps=30)
    assert_allclose(camera.world_from_camera, LEVEL_WORLD_FROM_CAMERA)
    assert_allclose(again["trans"], arrays["trans"], atol=1e-5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"poses": None}, "root_orient"),
        ({"trans": None}, "no trans"),
        ({"mocap_framerate": None}, "frame rate"),
        ({"mocap_framerate": np.array(0.0)}, "is 0"),
        ({"poses": np.zeros((12, 60))}, "shape"),
        ({"poses": np.zeros((0, 156))}, "shape"),
        ({"poses": np.full((12, 156), np.nan)}, "not finite"),
        ({"trans": np.zeros((11, 3))}, "trans has shape"),
    ],
)
def test_a_file_that_lacks_something_says_what(change, said):
    arrays = {**amass.to_amass(some_motion(), tilted_camera(), PELVIS, fps=30), **change}
    arrays = {name: value for name, value in arrays.items() if value is not None}

    with pytest.raises(ResultFileError, match=said):
        amass.from_amass(arrays, PELVIS)


@pytest.mark.parametrize("fps", [0.0, -30.0, np.nan, np.inf])
def test_an_impossible_rate_is_refused(fps):
    with pytest.raises(RequestError, match="frame rate"):
        amass.to_amass(some_motion(), tilted_camera(), PELVIS, fps=fps)


def test_a_motion_of_one_frame_is_a_file_of_one_frame():
    arrays = amass.to_amass(some_motion(1), tilted_camera(), PELVIS, fps=30)

    assert len(arrays["poses"]) == len(arrays["trans"]) == 1


@pytest.mark.parametrize(
    ("times_s", "fps"),
    [(np.arange(9) / 29.97, 29.97), (np.array([0, 0.04, 0.08, 0.5, 0.54]), 25), ([0.3], 30)],
)
def test_the_usual_rate_is_that_of_most_frames(times_s, fps):
    assert amass.usual_fps(np.asarray(times_s)) == pytest.approx(fps, abs=1e-3)


@pytest.mark.parametrize(
    ("entry", "gender"),
    [("male", "male"), (b"female", "female"), ("unknown", "neutral"), (None, "neutral")],
)
def test_the_gender_is_read_however_it_is_spelt(entry, gender):
    arrays = {} if entry is None else {"gender": np.array(entry)}

    assert amass.gender_in(arrays) == gender
