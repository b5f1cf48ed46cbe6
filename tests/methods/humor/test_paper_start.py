from dataclasses import replace

import pytest
import torch
from humorscenes import drifting, exact_problem, toy_figure, toy_priors
from stripmocap.methods.humor import motion_objective
from stripmocap.methods.humor.canonical import Placement, pivot_of, turn_of
from stripmocap.methods.humor.paper_start import (
    begin,
    depth,
    in_prior_frame,
    read_in_turn,
    resting,
)
from stripmocap.methods.humor.state import State

BONES = ((0, 1), (1, 3), (3, 4), (2, 3))


@pytest.fixture(scope="module")
def priors():
    return toy_priors()


@pytest.fixture(scope="module")
def rest(priors):
    frames = drifting(priors, frames=6)
    nothing = torch.zeros_like
    half_turn = torch.tensor([torch.pi, 0.0, 0.0], dtype=torch.float64)
    return replace(
        frames,
        transl=torch.tensor([0.0, 0.0, 30.0], dtype=torch.float64).expand(1, 6, 3),
        global_orient=half_turn.expand(1, 6, 3),
        pose_latents=nothing(frames.pose_latents),
        betas=nothing(frames.betas),
    )


@pytest.fixture(scope="module")
def problem(rest, priors):
    return exact_problem(rest, figure=toy_figure(), priors=priors)


def test_a_body_that_looks_twice_as_large_is_half_as_far_away(problem):
    far = float(depth(problem, BONES))
    observed = replace(problem.observed, keypoints=2 * problem.observed.keypoints)

    near = float(depth(replace(problem, observed=observed), BONES))

    assert near == pytest.approx(far / 2)
    # Bones that point at the camera look short: it can only be judged to be further away.
    assert 29 < far < 40


def test_the_frame_with_most_keypoints_says_how_far_away_a_body_is(problem):
    confidence = problem.observed.confidence.clone()
    confidence[0, :, 0] = 0
    confidence[0, 4, 0] = 1
    keypoints = problem.observed.keypoints.clone()
    keypoints[0, :4] *= 3
    observed = replace(problem.observed, keypoints=keypoints, confidence=confidence)

    found = depth(replace(problem, observed=observed), BONES)

    torch.testing.assert_close(found, depth(problem, BONES))


def test_bones_that_were_not_seen_push_a_body_away(problem):
    confidence = problem.observed.confidence.clone()
    confidence[..., 0] = 0
    observed = replace(problem.observed, confidence=confidence)

    assert float(depth(replace(problem, observed=observed), BONES)) > 1.05 * float(
        depth(problem, BONES)
    )


def test_nobody_seen_is_a_finite_distance_away(problem):
    observed = replace(problem.observed, confidence=torch.zeros_like(problem.observed.confidence))

    assert depth(replace(problem, observed=observed), BONES).isfinite().all()


def test_bodies_at_rest_face_the_camera(problem):
    frames = resting(problem, BONES)

    points = frames.points(problem.figure, problem.priors.pose)
    assert frames.transl.shape == (1, 6, 3)
    assert not frames.pose_latents.any()
    assert (points[..., 15, 1] < points[..., 0, 1]).all()  # the head is up, where y is less


def test_a_motion_begins_with_its_first_body(priors):
    truth = drifting(priors, motions=2)
    problem = exact_problem(truth, figure=toy_figure(), priors=priors)

    unknowns = begin(problem, truth)
    states = in_prior_frame(problem, truth, floor=unknowns.floor)

    led = motion_objective.led(problem, unknowns)
    torch.testing.assert_close(led.states.numbers[:, 0], states.numbers[:, 0])
    assert unknowns.latents.shape == (2, 7, priors.motion.sizes.latent)


def test_latents_read_in_turn_start_where_those_before_led(priors):
    truth = drifting(priors, motions=2)
    problem = exact_problem(truth, figure=toy_figure(), priors=priors)

    unknowns = begin(problem, truth, reading=read_in_turn)

    motion = in_prior_frame(problem, truth, floor=unknowns.floor)
    led = motion_objective.led(problem, unknowns).states
    before, goals = State(led.numbers[:, :-1]), State(motion.numbers[:, 1:])
    pivot = pivot_of(State(led.numbers[:, :1])).expand(-1, 7, -1)
    frames = Placement(turn_of(before.global_orient), before.transl[..., :2], pivot)
    expected = priors.motion.posterior(frames.enter(before), frames.enter(goals)).mean
    torch.testing.assert_close(unknowns.latents, expected)


def test_the_first_latent_is_the_same_either_way(priors):
    truth = drifting(priors)
    problem = exact_problem(truth, figure=toy_figure(), priors=priors)

    at_once, in_turn = begin(problem, truth), begin(problem, truth, reading=read_in_turn)

    torch.testing.assert_close(in_turn.latents[:, 0], at_once.latents[:, 0])
    assert not torch.equal(in_turn.latents[:, 1:], at_once.latents[:, 1:])
