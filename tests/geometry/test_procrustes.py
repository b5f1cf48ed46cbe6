import pytest
import torch
from stripmocap.geometry import procrustes
from stripmocap.geometry.rotations import aa_to_matrix
from torch.testing import assert_close


@pytest.fixture
def points():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(5, 12, 3, generator=generator, dtype=torch.float64)


@pytest.fixture
def moved(points):
    turn = aa_to_matrix(torch.linspace(-3, 3, 15, dtype=torch.float64).reshape(5, 3))
    return 1.7 * points @ turn.mT + torch.tensor([1.0, -2, 3], dtype=torch.float64)


def test_a_similarity_is_undone(points, moved):
    assert_close(procrustes.aligned(points, moved), moved, atol=1e-6, rtol=0)


def test_scale_is_found(points, moved):
    scale = procrustes.similarity(points, moved).scale

    assert_close(scale, torch.full((5,), 1.7, dtype=torch.float64), atol=1e-6, rtol=0)


def test_a_mirror_image_is_not_matched_by_mirroring(points):
    mirrored = points * torch.tensor([-1.0, 1, 1], dtype=torch.float64)

    found = procrustes.similarity(points, mirrored)

    assert_close(torch.linalg.det(found.rotation), torch.ones(5, dtype=torch.float64))


def test_alignment_is_a_least_square(points):
    target = points.roll(1, dims=0)
    best = (procrustes.aligned(points, target) - target).square().sum()
    found = procrustes.similarity(points, target)

    for nudge in (
        found._replace(scale=found.scale * 1.01),
        found._replace(translation=found.translation + 0.01),
        found._replace(
            rotation=found.rotation @ aa_to_matrix(torch.full((3,), 0.01, dtype=torch.float64))
        ),
    ):
        assert (nudge.apply(points) - target).square().sum() > best


def test_points_without_weight_have_no_say(points, moved):
    spoilt = moved.clone()
    spoilt[:, 0] += 5
    weights = torch.ones(5, 12, dtype=torch.float64)
    weights[:, 0] = 0

    found = procrustes.similarity(points, spoilt, weights=weights)

    assert_close(found.apply(points), moved, atol=1e-6, rtol=0)
