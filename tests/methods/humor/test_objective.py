from dataclasses import replace

import pytest
import torch
from humorscenes import drifting, exact_problem, nudged, toy_figure, toy_priors
from stripmocap.methods.humor.objective import (
    DEMO,
    Overlaps,
    Piece,
    Weights,
    placing,
    posing,
    weighed,
)


@pytest.fixture(scope="module")
def priors():
    return toy_priors()


@pytest.fixture(scope="module")
def truth(priors):
    return drifting(priors, motions=2)


@pytest.fixture(scope="module")
def problem(truth, priors):
    return exact_problem(truth, figure=toy_figure(), priors=priors)


def shared_points(problem, frames):
    points = frames.points(problem.figure, problem.priors.pose)
    return points.index_select(-2, problem.figure.shared)


def test_bodies_where_they_were_seen_cost_nothing_to_place(problem, truth):
    assert float(placing(problem, truth)["keypoints"]) == pytest.approx(0, abs=1e-12)
    assert float(placing(problem, nudged(truth, by=0.05))["keypoints"]) > 1


def test_keypoints_that_were_not_seen_do_not_count(problem, truth):
    observed = problem.observed
    confidence = observed.confidence.clone()
    confidence[:, :, 0] = 0
    pixels = observed.keypoints.clone()
    pixels[:, :, 0] += 500
    blind = replace(problem, observed=replace(observed, keypoints=pixels, confidence=confidence))

    assert float(placing(blind, truth)["keypoints"]) == pytest.approx(0, abs=1e-12)


def test_a_camera_that_moves_sees_the_same_from_where_it_is(problem, truth):
    count, frames = truth.transl.shape[:2]
    ahead = torch.eye(4, dtype=torch.float64).repeat(count, frames, 1, 1)
    ahead[..., 2, 3] = 1.0
    moving = replace(problem, observed=replace(problem.observed, moved=ahead))
    nearer = replace(truth, transl=truth.transl - torch.tensor([0.0, 0, 1]).double())

    assert float(placing(moving, nearer)["keypoints"]) == pytest.approx(0, abs=1e-12)


def test_pose_and_shape_of_mean_cost_nothing(problem, truth):
    plain = replace(
        truth,
        pose_latents=torch.zeros_like(truth.pose_latents),
        betas=torch.zeros_like(truth.betas),
    )

    found = posing(problem, plain)

    assert float(found["pose"]) == float(found["shape"]) == 0
    assert float(found["smooth"]) > 0


def test_pieces_of_one_motion_do_not_part(problem, priors):
    whole = drifting(priors, frames=12)
    points = shared_points(problem, whole)[0]
    pieces = torch.stack([points[:6], points[2:8], points[5:11]])

    apart = Overlaps([4, 3]).energies(pieces)
    torn = Overlaps([4, 2]).energies(pieces)

    assert float(apart["overlap_places"]) == float(apart["overlap_speeds"]) == 0
    assert float(torn["overlap_places"]) > 0


def test_the_first_of_a_batch_goes_on_from_the_last_of_the_one_before(problem, truth):
    points = shared_points(problem, truth)
    before = Piece(points[0], truth.betas[0], problem.observed.floor[0])

    found = Overlaps([3], before).energies(points[1:])
    constants = Overlaps([3], before).constants(truth.betas[1:], problem.observed.floor[1:])

    together = Overlaps([3]).energies(points)
    assert float(found["overlap_places"]) == pytest.approx(float(together["overlap_places"]))
    assert float(found["overlap_speeds"]) == pytest.approx(float(together["overlap_speeds"]))
    expected = (truth.betas[0] - truth.betas[1]).square().sum() / 2
    assert float(constants["overlap_shapes"]) == pytest.approx(float(expected))
    assert float(constants["overlap_floors"]) == 0


def test_speeds_part_only_within_an_overlap(problem, truth):
    points = shared_points(problem, truth).repeat(2, 1, 1, 1)
    shifted = points.clone()
    shifted[1:] += 0.1

    found = Overlaps([8, 8, 8]).energies(torch.stack([points[0], shifted[0] + 1, *points[:2]]))

    assert float(found["overlap_places"]) > 0
    pairs = [(points[0], points[0]), (points[0], points[0]), (points[0], points[1])]
    expected = sum(float((a - b).diff(dim=0).square().sum()) / 2 for a, b in pairs)
    assert float(found["overlap_speeds"]) == pytest.approx(expected)


def test_energies_count_by_their_weights():
    one = torch.tensor(1.0)

    total = weighed({"keypoints": one, "overlap_places": one, "overlap_shapes": one}, DEMO)

    assert float(total) == pytest.approx(400.001)
    assert float(weighed({"pose": one}, Weights(pose=3.0))) == 3
