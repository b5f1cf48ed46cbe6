import pytest
import torch
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.methods.hmr.regressor import Regressed
from stripmocap.training.held_out_motion import (
    ACCELERATION,
    MPJPE,
    PA_MPJPE,
    judged_motion,
    judged_shots,
    sequence_errors,
    shot_view,
)
from stripmocap.training.shots import shot_of
from stripmocap.training.synthetic import embedded_body
from torch.testing import assert_close
from toyclips import toy_clip

FRAMES = 20


@pytest.fixture(scope="module")
def body():
    return embedded_body()


@pytest.fixture(scope="module")
def shot(body):
    return shot_of(toy_clip(frames=FRAMES), body, seed=0)


def turned(samples, angles):
    turn = aa_to_matrix(torch.stack([torch.zeros(FRAMES), angles, torch.zeros(FRAMES)], dim=1))
    return torch.cat([(turn @ samples.rotmat[:, 0])[:, None], samples.rotmat[:, 1:]], dim=1)


def test_whoever_says_the_truth_has_no_error(shot, body):
    samples = shot.samples

    found = sequence_errors(samples.rotmat, samples.betas, samples, body=body)

    assert_close(found[PA_MPJPE], torch.zeros(FRAMES), atol=0.02, rtol=0)
    assert_close(found[MPJPE], torch.zeros(FRAMES), atol=0.02, rtol=0)
    assert_close(found[ACCELERATION], torch.zeros(FRAMES - 2), atol=0.02, rtol=0)


def test_a_constant_turn_is_no_jerk_and_a_trembling_one_is(shot, body):
    samples = shot.samples
    constant = turned(samples, torch.full((FRAMES,), 0.3))
    trembling = turned(samples, 0.05 * (-1.0) ** torch.arange(FRAMES))

    held, shaken = (
        sequence_errors(each, samples.betas, samples, body=body) for each in (constant, trembling)
    )

    assert float(held[MPJPE].min()) > float(shaken[MPJPE].mean())
    assert float(held[ACCELERATION].mean()) < 2 < float(shaken[ACCELERATION].mean())
    assert_close(held[PA_MPJPE], torch.zeros(FRAMES), atol=0.05, rtol=0)


def test_a_network_sees_a_shot_whole(shot, body):
    seen = []

    def look(numbers):
        seen.append(numbers.shape[:2])
        return Regressed(shot.samples.rotmat, shot.samples.betas, torch.ones(FRAMES, 3))

    rows = judged_motion(look, (shot,), body=body)

    assert seen == [(1, FRAMES)]
    assert [(row.kind, row.frames) for row in rows] == [("all", FRAMES), ("walk", FRAMES)]
    assert max(rows[0].figures) < 0.02


def test_kinds_are_judged_apart(shot, body):
    other = shot_of(toy_clip(name="run", kind="run", frames=30), body, seed=0)
    truths = {FRAMES: shot.samples, 30: other.samples}

    def look(view):
        truth = truths[len(view.numbers)]
        wrong = truth.rotmat if len(truth) == 30 else turned(truth, torch.full((FRAMES,), 0.5))
        return Regressed(wrong, truth.betas, torch.ones(len(truth), 3))

    everything, run, walk = judged_shots(look, (shot, other), body=body)

    assert (everything.kind, run.kind, walk.kind) == ("all", "run", "walk")
    assert run.figures[1] < 0.02 < everything.figures[1] < walk.figures[1]


def test_a_shot_is_shown_as_single_frames_are(shot):
    assert_close(shot_view(shot.samples).numbers, shot.samples.view().numbers)
