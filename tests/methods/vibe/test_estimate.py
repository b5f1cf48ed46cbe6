from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from fitscenes import CAMERA, walk
from stripmocap.contract.errors import AssetCorrupt, AssetMissing, Cancelled
from stripmocap.contract.methods import VibeOptions
from stripmocap.methods.toolbox import Tools
from stripmocap.methods.vibe import chunks, estimate
from stripmocap.methods.vibe.keypoint_network import Sizes, TemporalNetwork
from stripmocap.methods.vibe.keypoint_weights import save_temporal_network
from stripmocap.people.observations import Person
from toybody import toy_body


def untrained(seed: int = 0) -> TemporalNetwork:
    torch.manual_seed(seed)
    network = TemporalNetwork(Sizes(features=32, blocks=1, memory=24)).eval()
    torch.nn.init.normal_(network.states.weight, std=0.3)
    return network


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "vibe.safetensors"
    save_temporal_network(untrained(), path, metadata={})
    return path


def run(path, people, report=lambda *_: None, options=VibeOptions(), device="cpu"):  # noqa: B008
    tools = Tools(toy_body(), torch.device(device), network=path)
    return estimate.load(tools, options)(people, CAMERA, report)


def changed(person: Person, **changes) -> Person:
    return replace(person, **changes)


def unseen(person: Person, frames: slice) -> Person:
    """The person, whom nobody sees in some frames."""
    keypoints, presence = person.keypoints.copy(), person.presence.copy()
    keypoints[frames, :, 2], presence[frames] = 0.0, 0.0
    return changed(person, keypoints=keypoints, presence=presence)


@pytest.mark.parametrize("fps", [12, 24, 30, 60, 120])
def test_everybody_gets_a_motion_of_their_own_times(weights, fps):
    people = [
        walk(toy_body(), frames=fps, fps=fps).person,
        walk(toy_body(), frames=20, fps=fps, start_s=0.3, person=1).person,
    ]

    found = run(weights, people)

    for person, motion in zip(people, found.motions, strict=True):
        np.testing.assert_array_equal(motion.times_s, person.times_s)
        assert motion.person == person.person
        assert motion.transl[:, 2].min() > 0


def test_the_same_movement_is_posed_alike_at_any_rate(weights):
    poses = {}
    for fps in (15, 30, 60, 120):
        motion = run(weights, [walk(toy_body(), frames=2 * fps + 1, fps=fps).person]).motions[0]
        poses[fps] = motion.body_pose[:: fps // 15]

    # What is read between frames is cut a little short where limbs turn back.
    for fps in (15, 60, 120):
        assert np.abs(poses[fps] - poses[30])[2:-2].max() < 0.03


def test_a_frame_is_posed_by_what_is_before_it_and_after_it(weights):
    person = walk(toy_body(), frames=30).person
    expected = run(weights, [person]).motions[0].body_pose[15]

    for frame in (10, 20):
        keypoints = person.keypoints.copy()
        keypoints[frame, :, :2] += 40 * np.random.default_rng(0).normal(size=(33, 2))
        found = run(weights, [changed(person, keypoints=keypoints)]).motions[0].body_pose[15]

        assert np.abs(found - expected).max() > 1e-5


def test_where_nobody_is_seen_there_is_a_motion_and_little_confidence(weights):
    person = unseen(walk(toy_body(), frames=60).person, slice(20, 40))

    motion = run(weights, [person]).motions[0]

    assert (motion.confidence[20:40] > 0).all()
    assert motion.confidence[20:40].max() < 0.2
    assert (np.diff(motion.confidence[20:30]) < 0).all()  # the less, the longer it lasts
    np.testing.assert_allclose(motion.confidence[20:30], motion.confidence[39:29:-1], rtol=1e-4)
    speed = np.linalg.norm(np.diff(motion.transl, axis=0), axis=1)
    assert speed.max() < 0.2
    assert np.isfinite(motion.body_pose).all()
    # Not what lies between its ends: the network was asked.
    line = np.linspace(motion.body_pose[19], motion.body_pose[40], 22)[1:-1]
    assert np.abs(motion.body_pose[20:40] - line).max() > 1e-4


def test_who_is_never_seen_well_has_a_motion_all_the_same(weights):
    person = unseen(walk(toy_body(), frames=10).person, slice(None))

    motion = run(weights, [person]).motions[0]

    assert np.isfinite(motion.transl).all()
    assert np.isfinite(motion.body_pose).all()
    assert (motion.confidence <= 0.2).all()


def test_a_single_frame_is_enough(weights):
    assert len(run(weights, [walk(toy_body(), frames=1).person]).motions[0].times_s) == 1


def test_a_long_shot_is_read_in_pieces_that_nobody_sees(weights, monkeypatch):
    person = walk(toy_body(), frames=200, noise_px=2.0).person
    expected = run(weights, [person]).motions[0]
    pieces = chunks.read
    monkeypatch.setattr(chunks, "read", lambda *given: pieces(*given, frames=33))

    found = run(weights, [person]).motions[0]

    np.testing.assert_allclose(found.body_pose, expected.body_pose, atol=1e-4)
    np.testing.assert_allclose(found.transl, expected.transl, atol=1e-3)


def test_smoothing_takes_tremble_away(weights):
    person = walk(toy_body(), frames=60, noise_px=8.0).person

    plain, smooth = (
        run(weights, [person], options=VibeOptions(smooth=amount)).motions[0].body_pose
        for amount in (0.0, 3.0)
    )

    tremble = [np.abs(np.diff(each, n=2, axis=0)).mean() for each in (plain, smooth)]
    assert tremble[1] < 0.8 * tremble[0]


def test_progress_is_told_in_frames_and_may_stop_the_work(weights):
    people = [walk(toy_body(), frames=6).person, walk(toy_body(), frames=4, person=1).person]
    told = []

    run(weights, people, lambda *now: told.append(now))

    assert told == [("time", 0, 10), ("time", 6, 10), ("time", 10, 10)]

    def stop(*_):
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        run(weights, people, stop)


def test_weights_that_are_not_there_are_missed(tmp_path):
    with pytest.raises(AssetMissing):
        run(tmp_path / "none.safetensors", [])


def test_weights_that_give_no_numbers_are_refused(tmp_path):
    network, path = untrained(), tmp_path / "vibe.safetensors"
    with torch.no_grad():
        for each in network.parameters():
            each.fill_(6e4)  # the most that half precision holds
    save_temporal_network(network, path, metadata={})

    with pytest.raises(AssetCorrupt, match="no numbers"):
        run(path, [walk(toy_body(), frames=3).person])


@pytest.mark.gpu
def test_a_graphics_card_says_the_same(weights):
    if not torch.cuda.is_available():
        pytest.skip("no accelerator here")
    person = walk(toy_body(), frames=20).person

    found = run(weights, [person], device="cuda")

    expected = run(weights, [person])
    np.testing.assert_allclose(found.motions[0].body_pose, expected.motions[0].body_pose, atol=1e-3)
