import numpy as np
import pytest
import torch
from stripmocap.methods.hmr.regressor import Regressed
from stripmocap.training.held_out import HeldOut, judged
from stripmocap.training.mocap import Clip
from stripmocap.training.synthetic import embedded_body
from torch.testing import assert_close


def clip(name, kind, frames):
    pose = 0.2 * np.random.default_rng(0).standard_normal((frames, 23, 3))
    upright = np.tile([np.pi / 2, 0.0, 0.0], (frames, 1))
    return Clip(name, kind, pose, True, upright, np.zeros((frames, 3)))


@pytest.fixture(scope="module")
def body():
    return embedded_body()


@pytest.fixture(scope="module")
def held_out(body):
    return HeldOut.of((clip("a", "walk", 30), clip("b", "jump", 12), clip("c", "walk", 6)), body)


def test_every_third_frame_of_every_clip_is_there_with_its_kind(held_out):
    assert len(held_out.samples) == 10 + 4 + 2
    assert held_out.kinds == ("walk",) * 10 + ("jump",) * 4 + ("walk",) * 2


def test_the_same_clips_are_always_seen_alike(held_out, body):
    again = HeldOut.of((clip("a", "walk", 30),), body)

    assert_close(again.samples.keypoints, held_out.samples.keypoints[:10], atol=0, rtol=0)


def test_kinds_are_judged_apart_and_together(held_out, body):
    samples = held_out.samples
    jump = torch.tensor([kind == "jump" for kind in held_out.kinds])
    still = torch.eye(3).expand(24, 3, 3)
    said = torch.where(jump[:, None, None, None], still, samples.rotmat)

    rows = judged(
        lambda view: Regressed(said, samples.betas, torch.ones(16, 3)), held_out, body=body
    )

    assert [(row.kind, row.frames) for row in rows] == [("all", 16), ("walk", 12), ("jump", 4)]
    every, walk, wrong = rows
    assert walk.pa_mpjpe_mm < 0.05
    assert wrong.pa_mpjpe_mm > 20
    assert every.mpjpe_mm == pytest.approx((12 * walk.mpjpe_mm + 4 * wrong.mpjpe_mm) / 16, rel=1e-4)
