from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from fitscenes import CAMERA, Scene, walk
from stripmocap.contract.skeleton import JOINT_COUNT
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.methods.hmr.frames import Figure, PerFrame, estimate_of
from stripmocap.people.observations import Person
from toybody import toy_body

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def figure() -> Figure:
    return Figure.from_template(toy_body(), device=CPU)


def truth(scene: Scene) -> PerFrame:
    """What a regressor that is never wrong says."""
    states = scene.states
    rotmat = torch.cat([states.global_rotmat[:, None], aa_to_matrix(states.body_pose)], dim=1)
    frames = len(rotmat)
    return PerFrame(rotmat, states.betas.expand(frames, -1), torch.ones(frames, dtype=torch.bool))


def hidden(person: Person, frames: slice) -> Person:
    keypoints = person.keypoints.copy()
    keypoints[frames, :, 2] = 0
    return replace(person, keypoints=keypoints)


def joints_of(figure: Figure, motion) -> np.ndarray:
    rotmat = aa_to_matrix(
        torch.tensor(np.concatenate([motion.global_orient[:, None], motion.body_pose], axis=1))
    )
    points = figure.points_of(rotmat, torch.tensor(motion.betas))
    return (points[:, :JOINT_COUNT] + torch.tensor(motion.transl)[:, None]).numpy()


def test_a_regressor_that_is_right_puts_everybody_where_they_are(figure):
    scenes = [walk(toy_body()), walk(toy_body(), side_m=-1.5, person=1)]

    found = estimate_of(
        [each.person for each in scenes],
        CAMERA,
        [truth(each) for each in scenes],
        figure=figure,
        height_m=None,
    )

    for scene, motion in zip(scenes, found.motions, strict=True):
        np.testing.assert_allclose(
            joints_of(figure, motion), scene.points[:, :JOINT_COUNT], atol=0.05
        )
        assert motion.confidence.min() > 0.8
    assert [each.person for each in found.motions] == [0, 1]


def test_the_ground_lies_under_the_feet(figure):
    scene = walk(toy_body())

    found = estimate_of([scene.person], CAMERA, [truth(scene)], figure=figure, height_m=None)

    world = found.camera.world_from_camera
    heights = joints_of(figure, found.motions[0]) @ world[2, :3] + world[2, 3]
    assert heights.min() == pytest.approx(0, abs=0.15)
    assert heights.max() > 1.0


def test_frames_that_were_not_seen_are_between_the_others_and_told_to_be_unsure(figure):
    scene, gap = walk(toy_body()), slice(10, 14)
    said = truth(scene)
    seen = said.seen.clone()
    seen[gap] = False
    garbage = said.rotmat.clone()
    garbage[gap] = torch.eye(3)

    found = estimate_of(
        [hidden(scene.person, gap)],
        CAMERA,
        [replace(said, seen=seen, rotmat=garbage)],
        figure=figure,
        height_m=None,
    )

    (motion,) = found.motions
    np.testing.assert_allclose(
        joints_of(figure, motion)[gap], scene.points[gap, :JOINT_COUNT], atol=0.1
    )
    assert (motion.confidence[gap] == 0).all()
    assert motion.confidence[20] > 0.8


def test_frames_before_and_behind_all_that_is_seen_stay_as_the_nearest(figure):
    scene = walk(toy_body(), frames=12)
    said = truth(scene)
    seen = torch.zeros(12, dtype=torch.bool)
    seen[4:8] = True

    person = hidden(hidden(scene.person, slice(0, 4)), slice(8, 12))
    found = estimate_of([person], CAMERA, [replace(said, seen=seen)], figure=figure, height_m=None)

    pose = found.motions[0].body_pose
    np.testing.assert_allclose(pose[0], pose[4], atol=1e-5)
    np.testing.assert_allclose(pose[11], pose[7], atol=1e-5)


def test_a_wrong_pose_is_less_sure(figure):
    scene = walk(toy_body())
    said = truth(scene)
    wrong = said.rotmat.clone()
    wrong[:, 16] = aa_to_matrix(torch.tensor([0.0, 0.0, 1.5]))

    right, less = (
        estimate_of([scene.person], CAMERA, [each], figure=figure, height_m=None)
        for each in (said, replace(said, rotmat=wrong))
    )

    assert less.motions[0].confidence.mean() < right.motions[0].confidence.mean() - 0.05


def test_somebody_who_was_never_seen_well_is_a_motion_of_numbers_nobody_trusts(figure):
    scene = walk(toy_body())
    said = truth(scene)
    nobody = replace(said, seen=torch.zeros_like(said.seen))

    found = estimate_of(
        [hidden(scene.person, slice(None))], CAMERA, [nobody], figure=figure, height_m=1.8
    )

    assert (found.motions[0].confidence == 0).all()
    assert np.isfinite(found.motions[0].transl).all()
