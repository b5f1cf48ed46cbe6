from __future__ import annotations

import numpy as np
import pytest
import torch
from fitscenes import CAMERA, walk
from stripmocap.contract.errors import AssetCorrupt, AssetMissing, Cancelled
from stripmocap.contract.methods import SpinOptions
from stripmocap.methods.hmr import estimate
from stripmocap.methods.hmr.keypoint_network import KeypointNetwork
from stripmocap.methods.hmr.weights import save_keypoint_network
from stripmocap.methods.toolbox import Tools
from stripmocap.people.observations import Person
from toybody import toy_body


def untrained(seed: int = 0) -> KeypointNetwork:
    torch.manual_seed(seed)
    network = KeypointNetwork(32, blocks=1, hidden=32)
    torch.nn.init.normal_(network.regressor.decpose.weight, std=0.05)
    return network.eval()


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "spin.safetensors"
    save_keypoint_network(untrained(), path, metadata={})
    return path


def run(path, people, report=lambda *_: None):
    tools = Tools(toy_body(), torch.device("cpu"), network=path)
    return estimate.load(tools, SpinOptions())(people, CAMERA, report)


def test_everybody_gets_a_motion_of_their_own_times(weights):
    people = [
        walk(toy_body(), frames=8).person,
        walk(toy_body(), frames=5, start_s=0.3, person=1).person,
    ]

    found = run(weights, people)

    for person, motion in zip(people, found.motions, strict=True):
        np.testing.assert_array_equal(motion.times_s, person.times_s)
        assert motion.person == person.person
        assert motion.transl[:, 2].min() > 0


def test_a_frame_is_posed_the_same_whatever_is_around_it(weights):
    person = walk(toy_body(), frames=8, noise_px=3.0).person
    backwards = Person(
        person=0,
        times_s=person.times_s,
        boxes=person.boxes[::-1],
        keypoints=person.keypoints[::-1],
        landmarks3d=person.landmarks3d[::-1],
        presence=person.presence,
    )

    one, other = (run(weights, [each]).motions[0] for each in (person, backwards))

    np.testing.assert_allclose(one.body_pose, other.body_pose[::-1], atol=1e-4)


def test_progress_is_told_in_frames_and_may_stop_the_work(weights):
    people = [walk(toy_body(), frames=6).person, walk(toy_body(), frames=4, person=1).person]
    told = []

    run(weights, people, lambda *now: told.append(now))

    assert told == [("frame", 0, 10), ("frame", 6, 10), ("frame", 10, 10)]

    def stop(*_):
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        run(weights, people, stop)


def test_weights_that_are_not_there_are_missed(tmp_path):
    with pytest.raises(AssetMissing):
        run(tmp_path / "none.safetensors", [])


def test_weights_that_give_no_numbers_are_refused(tmp_path):
    network, path = untrained(), tmp_path / "spin.safetensors"
    with torch.no_grad():
        for each in network.parameters():
            each.fill_(6e4)  # the most that half precision holds
    save_keypoint_network(network, path, metadata={})

    with pytest.raises(AssetCorrupt, match="no numbers"):
        run(path, [walk(toy_body(), frames=3).person])


@pytest.mark.gpu
def test_a_graphics_card_says_the_same(weights):
    if not torch.cuda.is_available():
        pytest.skip("no accelerator here")
    person = walk(toy_body(), frames=8).person
    tools = Tools(toy_body(), torch.device("cuda"), network=weights)

    found = estimate.load(tools, SpinOptions())([person], CAMERA, lambda *_: None)

    expected = run(weights, [person])
    np.testing.assert_allclose(found.motions[0].body_pose, expected.motions[0].body_pose, atol=1e-3)
