from dataclasses import replace

import pytest
import torch
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.training.vibe_losses import Known, Made, Weights, joint_loss, supervised
from torch.testing import assert_close

FRAMES = 6
ALL = torch.ones(FRAMES, dtype=torch.bool)
NONE = ~ALL


def made(*, seed=0):
    generator = torch.Generator().manual_seed(seed)

    def numbers(*shape):
        return torch.randn(FRAMES, *shape, generator=generator)

    return Made(aa_to_matrix(numbers(24, 3)), numbers(10), numbers(49, 3), numbers(49, 2))


def told(said, *, has_joints=ALL, has_body=ALL):
    keypoints = torch.cat([said.keypoints, torch.ones(FRAMES, 49, 1)], dim=-1)
    return Known(keypoints, said.joints, has_joints, said.rotmat, said.betas, has_body)


def test_the_truth_costs_nothing():
    said = made()

    terms = supervised(said, told(said), weights=Weights())

    assert_close(torch.stack(list(terms.values())), torch.zeros(4))


def test_every_term_counts_as_much_as_its_weight():
    said, truth = made(seed=0), told(made(seed=1))

    single = supervised(said, truth, weights=Weights(1, 1, 1, 1))
    weighed = supervised(said, truth, weights=Weights(2, 3, 4, 5))

    assert set(single) == {"keypoints", "joints", "rotmat", "betas"}
    for name, factor in zip(single, (2, 3, 4, 5), strict=True):
        assert_close(weighed[name], factor * single[name])


def test_where_a_body_stands_does_not_count():
    said = made()

    moved = joint_loss(said.joints + torch.tensor([1.0, 2.0, 3.0]), said.joints, has=ALL)

    assert_close(moved, torch.zeros(()), atol=1e-8, rtol=0)


@pytest.mark.parametrize("joint", [0, 24, 39, 48])
def test_only_the_joints_of_lsp_are_compared_in_space(joint):
    said = made()
    other = said.joints.clone()
    other[:, joint] += 1.0

    assert joint_loss(other, said.joints, has=ALL) == 0


def test_what_nobody_knows_costs_nothing_whatever_stands_there():
    said = made()
    nonsense = replace(
        told(made(seed=1), has_joints=NONE, has_body=NONE),
        joints=torch.full_like(said.joints, torch.nan),
    )

    terms = supervised(said, nonsense, weights=Weights())

    assert [float(terms[name]) for name in ("joints", "rotmat", "betas")] == [0, 0, 0]
    assert terms["keypoints"] > 0


def test_unknown_frames_do_not_thin_out_the_others():
    said, truth = made(seed=0), told(made(seed=1))
    two = torch.tensor([True, True, False, False, False, False])
    known = supervised(said, replace(truth, has_body=two, has_joints=two), weights=Weights())

    alone = supervised(
        Made(said.rotmat[:2], said.betas[:2], said.joints[:2], said.keypoints[:2]),
        Known(
            *(truth.keypoints[:2], truth.joints[:2], ALL[:2]),
            *(truth.rotmat[:2], truth.betas[:2], ALL[:2]),
        ),
        weights=Weights(),
    )

    for name in ("joints", "rotmat", "betas"):
        assert_close(known[name], alone[name])
