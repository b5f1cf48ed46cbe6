import math
from dataclasses import replace

import pytest
import torch
from stripmocap.experiments import vibe_shots
from stripmocap.experiments.vibe_shots import Errors, means
from stripmocap.methods.hmr.frames import PerFrame
from stripmocap.methods.hmr.keypoint_network import KeypointNetwork
from stripmocap.methods.vibe.keypoint_network import Sizes, TemporalNetwork
from stripmocap.training.shots import shot_of
from stripmocap.training.synthetic import embedded_body
from toyclips import toy_clip


@pytest.fixture(scope="module")
def body():
    return embedded_body()


@pytest.fixture(scope="module")
def shot(body):
    return shot_of(toy_clip(frames=45), body, seed=0)


def truth_of(shot):
    samples = shot.samples
    return PerFrame(samples.rotmat, samples.betas, torch.ones(len(samples), dtype=torch.bool))


def test_who_says_the_truth_has_no_errors(shot, body):
    found = vibe_shots.errors_of(lambda person, camera: truth_of(shot), shot, body=body)

    assert max(found.pa_mm.max(), found.mpjpe_mm.max(), found.accel[1:-1].max()) < 0.1
    assert found.accel[[0, -1]].isnan().all()


def test_a_turned_body_is_forgiven_by_pa_alone(shot, body):
    turn = torch.diag(torch.tensor([-1.0, 1.0, -1.0]))
    rotmat = shot.samples.rotmat.clone()
    rotmat[:, 0] = turn @ rotmat[:, 0]

    found = vibe_shots.errors(rotmat, shot.samples.betas, shot.samples, body=body, kind=shot.kind)

    assert found.pa_mm.max() < 0.1
    assert found.mpjpe_mm.mean() > 100


def test_means_take_the_frames_that_count():
    pa_mm = torch.tensor([1.0, 2.0, 6.0])
    found = Errors("walk", pa_mm, 2 * pa_mm, torch.tensor([math.nan, 5.0, math.nan]))

    row = means([found, found], where=[torch.tensor([True, True, False])] * 2)

    assert (row.pa_mm, row.mpjpe_mm, row.accel, row.frames) == (1.5, 3.0, 5.0, 4)


def test_kinds_are_told_apart_and_the_commonest_comes_first():
    def errors(kind, value, frames):
        return Errors(kind, torch.full((frames,), value), torch.zeros(frames), torch.zeros(frames))

    rows = vibe_shots.by_kind([errors("run", 4.0, 1), errors("walk", 1.0, 2)])

    assert list(rows) == ["all", "walk", "run"]
    assert [row.pa_mm for row in rows.values()] == [2.0, 1.0, 4.0]


def test_frames_alone_are_read_as_captures_read_them(shot, body):
    read = vibe_shots.per_frame(KeypointNetwork(16, hidden=8).eval())
    person = shot.person()
    keypoints = person.keypoints.copy()
    keypoints[10:15, :, 2] = 0

    found = read(replace(person, keypoints=keypoints), vibe_shots.camera_of(shot))

    assert found.rotmat.shape == (45, 24, 3, 3)
    assert not found.seen[10:15].any()
    turns = found.rotmat[9:15] @ found.rotmat[10:16].mT  # five equal steps over the gap, and one
    torch.testing.assert_close(turns[0], turns[4], rtol=0, atol=1e-4)


def test_all_frames_are_read_together(shot):
    torch.manual_seed(0)
    network = TemporalNetwork(Sizes(features=16, blocks=1, memory=12)).eval()
    read, person = vibe_shots.over_time(network), shot.person()
    keypoints = person.keypoints.copy()
    keypoints[20, :, 0] += 30

    one, other = (
        read(each, vibe_shots.camera_of(shot))
        for each in (person, replace(person, keypoints=keypoints))
    )

    changed = (one.rotmat - other.rotmat).abs().amax(dim=(1, 2, 3)) > 0
    assert changed[15:25].all()
