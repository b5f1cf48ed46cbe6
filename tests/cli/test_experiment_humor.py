from __future__ import annotations

import pytest
from stripmocap import cli
from stripmocap.cli import experiment_humor
from stripmocap.experiments.humor import CLAIMS, Findings


@pytest.fixture
def asked(monkeypatch) -> list:
    """The plans that were run; each finds nothing."""
    plans: list = []
    monkeypatch.setattr(
        experiment_humor.humor, "run", lambda plan, report: plans.append(plan) or Findings()
    )
    return plans


def test_a_plan_holds_what_was_typed_and_the_page_is_written(asked, tmp_path):
    page, weights = tmp_path / "a.md", tmp_path / "w.safetensors"
    arguments = ["--data", str(tmp_path), "--folder", str(tmp_path), "--markdown", str(page)]

    status = cli.main(["experiment", "humor", *arguments, "--weights", str(weights)])

    assert status == cli.DONE
    assert page.is_file()
    (plan,) = asked
    assert (plan.claims, plan.split) == (CLAIMS, "test")
    assert plan.networks == {"humor": weights}


def test_some_claims_may_be_tried_alone(asked, tmp_path):
    folders = ["--data", str(tmp_path), "--folder", str(tmp_path)]

    cli.main(["experiment", "humor", *folders, "--only", "video", "takes"])

    assert asked[0].claims == ("video", "takes")


def test_clips_that_are_not_there_are_refused(asked, tmp_path, capsys):
    status = cli.main(
        ["experiment", "humor", "--data", str(tmp_path / "no"), "--folder", str(tmp_path)]
    )

    assert status == cli.REFUSED
    assert "is not a folder" in capsys.readouterr().err
    assert not asked


@pytest.mark.parametrize("share", ["0", "2"])
def test_a_benchmark_of_no_steps_or_too_many_is_refused(tmp_path, capsys, share):
    status = cli.main(["benchmark", "humor", "--data", str(tmp_path), "--share", share])

    assert status == cli.REFUSED
    assert "0 to 1" in capsys.readouterr().err
