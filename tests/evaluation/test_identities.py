from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from stripmocap.body.model import Body
from stripmocap.contract.motion import LEVEL_WORLD_FROM_CAMERA, Camera, Motion, Take
from stripmocap.contract.skeleton import JOINT_NAMES, LIMB_JOINTS
from stripmocap.evaluation import comparison
from stripmocap.evaluation.identities import Identity, identities
from stripmocap.evaluation.truth import Truth
from toybody import toy_body

FPS, FRAMES = 30.0, 20
CAMERA = Camera(focal_px=800.0, center_px=np.array([320.0, 240.0]), size_px=(640, 480))


@pytest.fixture(scope="module")
def body() -> Body:
    return Body.from_template(toy_body())


def standing(person: int, x: np.ndarray | float, *, fps: float = FPS) -> Motion:
    frames = round(FRAMES * fps / FPS)
    places = np.tile([0.0, 1.0, 6.0], (frames, 1))
    places[:, 0] += x
    return Motion(
        person=person,
        times_s=np.arange(frames) / fps,
        global_orient=np.tile([np.pi, 0.0, 0.0], (frames, 1)),
        body_pose=np.zeros((frames, 23, 3)),
        betas=np.zeros(10),
        transl=places,
        confidence=np.ones(frames),
    )


def truth_of(motion: Motion, body: Body, name: str) -> Truth:
    turn = LEVEL_WORLD_FROM_CAMERA[:3, :3]
    joints = comparison.joints_of(motion, body) @ turn.T
    limbs = joints[:, [JOINT_NAMES.index(each) for each in LIMB_JOINTS]]
    return Truth(
        camera_name="front",
        person_name=name,
        fps=FPS,
        limbs_world=limbs,
        valid=np.ones(limbs.shape[:2], dtype=bool),
        feet_world=np.full((len(limbs), 4, 3), np.nan),
        intrinsics=np.array([[800.0, 0, 320], [0, 800, 240], [0, 0, 1]]),
        distortion=np.zeros(4),
        rotation=turn.T,
        translation=np.zeros(3),
    )


@pytest.fixture(scope="module")
def truths(body) -> list[Truth]:
    return [truth_of(standing(0, x), body, name) for x, name in ((-0.7, "man"), (0.7, "woman"))]


def found(truths, body, *motions):
    return identities(Take("temporal", motions), CAMERA, truths, body=body)


def test_people_who_stay_themselves_are_never_switched(truths, body):
    said = found(truths, body, standing(4, 0.7), standing(2, -0.7))

    assert said == [
        Identity("man", 2, 0, FRAMES, FRAMES),
        Identity("woman", 4, 0, FRAMES, FRAMES),
    ]


def test_a_swap_in_the_middle_is_a_switch_for_both(truths, body):
    there = np.where(np.arange(FRAMES) < 12, -0.7, 0.7)

    said = found(truths, body, standing(0, there), standing(1, -there))

    assert [(each.captured, each.switches) for each in said] == [(0, 1), (1, 1)]


def test_who_is_far_from_everybody_is_nobodys_pair(truths, body):
    gone = np.where(np.arange(FRAMES) < 5, -0.7, 30.0)

    man, woman = found(truths, body, standing(0, gone))

    assert (man.captured, man.switches, man.followed) == (0, 0, 5)
    assert (woman.captured, woman.followed, woman.frames) == (None, 0, FRAMES)


def test_frames_that_the_truth_does_not_know_do_not_count(truths, body):
    valid = truths[0].valid.copy()
    valid[:8] = False
    blind = replace(truths[0], valid=valid)

    man, _ = found([blind, truths[1]], body, standing(0, -0.7), standing(1, 0.7))

    assert man.frames == man.followed == FRAMES - 8


def test_a_slower_capture_is_judged_in_its_own_frames(truths, body):
    man, _ = found(truths, body, standing(0, -0.7, fps=15), standing(1, 0.7, fps=15))

    assert man.followed == man.frames == FRAMES // 2
