from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from stripmocap.body.model import Body
from stripmocap.contract.errors import AssetMissing, VideoError
from stripmocap.evaluation import protocol, threedpw
from stripmocap.evaluation.protocol import Yardstick
from stripmocap.evaluation.published import published_scores
from stripmocap.evaluation.threedpw import Sequence3dpw
from stripmocap.methods.hmr.regressor import Regressed
from toy3dpw import FRAMES, NAME, toy_sequence, write_dataset
from toybody import toy_body

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def by() -> Yardstick:
    body = Body.from_template(toy_body())
    regressor = np.random.default_rng(0).uniform(size=(17, len(body.v_template)))
    regressor /= regressor.sum(axis=1, keepdims=True)
    genders = dict.fromkeys(("male", "female", "neutral"), body)
    return Yardstick(genders, torch.tensor(regressor, dtype=torch.float32))


def read(folder: Path, **changes) -> Sequence3dpw:
    path = write_dataset(folder, {**toy_sequence(toy_body()), **changes})
    return threedpw.read_sequence(path, pictures=folder / "imageFiles")


class Knowing:
    """A network that answers the truth: the actors come to it one after the other."""

    def __init__(self, sequence: Sequence3dpw) -> None:
        self.asked: list[torch.Size] = []
        self._actors = iter(sequence.actors)

    def __call__(self, crops: torch.Tensor) -> Regressed:
        self.asked.append(crops.shape)
        actor = next(self._actors)
        valid = actor.valid
        rotmat = np.concatenate([actor.global_orient[:, None], actor.body_pose], axis=1)[valid]
        betas = torch.tensor(actor.betas, dtype=torch.float32).expand(len(rotmat), -1)
        return Regressed(torch.tensor(rotmat).float(), betas, torch.zeros(len(rotmat), 3))


def test_a_network_that_knows_the_truth_has_no_error(tmp_path, by):
    sequence = read(tmp_path)
    network = Knowing(sequence)

    found = list(protocol.compared_sequence(sequence, network, by=by, device=CPU))

    scores = published_scores(found, root="pelvis", borders="kept")
    assert network.asked == [(FRAMES, 3, 224, 224)] * 2
    assert scores.frames == 2 * FRAMES
    assert max(scores.mpjpe_mm, scores.pve_mm, scores.accel_error_mm) < 0.01


def test_the_truth_wears_its_own_gender_and_meshes_are_compared_on_the_neutral_one(tmp_path, by):
    sequence = read(tmp_path)
    taller = Body.from_template(toy_body())
    taller = Body(**{**vars(taller), "v_template": taller.v_template * 1.1})
    other = Yardstick({**by.bodies, "male": taller}, by.J_regressor_h36m)

    man, woman = protocol.compared_sequence(sequence, Knowing(sequence), by=other, device=CPU)

    assert published_scores([man], root="pelvis", borders="kept").mpjpe_mm > 5
    assert published_scores([woman], root="pelvis", borders="kept").mpjpe_mm < 0.01
    assert published_scores([man], root="pelvis", borders="kept").pve_mm < 0.01


def test_frames_that_do_not_count_are_not_looked_at(tmp_path, by):
    valid = np.ones(FRAMES, dtype=int)
    valid[[1, 4]] = 0
    sequence = read(tmp_path, campose_valid=[valid, np.zeros(FRAMES, dtype=int)])

    (only,) = protocol.compared_sequence(sequence, Knowing(sequence), by=by, device=CPU)

    assert len(only.joints) == FRAMES - 2


def test_a_missing_picture_is_named(tmp_path, by):
    sequence = read(tmp_path)
    (tmp_path / "imageFiles" / NAME / "image_00002.jpg").unlink()

    with pytest.raises(VideoError, match="picture 2"):
        list(protocol.compared_sequence(sequence, Knowing(sequence), by=by, device=CPU))


def test_the_box_holds_what_was_seen_and_a_fifth_more():
    keypoints = np.array([[100.0, 50, 0.5], [140, 250, 0.1], [900, 900, 0.0]])

    box = protocol.box_of(keypoints)

    assert box is not None
    np.testing.assert_allclose(box[0], [120, 150])
    assert box[1] == pytest.approx(1.2)


@pytest.mark.parametrize("scores", [[0.0, 0.0], [0.9, 0.0]])
def test_without_an_extent_there_is_no_box(scores):
    keypoints = np.array([[100.0, 50, scores[0]], [140, 250, scores[1]]])

    assert protocol.box_of(keypoints) is None


def test_what_has_to_be_brought_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("STRIPMOCAP_CACHE", str(tmp_path))

    with pytest.raises(AssetMissing, match="J_regressor_h36m"):
        protocol.yardstick()
    with pytest.raises(AssetMissing, match="model_checkpoint"):
        protocol.spin_network(CPU)
