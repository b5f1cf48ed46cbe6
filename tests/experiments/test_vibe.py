"""The experiment about VIBE's claims, with short clips and small networks."""

import importlib.util
import json

import numpy as np
import pytest
import torch
from stripmocap.experiments import vibe, vibe_pages, vibe_speed
from stripmocap.experiments.vibe import Findings, Plan
from stripmocap.experiments.vibe_arms import Arm, Size, named
from stripmocap.experiments.vibe_shots import PER_FRAME, TEMPORAL, Means
from stripmocap.experiments.vibe_speed import NETWORK, PARTS, Speed
from stripmocap.experiments.vibe_spells import LEGS, NOBODY, Spelled
from stripmocap.experiments.vibe_windows import Windowed
from stripmocap.methods.hmr.keypoint_network import KeypointNetwork
from stripmocap.methods.hmr.weights import save_keypoint_network
from stripmocap.methods.vibe.keypoint_weights import save_temporal_network
from stripmocap.people.blazepose import Landmarks
from stripmocap.training import vibe_run
from stripmocap.training.held_out_motion import Judged
from toyclips import toy_clip

FRAMES = 90
WITHOUT, WITH = named(0.0), named(0.5)


def quiet(_stage, _done, _of):
    pass


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    """A clip of each split, and weights of small networks."""
    folder = tmp_path_factory.mktemp("clips")
    entries = []
    for number, split in enumerate(("train", "val", "test")):
        clip = toy_clip(frames=FRAMES, seed=number)
        poses = np.concatenate([clip.global_orient[:, None], clip.body_pose], axis=1)
        arrays = {"poses": poses.astype(np.float16), "trans": clip.pelvis.astype(np.float32)}
        np.savez(folder / f"cmu_{split}.npz", **arrays)
        entries.append(
            {"id": split, "kind": "walk", "subject": "7", "start": 0, "frames": FRAMES,
             "shard": f"cmu_{split}.npz", "feet_ok": True}
        )  # fmt: skip
    (folder / "index.json").write_text(json.dumps({"clips": entries}), encoding="utf-8")
    torch.manual_seed(0)
    single, temporal = folder / "single.safetensors", folder / "temporal.safetensors"
    save_keypoint_network(KeypointNetwork(16, hidden=8), single, metadata={})
    save_temporal_network(vibe_run.begun(single, memory=12), temporal, metadata={})
    size = Size(steps=2, people=2, frames=8, memory=8, critics=(0.0, 0.5), scorings=1)
    return Plan(folder, folder / "arms", single=single, temporal=temporal, size=size, threads=1)


@pytest.fixture(scope="module")
def found(plan):
    return vibe.run(plan, quiet)


def test_every_claim_is_tried_but_for_speed_without_a_film(found):
    assert list(found.kinds) == [PER_FRAME, TEMPORAL]
    assert list(found.kinds[TEMPORAL]) == ["all", "walk"]
    assert [each.name for each in found.arms] == [WITHOUT, WITH]
    assert found.windows[-1].frames is None
    assert {each.reader for each in found.spells} == {PER_FRAME, TEMPORAL}
    assert found.speed is None


def test_arms_differ_in_the_discriminator_alone(found, plan):
    without, with_it = (
        json.loads((plan.folder / name.replace(" ", "_") / "history.json").read_text())["losses"]
        for name in (WITHOUT, WITH)
    )

    assert set(with_it) - set(without) == {"critic"}
    # The first step sees the same people with the same weights; what is scored comes after two.
    assert all(np.isfinite(each.figures).all() for each in found.arms)


def test_a_trained_arm_is_taken_from_its_folder(found, plan):
    again = vibe.run(vibe.Plan(**{**vars(plan), "claims": ("discriminator",)}), quiet)

    assert [each.figures for each in again.arms] == [each.figures for each in found.arms]
    assert again.kinds == {}


def test_clips_are_spread_evenly():
    clips = tuple(toy_clip(name=str(each), frames=2) for each in range(6))

    assert [each.name for each in vibe.spread(clips, 2)] == ["1", "4"]
    assert vibe.spread(clips, None) == vibe.spread(clips, 6) == clips


def test_time_goes_to_what_it_was_spent_on():
    watch = vibe_speed._Watch()
    said = Landmarks(np.zeros((33, 3)), np.zeros((33, 3)), 1.0, None)

    class Eyes:
        def detect(self, image):
            return []

        def landmarks(self, image, region):
            return said

    eyes = vibe_speed._TimedEyes(Eyes(), watch)

    assert eyes.detect(np.zeros((2, 2, 3))) == []
    assert eyes.landmarks(np.zeros((2, 2, 3)), None) is said
    assert list(vibe_speed._timed(iter("ab"), watch)) == ["a", "b"]
    assert set(watch.clock) == set(watch.processor) == {"detector", "landmarks", "reading"}


def test_what_is_timed_within_a_part_is_taken_from_it():
    found = vibe_speed._apart(
        {"reading": 1.0, "detector": 2.0, "landmarks": 3.0, "following": 10.0,
         "temporal network": 4.0, "bodies and places": 5.0}
    )  # fmt: skip

    assert list(found) == list(PARTS)
    assert (found["following"], found["bodies and places"]) == (4.0, 1.0)


@pytest.fixture
def findings():
    single, temporal = Means(50.0, 60.0, 40.0, 100), Means(40.0, 45.0, 10.0, 100)
    scores = {name: [(1, 80.0), (2, 70.0)] for name in Judged.LABELS}
    return Findings(
        kinds={PER_FRAME: {"all": single}, TEMPORAL: {"all": temporal}},
        windows=[Windowed(1, single), Windowed(4, temporal), Windowed(None, temporal)],
        spells=[
            Spelled(way, 0.1, reader, means, single)
            for way in (LEGS, NOBODY)
            for reader, means in ((PER_FRAME, single), (TEMPORAL, temporal))
        ],
        arms=[Arm(name, (1.0, 2.0, 3.0, 4.0), scores, 60.0) for name in (WITHOUT, WITH)],
        speed=Speed(
            *("film", (640, 480), 30.0, 50, 1),
            seconds=dict.fromkeys(PARTS, 0.5),
            processor_s=dict.fromkeys(PARTS, 0.25),
        ),
    )


def test_the_page_says_what_was_found(findings):
    page = vibe_pages.page(findings)

    assert "| all | 50.0 | 40.0 | 20 % | 60.0 | 45.0 | 25 % | 40.0 | 10.0 | 75 % | 100 |" in page
    assert "| the whole shot | 40.0 | 45.0 | 10.0 | 100 |" in page
    assert f"| {NOBODY} | 0.1 | {TEMPORAL} | 40.0 | 45.0 | 10.0 | 100 | 50.0 |" in page
    assert f"| {WITH} | 1.0 | 2.0 | 3.0 | 4.0 | 60 |" in page
    assert "**16.7 frames a second** by the clock, 33.3 a second" in page
    assert f"| {NETWORK} | 10.00 | 5.00 | 16.7 |" in page


def test_what_was_not_tried_is_not_told():
    assert vibe_pages.page(Findings()).strip() == ""


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="needs matplotlib")
def test_plots_are_drawn_of_what_was_tried(findings, tmp_path):
    paths = vibe_pages.draw(findings, tmp_path)

    assert [each.name for each in paths] == [
        vibe_pages.WINDOWS, vibe_pages.SPELLS, vibe_pages.ARMS
    ]  # fmt: skip
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)
    assert vibe_pages.draw(Findings(), tmp_path) == []
