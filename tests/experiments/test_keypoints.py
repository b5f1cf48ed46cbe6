import numpy as np
import pytest
import torch
from standins import cast
from stripmocap.contract.errors import RequestError
from stripmocap.experiments import keypoint_plots, keypoint_scenes, keypoints
from stripmocap.experiments.keypoint_noise import measure
from stripmocap.people.observations import Person
from stripmocap.people.sides import OTHER_SIDE
from stripmocap.training.cameras import seen_by
from toyclips import toy_clip


@pytest.fixture(scope="module")
def scene():
    return next(keypoint_scenes.scenes((toy_clip(),), keypoint_scenes.stage(), count=1, seed=2))


def person(scene, *, shift=0.0, order=slice(None), missing=()):
    """Whoever stands where the truth is, moved by body lengths."""
    truth, frames = scene
    places = seen_by(truth.landmarks, truth.cameras)[0].numpy()[:, order]
    height = np.ptp(places[..., 1])
    score = np.full((*places.shape[:2], 1), 0.9)
    presence = np.ones(len(frames))
    presence[list(missing)] = 0.0
    return Person(
        person=0,
        times_s=np.array([frame.time_s for frame in frames]),
        boxes=np.zeros((len(frames), 4)),
        keypoints=np.concatenate([places + shift * height, score], axis=2),
        landmarks3d=truth.landmarks.numpy(),
        presence=presence,
    )


def test_whoever_stands_there_is_the_person(scene):
    seen = keypoints.compared(*scene, person(scene, missing=(3,)), scene=0)

    assert seen is not None
    assert 3 not in seen.frame
    inside = seen.state != 3
    assert np.abs(seen.residual[inside]).max() < 1e-3


def test_somebody_who_stands_elsewhere_is_not(scene):
    assert keypoints.compared(*scene, person(scene, shift=1.0), scene=0) is None


def test_the_person_is_known_even_with_left_and_right_exchanged(scene):
    seen = keypoints.compared(*scene, person(scene, order=OTHER_SIDE), scene=0)

    assert seen is not None


def test_somebody_seen_in_a_few_frames_only_is_left_out(scene):
    missing = range(2, len(scene[1]))

    assert keypoints.compared(*scene, person(scene, missing=missing), scene=0) is None


def test_too_few_scenes_are_refused():
    with pytest.raises(RequestError, match="0 scenes"):
        keypoints.measured_of([])


def test_the_page_tells_of_every_state_and_kind_and_the_plots_are_drawn(scene, tmp_path):
    pytest.importorskip("matplotlib")
    seen = keypoints.compared(*scene, person(scene), scene=0)
    rng = np.random.default_rng(0)
    noisy = [vars(seen) | {"residual": 0.03 * rng.standard_normal(seen.residual.shape)}
             for _ in range(6)]  # fmt: skip
    many = [type(seen)(**each) for each in noisy]

    page = keypoints.page(measure(many), scenes=6, of=9)
    keypoint_plots.draw(measure(many), many, tmp_path / "a.png")

    assert page.startswith("6 of 9 scenes")
    assert sum(line.startswith("| covered | ") for line in page.splitlines()) == 9
    assert (tmp_path / "a.png").stat().st_size > 10_000


def test_a_scene_is_observed_with_whatever_detector_is_given(scene, monkeypatch, tmp_path):
    monkeypatch.setattr(keypoints, "load_clips", lambda folder, split: (toy_clip(),))
    monkeypatch.setattr(keypoints, "scenes", lambda clips, stage, **_: iter([scene]))
    monkeypatch.setattr(keypoints, "follow", lambda frames, **_: cast(person(scene)))
    told = []

    seen = keypoints.observe(
        tmp_path, split="train", count=1, seed=2, detector=None, report=lambda *a: told.append(a)
    )

    assert len(seen) == 1
    assert told == [("scenes", 0, 1), ("scenes", 1, 1)]
    assert torch.equal(torch.tensor(seen[0].frame), torch.arange(len(scene[1])))
