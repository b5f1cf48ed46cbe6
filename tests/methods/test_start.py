from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from fitscenes import CAMERA, Scene, loose_prior, walk
from stripmocap.contract.motion import Motion
from stripmocap.geometry.rotations import matrix_to_aa
from stripmocap.methods.smplify.evidence import CUE_BONES, gather
from stripmocap.methods.smplify.start import told_poses
from stripmocap.methods.smplify.subject import Subject
from stripmocap.methods.toolbox import Estimate
from toybody import toy_body

FRAMES = 6


def truth_of(scene: Scene) -> Motion:
    states, times_s = scene.states, scene.person.times_s
    return Motion(
        person=scene.person.person,
        times_s=times_s,
        global_orient=matrix_to_aa(states.global_rotmat).numpy(),
        body_pose=states.body_pose.numpy(),
        betas=np.full(10, 0.5),
        transl=states.transl.numpy(),
        confidence=np.linspace(0.5, 1, len(times_s)),
    )


def told(scenes: list[Scene], motions: list[Motion]):
    people = [each.person for each in scenes]
    evidence = gather(people, CAMERA, device=torch.device("cpu"), dtype=torch.float32)
    subject = Subject.from_template(toy_body(), loose_prior())
    return told_poses(subject, evidence, people=people, told=Estimate(CAMERA, tuple(motions)))


def test_bodies_stand_where_they_were_found_and_are_as_sure():
    scene = walk(toy_body(), frames=FRAMES)
    motion = truth_of(scene)

    states, guess = told([scene], [motion])

    torch.testing.assert_close(states.transl, scene.states.transl)
    torch.testing.assert_close(states.global_rotmat, scene.states.global_rotmat)
    torch.testing.assert_close(guess.body_pose, scene.states.body_pose)
    np.testing.assert_allclose(guess.sure, motion.confidence)
    np.testing.assert_allclose(states.betas, 0.5)


def test_bones_point_where_those_of_the_found_bodies_do():
    scene = walk(toy_body(), frames=FRAMES)
    subject = Subject.from_template(toy_body(), loose_prior())

    _, guess = told([scene], [replace(truth_of(scene), betas=np.zeros(10))])

    start, stop = subject.cue.numpy()
    wanted = scene.points[:, stop] - scene.points[:, start]
    assert guess.bones.shape == (FRAMES, len(CUE_BONES), 3)
    np.testing.assert_allclose(guess.bones, wanted, atol=1e-5)


def test_motions_are_matched_by_the_number_of_the_person():
    first, second = (walk(toy_body(), frames=FRAMES, person=n, side_m=n) for n in (0, 1))

    states, _ = told([first, second], [truth_of(second), truth_of(first)])

    torch.testing.assert_close(states.transl[:FRAMES], first.states.transl)
    torch.testing.assert_close(states.transl[FRAMES:], second.states.transl)


def test_who_was_not_found_is_in_a_usual_pose_and_sure_by_nothing():
    first, second = (walk(toy_body(), frames=FRAMES, person=n) for n in (0, 1))

    states, guess = told([first, second], [truth_of(first)])

    assert (guess.sure[FRAMES:] == 0).all()
    assert (guess.sure[:FRAMES] > 0).all()
    assert (states.betas[1] == 0).all()
    assert (states.transl[FRAMES:, 2] > 1).all()


def test_frames_of_another_moment_are_not_taken():
    scene = walk(toy_body(), frames=FRAMES)
    motion = truth_of(scene)
    first = Motion(
        **{
            **vars(motion),
            **{n: vars(motion)[n][:2] for n in ("times_s", "global_orient", "body_pose")},
            **{n: vars(motion)[n][:2] for n in ("transl", "confidence")},
        }
    )

    _, guess = told([scene], [first])

    assert (guess.sure[:2] > 0).all()
    assert (guess.sure[2:] == 0).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [("transl", -3.0), ("transl", 1e30), ("global_orient", 1e20), ("body_pose", 1e6)],
)
def test_what_cannot_be_is_not_taken(name, value):
    scene = walk(toy_body(), frames=FRAMES)
    array = vars(truth_of(scene))[name].copy()
    array[2] = value

    states, guess = told([scene], [replace(truth_of(scene), **{name: array})])

    assert guess.sure[2] == 0
    assert (guess.sure[[0, 1, 3, 4, 5]] > 0).all()
    for tensor in (states.transl, states.global_rotmat, states.body_pose, guess.bones):
        assert torch.isfinite(tensor).all()
    assert states.transl[:, 2].min() > 1
    assert states.transl.abs().max() < 100


def test_a_shape_of_nobody_is_brought_back_to_somebodys():
    scene = walk(toy_body(), frames=FRAMES)

    states, _ = told([scene], [replace(truth_of(scene), betas=np.full(10, 1e8))])

    assert states.betas.abs().max() < 10
