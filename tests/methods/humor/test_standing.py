"""Where the floor is, and where it says nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from fitscenes import CAMERA, Scene, loose_prior, walk
from refinescenes import estimate, motion_of
from stripmocap.contract import body_file
from stripmocap.contract.body_file import EMBEDDED_BODY
from stripmocap.contract.camera_path import CameraPath
from stripmocap.methods.humor.standing import standing
from stripmocap.methods.humor.whole import Task, Whole
from stripmocap.methods.humor.windows import before_camera
from stripmocap.methods.smplify.subject import Subject
from stripmocap.methods.toolbox import Estimate

TEMPLATE = body_file.load(EMBEDDED_BODY)
SUBJECT = Subject.from_template(TEMPLATE, loose_prior())


def still(*, frames: int = 40, speed_m_s: float = 0.0) -> Scene:
    """Somebody 4 m away who glides, if anything, in one pose."""
    scene, first = walk(TEMPLATE, frames=frames, speed_m_s=speed_m_s), walk(TEMPLATE, frames=1)
    ahead_px = CAMERA.focal_px * speed_m_s / 4 * scene.person.times_s
    keypoints = first.person.keypoints.repeat(frames, axis=0)
    keypoints[..., 0] += ahead_px[:, None]
    pose = first.states.body_pose.expand(frames, -1, -1)
    return replace(
        scene,
        states=replace(scene.states, body_pose=pose),
        points=first.points,
        person=replace(scene.person, keypoints=keypoints),
    )


def task_of(scene: Scene, start: Estimate) -> Task:
    whole = Whole.of([scene.person], start, subject=SUBJECT, window=50)
    return whole.task()


def stands(*, lower_m: float = 0.0, moving: bool = False, speed_m_s: float = 0.0) -> Task:
    """How somebody stands on a floor that is so much lower than their feet ever are."""
    scene = still(speed_m_s=speed_m_s)
    start = estimate(TEMPLATE, scene, lower_m=lower_m)
    if moving:
        path = CameraPath.of_matrices(np.array([0.0]), start.camera.world_from_camera[None])
        start = replace(start, camera=replace(start.camera, path=path))
    return task_of(scene, start)


def on_a_stage(*, up_m: float) -> tuple[Task, list[np.ndarray], Task]:
    """Somebody, where two stand in camera axes, and both with the second so much higher."""
    one, other = still(frames=60), still()
    transl = other.states.transl - torch.tensor([1.5, up_m, 0.0])  # y is down
    keypoints = other.person.keypoints - [375.0, 250 * up_m, 0.0]  # 4 m away
    other = replace(
        other,
        states=replace(other.states, transl=transl),
        points=other.points - [1.5, up_m, 0.0],
        person=replace(other.person, person=1, keypoints=keypoints),
    )
    # The floor is under the first.
    start = replace(estimate(TEMPLATE, one), motions=tuple(map(motion_of, (one, other))))
    whole = Whole.of([one.person, other.person], start, subject=SUBJECT, window=50)
    places = [each.states.transl.numpy() for each in (one, other)]
    return task_of(one, estimate(TEMPLATE, one)), places, whole.task()


def seen(task: Task) -> np.ndarray:
    """(N, 3) metres, where everybody begins in camera axes."""
    return before_camera(task.shot.start, task.shot).transl.numpy()


def leaping(scene: Scene, start: Estimate, frames: slice, *, up_m: float, along_px: float) -> Task:
    """How they stand who are higher for some frames, and move in the picture meanwhile."""
    transl, keypoints = start.motions[0].transl.copy(), scene.person.keypoints.copy()
    transl[frames, 1] -= up_m  # y is down
    keypoints[frames, :, 1] -= 250 * up_m
    keypoints[frames, :, 0] += along_px * np.arange(frames.stop - frames.start)[:, None]
    leapt = replace(scene, person=replace(scene.person, keypoints=keypoints))
    return task_of(leapt, replace(start, motions=(replace(start.motions[0], transl=transl),)))


def test_the_floor_goes_down_to_the_soles():
    task = stands()

    assert -0.03 < task.middle[2] < -0.01
    assert task.shot.floor_votes.min() > 0.99


def test_a_floor_a_little_off_comes_under_the_feet():
    assert stands(lower_m=0.12).middle[2] == pytest.approx(stands().middle[2] + 0.12, abs=1e-4)


def test_a_floor_that_feet_hang_from_says_nothing():
    scene = still()
    start = estimate(TEMPLATE, scene)
    over = np.diag([1.0, -1.0, -1.0, 1.0]) @ start.camera.world_from_camera  # feet stay at 0

    start = replace(start, camera=replace(start.camera, world_from_camera=over))

    assert task_of(scene, start).shot.floor_votes.max() == 0


def test_on_their_hands_people_stand_on_no_level():
    scene = still()
    start = estimate(TEMPLATE, scene)
    over = np.diag([1.0, -1.0, -1.0, 1.0]) @ start.camera.world_from_camera
    over[2, 3] += 1.8  # where feet are, over the floor

    task = task_of(scene, replace(start, camera=replace(start.camera, world_from_camera=over)))

    assert task.levels_m[0] == 0
    assert task.shot.floor_votes.max() < 0.01


@pytest.mark.parametrize("lower_m", [0.8, -0.8])
def test_who_rests_far_from_the_floor_has_a_level_of_their_own(lower_m):
    task = stands(lower_m=lower_m)

    assert task.middle[2] == 0
    assert task.levels_m[0] == pytest.approx(stands().middle[2] + lower_m, abs=1e-4)
    assert task.shot.floor_votes.min() > 0.99


def test_the_floor_of_a_moving_camera_is_given_and_stays():
    task = stands(lower_m=0.05, moving=True)

    assert task.middle[2] == 0
    assert task.levels_m[0] == 0
    assert stands(lower_m=0.8, moving=True).levels_m[0] == pytest.approx(0.8, abs=0.05)


def test_on_a_stage_people_are_solved_as_on_a_floor_and_stay_on_the_stage():
    alone, both, task = on_a_stage(up_m=0.4)

    assert task.levels_m.tolist() == [0, pytest.approx(0.4, abs=0.02)]
    first, second = (task.shot.evidence.sequence == each for each in (0, 1))
    heights = [
        float(each.shot.start.transl[rows, 2].mean())
        for each, rows in ((alone, slice(None)), (task, first), (task, second))
    ]
    np.testing.assert_allclose(heights[1:], heights[0], atol=0.03)
    assert task.shot.floor_votes.min() > 0.9
    # What a camera sees of them is the same.
    np.testing.assert_allclose(seen(task), np.concatenate(both), atol=0.01)


def test_who_rests_at_many_heights_has_no_level():
    scene = still(frames=90)

    task = leaping(scene, estimate(TEMPLATE, scene), slice(45, 90), up_m=0.5, along_px=0)

    assert task.levels_m[0] == 0


def test_a_stool_that_was_taken_for_the_floor_is_a_level():
    scene = still(frames=120)

    task = leaping(scene, estimate(TEMPLATE, scene), slice(0, 36), up_m=-0.45, along_px=0)

    assert task.middle[2] == pytest.approx(stands().middle[2] - 0.45, abs=0.02)
    assert task.levels_m[0] == pytest.approx(0.45, abs=0.02)
    assert task.shot.floor_votes[50:].min() > 0.9


def test_in_the_air_the_floor_says_as_much_as_before_and_after():
    scene = still(frames=60)

    task = leaping(scene, estimate(TEMPLATE, scene), slice(20, 40), up_m=0.6, along_px=30)

    assert task.shot.floor_votes.min() > 0.9


def test_who_climbs_is_held_to_no_floor_where_feet_rest_high_up():
    scene = still(frames=90)

    task = leaping(scene, estimate(TEMPLATE, scene), slice(45, 90), up_m=0.8, along_px=0)

    assert task.shot.floor_votes[:40].min() > 0.9
    assert task.shot.floor_votes[50:].max() < 0.1


def test_who_is_never_seen_to_stand_may_be_above_the_floor_but_not_far_below():
    above, below = (stands(lower_m=lower_m, speed_m_s=3.0) for lower_m in (0.7, -0.7))

    assert above.shot.floor_votes.min() == 1
    assert below.shot.floor_votes.max() < 0.1


def test_standing_needs_no_long_spell():
    scene = walk(TEMPLATE, frames=4)
    whole = Whole.of([scene.person], estimate(TEMPLATE, scene), subject=SUBJECT, window=50)
    shot = whole.task().shot

    found = standing(SUBJECT, shot.evidence, shot.start, camera=whole.camera, window=2)

    assert torch.isfinite(found.votes).all()
