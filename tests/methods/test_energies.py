import pytest
import torch
from stripmocap.methods.smplify import energies
from torch.testing import assert_close

CENTER = torch.tensor([100.0, 100.0])


@pytest.mark.parametrize(("error", "cost"), [(0.0, 0.0), (100.0, 5000.0), (1e6, 10_000.0)])
def test_robust_error_is_square_near_zero_and_bounded_far_away(error, cost):
    assert_close(energies.geman_mcclure(torch.tensor(error)), torch.tensor(cost))


def test_unseen_keypoints_cost_nothing():
    points = torch.rand(2, 5, 3) + 1
    keypoints = torch.full((2, 5, 2), 1000.0)
    confidence = torch.tensor([0.0, 1, 0, 0.5, 0])

    cost = energies.reprojection(
        points, keypoints, confidence=confidence.expand(2, 5), focal=500, center=CENTER
    )

    assert ((cost > 0) == (confidence > 0)).all()


@pytest.mark.parametrize(
    ("entry", "natural"), [(52, -1.0), (55, 1.0), (9, 1.0), (12, 1.0)], ids=str
)
def test_bending_the_wrong_way_costs_more_than_the_right_way(entry, natural):
    pose = torch.zeros(2, 69)
    pose[0, entry], pose[1, entry] = natural, -natural

    right, wrong = energies.bending(pose).sum(dim=-1)

    assert right < 4 < wrong


def test_torso_is_that_of_the_training_sets_where_openpose_missed_a_hip():
    points = torch.zeros(2, 49, 3)
    points[..., 2] = 1
    keypoints = CENTER.repeat(2, 49, 1)
    keypoints[:, 9] += torch.tensor([3.0, 4])
    keypoints[:, 27] += torch.tensor([6.0, 8])
    confidence = torch.ones(2, 49)
    confidence[1, 9] = 0

    cost = energies.torso_reprojection(
        points, keypoints, confidence=confidence, focal=500, center=CENTER.expand(2, 2)
    )

    assert_close(cost, torch.tensor([25.0, 100]))
