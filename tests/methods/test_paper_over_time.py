from dataclasses import fields, replace

import pytest
import torch
from paperscenes import exact_problem, usual_start
from stripmocap.methods.smplify import paper, paper_over_time
from torch.testing import assert_close


@pytest.fixture(scope="module")
def problem():
    return exact_problem()  # three people, taken for three frames of one


@pytest.fixture(scope="module")
def start(problem):
    return usual_start(problem)


@pytest.fixture(scope="module")
def end(problem, start):
    return paper_over_time.solve(problem, start)


def test_a_fit_comes_near_the_keypoints_it_was_given(end):
    assert end.better.all()
    assert (end.loss < 0.5 * end.start_loss).all()


def test_a_person_has_one_shape(end):
    assert_close(end.state.betas, end.state.betas[:1].expand(3, -1), atol=0, rtol=0)


def test_the_shape_is_first_that_of_the_frame_which_fits_best(problem, start):
    shapes = torch.randn(3, 10, generator=torch.Generator().manual_seed(0))
    start = replace(start, betas=shapes)

    end = paper_over_time.solve(problem, start, iterations=0)

    best = int(paper.reprojection(problem, start).mean(dim=-1).argmin())
    assert_close(end.state.betas, shapes[best].expand(3, -1))


def test_the_published_first_stage_leaves_the_camera_alone(problem, start):
    moved = replace(start, transl=start.transl + torch.tensor([0.5, 0.0, 0.0]))

    published = paper_over_time.solve(problem, moved, iterations=3, first_stage="published")
    ours = paper_over_time.solve(problem, moved, iterations=3)

    assert_close(published.state.transl, moved.transl)
    assert (ours.state.transl - moved.transl)[:, 0].mean() < -0.1
    assert ours.loss.mean() < published.loss.mean()


def test_who_stands_still_is_steady(problem, start):
    still = paper.PaperState(
        **{each.name: getattr(start, each.name)[:1].expand(3, -1) for each in fields(start)}
    )

    assert paper_over_time.unsteadiness(problem, still) == 0


def test_a_step_between_frames_costs_its_length_by_the_later_confidence(problem, start):
    still = {each.name: getattr(start, each.name)[:1].expand(2, -1) for each in fields(start)}
    depth = still["transl"][0, 2]
    stepped = still["transl"] + torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    keypoints = problem.keypoints[:2].clone()
    keypoints[1, :, 2] = 0.5
    two = replace(problem, keypoints=keypoints, center=problem.center[:2], focal=100.0)

    cost = paper_over_time.unsteadiness(
        two, paper.PaperState(**(still | {"transl": stepped}))
    )  # a step of the camera: in pixels, and not in the body's own metres

    depths = depth + paper.points_of(two, paper.PaperState(**still))[0, :, 2]
    used = torch.ones(49).index_fill(0, torch.tensor(paper.IGNORED), 0)
    assert_close(cost, (0.01**2 * 0.5**2 * used * 100 / depths).sum())


def test_frames_that_got_worse_are_not_kept(problem, start, end):
    some = replace(end, better=torch.tensor([True, False, True]))

    kept = some.kept(start)

    assert_close(kept.body_pose_aa[1], start.body_pose_aa[1])
    assert_close(kept.transl[0], end.state.transl[0])
    assert_close(kept.betas[2], end.state.betas[2])


def test_one_frame_alone_can_be_fitted(problem, start):
    first = replace(problem, keypoints=problem.keypoints[:1], center=problem.center[:1])
    alone = paper.PaperState(**{each.name: getattr(start, each.name)[:1] for each in fields(start)})

    end = paper_over_time.solve(first, alone, iterations=5)

    assert end.better.all()


def test_frames_in_which_nobody_is_seen_give_numbers(problem, start):
    keypoints = problem.keypoints.clone()
    keypoints[1] = 0

    end = paper_over_time.solve(replace(problem, keypoints=keypoints), start, iterations=5)

    assert all(getattr(end.state, each.name).isfinite().all() for each in fields(end.state))


def test_a_fit_leaves_its_start_alone(problem, start):
    pose = start.body_pose_aa.clone()

    paper_over_time.solve(problem, start, iterations=2)

    assert_close(start.body_pose_aa, pose)
    assert not start.body_pose_aa.requires_grad
