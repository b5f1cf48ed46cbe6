"""SPIN's lesson: teachers, their rules, and the terms of the loss."""

from dataclasses import replace

import pytest
import torch
from paperscenes import exact_problem, usual_start
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.methods.hmr.regressor import Regressed
from stripmocap.methods.smplify import newton, paper
from stripmocap.training import spin
from stripmocap.training.augmentation import Augmentation
from stripmocap.training.fits import Fits

COUNT = 3


@pytest.fixture(scope="module")
def problem():
    return exact_problem()


@pytest.fixture(scope="module")
def school(problem):
    return spin.School(problem.points, problem.prior, spin.DETECTED)


@pytest.fixture(scope="module")
def truth(problem):
    """What fits the keypoints: about the truth, found from a usual start."""
    return newton.solve(problem, usual_start(problem))


@pytest.fixture(scope="module")
def batch(problem):
    no = torch.zeros(COUNT, dtype=torch.bool)
    return spin.Batch(
        keypoints=problem.keypoints,
        focal=torch.full((COUNT,), paper.FOCAL_PX),
        center=problem.center,
        joints=torch.zeros(COUNT, 24, 4),
        has_joints=no,
        pose=torch.zeros(COUNT, 72),
        betas=torch.zeros(COUNT, 10),
        has_body=no,
        known=torch.ones(COUNT, 24),
        index=torch.arange(COUNT),
        augmentation=Augmentation.none(COUNT),
    )


def said(state):
    """The network's answer that means `state`."""
    pose = torch.cat([state.global_orient_aa, state.body_pose_aa], dim=1)
    x, y, depth = state.transl.unbind(dim=1)
    camera = torch.stack([2 * paper.FOCAL_PX / (spin.CROP_PX * depth), x, y], dim=1)
    return Regressed(aa_to_matrix(pose.unflatten(1, (24, 3))), state.betas, camera)


def numbers(state):
    return torch.cat([state.global_orient_aa, state.body_pose_aa, state.betas], dim=1)


def test_a_fit_begins_where_the_network_puts_everybody(batch, truth):
    start = spin.start_of(batch, said(truth))

    torch.testing.assert_close(start.transl, truth.transl, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(
        aa_to_matrix(start.global_orient_aa),
        aa_to_matrix(truth.global_orient_aa),
        atol=1e-5,
        rtol=0,
    )


def test_what_the_network_says_in_nan_becomes_zero(batch, truth):
    broken = replace(said(truth), betas=torch.full((COUNT, 10), torch.nan))

    assert torch.equal(spin.start_of(batch, broken).betas, torch.zeros(COUNT, 10))


def test_the_loop_keeps_a_fit_that_is_better_than_the_stored_one(school, batch, problem, truth):
    bad = numbers(usual_start(problem))
    fits = Fits(bad.clone())

    targets = spin.FitsInTheLoop(school, fits)(batch, said(truth))

    assert targets.better.all()
    assert targets.valid.all()
    assert (targets.loss < 10).all()  # the keypoints are exact, the prior pulls
    assert (fits.numbers != bad).any(dim=1).all()
    torch.testing.assert_close(fits.numbers[:, 72:], targets.betas)


def test_the_loop_leaves_a_fit_that_is_better_than_the_new_one(school, batch, problem, truth):
    fits = Fits(numbers(truth).clone())

    # A solver that does nothing, from a start that is worse than what is stored.
    targets = spin.FitsInTheLoop(school, fits, solver=lambda _, start: start)(
        batch, said(usual_start(problem))
    )

    assert not targets.better.any()
    torch.testing.assert_close(fits.numbers, numbers(truth))
    torch.testing.assert_close(targets.pose, numbers(truth)[:, :72])


def test_without_a_stored_fit_any_is_better(school, batch, problem):
    fits = Fits.unknown(COUNT)

    targets = spin.FitsInTheLoop(school, fits, solver=lambda _, start: start)(
        batch, said(usual_start(problem))
    )

    assert targets.better.all()
    assert fits.known.all()


def test_the_papers_solver_serves_the_loop_as_well(school, batch, problem):
    def few(its_problem, start):
        return paper.solve(its_problem, start, iterations=3)

    fits = Fits.unknown(COUNT)
    start = usual_start(problem)
    targets = spin.FitsInTheLoop(school, fits, solver=few)(batch, said(start))

    before = paper.reprojection(problem, start).mean(dim=1)
    assert (targets.loss < before).all()


def test_stored_fits_are_taught_and_never_changed(school, batch, truth, problem):
    fits = Fits(numbers(truth).clone())

    targets = spin.StoredFits(school, fits)(batch, said(usual_start(problem)))

    assert torch.equal(fits.numbers, numbers(truth))
    assert torch.equal(targets.pose, numbers(truth)[:, :72])
    assert targets.valid.all()


def test_a_bad_fit_teaches_nothing(school, batch, problem):
    upside_down = numbers(usual_start(problem))
    upside_down[:, :3] = 0  # head down before the camera

    targets = spin.StoredFits(school, Fits(upside_down))(batch, said(usual_start(problem)))

    assert (targets.loss > spin.WORST_FIT_PX2).all()
    assert not targets.valid.any()
    assert targets.known.sum() == 0


def test_nothing_is_taught_of_whom_there_is_no_fit(school, batch, truth):
    targets = spin.StoredFits(school, Fits.unknown(COUNT))(batch, said(truth))

    assert not targets.valid.any()
    assert targets.pose.isfinite().all()


def test_a_shape_beyond_belief_becomes_the_mean_one(school, batch, truth):
    fits = numbers(truth).clone()
    fits[0, 75] = 3.5

    targets = spin.StoredFits(school, Fits(fits))(batch, said(truth))

    assert torch.equal(targets.betas[0], torch.zeros(10))
    assert torch.equal(targets.betas[1], truth.betas[1])


def test_what_is_known_takes_the_place_of_fits(school, batch, truth):
    first = torch.tensor([True, False, False])
    informed = replace(batch, has_body=first, pose=batch.pose + 0.1, betas=batch.betas + 0.2)

    targets = spin.StoredFits(school, Fits.unknown(COUNT))(informed, said(truth))

    assert targets.valid.tolist() == [True, False, False]
    assert torch.equal(targets.pose[0], informed.pose[0])
    assert torch.equal(targets.betas[0], informed.betas[0])


def test_joints_that_nobody_knows_are_not_taught(school, batch, truth):
    known = torch.ones(COUNT, 24)
    known[:, 22:] = 0
    informed = replace(batch, has_body=torch.ones(COUNT, dtype=torch.bool), known=known)

    assert torch.equal(spin.only_truth(informed, said(truth)).known, known)


def test_a_network_that_is_right_has_no_loss(school, batch, truth):
    pose = numbers(truth)[:, :72]
    right = said(truth)
    with torch.no_grad():
        points = school.points(right.global_orient, right.body_pose, right.betas)
    yes = torch.ones(COUNT, dtype=torch.bool)
    joints = torch.cat([points[:, 25:], torch.ones(COUNT, 24, 1)], dim=-1)
    informed = replace(
        batch, has_body=yes, pose=pose, betas=truth.betas, joints=joints, has_joints=yes
    )
    targets = spin.only_truth(informed, right)

    terms = spin.losses(school, informed, right, targets=targets)

    # Of the 2D keypoints only what the pose prior costs the fit is left.
    assert float(terms["keypoints"]) < 0.05
    assert all(float(terms[name]) < 1e-4 for name in ("joints", "pose", "betas", "camera"))


def test_every_term_reaches_the_network(school, batch, truth, problem):
    start = said(usual_start(problem))
    parts = [each.clone().requires_grad_() for each in (start.rotmat, start.betas, start.camera)]
    yes = torch.ones(COUNT, dtype=torch.bool)
    informed = replace(batch, joints=torch.ones(COUNT, 24, 4).cumsum(1), has_joints=yes)
    targets = spin.StoredFits(school, Fits(numbers(truth)))(informed, start)

    sum(spin.losses(school, informed, Regressed(*parts), targets=targets).values()).backward()

    assert all(float(part.grad.abs().sum()) > 0 for part in parts)


def test_as_published_the_fit_never_sees_openpose_hips(school, batch):
    published = replace(school, rules=spin.PUBLISHED)

    problem = spin.problem_of(published, batch)

    assert not problem.keypoints[:, list(paper.IGNORED), 2].any()
    assert batch.keypoints[:, list(paper.IGNORED), 2].all()


def test_published_fits_are_placed_by_the_training_sets_keypoints(school, batch, truth):
    published = replace(school, rules=spin.PUBLISHED)
    misled = batch.keypoints.clone()
    misled[:, :25] = 500.0
    pose = numbers(truth)[:, :72]

    placed = spin.placed(published, replace(batch, keypoints=misled), pose=pose, betas=truth.betas)

    torch.testing.assert_close(placed.transl, truth.transl, atol=0.1, rtol=0.03)
