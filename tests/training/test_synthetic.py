from dataclasses import fields

import pytest
import torch
from stripmocap.contract.skeleton import BLAZEPOSE_NAMES
from stripmocap.training.synthetic import Sampler, embedded_body
from torch.testing import assert_close
from toyclips import toy_clip

CLIPS = (toy_clip(), toy_clip(name="run", kind="run", seed=1))
LEFT, RIGHT = ([BLAZEPOSE_NAMES.index(f"{side}_{part}") for part in ("shoulder", "hip", "ankle")]
               for side in ("left", "right"))  # fmt: skip


@pytest.fixture(scope="module")
def body():
    return embedded_body()


@pytest.fixture(scope="module")
def samples(body):
    return Sampler(CLIPS, body, seed=0).draw(600)


def test_everything_is_finite(samples):
    for each in fields(samples):
        assert torch.isfinite(getattr(samples, each.name)).all(), each.name


def test_the_true_body_lands_on_the_clean_landmarks(samples, body):
    joints, landmarks = body.stand(samples.rotmat, betas=samples.betas, transl=samples.transl)

    slope = landmarks[..., :2] / landmarks[..., 2:]
    focal = (samples.clean - samples.center[:, None]) / slope  # one and the same a person
    steady = slope.abs() > 0.05
    middle = focal.where(steady, torch.nan).flatten(1).nanmedian(dim=1).values
    error = (slope * middle[:, None, None] + samples.center[:, None] - samples.clean).abs()
    assert_close(joints, samples.joints)
    assert error[middle.isfinite()].max() < 0.5  # pixels


def test_what_is_visible_is_in_the_picture(samples):
    size = 2 * samples.center + 1
    inside = ((samples.clean >= -0.5) & (samples.clean <= size[:, None] - 0.5)).all(dim=-1)

    assert inside[samples.visible].all()
    assert 0.4 < samples.visible.float().mean() < 0.9


def test_what_is_visible_is_found_better_and_scored_higher(samples):
    error = (samples.keypoints[..., :2] - samples.clean).norm(dim=-1)
    error = error * samples.transl[:, 2:] / samples.focal[:, None]
    score = samples.keypoints[..., 2]

    assert error[samples.visible].median() < 0.6 * error[~samples.visible].median()
    assert score[samples.visible].mean() > score[~samples.visible].mean() + 0.15


def test_left_stays_left_in_nearly_everybody(samples):
    true = samples.clean[:, LEFT] - samples.clean[:, RIGHT]
    found = samples.keypoints[:, LEFT, :2] - samples.keypoints[:, RIGHT, :2]
    clear = true.norm(dim=-1).amin(dim=1) * samples.transl[:, 2] / samples.focal > 0.2
    agree = (true * found).sum(dim=(1, 2)) > 0

    assert clear.sum() > 50
    assert agree[clear].float().mean() > 0.85


def test_the_same_seed_gives_the_same_samples(body):
    first, again = (Sampler(CLIPS, body, seed=3).draw(8) for _ in range(2))

    assert torch.equal(first.keypoints, again.keypoints)


def test_a_stopped_sampler_goes_on_where_it_was(body):
    sampler = Sampler(CLIPS, body, seed=3)
    sampler.draw(8)
    state = sampler.state_dict()
    expected = sampler.draw(8)

    other = Sampler(CLIPS, body, seed=99)
    other.load_state_dict(state)

    assert torch.equal(other.draw(8).keypoints, expected.keypoints)


def test_rows_of_samples_are_samples(samples):
    few = samples[samples.visible.all(dim=1)]

    assert len(few) == int(samples.visible.all(dim=1).sum())
    assert few.visible.all()
