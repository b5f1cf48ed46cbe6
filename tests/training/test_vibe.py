import copy
from dataclasses import replace

import pytest
import torch
from stripmocap.contract.skeleton import JOINT_NAMES
from stripmocap.methods.vibe.keypoint_network import Sizes, TemporalNetwork
from stripmocap.training import loop, vibe
from stripmocap.training.hmr import predicted_of, truth_of
from stripmocap.training.losses import Predicted
from stripmocap.training.sequences import MotionSampler
from stripmocap.training.shots import shot_of
from stripmocap.training.synthetic import embedded_body
from stripmocap.training.vibe import (
    MotionWeights,
    Plan,
    VibeLesson,
    aligned,
    critic_numbers,
    motion_terms,
)
from toyclips import toy_clip

SMALL = Sizes(features=32, blocks=1, memory=8, layers=1)
PLAN = Plan(people=4, frames=12)


@pytest.fixture(scope="module")
def body():
    return embedded_body()


@pytest.fixture(scope="module")
def sequences(body):
    return MotionSampler((toy_clip(frames=90),), body, seed=1).draw(4, 12)


def lesson(body, plan=PLAN):
    torch.manual_seed(0)
    return VibeLesson(
        TemporalNetwork(SMALL, dropout=0.0),
        MotionSampler((toy_clip(frames=90),), body, seed=2),
        body,
        plan=plan,
        held_out=(shot_of(toy_clip(frames=15), body, seed=3),),
    )


def said(sequences, body, *, rotmat=None, betas=None):
    """What somebody says who knows the truth, but for what is given."""
    view, samples = sequences.view(), sequences.samples
    truth = truth_of(samples, view)
    camera = torch.tensor([[1.0, 0.0, 0.0]]).expand(len(samples), -1)
    found = vibe.Regressed(
        samples.rotmat if rotmat is None else rotmat,
        samples.betas if betas is None else betas,
        camera,
    )
    return predicted_of(found, view, samples, body=body), truth


def test_the_truth_costs_nothing_over_time(sequences, body):
    predicted, truth = said(sequences, body)

    terms = motion_terms(predicted, truth, sequences, weights=MotionWeights())

    assert all(float(term) < 1e-3 for term in terms.values())


def test_standing_off_costs_nothing_over_time_but_trembling_does(sequences, body):
    predicted, truth = said(sequences, body)
    off = predicted.joints + 0.1
    sign = (-1.0) ** torch.arange(len(off))
    shaken = predicted.joints + 0.01 * sign[:, None, None]

    def terms(joints):
        changed = Predicted(predicted.regressed, joints, predicted.keypoints)
        return motion_terms(changed, truth, sequences, weights=MotionWeights())

    assert float(terms(off)["acceleration"]) < 1e-3 < float(terms(shaken)["acceleration"])
    assert float(terms(off)["velocity"]) < 1e-3 < float(terms(shaken)["velocity"])


def test_what_passes_between_two_people_is_no_motion(sequences, body):
    predicted, truth = said(sequences, body)
    per_person = torch.arange(4.0).repeat_interleave(12)[:, None, None]
    changed = Predicted(predicted.regressed, predicted.joints + per_person, predicted.keypoints)

    terms = motion_terms(changed, truth, sequences, weights=MotionWeights())

    assert float(terms["velocity"]) < 1e-3


def test_a_shape_that_changes_costs(sequences, body):
    wavering = sequences.samples.betas + torch.arange(48.0)[:, None] % 2
    predicted, truth = said(sequences, body, betas=wavering)

    terms = motion_terms(predicted, truth, sequences, weights=MotionWeights(shape=1.0))

    assert float(terms["shape"]) == pytest.approx(0.25, abs=0.01)


def test_a_critic_reads_no_heading_and_no_joint_that_was_not_captured(sequences):
    rotmat = sequences.samples.rotmat.clone()
    before = critic_numbers(rotmat)
    rotmat[:, [0, *vibe.HANDS, *vibe.WRISTS, *vibe.FEET]] = torch.eye(3)

    assert before.shape == (48, vibe.CRITIC_NUMBERS)
    assert torch.equal(critic_numbers(rotmat), before)


def test_a_turned_and_shrunken_body_is_aligned_and_a_bent_one_is_not():
    truth = torch.randn(4, 24, 3, generator=torch.Generator().manual_seed(1))
    turn = torch.tensor([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    bent = truth.clone()
    bent[:, JOINT_NAMES.index("left_wrist")] += 1.0

    assert float(aligned(0.7 * truth @ turn.mT + 2.0, truth)) < 1e-5
    assert float(aligned(bent, truth)) > 0.05


def test_a_batch_teaches_every_part(body):
    taught = lesson(body, replace(PLAN, motion=MotionWeights(critic=0.1)))

    terms = taught.losses(0)
    torch.stack(list(terms.values())).sum().backward()

    assert {"keypoints", "joints", "rotmat", "velocity", "aligned", "critic"} <= terms.keys()
    for part in ("encoder", "states", "trust", "mean", "heard", "onward", "back", "regressor"):
        gradients = [each.grad for each in getattr(taught.network, part).parameters()]
        assert any(each is not None and float(each.abs().max()) > 0 for each in gradients), part


def test_learning_makes_it_better(body, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "LOG_STEPS", 10)
    taught = lesson(body)
    schedule = loop.Schedule(steps=30, learning_rate=5e-3, warmup=5, averaging=0.0, score_every=30)

    trained = loop.train(
        taught, schedule, folder=tmp_path, seed=0, plan={}, report=lambda *each: None
    )

    (_, first), *_, (_, last) = trained.history.losses["total"]
    assert last < first
    assert set(trained.history.scores) == set(vibe.Judged.LABELS)


def test_a_stopped_lesson_goes_on_where_it_was(body):
    plan = replace(PLAN, motion=MotionWeights(critic=0.1))
    one, other = lesson(body, plan), lesson(body, plan)
    one.losses(0)
    other.load_state_dict(copy.deepcopy(one.state_dict()))

    torch.manual_seed(5)
    expected = one.losses(1)
    torch.manual_seed(5)
    found = other.losses(1)

    assert {name: float(term.detach()) for name, term in found.items()} == {
        name: float(term.detach()) for name, term in expected.items()
    }
