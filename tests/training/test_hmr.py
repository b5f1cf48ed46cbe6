import json
import signal

import numpy as np
import pytest
import torch
from stripmocap.contract.errors import Cancelled
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.methods.features.keypoints import view_of
from stripmocap.methods.hmr.keypoint_network import KeypointNetwork, Sizes
from stripmocap.methods.hmr.regressor import Regressed
from stripmocap.methods.hmr.weights import load_keypoint_network
from stripmocap.training import hmr_run
from stripmocap.training.hmr import KeypointLesson, Plan, errors, in_box, similar, truth_of
from stripmocap.training.losses import Weights
from stripmocap.training.mocap import Clip
from stripmocap.training.synthetic import Sampler, embedded_body
from torch.testing import assert_close

SMALL = Sizes(features=32, blocks=1, hidden=16)


@pytest.fixture(scope="module")
def body():
    return embedded_body()


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    pose = 0.2 * rng.standard_normal((60, 23, 3))
    upright = np.tile([np.pi / 2, 0.0, 0.0], (60, 1))
    return (Clip("x", "walk", pose, True, upright, np.zeros((60, 3))),)


@pytest.fixture
def samples(clips, body):
    return Sampler(clips, body, seed=1).draw(16)


def lesson(clips, body, *, weights=None):
    torch.manual_seed(0)
    return KeypointLesson(
        KeypointNetwork.of(SMALL),
        Sampler(clips, body, seed=2),
        body,
        plan=Plan(batch=32, weights=weights or Weights()),
        held_out=Sampler(clips, body, seed=3).draw(8),
    )


def test_whoever_says_the_truth_has_no_error(samples, body):
    truth = Regressed(samples.rotmat, samples.betas, torch.ones(16, 3))

    found = errors(lambda view: truth, samples, body=body)

    for each in found.values():
        assert_close(each, torch.zeros(16), atol=0.02, rtol=0)


def test_a_body_turned_as_a_whole_has_an_error_only_unaligned(samples, body):
    turn = aa_to_matrix(torch.tensor([0.0, 0.5, 0.0]))
    rotmat = torch.cat([(turn @ samples.rotmat[:, 0])[:, None], samples.rotmat[:, 1:]], dim=1)
    turned = Regressed(rotmat, samples.betas, torch.ones(16, 3))

    found = errors(lambda view: turned, samples, body=body)

    assert found["PA-MPJPE mm"].max() < 0.05
    assert found["MPJPE mm"].min() > 10


def test_points_are_aligned_by_a_similarity():
    generator = torch.Generator().manual_seed(0)
    goal = torch.randn(5, 12, 3, generator=generator)
    turn = aa_to_matrix(torch.randn(5, 3, generator=generator))
    moved = 0.7 * goal @ turn.mT + torch.randn(5, 1, 3, generator=generator)

    assert_close(similar(moved, goal), goal, atol=1e-4, rtol=0)


def test_the_truth_has_no_loss_but_for_the_camera_and_the_believed_lens(clips, body, samples):
    view = view_of(samples.keypoints, focal=samples.focal, center=samples.center)
    truth = truth_of(samples, view)

    assert_close(truth.keypoints, in_box(samples.clean, view))
    assert_close(truth.joints[:, 0], torch.zeros(16, 3))
    far = truth.keypoints.abs().amax(dim=-1) > 2
    assert (truth.keypoints_weight[far] == 0).all()


def test_where_ankles_are_not_known_toes_are_not_judged(samples):
    known = torch.ones(16, 24)
    known[:, [7, 10]] = 0.0
    parts = {name: getattr(samples, name) for name in samples.__dataclass_fields__}
    some = type(samples)(**{**parts, "known": known})
    view = view_of(some.keypoints, focal=some.focal, center=some.center)

    weight = truth_of(some, view).joints_weight

    assert (weight[:, 10] == 0).all()
    assert weight.sum() == 16 * 23


def test_every_term_reaches_the_network(clips, body):
    pupil = lesson(clips, body, weights=Weights(critic=0.1))

    terms = pupil.losses(0)
    torch.stack(list(terms.values())).sum().backward()

    assert set(terms) == {"keypoints", "joints", "rotmat", "betas", "camera", "critic"}
    assert all(torch.isfinite(each) for each in terms.values())
    assert all(each.grad.abs().sum() > 0 for each in pupil.network.parameters()
               if each.grad is not None)  # fmt: skip
    assert sum(each.grad is None for each in pupil.network.parameters()) == 0


def test_the_loss_falls(clips, body):
    pupil = lesson(clips, body)
    optimizer = torch.optim.Adam(pupil.network.parameters(), lr=3e-3)

    totals = []
    for step in range(40):
        total = torch.stack(list(pupil.losses(step).values())).sum()
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        totals.append(float(total.detach()))

    assert np.mean(totals[-5:]) < 0.8 * np.mean(totals[:5])


def test_a_lesson_goes_on_with_the_samples_that_come_next(clips, body):
    first, second = (lesson(clips, body, weights=Weights(critic=0.1)) for _ in range(2))
    first.losses(0)

    second.load_state_dict(first.state_dict())

    assert_close(second.source.draw(4).keypoints, first.source.draw(4).keypoints, atol=0, rtol=0)


@pytest.fixture
def data(tmp_path):
    """One clip a split, in the form of the shared data."""
    entries = []
    for split in ("train", "val", "test"):
        poses = 0.2 * np.random.default_rng(0).standard_normal((60, 24, 3))
        arrays = {"poses": poses.astype(np.float16), "trans": np.zeros((60, 3), np.float32)}
        np.savez(tmp_path / f"cmu_{split}.npz", **arrays)
        entries.append(
            {"id": split, "kind": "walk", "subject": "7", "start": 0, "frames": 60,
             "shard": f"cmu_{split}.npz", "feet_ok": True}
        )  # fmt: skip
    (tmp_path / "index.json").write_text(json.dumps({"clips": entries}), encoding="utf-8")
    return tmp_path


def order(data, *, name="a", steps=4):
    return hmr_run.Order(
        data=data,
        output=data / f"{name}.safetensors",
        folder=data / name,
        steps=steps,
        sizes=SMALL,
        plan=Plan(batch=8),
    )


def quiet(_stage, _done, _of):
    pass


def test_a_training_writes_weights_that_load_and_a_card(data):

    found = hmr_run.main(order(data), report=quiet)

    network = load_keypoint_network(data / "a.safetensors")
    card = (data / "a.md").read_text(encoding="utf-8")
    assert network.sizes == SMALL
    assert f"| test | all | 20 | {found.pa_mpjpe_mm:.1f} |" in card
    for said in ("mocap.cs.cmu.edu", "NSF EIA-0196217", "stripmocap train hmr", "sha256"):
        assert said in card
    assert (data / "a" / "history.json").is_file()


def test_a_stopped_training_ends_in_the_same_weights(data):
    hmr_run.main(order(data), report=quiet)

    def interrupt(_stage, done, _of):
        if done == 2:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Cancelled):
        hmr_run.main(order(data, name="b"), report=interrupt)
    hmr_run.main(order(data, name="b"), report=quiet)

    whole, parts = (load_keypoint_network(data / f"{name}.safetensors") for name in "ab")
    assert_close(parts.state_dict(), whole.state_dict(), atol=0, rtol=0)
