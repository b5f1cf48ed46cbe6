import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from stripmocap.contract.errors import AssetCorrupt, RequestError
from stripmocap.methods.hmr.keypoint_network import KeypointNetwork, Sizes
from stripmocap.methods.hmr.regressor import read_state
from stripmocap.methods.hmr.weights import load_keypoint_network, save_keypoint_network
from stripmocap.methods.vibe.keypoint_weights import load_temporal_network, save_temporal_network
from stripmocap.methods.vibe.mirror import mirrored_numbers, mirrored_states
from stripmocap.training import vibe, vibe_run
from stripmocap.training.sequences import MotionSampler
from stripmocap.training.synthetic import embedded_body
from stripmocap.training.vibe_run import Order, begun, standardise
from torch.testing import assert_close
from toyclips import toy_clip

SMALL = Sizes(features=32, blocks=1, hidden=16, numbers=202)


@pytest.fixture
def start(tmp_path):
    torch.manual_seed(0)
    network = KeypointNetwork.of(SMALL)
    torch.nn.init.normal_(network.regressor.decpose.weight, std=0.05)
    save_keypoint_network(network, tmp_path / "single.safetensors", metadata={})
    return tmp_path / "single.safetensors"


@pytest.fixture(scope="module")
def numbers():
    drawn = MotionSampler((toy_clip(frames=90),), embedded_body(), seed=1).draw(4, 20)
    return drawn.over_time(drawn.view().numbers)


@pytest.fixture
def data(tmp_path):
    """A folder of mocap: the same short clip in every split."""
    folder, clip, entries = tmp_path / "data", toy_clip(frames=40), []
    folder.mkdir()
    poses = np.concatenate([clip.global_orient[:, None], clip.body_pose], axis=1)
    for split in ("train", "val", "test"):
        np.savez(folder / f"cmu_{split}.npz", poses=poses, trans=clip.pelvis)
        entries.append({"id": split, "shard": f"cmu_{split}.npz", "start": 0, "frames": 40,
                        "kind": "walk", "subject": "1", "feet_ok": True})  # fmt: skip
    (folder / "index.json").write_text(json.dumps({"clips": entries}))
    return folder


def test_it_begins_nearly_as_single_frames_are_read(start, numbers):
    torch.manual_seed(0)
    network = begun(start, memory=8).eval()
    standardise(network, numbers)
    still = numbers[:1, :1].expand(1, 50, -1)

    with torch.no_grad():
        found = network(still)
        single = load_keypoint_network(start)
        states = single.regressor.states(single.encoder(still[0, :1]))[-1]
        image = single.regressor.states(single.encoder(mirrored_numbers(still[0, :1])))[-1]

    expected = read_state((states + mirrored_states(image)) / 2)
    assert_close(found.rotmat[25], expected.rotmat[0], atol=0.05, rtol=0)
    assert_close(found.betas[25], expected.betas[0], atol=0.05, rtol=0)


def test_one_scale_changes_no_body(start, numbers):
    torch.manual_seed(0)
    network = begun(start, memory=8).eval()
    standardise(network, numbers)
    with torch.no_grad():
        before, _ = network.poses(numbers)
        states = before * network.regressor.spread + network.regressor.middle

        standardise(network, 0.5 * numbers)
        standardise(network, numbers)

        after, apart = network.poses(numbers)
    assert_close(after, before, atol=1e-4, rtol=0)
    assert_close(after.flatten(0, 1).mean(dim=0), torch.zeros(157), atol=1e-3, rtol=0)
    assert float(after.flatten(0, 1).std(dim=0).max()) < 1.01
    assert (apart >= 0).all()
    assert torch.isfinite(states).all()


def test_weights_over_time_are_not_begun_with(start, tmp_path):
    path = tmp_path / "time.safetensors"
    save_temporal_network(begun(start, memory=8), path, metadata={})

    with pytest.raises(AssetCorrupt, match="temporal network"):
        begun(path, memory=8)


@pytest.fixture
def order(start, data, tmp_path):
    return Order(
        data=data,
        output=tmp_path / "out" / "vibe.safetensors",
        folder=tmp_path / "run",
        start=start,
        steps=2,
        memory=8,
        plan=vibe.Plan(people=2, frames=6, motion=vibe.MotionWeights(critic=0.1)),
    )


def test_one_command_gives_weights_and_their_card(order):
    found = vibe_run.main(order, report=lambda *each: None)

    card = order.output.with_suffix(".md").read_text(encoding="utf-8")
    assert load_temporal_network(order.output).sizes.memory == 8
    assert found.frames == 40
    assert "--start single.safetensors --steps 2\n  --batch 2 --frames 6" in card
    assert "| test | walk | 40 |" in card
    assert "| test, single frames | all | 40 |" in card
    assert "mocap.cs.cmu.edu" in card
    assert max(len(line) for line in card.splitlines() if not line.startswith("|")) <= 100


def test_a_training_does_not_go_on_with_another_plan_or_from_other_weights(order, tmp_path):
    vibe_run.main(order, report=lambda *each: None)
    other = tmp_path / "other.safetensors"
    torch.manual_seed(1)
    save_keypoint_network(KeypointNetwork.of(SMALL), other, metadata={})

    with pytest.raises(RequestError, match=r"plan.people 2, not 3"):
        vibe_run.main(replace(order, plan=replace(order.plan, people=3)), report=print)
    with pytest.raises(RequestError, match=r"start .*, not"):
        vibe_run.main(replace(order, start=other), report=print)
