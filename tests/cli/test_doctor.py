from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from stripmocap import assets, cli, doctor
from stripmocap.contract import body_file, places
from toybody import toy_body

ROW = assets.Asset(
    name="eyes",
    filename="eyes.tflite",
    sha256="00",
    licence="Apache-2.0",
    page="a page",
    how=assets.FETCHED,
)


@pytest.fixture
def one_asset(monkeypatch):
    def have(state):
        status = assets.AssetStatus(ROW, Path("cache/eyes.tflite"), state)
        monkeypatch.setattr(assets, "status", lambda: [status])

    return have


def finding(subject: str) -> doctor.Finding:
    return next(each for each in doctor.examine() if each.subject == subject)


def test_everything_is_looked_at(one_asset, capsys):
    one_asset("ready")

    status = cli.main(["doctor"])

    said = capsys.readouterr().out
    assert status == cli.DONE
    for subject in (
        "Python",
        "torch",
        "packages",
        "ffmpeg",
        "body",
        "eyes",
        "cache folder",
        "data folder",
    ):
        assert subject in said
    assert "ready, Apache-2.0, fetched, from a page" in said


def test_body_models_of_the_users_own_are_named():
    assert finding("body models").state == "note"
    places.bodies_folder().mkdir(parents=True)
    body = replace(toy_body(), name="SMPL male")
    body_file.save(body, places.bodies_folder() / "smpl_male.npz")

    found = finding("body models")

    assert found.state == "ok"
    assert "SMPL male" in found.text


def test_a_file_that_is_fetched_later_is_no_problem(one_asset):
    one_asset("missing")

    assert finding("eyes").state == "note"
    assert "first capture" in finding("eyes").advice


def test_a_damaged_file_is_a_problem_with_advice(one_asset, capsys):
    one_asset("corrupt")

    status = cli.main(["doctor"])

    assert status == cli.REFUSED
    assert "Delete the file" in capsys.readouterr().out


@pytest.mark.parametrize("what", ["cache", "data"])
def test_a_folder_that_may_not_be_written_is_a_problem(what, monkeypatch, tmp_path):
    def refuse(**_: object):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("stripmocap.doctor.tempfile.NamedTemporaryFile", refuse)
    monkeypatch.setenv(f"STRIPMOCAP_{what.upper()}", str(tmp_path / "not" / "there"))

    found = finding(f"{what} folder")

    assert found.state == "problem"
    assert f"STRIPMOCAP_{what.upper()}" in found.advice
    assert not (tmp_path / "not").exists()


def test_a_package_that_cannot_be_loaded_is_a_problem(monkeypatch):
    monkeypatch.setattr(doctor, "_PACKAGES", ("numpy", "no_such_package"))

    assert finding("no_such_package").state == "problem"


def test_the_findings_can_be_read_by_a_program(one_asset, tmp_path):
    one_asset("ready")
    path = tmp_path / "doctor.json"

    cli.main(["doctor", "--json", str(path)])

    findings = json.loads(path.read_text(encoding="utf-8"))["findings"]
    assert {"subject", "state", "text", "advice"} == set(findings[0])
