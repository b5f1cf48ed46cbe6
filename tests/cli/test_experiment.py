from __future__ import annotations

import json

import pytest
from stripmocap import cli
from stripmocap.cli import experiment
from stripmocap.experiments import faults
from stripmocap.experiments.outcome import Outcome


@pytest.fixture
def campaign(monkeypatch):
    """What each fault will have found; one that is not named found nothing."""
    found: dict[str, Outcome] = {}
    for name in faults.FAULTS:
        sound = Outcome(name, 3, "all is well")
        monkeypatch.setitem(
            faults.FAULTS, name, lambda plan, name=name, sound=sound: [found.get(name, sound)]
        )
    return found


def test_the_table_is_printed_and_written(campaign, tmp_path, capsys):
    files = ["--json", str(tmp_path / "a.json"), "--markdown", str(tmp_path / "a.md")]

    status = cli.main(["experiment", "faults", *files])

    assert status == cli.DONE
    table = capsys.readouterr().out
    assert all(f"| {name} | 3 |" in table for name in faults.FAULTS)
    assert (tmp_path / "a.md").read_text(encoding="utf-8").strip() == table.strip()
    written = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert [each["fault"] for each in written["outcomes"]] == list(faults.FAULTS)


def test_a_violation_makes_the_command_fail(campaign, capsys):
    campaign["clock"] = Outcome("clock", 1, "order", ("one before the other",))

    assert cli.main(["experiment", "faults", "--only", "clock"]) == 1
    assert "one before the other" in capsys.readouterr().out


def test_a_fault_that_does_not_exist_is_named(campaign, capsys):
    assert cli.main(["experiment", "faults", "--only", "earthquake"]) == cli.REFUSED
    assert "earthquake" in capsys.readouterr().err


def test_the_detector_is_measured_and_the_page_written(monkeypatch, tmp_path, capsys):
    asked = {}
    monkeypatch.setattr(experiment, "BlazePose", lambda threads: "the detector")
    monkeypatch.setattr(experiment.keypoints, "measured_of", lambda seen: None)
    monkeypatch.setattr(experiment.keypoints, "page", lambda *_, **__: "the page")
    seen = ["one scene"]
    monkeypatch.setattr(
        experiment.keypoints, "observe", lambda data, **rest: asked.update(rest) or seen
    )
    markdown = tmp_path / "a.md"

    status = cli.main(
        ["experiment", "keypoints", "--data", str(tmp_path), "--scenes", "7",
         "--markdown", str(markdown)]
    )  # fmt: skip

    assert status == cli.DONE
    assert (asked["count"], asked["split"], asked["detector"]) == (7, "train", "the detector")
    assert markdown.read_text(encoding="utf-8") == "the page"
    assert "the page" in capsys.readouterr().out
