from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from fitscenes import CAMERA, Scene, walk
from stripmocap.body.model import Body
from stripmocap.contract import body_file
from stripmocap.contract.body_file import EMBEDDED_BODY, BodyTemplate
from stripmocap.contract.methods import SmplifyOptions
from stripmocap.contract.motion import Motion
from stripmocap.contract.skeleton import BLAZEPOSE_NAMES, JOINT_COUNT
from stripmocap.geometry.rotations import aa_to_matrix, matrix_to_aa
from stripmocap.methods.smplify import fit
from stripmocap.methods.toolbox import FRAMES_AT_ONCE, Estimate, Tools
from stripmocap.people.observations import Person


@pytest.fixture(scope="module")
def template() -> BodyTemplate:
    return body_file.load(EMBEDDED_BODY)


def captured(
    template: BodyTemplate,
    *people: Person,
    height_m: float | None = None,
    window: int = FRAMES_AT_ONCE,
    **options: float,
) -> Estimate:
    tools = Tools(template, torch.device("cpu"), height_m=height_m, frames_at_once=window)
    return fit.load(tools, SmplifyOptions(**options))(people, CAMERA, lambda *_: None)


def joints_of(template: BodyTemplate, motion: Motion) -> np.ndarray:
    joints = Body.from_template(template).joints(
        aa_to_matrix(torch.tensor(motion.global_orient)),
        aa_to_matrix(torch.tensor(motion.body_pose)),
        betas=torch.tensor(motion.betas),
        transl=torch.tensor(motion.transl),
    )
    return joints.numpy()


def misses_mm(template: BodyTemplate, motion: Motion, scene: Scene) -> np.ndarray:
    """(T,) mean distance of the joints from the truth, once pelvises are together."""
    got, truth = joints_of(template, motion), scene.points[:, :JOINT_COUNT]
    apart = (got - got[:, :1]) - (truth - truth[:, :1])
    return 1000 * np.linalg.norm(apart, axis=-1).mean(axis=1)


def blinded(person: Person, frames: slice, names: str = "") -> Person:
    """`person` with landmarks whose name contains `names` unseen, and put anywhere."""
    keypoints = person.keypoints.copy()
    columns = [i for i, name in enumerate(BLAZEPOSE_NAMES) if names in name]
    keypoints[frames, columns, :2] += 200
    keypoints[frames, columns, 2] = 0
    return replace(person, keypoints=keypoints)


def test_a_walk_is_found_again(template):
    scene = walk(template, noise_px=1.0)

    (motion,) = captured(template, scene.person).motions

    assert misses_mm(template, motion, scene).mean() < 25
    np.testing.assert_array_equal(motion.times_s, scene.person.times_s)
    assert motion.confidence.min() > 0.8


def test_two_people_are_fitted_as_they_would_be_alone(template):
    first = walk(template, noise_px=1.0)
    second = walk(template, noise_px=1.0, side_m=-1.5, fps=24, frames=30, person=7)

    together = captured(template, first.person, second.person, contacts=0.0).motions
    alone = captured(template, second.person, contacts=0.0).motions

    assert [each.person for each in together] == [0, 7]
    # Steps are accepted for a window as a whole, so ends differ by what the tolerance leaves.
    np.testing.assert_allclose(together[1].transl, alone[0].transl, atol=0.02)


def test_hidden_legs_fall_back_on_neighbours_and_prior(template):
    scene = walk(template, noise_px=1.0, frames=60)
    for_a_second = blinded(blinded(scene.person, slice(20, 40), "knee"), slice(20, 40), "ankle")
    for_a_second = blinded(for_a_second, slice(20, 40), "heel")
    for_a_second = blinded(for_a_second, slice(20, 40), "foot")

    (motion,) = captured(template, for_a_second).motions

    misses = misses_mm(template, motion, scene)
    assert misses[20:40].max() < 120
    assert misses[:15].mean() < 30
    assert motion.confidence[25:35].max() < motion.confidence[:15].min()


def test_nobody_in_sight_for_half_a_second_is_bridged(template):
    scene = walk(template, noise_px=1.0, frames=60)

    (motion,) = captured(template, blinded(scene.person, slice(22, 37))).motions

    assert misses_mm(template, motion, scene).max() < 120
    assert motion.confidence[22:37].max() == 0
    steps = np.linalg.norm(np.diff(motion.transl, axis=0), axis=1)
    assert steps.max() < 0.1


@pytest.mark.parametrize("frames", [1, 2, 3, 4])
def test_a_handful_of_frames_is_enough(template, frames):
    scene = walk(template, frames=frames)

    (motion,) = captured(template, scene.person).motions

    assert len(motion.times_s) == frames
    assert misses_mm(template, motion, scene).mean() < 80


def test_someone_never_seen_clearly_gets_a_finite_motion(template):
    scene = walk(template, frames=10)

    (motion,) = captured(template, blinded(scene.person, slice(None))).motions

    assert np.isfinite(motion.transl).all()
    assert motion.confidence.max() == 0


@pytest.mark.parametrize("parts", [("mouth",), ("mouth", "index", "pinky", "thumb", "heel")])
def test_a_body_without_some_landmarks_is_fitted_all_the_same(template, parts):
    scene = walk(template, noise_px=1.0)
    kept = [i for i, n in enumerate(template.landmark_names) if not any(p in n for p in parts)]
    poorer = replace(
        template,
        landmark_names=tuple(template.landmark_names[index] for index in kept),
        landmark_regressor=template.landmark_regressor[kept],
    )

    (motion,) = captured(poorer, scene.person).motions

    assert misses_mm(template, motion, scene).mean() < 30
    assert motion.confidence.min() > 0.8


def told(scene: Scene, *, turned: float = 0.0) -> Estimate:
    """The truth as another method might have found it, joints `turned` by so many radians."""
    noise = np.random.default_rng(0).standard_normal(scene.states.body_pose.shape)
    motion = Motion(
        person=scene.person.person,
        times_s=scene.person.times_s,
        global_orient=matrix_to_aa(scene.states.global_rotmat).numpy(),
        body_pose=scene.states.body_pose.numpy() + turned * noise,
        betas=np.zeros(10),
        transl=scene.states.transl.numpy(),
        confidence=np.ones(len(scene.person.times_s)),
    )
    return Estimate(CAMERA, (motion,))


def mistaken_in_depth(person: Person) -> Person:
    """`person` whose arms the detector's own 3D has behind the back instead of before the chest."""
    landmarks = person.landmarks3d.copy()
    arms = [i for i, n in enumerate(BLAZEPOSE_NAMES) if "elbow" in n or "wrist" in n]
    landmarks[:, arms, 2] *= -1
    return replace(person, landmarks3d=landmarks)


def test_who_is_told_the_truth_finds_it_where_the_detector_is_mistaken(template):
    scene = walk(template, noise_px=1.0)
    person = mistaken_in_depth(scene.person)
    tools = Tools(template, torch.device("cpu"))
    fitted = fit.load(tools, SmplifyOptions())

    (alone,) = fitted([person], CAMERA, lambda *_: None).motions
    (helped,) = fitted([person], CAMERA, lambda *_: None, start=told(scene, turned=0.1)).motions

    misses = [misses_mm(template, each, scene).mean() for each in (alone, helped)]
    assert misses[1] < misses[0]


def test_what_is_told_wrongly_does_little_harm(template):
    scene = walk(template, noise_px=1.0)
    tools = Tools(template, torch.device("cpu"))
    fitted = fit.load(tools, SmplifyOptions())

    (motion,) = fitted(
        [scene.person], CAMERA, lambda *_: None, start=told(scene, turned=1.0)
    ).motions

    assert misses_mm(template, motion, scene).mean() < 40


def test_progress_rises_from_what_was_told_too(template):
    scene = walk(template, frames=20)
    shares = []
    fitted = fit.load(Tools(template, torch.device("cpu")), SmplifyOptions())

    fitted([scene.person], CAMERA, lambda _, done, of: shares.append(done / of), start=told(scene))

    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)


def test_the_height_of_the_actor_is_kept(template):
    scene = walk(template, frames=20)

    (motion,) = captured(template, scene.person, height_m=1.85).motions

    assert height_of(template, motion) == pytest.approx(1.85, abs=0.015)


def height_of(template: BodyTemplate, motion: Motion) -> float:
    return float(np.ptp(template.rest_vertices(motion.betas)[:, 1]))


@pytest.mark.parametrize(("names", "down_px"), [("knee", -10), ("knee", 10), ("shoulder", 8)])
def test_landmarks_that_always_err_make_nobody_taller_or_shorter(template, names, down_px):
    scene = walk(template, frames=20)
    keypoints = scene.person.keypoints.copy()
    keypoints[:, [names in each for each in BLAZEPOSE_NAMES], 1] += down_px

    (motion,) = captured(template, replace(scene.person, keypoints=keypoints)).motions

    usual = np.ptp(template.v_template[:, 1])
    assert height_of(template, motion) == pytest.approx(usual, abs=0.01)


def test_a_fit_keeps_the_height_that_a_regressor_has_found(template):
    scene = walk(template, frames=20)
    start = told(scene)
    betas = np.zeros(10, dtype=np.float32)
    betas[0] = -1.5
    (motion,) = (replace(each, betas=betas) for each in start.motions)
    fitted = fit.load(Tools(template, torch.device("cpu")), SmplifyOptions())

    (found,) = fitted(
        [scene.person], CAMERA, lambda *_: None, start=replace(start, motions=(motion,))
    ).motions

    wanted = height_of(template, motion)
    assert abs(wanted - np.ptp(template.v_template[:, 1])) > 0.05
    assert height_of(template, found) == pytest.approx(wanted, abs=0.01)


def test_a_long_shot_has_no_seam_between_windows(template):
    scene = walk(template, noise_px=1.0, frames=90)
    (whole,) = captured(template, scene.person, contacts=0.0).motions

    (pieces,) = captured(template, scene.person, window=50, contacts=0.0).motions

    # Where windows meet, frames were solved twice; 30 frames of overlap forget the cut.
    apart = joints_of(template, whole) - joints_of(template, pieces)
    assert np.linalg.norm(apart, axis=-1).max() < 0.02


def test_a_long_shot_is_followed_closely_though_few_frames_tell_the_shape(template, monkeypatch):
    monkeypatch.setattr(fit, "SHAPE_KEYFRAMES", 3)
    scene = walk(template, noise_px=1.0, frames=90)

    (motion,) = captured(template, scene.person).motions

    assert misses_mm(template, motion, scene).max() < 60


def test_progress_never_goes_back_and_ends_with_the_last_frame(template):
    said = []
    tools = Tools(template, torch.device("cpu"))

    scene = walk(template, frames=20)
    fit.load(tools, SmplifyOptions())([scene.person], CAMERA, lambda *now: said.append(now))

    done = [each[1] for each in said]
    assert done == sorted(done)
    assert said[-1] == ("fit", 20, 20)


def test_progress_rises_through_all_of_the_fit(template):
    shares = []
    tools = Tools(template, torch.device("cpu"), frames_at_once=50)
    people = [walk(template, frames=60, person=number).person for number in (0, 1)]

    fit.load(tools, SmplifyOptions())(people, CAMERA, lambda _, done, of: shares.append(done / of))

    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    # A window that is solved sooner than it might be makes a jump, but none is a fifth of all.
    assert np.diff(shares).max() < 0.2


def test_a_small_window_needs_less_memory_at_once_and_finds_the_same(template):
    scene = walk(template, noise_px=1.0, frames=150)
    (whole,) = captured(template, scene.person).motions

    (pieces,) = captured(template, scene.person, window=100).motions

    apart = joints_of(template, whole) - joints_of(template, pieces)
    assert np.linalg.norm(apart, axis=-1).max() < 0.02
    misses = [misses_mm(template, motion, scene).mean() for motion in (whole, pieces)]
    assert misses[1] < misses[0] + 2


def test_what_is_finished_of_a_long_shot_is_handed_out_while_the_rest_is_solved(template):
    parts = []
    tools = Tools(template, torch.device("cpu"), frames_at_once=50)
    people = [
        walk(template, noise_px=1.0, frames=60, person=0).person,
        walk(template, noise_px=1.0, frames=45, person=4, side_m=-1.0).person,
    ]
    estimator = fit.load(tools, SmplifyOptions())

    whole = estimator(people, CAMERA, lambda *_: None, publish=parts.append)

    lengths = [[len(motion.times_s) for motion in part.motions] for part in parts]
    assert lengths == sorted(lengths)
    assert [20] in lengths  # the first window, but for the frames that the next solves again
    for part in parts:
        np.testing.assert_array_equal(part.camera.world_from_camera, whole.camera.world_from_camera)
        for motion, final in zip(part.motions, whole.motions, strict=False):
            frames = len(motion.times_s)
            assert motion.person == final.person
            for name in ("times_s", "transl", "global_orient", "body_pose"):
                np.testing.assert_array_equal(getattr(motion, name), getattr(final, name)[:frames])
            np.testing.assert_array_equal(motion.betas, final.betas)
            np.testing.assert_allclose(motion.confidence, final.confidence[:frames], atol=1e-5)


def test_of_a_short_shot_no_part_is_handed_out(template):
    parts = []
    tools = Tools(template, torch.device("cpu"))

    fit.load(tools, SmplifyOptions())(
        [walk(template, frames=20).person], CAMERA, lambda *_: None, publish=parts.append
    )

    assert parts == []


def test_every_device_finds_the_same(template, device):
    scene = walk(template, noise_px=1.0, frames=60)
    second = walk(template, noise_px=1.0, frames=45, person=4, side_m=-1.0)
    people = [scene.person, second.person]
    parts = []
    tools = Tools(template, device, height_m=1.75, frames_at_once=50)

    found = fit.load(tools, SmplifyOptions())(people, CAMERA, lambda *_: None, publish=parts.append)

    expected = captured(template, *people, height_m=1.75, window=50)
    assert parts
    for motion, other in zip(found.motions, expected.motions, strict=True):
        apart = joints_of(template, motion) - joints_of(template, other)
        # Sums in another order, and steps that are then accepted or not.
        assert np.linalg.norm(apart, axis=-1).max() < (0.0 if device.type == "cpu" else 0.02) + 1e-9
    np.testing.assert_allclose(
        found.camera.world_from_camera, expected.camera.world_from_camera, atol=0.02
    )


def test_smoothness_zero_lets_every_frame_stand_alone(template):
    scene = walk(template, noise_px=4.0)

    (smooth,) = captured(template, scene.person).motions
    (rough,) = captured(template, scene.person, smoothness=0.0).motions

    def unrest(motion: Motion) -> float:
        return float(np.abs(np.diff(joints_of(template, motion), n=2, axis=0)).mean())

    assert unrest(rough) > 3 * unrest(smooth)


def test_resting_feet_stay_where_they_are(template):
    scene = walk(template, noise_px=1.5, speed_m_s=0.0)
    still = replace(scene.person, keypoints=scene.person.keypoints.copy())
    feet = [i for i, n in enumerate(BLAZEPOSE_NAMES) if "heel" in n or "foot" in n]
    still.keypoints.setflags(write=True)
    still.keypoints[:, feet, :2] = still.keypoints[:1, feet, :2]

    def slide(**options: float) -> float:
        (motion,) = captured(template, still, **options).motions
        ankles = joints_of(template, motion)[:, 7:9]
        return float(np.linalg.norm(np.diff(ankles, axis=0), axis=-1).mean())

    assert slide() < 0.5 * slide(contacts=0.0)


def test_a_report_that_raises_stops_the_fit(template):
    tools = Tools(template, torch.device("cpu"))

    def stop(*_: object) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        fit.load(tools, SmplifyOptions())([walk(template, frames=5).person], CAMERA, stop)
