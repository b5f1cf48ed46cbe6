from dataclasses import replace

import pytest
import torch
from paperscenes import exact_problem, usual_start
from stripmocap.methods.smplify import newton, paper
from torch.testing import assert_close


@pytest.fixture(scope="module")
def problem():
    return exact_problem(torch.float64)


@pytest.fixture(scope="module")
def start(problem):
    """A little off the rest pose, so that no derivative is zero by symmetry."""
    rest = usual_start(problem)
    noise = torch.randn(3, 69, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return replace(rest, body_pose_aa=0.1 * noise, betas=0.3 * noise[:, :10])


def slope(stage, state, direction):
    """How the energy changes along a direction, by central differences."""
    ends = (stage.moved(state, scale * direction, None) for scale in (1e-6, -1e-6))
    ahead, behind = (stage.linearise(end).energy for end in ends)
    return (ahead - behind) / 2e-6


@pytest.mark.parametrize(("name", "unknowns"), [("place", 6), ("bend", 82)])
def test_gradient_is_the_slope_of_the_energy(problem, start, name, unknowns):
    stage = newton._Bend(problem) if name == "bend" else newton._Place(problem, start.transl + 0.1)
    gradient = stage.linearise(start).gradient

    generator = torch.Generator().manual_seed(1)
    for _ in range(5):
        direction = torch.randn(3, unknowns, generator=generator, dtype=torch.float64)
        expected = slope(stage, start, direction)
        assert_close((gradient * direction).sum(dim=-1), expected, rtol=1e-5, atol=1e-2)


def test_energies_are_those_of_the_paper(problem, start):
    bend, place = newton._Bend(problem), newton._Place(problem, start.transl + 0.1)

    assert_close(bend.linearise(start).energy, paper.objective(problem, start))
    assert_close(
        place.linearise(start).energy,
        paper.torso_objective(problem, start, first_transl=start.transl + 0.1),
    )


def test_second_order_steps_reach_lower_than_the_papers_hundred(problem):
    start = usual_start(problem)

    ours, theirs = newton.solve(problem, start), paper.solve(problem, start)

    values = [paper.objective(problem, state) for state in (ours, theirs)]
    assert (values[0] < values[1]).all()


def test_people_without_keypoints_keep_a_likely_pose(problem, start):
    unseen = problem.keypoints.clone()
    unseen[0] = 0

    end = newton.solve(replace(problem, keypoints=unseen), start)

    for value in vars(end).values():
        assert torch.isfinite(value).all()
    assert problem.prior.energy(end.body_pose_aa)[0] < problem.prior.energy(start.body_pose_aa)[0]


def test_cameras_may_differ_from_person_to_person(problem, start):
    focal = torch.tensor([1000.0, 3000.0, 5000.0], dtype=torch.float64)[:, None, None]
    alone = [
        replace(
            problem,
            keypoints=problem.keypoints[[person]],
            center=problem.center[[person]],
            focal=float(focal[person]),
        )
        for person in range(3)
    ]

    stage = newton._Bend(replace(problem, focal=focal))
    system = stage.linearise(start)

    for person, its_problem in enumerate(alone):
        own = paper.PaperState(*(part[[person]] for part in vars(start).values()))
        single = newton._Bend(its_problem).linearise(own)
        assert_close(system.energy[[person]], single.energy)
        assert_close(system.gradient[[person]], single.gradient)


def test_a_start_that_is_already_solved_takes_fewer_steps(problem, start):
    first = newton.solve_counted(problem, start)
    again = newton.solve_counted(problem, first.state)

    assert (again.steps < first.steps).all()
    assert (first.steps <= newton.PLACE_STEPS + newton.BEND_STEPS).all()


def test_steps_are_bounded(problem, start):
    solved = newton.solve_counted(problem, start, place_steps=2, bend_steps=3)

    assert (solved.steps <= 5).all()
    assert (paper.objective(problem, solved.state) < paper.objective(problem, start)).all()
