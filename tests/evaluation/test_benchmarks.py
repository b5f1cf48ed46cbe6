from __future__ import annotations

import json

import pytest
import torch
from numpy.testing import assert_allclose
from stripmocap import cli
from stripmocap.contract import body_file
from stripmocap.contract.body_file import BodyTemplate
from stripmocap.evaluation import benchmarks
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.methods.smplify import paper
from stripmocap.methods.smplify.priors import PosePrior

KEYS = {"baseline_s", "ours_s", "ratio", "objective_baseline", "objective_ours"}


@pytest.fixture(scope="module")
def prior() -> PosePrior:
    return PosePrior.load()


@pytest.fixture(scope="module")
def body() -> BodyTemplate:
    return body_file.load(body_file.EMBEDDED_BODY)


def silent(stage: str, done: int, of: int) -> None:
    """A report that nobody reads."""


def test_a_solver_that_does_nothing_stays_at_the_start(body, prior, monkeypatch):
    monkeypatch.setattr(paper, "solve", lambda problem, start: start)

    found = benchmarks.smplify(
        body, prior, ours=lambda problem, start: start, batch=3, repeats=2, report=silent
    )

    assert found.objective_baseline == found.objective_ours == found.objective_start
    assert found.ours_s > 0


def test_both_sides_solve_the_same_problem(body, prior, monkeypatch):
    seen = []

    def solve(problem, start):
        seen.append((problem.keypoints, paper.objective(problem, start)))
        return start

    monkeypatch.setattr(paper, "solve", solve)

    benchmarks.smplify(body, prior, ours=solve, batch=3, repeats=1, report=silent)

    (first, first_value), (second, second_value) = seen
    assert torch.equal(first, second)
    assert_allclose(first_value.numpy(), second_value.numpy(), rtol=1e-3)


def test_the_papers_solver_lowers_its_objective(body, prior):
    problem = benchmarks.scene(paper.reduced_points(body), prior, batch=4, seed=0)
    start = benchmarks.usual_start(problem)

    found = paper.solve(problem, start, iterations=20)

    assert paper.objective(problem, found).mean() < paper.objective(problem, start).mean()


def test_people_face_the_camera_upright(prior):
    generator = torch.Generator().manual_seed(0)

    people = benchmarks.drawn_people(prior, batch=50, generator=generator)

    turned = aa_to_matrix(people.global_orient_aa)
    up, forward = turned[:, :, 1], turned[:, :, 2]
    assert_allclose(up.numpy(), torch.tensor([0.0, -1, 0]).expand(50, 3).numpy(), atol=1e-5)
    assert (forward[:, 2] < 0).float().mean() > 0.9


def test_drawn_poses_are_those_of_the_prior(prior):
    generator = torch.Generator().manual_seed(0)

    poses = benchmarks.drawn_people(prior, batch=3000, generator=generator).body_pose_aa

    mean = (prior.weights[:, None] * prior.means).sum(dim=0)
    spread = torch.linalg.inv(prior.precisions).diagonal(dim1=-2, dim2=-1)
    spread = (prior.weights[:, None] * (spread + (prior.means - mean) ** 2)).sum(dim=0)
    assert_allclose(poses.mean(dim=0).numpy(), mean.numpy(), atol=0.08)
    assert_allclose(poses.std(dim=0).numpy(), spread.sqrt().numpy(), rtol=0.12, atol=0.01)


def test_the_people_fit_into_the_crop(body, prior):
    problem = benchmarks.scene(paper.reduced_points(body), prior, batch=20, seed=1)

    pixels = problem.keypoints[..., :2]
    inside = ((pixels > 0) & (pixels < benchmarks.CROP_PX)).all(dim=-1)
    assert inside.float().mean() > 0.9
    assert (pixels.amax(dim=1) - pixels.amin(dim=1)).amax(dim=-1).median() > 80


def test_a_stopwatch_adds_up_the_seconds_of_each_stage():
    heard = []
    watch = benchmarks.Stopwatch(lambda *said: heard.append(said))

    for stage in ("people", "people", "fit"):
        watch(stage, 1, 2)

    assert set(watch.seconds) == {"people", "fit"}
    assert len(heard) == 3
    assert min(watch.seconds.values()) >= 0


def test_the_command_writes_what_can_be_compared(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(paper, "solve", lambda problem, start: start)
    path, threads = tmp_path / "speed.json", torch.get_num_threads()

    status = cli.main(
        ["benchmark", "smplify", "--batch", "2", "--repeats", "1", "--json", str(path)]
    )

    torch.set_num_threads(threads)
    values = json.loads(path.read_text(encoding="utf-8"))
    assert status == cli.DONE
    assert {*KEYS, "machine", "versions"} <= set(values)
    assert "ratio" in capsys.readouterr().out
