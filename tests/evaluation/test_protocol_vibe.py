from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from stripmocap import cli
from stripmocap.body.model import Body
from stripmocap.contract.errors import AssetMissing
from stripmocap.evaluation import protocol_vibe, threedpw
from stripmocap.evaluation.protocol import Yardstick
from stripmocap.evaluation.published import published_scores
from stripmocap.methods.hmr.regressor import Regressed
from stripmocap.methods.vibe.pixels import PixelVibe
from toy3dpw import FRAMES, toy_sequence, write_dataset
from toybody import toy_body

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def by() -> Yardstick:
    body = Body.from_template(toy_body())
    regressor = np.random.default_rng(0).uniform(size=(17, len(body.v_template)))
    regressor /= regressor.sum(axis=1, keepdims=True)
    genders = dict.fromkeys(("male", "female", "neutral"), body)
    return Yardstick(genders, torch.tensor(regressor, dtype=torch.float32))


@pytest.fixture
def sequence(tmp_path):
    path = write_dataset(tmp_path, toy_sequence(toy_body()))
    return threedpw.read_sequence(path, pictures=tmp_path / "imageFiles")


class Knowing:
    """A generator that answers the truth: the actors come to it one after the other."""

    def __init__(self, sequence) -> None:
        self.asked: list[torch.Size] = []
        self._actors = iter(sequence.actors)

    def __call__(self, features, state=None):
        self.asked.append(features.shape)
        actor, count = next(self._actors), features.shape[0] * features.shape[1]
        rotmat = np.concatenate([actor.global_orient[:, None], actor.body_pose], axis=1)
        betas = torch.tensor(actor.betas, dtype=torch.float32).expand(count, -1)
        rotmat = torch.tensor(rotmat[actor.valid][:count]).float()
        return Regressed(rotmat, betas, torch.zeros(count, 3)), None


def knowing(sequence) -> PixelVibe:
    return PixelVibe(lambda crops: crops.new_zeros(len(crops), 8), Knowing(sequence), CPU)  # pyright: ignore


@pytest.mark.parametrize(("window", "pieces"), [(3, 2), (4, 1)])
def test_whole_pieces_are_looked_at_together_and_a_rest_is_left_out(
    sequence, by, monkeypatch, window, pieces
):
    monkeypatch.setattr(protocol_vibe, "WINDOW", window)
    networks = knowing(sequence)

    found = list(protocol_vibe.compared_sequence(sequence, networks, by=by))

    scores = published_scores(found, root="hips", borders="crossed")
    assert networks.generator.asked == [(pieces, window, 8)] * 2
    assert scores.frames == 2 * pieces * window
    assert max(scores.mpjpe_mm, scores.pve_mm) < 0.01


def test_an_actor_without_a_whole_piece_is_left_out(sequence, by):
    assert list(protocol_vibe.compared_sequence(sequence, knowing(sequence), by=by)) == []


def test_frames_that_do_not_count_are_left_out_before_pieces_are_cut(sequence, by, monkeypatch):
    monkeypatch.setattr(protocol_vibe, "WINDOW", 2)
    valid = np.ones(FRAMES, dtype=bool)
    valid[[1, 4]] = False
    one, other = sequence.actors
    unseen = np.zeros_like(other.keypoints)
    sequence = replace(
        sequence, actors=(replace(one, valid=valid), replace(other, keypoints=unseen))
    )

    (only,) = protocol_vibe.compared_sequence(sequence, knowing(sequence), by=by)

    assert len(only.joints) == FRAMES - 2
    np.testing.assert_allclose(only.joints, only.truth, atol=1e-5)


def test_a_box_reaches_from_corner_to_corner_and_a_tenth_further(sequence):
    keypoints = np.zeros((FRAMES, 18, 3))
    keypoints[:, :2] = [[10, 20, 0.9], [40, 60, 0.9]]

    boxes = protocol_vibe._boxes(replace(sequence.actors[0], keypoints=keypoints))

    assert sorted(boxes) == list(range(FRAMES))
    np.testing.assert_allclose(boxes[3], [25, 40, 1.1 * 50], rtol=1e-6)


def test_windows_of_sequences_do_not_reach_into_the_next():
    found = protocol_vibe.windows([5, 1, 4], length=2)

    assert found.tolist() == [[0, 1], [2, 3], [6, 7], [8, 9]]
    assert len(protocol_vibe.windows([1], length=2)) == 0


def test_what_has_to_be_brought_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("STRIPMOCAP_CACHE", str(tmp_path))

    with pytest.raises(AssetMissing, match="vibe_model_wo_3dpw"):
        protocol_vibe.vibe_networks(CPU)


def test_whose_protocol_it_is_may_be_chosen_on_the_command_line():
    def asked(*more):
        return cli.parser.make().parse_args(["evaluate", "folder", *more]).published

    assert asked() is None
    assert asked("--published") == "spin"
    assert asked("--published", "vibe") == "vibe"
