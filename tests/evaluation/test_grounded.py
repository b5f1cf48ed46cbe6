from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from stripmocap import bodies
from stripmocap.contract.motion import Camera, Motion
from stripmocap.contract.skeleton import CONTACT_NAMES, JOINT_NAMES, LIMB_JOINTS
from stripmocap.evaluation.grounded import CONTACT_FEET, Grounded, judge, means, together
from stripmocap.evaluation.metrics import planted
from stripmocap.evaluation.soles import SoleBody
from stripmocap.evaluation.truth import Truth

FRAMES, FPS = 40, 30.0
LIMBS = [JOINT_NAMES.index(name) for name in LIMB_JOINTS]
FEET = [JOINT_NAMES.index(name) for name in CONTACT_FEET]
# The rest body has y up; a camera that looks along -z at it has y down.
UPRIGHT = np.array([np.pi, 0.0, 0.0])


@pytest.fixture(scope="module")
def body() -> SoleBody:
    return SoleBody.from_template(bodies.embedded("neutral"))


@pytest.fixture(scope="module")
def motion() -> Motion:
    """Somebody who stands still in a T, four metres away."""
    return Motion(
        person=0,
        times_s=np.arange(FRAMES) / FPS,
        global_orient=np.tile(UPRIGHT, (FRAMES, 1)),
        body_pose=np.zeros((FRAMES, 23, 3)),
        betas=np.zeros(10),
        transl=np.tile([0.0, 0.0, 4.0], (FRAMES, 1)),
        confidence=np.ones(FRAMES),
    )


@pytest.fixture(scope="module")
def camera(motion, body) -> Camera:
    """Over the floor that the soles of `motion` stand on."""
    world = Camera(1000.0, np.zeros(2), (1000, 1000)).world_from_camera.copy()
    _, soles = body.of_motion(motion)
    world[2, 3] = soles[..., 1].max()
    return Camera(1000.0, np.zeros(2), (1000, 1000), world)


@pytest.fixture(scope="module")
def truth(motion, camera, body) -> Truth:
    joints, _ = body.of_motion(motion)
    pose = camera.world_from_camera
    world = joints @ pose[:3, :3].T + pose[:3, 3]
    return Truth(
        camera_name="c",
        person_name="p",
        fps=FPS,
        limbs_world=world[:, LIMBS],
        valid=np.ones((FRAMES, 12), dtype=bool),
        feet_world=world[:, FEET],
        intrinsics=np.eye(3),
        distortion=np.zeros(4),
        rotation=pose[:3, :3].T,
        translation=-pose[:3, :3].T @ pose[:3, 3],
    )


def moved(motion: Motion, steps: np.ndarray) -> Motion:
    return replace(motion, transl=motion.transl + steps)


def test_the_truth_itself_has_no_errors(motion, camera, truth, body):
    found = means(judge(motion, camera, truth, body=body))

    errors = (found.pa_mm, found.accel_m_s2, found.slide_cm_s, found.sunk_mm, found.deep_percent)
    assert_allclose(errors, 0, atol=2e-3)
    assert found.off_mm < 1e-2
    assert found.contacts_percent == 100
    assert np.isnan(found.hidden_mm)


def test_feet_that_glide_are_seen_to_slide(motion, camera, truth, body):
    sideways = np.outer(np.arange(FRAMES) / FPS, [0.1, 0, 0])

    found = means(judge(moved(motion, sideways), camera, truth, body=body))

    assert found.slide_cm_s == pytest.approx(10, rel=1e-3)
    assert found.sunk_mm == pytest.approx(0, abs=1e-2)


def test_who_is_lower_sinks_and_who_is_higher_stands_off(motion, camera, truth, body):
    lower = means(judge(moved(motion, np.array([0, 0.05, 0])), camera, truth, body=body))
    higher = means(judge(moved(motion, np.array([0, -0.05, 0])), camera, truth, body=body))

    assert (lower.sunk_mm, lower.deep_percent) == (pytest.approx(50, abs=1), 100)
    assert (higher.sunk_mm, higher.off_mm) == (0, pytest.approx(50, abs=1))


def test_hidden_and_visible_joints_are_told_apart(motion, camera, truth, body):
    pose = motion.body_pose.copy()
    pose[:, JOINT_NAMES.index("left_elbow") - 1] = [0, 1.0, 0]
    hidden = np.zeros((FRAMES, 12), dtype=bool)
    hidden[:, LIMB_JOINTS.index("left_wrist")] = True

    found = judge(replace(motion, body_pose=pose), camera, truth, body=body, hidden=hidden)

    assert means(found).hidden_mm > 5 * means(found).visible_mm > 0
    assert found.hidden_mm.size + found.visible_mm.size == found.pa_mm.size


def test_hidden_joints_are_known_at_a_lower_rate_as_well(motion, camera, truth, body):
    half = replace(
        motion,
        **{
            name: getattr(motion, name)[::2]
            for name in ("times_s", "global_orient", "body_pose", "transl", "confidence")
        },
    )
    hidden = np.zeros((FRAMES, 12), dtype=bool)
    hidden[10:20, :4] = True

    found = judge(half, camera, truth, body=body, hidden=hidden)

    assert found.hidden_mm.size == 5 * 4
    assert found.visible_mm.size == found.pa_mm.size - 5 * 4


def test_contacts_that_a_motion_tells_are_believed(motion, camera, truth, body):
    wrong = np.zeros((FRAMES, len(CONTACT_NAMES)), dtype=np.float32)

    found = means(judge(replace(motion, contacts=wrong), camera, truth, body=body))

    stands = planted(truth.feet_world, fps=FPS)
    assert found.contacts_percent == pytest.approx(100 * (1 - stands.mean()))


def test_frames_that_nobody_captured_are_not_judged(motion, camera, truth, body):
    some = slice(10, 20)
    part = replace(
        motion,
        **{
            name: getattr(motion, name)[some]
            for name in ("times_s", "global_orient", "body_pose", "transl", "confidence")
        },
    )

    found = judge(part, camera, truth, body=body)

    assert found.pa_mm.size == 10 * 12
    assert found.sunk_mm.size == 10 * 2


def test_values_of_several_motions_are_averaged_as_one():
    one, two = (
        Grounded(*(np.full(count, value) for _ in range(8)))
        for count, value in ((1, 4.0), (3, 0.0))
    )

    assert means(together([one, two])).pa_mm == 1.0


def test_soles_lie_lowest_and_far_apart(body):
    eye = torch.eye(3, dtype=torch.float64).expand(1, 24, 3, 3)
    joints, soles = body.stand(eye, betas=torch.zeros(10), transl=torch.zeros(1, 3))

    ankles = joints[0, [JOINT_NAMES.index("left_ankle"), JOINT_NAMES.index("right_ankle")]]
    assert (soles[0, ..., 1] < ankles[:, None, 1] - 0.05).all()
    lengths = soles[0, :, 2:, 2].mean(dim=1) - soles[0, :, :2, 2].mean(dim=1)
    assert ((lengths > 0.15) & (lengths < 0.3)).all()
    assert (soles[0, 0, :, 0] > 0).all()
    assert (soles[0, 1, :, 0] < 0).all()
