from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from stripmocap.contract.skeleton import BLAZEPOSE_NAMES
from stripmocap.training.shots import shot_of
from stripmocap.training.standing import FLAT_M, on_the_floor, standing
from stripmocap.training.synthetic import embedded_body
from toyclips import toy_clip

UPRIGHT = np.array([np.pi / 2, 0, 0])  # the rest body's y becomes the world's z


@pytest.fixture(scope="module")
def body():
    return embedded_body()


@pytest.fixture(scope="module")
def clip():
    """Somebody who goes along x at rest in a T, a metre up in the air."""
    frames = 20
    way = np.column_stack([np.linspace(0, 2, frames), np.zeros(frames), np.full(frames, 2.0)])
    return replace(
        toy_clip(frames=frames),
        body_pose=np.zeros((frames, 23, 3)),
        global_orient=np.tile(UPRIGHT, (frames, 1)),
        pelvis=way,
    )


def lowest_sole(clip, body, betas):
    rotmat = torch.eye(3).repeat(len(clip.pelvis), 24, 1, 1)
    rotmat[:, 0] = torch.tensor([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])
    joints, landmarks = body.stand(rotmat, betas=betas.expand(len(rotmat), -1))
    soles = [
        landmarks[:, BLAZEPOSE_NAMES.index(f"{side}_{name}"), 2] - flat
        for name, flat in FLAT_M.items()
        for side in ("left", "right")
    ]
    return torch.stack(soles).amin(dim=0) - joints[:, 0, 2] + torch.tensor(clip.pelvis[:, 2])


@pytest.mark.parametrize("size", [-2.0, 0.0, 2.0])
def test_whoever_plays_a_clip_stands_on_the_floor(body, clip, size):
    betas = torch.zeros(10)
    betas[0] = size

    stood = on_the_floor(clip, body, betas=betas)

    assert lowest_sole(stood, body, betas).abs().max() < 1e-4


def test_longer_legs_take_longer_strides(body, clip):
    def way_m(size):
        betas = torch.zeros(10)
        betas[0] = size
        return np.ptp(on_the_floor(clip, body, betas=betas).pelvis[:, 0])

    shorter, longer = sorted([way_m(-2.0), way_m(2.0)])
    assert shorter < way_m(0.0) < longer


def test_the_shot_draws_the_person_that_the_clip_was_made_for(body, clip):
    shot = shot_of(standing(clip, body, seed=3), body, seed=3)

    expected = on_the_floor(clip, body, betas=shot.samples.betas[0])
    np.testing.assert_allclose(standing(clip, body, seed=3).pelvis, expected.pelvis, atol=1e-6)
