from dataclasses import replace

import pytest
from paperscenes import exact_problem, spin_template, usual_start
from stripmocap.methods.smplify import paper
from torch.testing import assert_close


@pytest.fixture(scope="module")
def problem():
    return exact_problem()


@pytest.fixture(scope="module")
def start(problem):
    return usual_start(problem)


def test_a_fit_comes_near_the_keypoints_it_was_given(problem, start):
    end = paper.solve(problem, start)

    before, after = (paper.reprojection(problem, state).sum(dim=-1) for state in (start, end))
    assert (after < 0.25 * before).all()


def test_people_of_a_batch_do_not_affect_each_other(problem, start):
    whole = paper.solve(problem, start, iterations=5)
    alone = paper.solve(
        replace(problem, keypoints=problem.keypoints[1:2], center=problem.center[1:2]),
        paper.PaperState(*(getattr(start, name)[1:2] for name in vars(start))),
        iterations=5,
    )

    assert_close(alone.body_pose_aa, whole.body_pose_aa[1:2], atol=1e-5, rtol=0)


def test_full_mesh_and_reduced_body_give_one_fit(problem, start):
    full = replace(problem, points=paper.full_mesh_points(spin_template()))

    of_mesh, of_reduced = (paper.solve(each, start, iterations=5) for each in (full, problem))

    assert_close(of_mesh.body_pose_aa, of_reduced.body_pose_aa, atol=1e-4, rtol=0)


def test_a_fit_leaves_its_start_and_its_keypoints_alone(problem, start):
    kept = problem.keypoints.clone()
    pose = start.body_pose_aa.clone()

    paper.solve(problem, start, iterations=2)

    assert_close(problem.keypoints, kept)
    assert_close(start.body_pose_aa, pose)
    assert not start.body_pose_aa.requires_grad


def test_the_camera_keeps_its_place_while_the_pose_is_fitted(problem, start):
    assert_close(paper._bend(problem, start, iterations=3).transl, start.transl)


def test_ignored_keypoints_cost_nothing(problem, start):
    moved = problem.keypoints.clone()
    moved[:, list(paper.IGNORED), :2] += 50

    elsewhere = paper.objective(replace(problem, keypoints=moved), start)

    assert_close(elsewhere, paper.objective(problem, start))
