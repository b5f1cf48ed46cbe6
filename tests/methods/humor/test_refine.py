"""Whole shots, good and bad, from what a start found to what comes back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from fitscenes import walk
from notebook import Notebook
from refinescenes import FURTHER_M, estimate, filmed_from, further, same, seen_in, solver
from scipy.spatial.transform import Rotation
from stripmocap.contract import body_file
from stripmocap.contract.body_file import EMBEDDED_BODY
from stripmocap.contract.camera_path import CameraPath
from stripmocap.contract.errors import Cancelled
from stripmocap.contract.methods import HumorOptions
from stripmocap.contract.skeleton import BLAZEPOSE_NAMES, CONTACT_NAMES
from stripmocap.methods.humor import refine
from stripmocap.methods.humor.network import MotionPrior, Sizes
from stripmocap.methods.humor.own_weights import save_motion_prior
from stripmocap.methods.humor.spells import LONGEST_GAP_S
from stripmocap.methods.humor.windows import HELD
from stripmocap.methods.toolbox import Estimate, Tools

TEMPLATE = body_file.load(EMBEDDED_BODY)
FEET = [i for i, each in enumerate(CONTACT_NAMES) if each.endswith(("ankle", "foot"))]


def silent(*_: object) -> None:
    """A report that tells nobody."""


def refined(start, people, solve, *, window=300, report=silent, **more) -> Estimate:
    tools = Tools(TEMPLATE, torch.device("cpu"), frames_at_once=window)
    estimator = refine.estimator_of(solve, tools)
    return estimator(people, start.camera, report, start=start, **more)


def assert_sound(found: Estimate, start: Estimate) -> None:
    for after, before in zip(found.motions, start.motions, strict=True):
        assert after.person == before.person
        np.testing.assert_array_equal(after.times_s, before.times_s)
        np.testing.assert_array_equal(after.betas, before.betas)
        for name in ("global_orient", "body_pose", "transl", "confidence"):
            assert np.isfinite(getattr(after, name)).all()


def assert_same_bodies(one: Estimate, other: Estimate, atol: float = 1e-5) -> None:
    for after, before in zip(one.motions, other.motions, strict=True):
        np.testing.assert_allclose(after.transl, before.transl, atol=atol)
        np.testing.assert_allclose(after.body_pose, before.body_pose, atol=atol)
        turns = [Rotation.from_rotvec(each.global_orient) for each in (after, before)]
        assert (turns[0] * turns[1].inv()).magnitude().max() < atol


@pytest.mark.parametrize("fps", [5.0, 12.0, 23.976, 25.0, 30.0, 59.94, 120.0])
def test_footage_of_any_rate_comes_back_in_its_own_frames(fps):
    scene = walk(TEMPLATE, frames=int(2 * fps), fps=fps, start_s=3.0)
    start = estimate(TEMPLATE, scene)

    found = refined(start, [scene.person], solver(further))

    assert_sound(found, start)
    assert found.notes == ()
    apart = found.motions[0].transl - start.motions[0].transl
    np.testing.assert_allclose(apart, [[0, 0, FURTHER_M]] * len(apart), atol=1e-3)
    assert found.motions[0].contacts is not None
    np.testing.assert_allclose(found.motions[0].contacts, 0.75, atol=1e-6)


@pytest.mark.parametrize("fps", [30.0, 50.0])
def test_what_nobody_changes_comes_back_as_it_was(fps):
    scenes = [
        walk(TEMPLATE, frames=60, fps=fps),
        walk(TEMPLATE, frames=25, fps=fps, start_s=0.5, person=4, side_m=-1.0),
    ]
    start = estimate(TEMPLATE, *scenes)

    found = refined(start, [each.person for each in scenes], solver(same))

    assert_sound(found, start)
    assert_same_bodies(found, start)


def test_footage_of_no_steady_rate_comes_back_in_its_own_frames():
    scene = walk(TEMPLATE, frames=120, fps=60)
    kept = np.sort(np.random.default_rng(0).choice(120, size=60, replace=False))
    person = scene.person
    fields = {name: getattr(person, name)[kept] for name in ("times_s", "boxes", "keypoints")}
    fields |= {name: getattr(person, name)[kept] for name in ("landmarks3d", "presence")}
    motion = estimate(TEMPLATE, scene).motions[0]
    parts = ("times_s", "global_orient", "body_pose", "transl", "confidence")
    thinned = replace(motion, **{name: getattr(motion, name)[kept] for name in parts})
    start = Estimate(estimate(TEMPLATE, scene).camera, (thinned,))

    found = refined(start, [replace(person, **fields)], solver(same))

    assert_sound(found, start)
    assert_same_bodies(found, start, atol=0.02)


@pytest.mark.parametrize("frames", [1, 2])
def test_a_shot_of_a_frame_or_two_stays_as_it_is_and_says_so(frames):
    scene = walk(TEMPLATE, frames=frames)
    start = estimate(TEMPLATE, scene)

    found = refined(start, [scene.person], solver(further))

    assert found.motions == start.motions
    assert "not refined" in found.notes[0]
    assert "person 0" in found.notes[0]


def test_a_long_shot_is_solved_in_windows_and_has_no_seam():
    scene = walk(TEMPLATE, frames=900, fps=30.0, speed_m_s=0.02)
    start, sizes = estimate(TEMPLATE, scene), []

    def solve(shot, report):
        sizes.append(len(shot.evidence))
        return solver(further)(shot, report)

    found = refined(start, [scene.person], solve, window=100)

    assert max(sizes) <= 100 + HELD
    apart = found.motions[0].transl - start.motions[0].transl
    np.testing.assert_allclose(apart[:, 2], FURTHER_M, atol=1e-4)


@pytest.mark.parametrize("numbers", ["none", "lost"])
def test_where_a_solver_diverges_the_start_comes_back_and_a_note_says_where(numbers):
    scenes = [walk(TEMPLATE, frames=60), walk(TEMPLATE, frames=60, person=7, side_m=-1.0)]
    start = estimate(TEMPLATE, *scenes)

    def change(shot):
        transl = shot.start.transl.clone()
        transl[shot.evidence.sequence == 1] += np.nan if numbers == "none" else 9.0
        return replace(shot.start, transl=transl)

    found = refined(start, [each.person for each in scenes], solver(change))

    assert_sound(found, start)
    assert_same_bodies(found, start)
    (note,) = found.notes
    assert "person 7" in note
    assert "0.0 s to 2.0 s" in note


def test_who_is_hidden_for_long_is_refined_before_and_after_and_unsure_between():
    scene = walk(TEMPLATE, frames=210, speed_m_s=0.1)
    times_s = scene.person.times_s
    dark = (times_s > 2) & (times_s < 2.5 + LONGEST_GAP_S)
    start = estimate(TEMPLATE, scene)

    found = refined(start, [seen_in(scene.person, ~dark)], solver(further))

    assert_sound(found, start)
    (motion,) = found.motions
    assert motion.confidence[dark].max() == 0
    assert motion.confidence[~dark].min() > 0.9
    assert np.abs(np.diff(motion.transl[:, 2])).max() < FURTHER_M / 4


def test_who_is_hidden_for_a_moment_is_filled_in_and_unsure():
    scene = walk(TEMPLATE, frames=90)
    dark = (np.arange(90) > 30) & (np.arange(90) < 60)
    start = estimate(TEMPLATE, scene)

    found = refined(start, [seen_in(scene.person, ~dark)], solver(further))

    (motion,) = found.motions
    np.testing.assert_allclose(motion.transl[:, 2] - start.motions[0].transl[:, 2], 0.03, atol=1e-4)
    assert motion.confidence[dark].max() == 0


def test_people_of_whom_a_start_has_nothing_are_left_out():
    scenes = [walk(TEMPLATE, frames=20), walk(TEMPLATE, frames=20, person=1)]
    start = estimate(TEMPLATE, scenes[0])

    found = refined(start, [each.person for each in scenes], solver(same))

    assert [each.person for each in found.motions] == [0]


def test_a_start_in_other_frames_is_read_at_the_persons_times():
    scene, coarse = walk(TEMPLATE, frames=60), walk(TEMPLATE, frames=30, fps=15)

    found = refined(estimate(TEMPLATE, coarse), [scene.person], solver(same))

    np.testing.assert_array_equal(found.motions[0].times_s, scene.person.times_s)
    near = found.motions[0].transl[:57] - scene.states.transl.numpy()[:57]
    assert np.abs(near).max() < 5e-3


def turning_path(start: Estimate) -> CameraPath:
    """A camera that begins as the still one and goes ahead, turns and rises."""
    poses = np.tile(start.camera.world_from_camera, (9, 1, 1))
    for index, pose in enumerate(poses):
        pose[:3, :3] = Rotation.from_euler("z", 2 * index, degrees=True).as_matrix() @ pose[:3, :3]
        pose[:3, 3] += np.array([0.02, 0.05, 0.01]) * index
    return CameraPath.of_matrices(np.linspace(0, 2, 9), poses)


def test_before_a_moving_camera_motions_are_solved_in_its_world():
    scene = walk(TEMPLATE, frames=60)
    still = estimate(TEMPLATE, scene)
    path = turning_path(still)
    person, start = filmed_from(path, scene, still)
    worlds = []

    def solve(shot, report):
        worlds.append(shot)
        return solver(further)(shot, report)

    found = refined(start, [person], solve)

    assert found.camera is start.camera
    assert_sound(found, start)
    # In the world it is the same walk: the solver saw people's feet pass over one floor.
    alone = refined(still, [scene.person], solver(same))
    heights = worlds[0].start.transl[:, 2] - worlds[0].start.transl[0, 2]
    np.testing.assert_allclose(heights, 0, atol=1e-4)
    assert worlds[0].floor_votes.min() > 0.8
    _, expected = filmed_from(path, scene, replace(still, motions=alone.motions))
    moved = found.motions[0].transl - expected.motions[0].transl
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), FURTHER_M, atol=2e-3)


def test_a_camera_path_over_a_wrong_floor_is_told():
    scene = walk(TEMPLATE, frames=60, speed_m_s=0.0)
    still = estimate(TEMPLATE, scene)
    poses = still.camera.world_from_camera.copy()
    poses[2, 3] += 1.5
    camera = replace(
        still.camera, path=CameraPath.of_matrices(np.array([0.0, 1.0]), np.stack([poses] * 2))
    )

    found = refined(replace(still, camera=camera), [scene.person], solver(same))

    assert "Check the height of the floor" in found.notes[0]


def test_the_world_of_a_still_camera_goes_down_to_the_soles():
    scene = walk(TEMPLATE, frames=30)
    start = estimate(TEMPLATE, scene)

    found = refined(start, [scene.person], solver(same))

    lower = found.camera.world_from_camera[2, 3] - start.camera.world_from_camera[2, 3]
    assert abs(lower) < 0.15
    np.testing.assert_array_equal(
        found.camera.world_from_camera[:3, :3], start.camera.world_from_camera[:3, :3]
    )


def test_what_is_finished_is_published_ever_more_of_it():
    scenes = [walk(TEMPLATE, frames=150), walk(TEMPLATE, frames=60, person=1, side_m=-1.0)]
    start, parts = estimate(TEMPLATE, *scenes), []

    found = refined(
        start,
        [each.person for each in scenes],
        solver(further),
        window=70,
        publish=parts.append,
    )

    assert parts
    frames = [sum(len(motion.times_s) for motion in part.motions) for part in parts]
    assert frames == sorted(frames)
    for part in parts:
        for motion, whole in zip(part.motions, found.motions, strict=False):
            count = len(motion.times_s)
            np.testing.assert_allclose(motion.transl, whole.transl[:count], atol=1e-6)


def test_progress_is_in_the_footages_frames_and_may_stop_the_work():
    scene = walk(TEMPLATE, frames=240, fps=120)
    start, told = estimate(TEMPLATE, scene), []

    refined(start, [scene.person], solver(same), report=lambda *each: told.append(each))

    assert {each[0] for each in told} == {refine.STAGE}
    assert (told[0][1], told[-1][1]) == (0, 240)

    def stop(stage, done, of):
        if done:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        refined(start, [scene.person], solver(same), report=stop)


def test_a_killed_job_goes_on_where_it_was():
    scene = walk(TEMPLATE, frames=150)
    start, journal, calls = estimate(TEMPLATE, scene), Notebook(), []

    def solve(shot, report):
        calls.append(len(shot.evidence))
        if len(calls) == 3:
            raise Cancelled("killed")
        return solver(further)(shot, report)

    with pytest.raises(Cancelled):
        refined(start, [scene.person], solve, window=60, journal=journal)
    found = refined(start, [scene.person], solve, window=60, journal=Notebook(journal.chunks))

    assert_same_bodies(found, refined(start, [scene.person], solver(further), window=60))
    assert len(calls) == 5  # of four windows, two of them twice


@pytest.fixture(scope="module")
def random_prior(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "humor.safetensors"
    save_motion_prior(MotionPrior(Sizes(latent=8, hidden=32, layers=2)), path, metadata={})
    return path


def cut_at_the_waist(scene):
    """Nothing below the hips was ever seen."""
    keypoints = scene.person.keypoints.copy()
    below = [i for i, each in enumerate(BLAZEPOSE_NAMES) if i > BLAZEPOSE_NAMES.index("right_hip")]
    keypoints[:, below, 2] = 0.0
    return replace(scene.person, keypoints=keypoints)


@pytest.mark.slow
@pytest.mark.parametrize("what", ["as it is", "cut at the waist", "above the floor", "hidden"])
def test_a_prior_that_knows_nothing_gives_sound_motion_all_the_same(random_prior, what):
    scene = walk(TEMPLATE, frames=24, noise_px=2.0)
    start = estimate(TEMPLATE, scene, lower_m=1.0 if what == "above the floor" else 0.0)
    person = scene.person
    if what == "cut at the waist":
        person = cut_at_the_waist(scene)
    elif what == "hidden":
        person = seen_in(person, np.arange(24) % 12 < 6)
    tools = Tools(TEMPLATE, torch.device("cpu"), network=random_prior)
    estimator = refine.load(tools, HumorOptions())

    found = estimator([person], start.camera, silent, start=start)

    assert_sound(found, start)
    assert np.abs(found.motions[0].transl - start.motions[0].transl).max() < 1.0


@pytest.mark.slow
@pytest.mark.parametrize("lower_m", [0.0, 0.4])
def test_feet_hold_and_touch_on_a_stage_as_on_the_floor(lower_m):
    scene = walk(TEMPLATE, frames=24, speed_m_s=0.0)
    seen = scene.person.keypoints[:1].repeat(24, axis=0)  # nothing moves
    still = estimate(TEMPLATE, scene, lower_m=lower_m)
    shaking = 0.02 * np.random.default_rng(0).standard_normal((24, 3))
    motion = still.motions[0]
    motion = replace(
        motion,
        transl=motion.transl[:1] + shaking,
        body_pose=motion.body_pose[:1].repeat(24, axis=0),
    )
    start = replace(still, motions=(motion,))
    estimator = refine.load(Tools(TEMPLATE, torch.device("cpu")), HumorOptions())

    found = estimator([replace(scene.person, keypoints=seen)], start.camera, silent, start=start)

    assert ("m above the floor" in "".join(found.notes)) == (lower_m > 0)
    (after,) = found.motions
    assert after.contacts is not None
    assert np.median(after.contacts[:, FEET]) > 0.7
    steps = np.diff(after.transl, axis=0)
    assert np.abs(steps).mean() < 0.2 * np.abs(np.diff(shaking, axis=0)).mean()
