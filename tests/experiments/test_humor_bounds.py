"""What there is to be had on held-out shots, with toys in the methods' places."""

from __future__ import annotations

import numpy as np
import pytest
from stripmocap.evaluation.best_smoother import accelerations
from stripmocap.experiments import humor_bounds
from stripmocap.experiments.humor_bounds import BEST, NOISES, SILENT
from stripmocap.experiments.humor_shots import floor_shot
from stripmocap.training.mocap import FPS
from stripmocap.training.synthetic import embedded_body
from toyclips import toy_clip

SEED = 0


@pytest.fixture(scope="module")
def body():
    return embedded_body()


@pytest.fixture(scope="module")
def shots(body):
    clips = [toy_clip(frames=120, name=name, seed=seed) for seed, name in enumerate("ab")]
    return [floor_shot(each, body, seed=SEED) for each in clips]


def test_uncovered_shots_differ_in_what_stands_before_the_person_alone(shots, body, monkeypatch):
    clips = [toy_clip(frames=120, name=name, seed=seed) for seed, name in enumerate("ab")]
    monkeypatch.setattr(humor_bounds, "load_clips", lambda folder, split: clips)

    found = humor_bounds.uncovered(shots, None, body, split="val", seed=SEED)

    for clear, shot in zip(found, shots, strict=True):
        assert clear.truth is shot.truth
        assert clear.hidden is shot.hidden
        one, other = clear.shot.samples, shot.shot.samples
        assert (one.joints == other.joints).all()
        assert (one.clean == other.clean).all()
        free = ~shot.hidden.any(axis=1)
        assert (one.keypoints[free] == other.keypoints[free]).all()
        assert (one.keypoints[~free] != other.keypoints[~free]).any()
        assert not clear.shot.hidden.any()


def test_the_smoother_is_the_nearer_the_less_noise_there_is(shots, monkeypatch):
    monkeypatch.setattr(humor_bounds, "_FRAMES", 25)

    silent, *rows = humor_bounds._smoothers(shots, shots)

    assert silent.name.startswith(SILENT)
    assert all(each.name.startswith(BEST) for each in rows)
    assert len(rows) == len(NOISES)
    errors = [silent.whole, *(each.whole for each in rows)]
    assert errors == sorted(errors, reverse=True)


def test_standing_still_errs_by_what_the_truth_accelerates(shots):
    (silent,) = humor_bounds._accelerated(shots, [], bench=None)

    truth = np.concatenate([accelerations(each.truth.limbs_camera, fps=FPS) for each in shots])
    assert silent.whole == pytest.approx(np.linalg.norm(truth, axis=-1).mean())
    assert silent.whole > silent.in_plane
    assert silent.whole > silent.in_depth
