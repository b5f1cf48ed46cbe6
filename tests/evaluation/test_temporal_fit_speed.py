import json

import pytest
import torch
from stripmocap import cli
from stripmocap.contract import body_file
from stripmocap.evaluation import temporal_fit_speed
from stripmocap.methods.smplify import paper_over_time
from stripmocap.methods.smplify.priors import PosePrior


@pytest.fixture(scope="module")
def prior():
    return PosePrior.load()


@pytest.fixture(scope="module")
def body():
    return body_file.load(body_file.EMBEDDED_BODY)


def test_both_sides_end_at_the_same_place(body, prior):
    found = temporal_fit_speed.compare(
        body, prior, frames=4, repeats=1, report=lambda stage, done, of: None
    )

    assert found.objective_ours < found.objective_start
    # In float32, L-BFGS parts the two by a little.
    assert found.objective_ours == pytest.approx(found.objective_baseline, rel=0.05)
    assert found.baseline_s > 0


def test_one_person_moves_steadily_and_keeps_their_shape(prior):
    person = temporal_fit_speed.one_person(
        prior, frames=5, generator=torch.Generator().manual_seed(0)
    )

    steps = person.body_pose_aa.diff(dim=0)
    torch.testing.assert_close(steps, steps[:1].expand_as(steps), atol=1e-6, rtol=0)
    assert (person.betas == person.betas[:1]).all()


def test_the_command_compares_with_the_solver_of_vibe(monkeypatch, tmp_path):
    solved = []

    def solve(problem, start):
        solved.append(len(start.betas))
        return paper_over_time.FitOverTime(start, *torch.zeros(2, 3), torch.ones(3) > 0)

    monkeypatch.setattr(paper_over_time, "solve", solve)
    path, threads = tmp_path / "speed.json", torch.get_num_threads()

    status = cli.main([
        *("benchmark", "smplify", "--against", "vibe", "--batch", "3"),
        *("--repeats", "1", "--json", str(path)),
    ])  # fmt: skip

    torch.set_num_threads(threads)
    assert status == cli.DONE
    assert solved == [3, 3]
    assert json.loads(path.read_text("utf-8"))["ratio"] > 0
