from __future__ import annotations

import numpy as np
import pytest
from stripmocap.body.model import Body
from stripmocap.contract.errors import NobodyFound
from stripmocap.contract.motion import LEVEL_WORLD_FROM_CAMERA, Camera, Capture, Motion, Take
from stripmocap.contract.skeleton import JOINT_NAMES, LIMB_JOINTS
from stripmocap.evaluation import comparison, metrics
from stripmocap.evaluation.truth import Truth
from toybody import toy_body

FPS = 30.0
FOCAL = 800.0
CENTER = np.array([320.0, 240.0])


@pytest.fixture(scope="module")
def body() -> Body:
    return Body.from_template(toy_body())


def walk(person: int, x: float, *, frames: int = 20, wobble: float = 0.0) -> Motion:
    rng = np.random.default_rng(person)
    return Motion(
        person=person,
        times_s=np.arange(frames) / FPS,
        global_orient=np.tile([np.pi, 0.0, 0.0], (frames, 1)),  # upright before the camera
        body_pose=rng.normal(scale=0.05, size=(1, 23, 3)) + np.zeros((frames, 1, 1)),
        betas=np.zeros(10),
        transl=np.array([x, 1.0, 5.0]) + rng.normal(scale=wobble, size=(frames, 3)),
        confidence=np.ones(frames),
    )


def truth_of(motion: Motion, body: Body) -> Truth:
    world_from_camera = LEVEL_WORLD_FROM_CAMERA
    joints = comparison.joints_of(motion, body) @ world_from_camera[:3, :3].T
    limbs = joints[:, [JOINT_NAMES.index(name) for name in LIMB_JOINTS]]
    feet = ["left_ankle", "right_ankle", "left_foot", "right_foot"]
    return Truth(
        camera_name="front",
        person_name="man",
        fps=FPS,
        limbs_world=limbs,
        valid=np.ones(limbs.shape[:2], dtype=bool),
        feet_world=joints[:, [JOINT_NAMES.index(name) for name in feet]],
        intrinsics=np.array([[FOCAL, 0, CENTER[0]], [0, FOCAL, CENTER[1]], [0, 0, 1]]),
        distortion=np.zeros(4),
        rotation=world_from_camera[:3, :3].T,
        translation=np.zeros(3),
    )


def capture_of(*motions: Motion) -> Capture:
    camera = Camera(focal_px=FOCAL, center_px=CENTER, size_px=(640, 480))
    return Capture(camera=camera, takes=(Take("fitted", motions),), provenance={})


def test_a_perfect_capture_has_no_error(body):
    motion = walk(3, 0.0)

    (found,) = comparison.compare(capture_of(motion), truth_of(motion, body), body)

    assert (found.label, found.person, found.scores.frames) == ("fitted", 3, 20)
    assert found.scores.pa_mpjpe_mm < 0.01
    assert found.scores.mpjpe_mm < 0.01
    assert found.scores.foot_slide_cm_s < 0.1


def test_the_person_who_is_where_the_truth_is_gets_compared(body):
    left, right = walk(1, -1.0), walk(2, 1.0, wobble=0.01)

    (found,) = comparison.compare(capture_of(left, right), truth_of(walk(2, 1.0), body), body)

    assert found.person == 2
    assert found.scores.accel_error_m_s2 > 1


def test_a_whole_track_is_preferred_to_a_short_lucky_one(body):
    motion = walk(1, 0.0)
    short = walk(1, 0.0, frames=2)
    whole = walk(5, 0.05)

    (found,) = comparison.compare(capture_of(short, whole), truth_of(motion, body), body)

    assert found.person == 5


def test_somebody_else_is_not_compared(body):
    far = truth_of(walk(1, 4.0), body)

    with pytest.raises(NobodyFound, match="front saw man"):
        comparison.compare(capture_of(walk(1, -4.0)), far, body)


def test_frames_belong_together_by_time(body):
    motion = walk(1, 0.0)
    late = Motion(
        person=1,
        times_s=motion.times_s[5:12] + 0.3 / FPS,
        global_orient=motion.global_orient[5:12],
        body_pose=motion.body_pose[5:12],
        betas=motion.betas,
        transl=motion.transl[5:12],
        confidence=motion.confidence[5:12],
    )

    scores = comparison.compare_motion(
        late, capture_of(late).camera, truth_of(motion, body), body=body
    )

    assert scores.frames == 7
    assert scores.mpjpe_mm < 0.01


def thinned(motion: Motion, step: int, *, first: int = 0) -> Motion:
    frames = slice(first, None, step)
    return Motion(
        person=motion.person,
        times_s=motion.times_s[frames],
        global_orient=motion.global_orient[frames],
        body_pose=motion.body_pose[frames],
        betas=motion.betas,
        transl=motion.transl[frames],
        confidence=motion.confidence[frames],
    )


def test_a_capture_of_every_second_frame_has_an_acceleration_too(body):
    motion = walk(1, 0.0, wobble=0.01)
    slow = thinned(motion, 2)

    scores = comparison.compare_motion(
        slow, capture_of(slow).camera, truth_of(motion, body), body=body
    )

    assert scores.frames == 10
    assert scores.accel_error_m_s2 == pytest.approx(0, abs=1e-2)
    assert scores.mpjpe_mm < 0.01


def test_a_capture_at_an_odd_rate_meets_the_truth_between_its_frames(body):
    steady = walk(1, 0.0, frames=60)
    moving = Motion(**{**vars(steady), "transl": steady.transl + np.arange(60)[:, None] * 0.01})
    slow = Motion(
        **{
            **vars(thinned(moving, 1)),
            **{n: getattr(moving, n)[:20] for n in ("global_orient", "body_pose", "confidence")},
            "times_s": np.arange(20) / 11.0,
            "transl": moving.transl[0] + np.arange(20)[:, None] * 0.01 * FPS / 11.0,
        }
    )

    scores = comparison.compare_motion(
        slow, capture_of(slow).camera, truth_of(moving, body), body=body
    )

    assert scores.frames == 20
    assert scores.accel_error_m_s2 == pytest.approx(0, abs=1e-2)


def test_a_late_track_at_a_lower_rate_is_still_no_luck(body):
    motion = walk(1, 0.0)
    late, whole = thinned(motion, 2, first=14), thinned(walk(5, 0.02), 2)

    (found,) = comparison.compare(capture_of(late, whole), truth_of(motion, body), body)

    assert found.person == 5


def test_without_feet_in_the_truth_the_capture_says_when_it_stands(body):
    motion = walk(1, 0.0)
    truth = truth_of(motion, body)
    blind = Truth(**{**vars(truth), "feet_world": np.full_like(truth.feet_world, np.nan)})

    scores = comparison.compare_motion(motion, capture_of(motion).camera, blind, body=body)

    assert scores.foot_slide_cm_s == pytest.approx(0, abs=0.1)
    assert metrics.planted(truth.feet_world, fps=FPS).all()
