import numpy as np
import pytest
import torch
from stripmocap.contract.skeleton import JOINT_NAMES
from stripmocap.training.occlusion import Things
from stripmocap.training.shots import shot_of, shots
from stripmocap.training.synthetic import embedded_body
from toyclips import toy_clip


@pytest.fixture(scope="module")
def body():
    return embedded_body()


@pytest.fixture(scope="module")
def shot(body):
    return shot_of(toy_clip(frames=90), body, seed=0)


def test_shots_follow_the_clips(body):
    clips = (toy_clip(), toy_clip(name="run", kind="run", frames=45))

    found = list(shots(clips, body, seed=0))

    assert [(each.name, each.kind, len(each.samples)) for each in found] == [
        ("walk", "walk", 60),
        ("run", "run", 45),
    ]


def test_a_clips_shot_does_not_depend_on_its_neighbours(body):
    one, two = toy_clip(), toy_clip(name="run")

    alone, behind = next(shots((two,), body, seed=5)), list(shots((one, two), body, seed=5))[1]

    assert torch.equal(alone.samples.keypoints, behind.samples.keypoints)


def test_pelvis_moves_as_the_clips_does(body, shot):
    clip = toy_clip(frames=90)

    steps = shot.samples.joints[1:, 0] - shot.samples.joints[:-1, 0]

    expected = np.linalg.norm(np.diff(clip.pelvis, axis=0), axis=1)
    np.testing.assert_allclose(steps.norm(dim=1).numpy(), expected, atol=1e-4)


def test_camera_stands_still(shot):
    slope = shot.samples.joints[:, 0, :2] / shot.samples.joints[:, 0, 2:]

    assert (shot.samples.focal == shot.samples.focal[0]).all()
    assert torch.isfinite(slope).all()


def test_errors_change_slowly(shot):
    error = (shot.samples.keypoints[..., :2] - shot.samples.clean).clamp(-30, 30)
    alike = (error[1:] * error[:-1]).sum() / error.square().sum()

    assert alike > 0.5


def test_hands_and_wrists_are_not_known_nor_are_doubtful_feet(body):
    shot = shot_of(toy_clip(feet_ok=False), body, seed=0)

    unknown = {JOINT_NAMES[joint] for joint in torch.where(shot.samples.known[0] == 0)[0]}

    assert unknown == {
        f"{side}_{part}"
        for side in ("left", "right")
        for part in ("wrist", "hand", "ankle", "foot")
    }


def test_a_shots_person_is_what_the_tracker_would_give(shot):
    person = shot.person(3)

    assert person.person == 3
    assert len(person.times_s) == 90
    np.testing.assert_array_equal(person.keypoints, shot.samples.keypoints.numpy())
    hips = person.landmarks3d[:, [23, 24]].mean(axis=1)
    assert np.abs(hips).mean() < 0.1


def nothing(places, _generator):
    count = len(places)
    return Things(torch.zeros(count, 2), torch.zeros(count, 2), torch.zeros(count))


def everything_for_a_while(places, _generator):
    low, high = places.amin(dim=1), places.amax(dim=1)
    there = torch.zeros(len(places), 1)
    there[30:60] = 1.0
    return Things((low + high) / 2, (high - low) * there, torch.zeros(len(places)))


def test_what_is_hidden_on_purpose_changes_nothing_else(body):
    clip = toy_clip(frames=90)

    shots = [shot_of(clip, body, seed=0, hide=each) for each in (nothing, everything_for_a_while)]

    free, hidden = (each.samples for each in shots)
    seen = torch.ones(90, dtype=torch.bool)
    seen[30:60] = False
    assert not shots[0].hidden.any()
    assert (shots[1].hidden == ~seen.numpy()).all()
    assert torch.equal(free.keypoints[seen], hidden.keypoints[seen])
    assert not hidden.visible[~seen].any()
    assert hidden.keypoints[~seen, :, 2].mean() < free.keypoints[~seen, :, 2].mean() - 0.2
