from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from fitscenes import CAMERA, Scene, loose_prior, walk
from refinescenes import camera_over, motion_of, same, solver
from scipy.spatial.transform import Rotation
from stripmocap.contract import body_file
from stripmocap.contract.body_file import EMBEDDED_BODY
from stripmocap.contract.camera_path import CameraPath
from stripmocap.contract.motion import Camera
from stripmocap.methods.ground import world_from_camera
from stripmocap.methods.humor import refine
from stripmocap.methods.humor.levelling import Moments, found_slope, levelled
from stripmocap.methods.humor.own_weights import load_own_initial_state_prior
from stripmocap.methods.smplify.subject import Subject
from stripmocap.methods.toolbox import Estimate, Tools

TEMPLATE = body_file.load(EMBEDDED_BODY)


@pytest.fixture(scope="module")
def moments() -> Moments:
    return Moments.of(load_own_initial_state_prior(refine.SHIPPED_FIRST))


@pytest.fixture(scope="module")
def subject() -> Subject:
    return subject_of()


def subject_of() -> Subject:
    return Subject.from_template(TEMPLATE, loose_prior())


def up_of(camera) -> np.ndarray:
    return camera.world_from_camera[2, :3]


def lean(camera) -> float:
    """Degrees from level; all walks are."""
    return float(np.degrees(np.arccos(np.clip(up_of(camera) @ [0.0, -1.0, 0.0], -1, 1))))


def leaning(camera, *, degrees: float, axis: int):
    """The camera over a ground that leans about an axis of it, but goes through the same feet."""
    axes = np.eye(3)[axis] * np.radians(degrees)
    up = Rotation.from_rotvec(axes).apply([0.0, -1.0, 0.0])
    feet = np.array([0.3, camera.world_from_camera[2, 3], 4.0])
    return replace(camera, world_from_camera=world_from_camera(up, float(-up @ feet)))


@pytest.mark.parametrize(("axis", "degrees"), [(0, 6.0), (0, -6.0), (2, 6.0), (2, -15.0)])
def test_a_ground_that_leans_comes_back_level(moments, subject, axis, degrees):
    scene = walk(TEMPLATE, frames=60)
    wrong = leaning(camera_over(TEMPLATE, scene), degrees=degrees, axis=axis)

    found = levelled(wrong, [scene.person], [motion_of(scene)], subject=subject, moments=moments)

    assert lean(wrong) == pytest.approx(abs(degrees), abs=1e-6)
    assert lean(found) < 4.0  # nobody walks quite like this walk


def test_how_the_ground_leant_before_does_not_matter(moments, subject):
    scene = walk(TEMPLATE, frames=30)
    camera = camera_over(TEMPLATE, scene)
    starts = [leaning(camera, degrees=each, axis=0) for each in (-8.0, 8.0)]

    one, other = (
        levelled(each, [scene.person], [motion_of(scene)], subject=subject, moments=moments)
        for each in starts
    )

    np.testing.assert_allclose(up_of(one), up_of(other), atol=2e-3)


def test_people_tell_of_one_ground_together(moments, subject):
    scenes = [walk(TEMPLATE, frames=40), walk(TEMPLATE, frames=40, side_m=-1.5, person=1)]
    wrong = leaning(camera_over(TEMPLATE, *scenes), degrees=6.0, axis=2)
    people, motions = [each.person for each in scenes], [motion_of(each) for each in scenes]

    alone = levelled(wrong, people[:1], motions[:1], subject=subject, moments=moments)
    both = levelled(wrong, people, motions, subject=subject, moments=moments)

    assert lean(both) < 4.0
    assert not np.allclose(up_of(both), up_of(alone), atol=1e-4)


def standing(person: int, *, side_m: float, further_m: float, higher_m: float = 0.0) -> Scene:
    """Somebody who does not move, so much further away than walks are."""
    scene, first = walk(TEMPLATE, frames=30, person=person), walk(TEMPLATE, frames=1)
    shift = np.array([side_m, -higher_m, further_m], dtype=np.float32)  # y is down
    states, points = first.states, np.repeat(first.points + shift, 30, axis=0)
    pixels = CAMERA.focal_px * points[..., :2] / points[..., 2:] + CAMERA.center_px
    keypoints = scene.person.keypoints.copy()
    keypoints[:, subject_of().columns, :2] = pixels[:, subject_of().keypoints]
    return Scene(
        replace(
            scene.states,
            global_rotmat=states.global_rotmat.expand(30, -1, -1),
            body_pose=states.body_pose.expand(30, -1, -1),
            transl=(states.transl + torch.tensor(shift)).expand(30, -1),
        ),
        points,
        replace(scene.person, keypoints=keypoints),
    )


def heights_m(scenes: list[Scene], camera: Camera) -> np.ndarray:
    """How high over the ground everybody's lowest foot is on average."""
    up, feet = camera.world_from_camera[2], subject_of().feet
    return np.array([(each.points[:, feet] @ up[:3] + up[3]).min(axis=1).mean() for each in scenes])


def test_who_stands_on_one_ground_near_and_far_still_does(moments, subject):
    scenes = [
        standing(0, side_m=0.0, further_m=0.0),
        standing(1, side_m=-1.5, further_m=10.0),
        standing(2, side_m=1.0, further_m=3.0, higher_m=0.8),
    ]
    camera = camera_over(TEMPLATE, scenes[0])
    people, motions = [each.person for each in scenes], [motion_of(each) for each in scenes]

    found = levelled(camera, people, motions, subject=subject, moments=moments)

    assert found is not camera
    near, far, high = heights_m(scenes, found) - heights_m(scenes, camera)
    assert far == pytest.approx(near, abs=0.1)
    assert high == pytest.approx(near, abs=0.1)


def test_the_ground_stays_as_high_as_it_was_under_people(moments, subject):
    scene = walk(TEMPLATE, frames=30)
    wrong = leaning(camera_over(TEMPLATE, scene), degrees=6.0, axis=0)

    found = levelled(wrong, [scene.person], [motion_of(scene)], subject=subject, moments=moments)

    below = np.append(np.median(scene.points[:, 0], axis=0), 1.0)
    before, after = (each.world_from_camera[2] @ below for each in (wrong, found))
    assert after == pytest.approx(before, abs=1e-6)
    np.testing.assert_allclose(found.world_from_camera[:2, 3], 0.0, atol=1e-9)  # over the origin
    assert found.world_from_camera[0, 2] == pytest.approx(0.0, abs=1e-9)  # and looking along y


def test_the_ground_of_a_camera_that_moves_stays(moments, subject):
    scene = walk(TEMPLATE, frames=20)
    still = leaning(camera_over(TEMPLATE, scene), degrees=6.0, axis=0)
    path = CameraPath.of_matrices(np.zeros(1), np.eye(4)[None])
    camera = replace(still, path=path)

    found = levelled(camera, [scene.person], [motion_of(scene)], subject=subject, moments=moments)

    assert found is camera


def test_who_lies_tells_nothing(moments, subject):
    scene = walk(TEMPLATE, frames=20)
    camera = camera_over(TEMPLATE, scene)
    motion = motion_of(scene)
    laid = Rotation.from_rotvec([0.0, 0.0, np.pi / 2]) * Rotation.from_rotvec(motion.global_orient)
    lying = replace(motion, global_orient=laid.as_rotvec())

    found = levelled(camera, [scene.person], [lying], subject=subject, moments=moments)

    assert found is camera


def test_nobody_and_who_is_never_seen_tell_nothing(moments, subject):
    scene = walk(TEMPLATE, frames=1)
    camera = camera_over(TEMPLATE, scene)
    unseen = replace(motion_of(scene), confidence=np.zeros(1))

    assert levelled(camera, [], [], subject=subject, moments=moments) is camera
    found = levelled(camera, [scene.person], [unseen], subject=subject, moments=moments)

    assert found is camera


def test_a_camera_that_looks_straight_down_is_left_as_it_is(moments):
    nobody = torch.zeros(0, 3)

    assert found_slope(np.array([0.0, -0.1, -0.995]), [], moments, together=nobody) is None


def test_a_refined_shot_stands_on_the_level_ground():
    scene = walk(TEMPLATE, frames=60)
    level = camera_over(TEMPLATE, scene)
    start = Estimate(leaning(level, degrees=6.0, axis=0), (motion_of(scene),))
    tools = Tools(TEMPLATE, torch.device("cpu"))
    moments = Moments.of(load_own_initial_state_prior(refine.SHIPPED_FIRST))
    estimator = refine.estimator_of(solver(same), tools, moments=moments)

    found = estimator([scene.person], start.camera, lambda *_: None, start=start)

    assert lean(found.camera) < 4.0
    feet = scene.points[:, subject_of().feet]
    heights = feet @ found.camera.world_from_camera[2, :3] + found.camera.world_from_camera[2, 3]
    assert abs(np.median(heights.min(axis=1))) < 0.05
    np.testing.assert_allclose(found.motions[0].transl, start.motions[0].transl, atol=1e-4)
