import json
from dataclasses import replace

import numpy as np
import pytest
from stripmocap import figures
from stripmocap.checkpoints import load_arrays
from stripmocap.contract.errors import RequestError
from stripmocap.methods.humor.network import Sizes
from stripmocap.methods.humor.own_weights import (
    load_own_initial_state_prior,
    load_own_motion_prior,
    load_own_pose_prior,
)
from stripmocap.methods.humor.pose_prior import PoseSizes
from stripmocap.training import held_out_humor, humor, humor_run, initial_state
from stripmocap.training.humor import Plan
from stripmocap.training.humor_run import Order
from stripmocap.training.latent_poses import PosePlan
from toyclips import toy_clip


@pytest.fixture
def data(tmp_path):
    """A folder of mocap: a walk of 90 frames in every split."""
    folder, entries = tmp_path / "data", []
    folder.mkdir()
    for seed, split in enumerate(("train", "val", "test")):
        clip = toy_clip(frames=90, seed=seed)
        poses = np.concatenate([clip.global_orient[:, None], clip.body_pose], axis=1)
        np.savez(folder / f"cmu_{split}.npz", poses=poses, trans=clip.pelvis)
        entries.append({"id": split, "shard": f"cmu_{split}.npz", "start": 0, "frames": 90,
                        "kind": "walk", "subject": "1", "feet_ok": True})  # fmt: skip
    (folder / "index.json").write_text(json.dumps({"clips": entries}))
    return folder


@pytest.fixture
def order(data, tmp_path, monkeypatch):
    monkeypatch.setattr(humor_run, "_FIRST_MOMENTS", (300, 50))
    monkeypatch.setattr(humor_run, "_JUDGED", 3)
    monkeypatch.setattr(humor_run, "_SCORED", (3, 5))
    monkeypatch.setattr(humor_run, "_POSES_HELD_OUT", 20)
    monkeypatch.setattr(humor, "_USUAL_PEOPLE", 50)
    monkeypatch.setattr(held_out_humor, "SAMPLES", 2)
    monkeypatch.setattr(initial_state, "COMPONENTS", 2)
    monkeypatch.setattr(initial_state, "ITERATIONS", 2)
    return Order(
        data=data,
        output=tmp_path / "out" / "humor.safetensors",
        folder=tmp_path / "training",
        steps=4,
        further_steps=2,
        pose_steps=3,
        plan=Plan(
            Sizes(latent=4, hidden=32, layers=1, coasting=1),
            people=4,
            moments=3,
            late_moments=4,
        ),
        pose_plan=PosePlan(PoseSizes(latent=4, hidden=16), people=8),
    )


def silent(*_):
    pass


def test_one_order_makes_three_files_with_their_cards(order):
    found = humor_run.main(order, report=silent)

    assert load_own_motion_prior(order.output).sizes == order.plan.sizes
    assert load_own_pose_prior(order.pose_output).sizes == order.pose_plan.sizes
    assert len(load_own_initial_state_prior(order.start_output).means) == 2
    assert found.step_mm > 0
    for path in (order.output, order.pose_output, order.start_output):
        card = path.with_suffix(".md").read_text(encoding="utf-8")
        assert "mocap.cs.cmu.edu" in card
        assert "stripmocap train humor" in card
        assert "sha256" in card
        assert "nan" not in card.lower()
        assert str(order.data) not in card
        assert max(map(len, card.splitlines())) < 200
    assert (order.folder / "samples.png").is_file() == figures.is_possible()


def test_a_finished_training_is_not_repeated(order):
    humor_run.main(order, report=silent)
    first, seen = load_arrays(order.output), []

    humor_run.main(order, report=lambda *told: seen.append(told[0]))

    assert "training" not in seen
    for name, array in load_arrays(order.output).items():
        assert np.array_equal(array, first[name])


def test_trainings_do_not_go_on_with_other_plans(order):
    humor_run.main(order, report=silent)

    with pytest.raises(RequestError, match=r"plan.people 4, not 5"):
        humor_run.main(replace(order, plan=replace(order.plan, people=5)), report=silent)
    with pytest.raises(RequestError, match=r"plan.people 8, not 9"):
        humor_run.main(replace(order, pose_plan=replace(order.pose_plan, people=9)), report=silent)
