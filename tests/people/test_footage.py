"""Real clips: the references that came with them, and who is in them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from stripmocap.contract.messages import Clip
from stripmocap.contract.skeleton import BLAZEPOSE_NAMES
from stripmocap.people.observations import Person
from stripmocap.people.tracking import follow
from stripmocap.video.frames import read_frames


@pytest.fixture(scope="module")
def videos(shared):
    return shared / "data" / "videos"


def people_in(path, blazepose) -> list[Person]:
    cast = follow(
        read_frames(Clip(str(path))),
        detector=blazepose,
        report=lambda *_: None,
        expected_frames=None,
    )
    return list(cast.people)


def hips(person: Person) -> np.ndarray:
    return person.keypoints[:, [23, 24], :2].mean(axis=1)


def test_squats_agree_with_the_reference_landmarks(videos, blazepose):
    reference = np.array(json.loads((videos / "squats_single.blazepose2d.json").read_bytes()))

    (person,) = people_in(videos / "squats_single.mp4", blazepose)

    assert len(person.times_s) == len(reference) == 65
    assert median_share(person.keypoints, reference) < 0.02


def test_a_walk_agrees_with_the_reference_landmarks(videos, blazepose):
    frames = json.loads((videos / "rendered_woman_walk.blazepose.json").read_bytes())
    reference = np.array([[[p["x"], p["y"]] for p in each.values()] for each in frames])
    named = [BLAZEPOSE_NAMES.index(name) for name in frames[0]]

    (person,) = people_in(videos / "rendered_woman_walk.mp4", blazepose)

    assert len(person.times_s) == len(reference) == 120
    assert median_share(person.keypoints[:, named], reference) < 0.02


@pytest.mark.slow
@pytest.mark.parametrize(("camera", "others"), [("cam01", 0), ("cam02", 1)])
def test_two_people_who_touch_keep_their_names(videos, blazepose, camera, others):
    truth = np.load(videos / "p2s_multi" / "gt.npz")

    people = people_in(videos / "p2s_multi" / f"{camera}.mp4", blazepose)

    assert len(people) == 2 + others  # cam02 sees a bystander too
    for which in range(2):
        path = true_hips(truth, which, camera)
        apart = [np.nanmedian(np.linalg.norm(hips(each) - path, axis=1)) for each in people[:2]]
        person = people[int(np.argmin(apart))]
        height = np.median(np.ptp(person.keypoints[:, :, 1], axis=1))
        assert len(person.times_s) == 100
        away = np.linalg.norm(hips(person) - path, axis=1)
        assert np.nanmax(away) < 0.25 * height


@pytest.mark.slow
def test_small_people_outdoors_are_both_found_and_kept(videos, blazepose):
    people = people_in(videos / "outdoor_two_people.mp4", blazepose)

    assert len(people) == 2
    man, woman = sorted(people, key=lambda person: person.times_s[0])
    assert man.times_s[0] == 0  # on the roof; he jumps, turns over and lands
    assert man.times_s[-1] > 7.3
    assert woman.times_s[0] < 1.6  # from behind a tree at about 1.2 s; out of the picture at 6.7 s
    assert woman.times_s[-1] > 6.4


def median_share(keypoints: np.ndarray, reference: np.ndarray) -> float:
    """Median distance from the reference, in parts of the person's height in each frame."""
    apart = np.linalg.norm(keypoints[:, :, :2] - reference[:, :, :2], axis=2)
    return float(np.median(apart / np.ptp(reference[:, :, 1], axis=1)[:, None]))


def true_hips(truth, which: int, camera: str) -> np.ndarray:
    """(T, 2) px middle of the hips of person `which`, by the truth's own camera for them."""
    names = [str(name) for name in truth["joint_names"]]
    index = [str(name) for name in truth["camera_names"]].index(camera)
    joints = truth["joints3d"][which][:, [names.index("RHip"), names.index("LHip")]].mean(axis=1)
    seen = joints @ truth["R"][which, index].T + truth["t"][which, index].reshape(3)
    pixels = seen @ truth["K"][which, index].T
    return pixels[:, :2] / pixels[:, 2:]
