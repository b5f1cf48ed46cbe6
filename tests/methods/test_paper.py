from dataclasses import replace

import pytest
import torch
from stripmocap.body import landmarks
from stripmocap.contract.skeleton import JOINT_NAMES
from stripmocap.geometry.cameras import project
from stripmocap.methods.smplify import paper
from stripmocap.methods.smplify.priors import PosePrior
from torch.testing import assert_close
from torchtoys import toy_template

CENTER = torch.full((3, 2), 112.0)


@pytest.fixture(scope="module")
def template():
    """A toy with all of SPIN's landmarks, each on a vertex of the head, feet or trunk."""
    toy = toy_template(posedirs=False)
    names = tuple(dict.fromkeys(n for n in landmarks.SPIN_PLACES if n not in JOINT_NAMES))
    rows = torch.eye(len(toy.v_template))[: len(names)].numpy()
    return replace(toy, landmark_names=names, landmark_regressor=rows)


@pytest.fixture(scope="module")
def truth():
    generator = torch.Generator().manual_seed(3)
    facing = torch.tensor([3.0, 0, 0]).expand(3, 3)
    return paper.PaperState(
        global_orient_aa=facing + 0.2 * torch.randn(3, 3, generator=generator),
        body_pose_aa=0.15 * torch.randn(3, 69, generator=generator),
        betas=0.5 * torch.randn(3, 10, generator=generator),
        transl=torch.tensor([[0.1, 0.2, 45], [-0.1, 0.3, 50], [0, 0, 40]]),
    )


@pytest.fixture(scope="module")
def problem(template, truth):
    points = paper.reduced_points(template)
    problem = paper.PaperProblem(points, PosePrior.load(), torch.zeros(3, 49, 3), CENTER)
    seen = paper._points(problem, truth) + truth.transl.unsqueeze(1)
    pixels = project(seen, focal=paper.FOCAL_PX, center=CENTER.unsqueeze(1))
    return replace(problem, keypoints=torch.cat([pixels, torch.ones(3, 49, 1)], dim=-1))


@pytest.fixture(scope="module")
def start(problem, truth):
    rest = paper.PaperState(
        torch.tensor([3.1, 0, 0]).repeat(3, 1), torch.zeros(3, 69), torch.zeros(3, 10), truth.transl
    )
    return replace(rest, transl=paper.first_camera(problem, rest))


def test_a_fit_comes_near_the_keypoints_it_was_given(problem, start):
    end = paper.solve(problem, start)

    before, after = (paper.reprojection(problem, state).sum(dim=-1) for state in (start, end))
    assert (after < 0.25 * before).all()


def test_people_of_a_batch_do_not_affect_each_other(problem, start):
    whole = paper.solve(problem, start, iterations=5)
    alone = paper.solve(
        replace(problem, keypoints=problem.keypoints[1:2], center=CENTER[1:2]),
        paper.PaperState(*(getattr(start, name)[1:2] for name in vars(start))),
        iterations=5,
    )

    assert_close(alone.body_pose_aa, whole.body_pose_aa[1:2], atol=1e-5, rtol=0)


def test_full_mesh_and_reduced_body_give_one_fit(template, problem, start):
    full = replace(problem, points=paper.full_mesh_points(template))

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
