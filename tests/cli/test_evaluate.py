from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from cli.conftest import capture_of
from stripmocap import cli
from stripmocap.body.model import Body
from stripmocap.contract.messages import CaptureRequest
from stripmocap.contract.motion import LEVEL_WORLD_FROM_CAMERA
from stripmocap.contract.skeleton import JOINT_NAMES
from stripmocap.evaluation import protocol
from stripmocap.methods.hmr.regressor import Regressed
from stripmocap.pipeline import Workshop
from toy3dpw import FRAMES as FRAMES_3DPW
from toy3dpw import toy_sequence, write_dataset
from toybody import toy_body, toy_joints

KEYS = {
    *("pa_mpjpe_mm", "mpjpe_mm", "accel_error_m_s2", "foot_slide_cm_s", "penetration_mm", "jitter"),
    "frames",
}


@pytest.fixture
def truth_file(tmp_path: Path) -> Path:
    """The truth about the toy body that stands still at x = 0, 4 m from the camera."""
    upright = toy_joints() * np.array([1, -1, -1])
    pelvis = toy_joints()[0]
    camera = upright - pelvis * np.array([1, -1, -1]) + pelvis + np.array([0, -0.95, 4])
    world = camera @ LEVEL_WORLD_FROM_CAMERA[:3, :3].T
    path = tmp_path / "gt.npz"
    np.savez(
        path,
        joints3d=np.tile(world, (2, 8, 1, 1)) + np.array([0, 30])[:, None, None, None],
        valid=np.ones((2, 8, 24), dtype=bool),
        joint_names=np.array(JOINT_NAMES),
        person_names=np.array(["man", "woman"]),
        camera_names=np.array(["front"]),
        fps=np.array(25.0),
        K=np.array([[[80.0, 0, 31.5], [0, 80, 23.5], [0, 0, 1]]]),
        R=LEVEL_WORLD_FROM_CAMERA[None, :3, :3].transpose(0, 2, 1),
        t=np.zeros((1, 3)),
    )
    return path


def command(footage: Path, truth_file: Path, *more: str) -> list[str]:
    return ["evaluate", str(footage), "--truth", str(truth_file), "--person", "man", *more]


def test_the_json_has_the_scores_of_every_take(footage, truth_file, asked, tmp_path, capsys):
    path = tmp_path / "scores.json"

    status = cli.main(command(footage, truth_file, "--camera", "front", "--json", str(path)))

    scores = json.loads(path.read_text(encoding="utf-8"))
    assert status == cli.DONE
    assert list(scores) == ["takes"]
    assert set(scores["takes"]["fitted"]) == KEYS
    assert scores["takes"]["fitted"]["frames"] == 8
    assert scores["takes"]["fitted"]["mpjpe_mm"] < 0.1
    assert "PA-MPJPE mm" in capsys.readouterr().out


def test_a_result_that_is_there_is_not_captured_again(footage, truth_file, asked, made_capture):
    status = cli.main(command(footage, truth_file, "--result", str(made_capture(2.0, 0.0))))

    assert status == cli.DONE
    assert asked == []


def test_the_person_nearest_to_the_truth_is_scored(
    footage, truth_file, made_capture, tmp_path, capsys
):
    made = made_capture(1.0, 0.0, -1.0)

    cli.main(command(footage, truth_file, "--result", str(made)))

    row = capsys.readouterr().out.splitlines()[1].split()
    assert row[:3] == ["fitted", "1", "0.0"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--camera", "top"], "Use --camera with front"),
        (["--person", "dog"], "Use --person with man or woman"),
        (["--person", "woman"], "nobody in the capture is where front saw woman"),
        (["--json", "no/scores.json"], "is not a folder"),
    ],
)
def test_what_cannot_be_scored_is_refused(footage, truth_file, asked, capsys, options, said):
    status = cli.main(command(footage, truth_file, *options))

    assert status == cli.REFUSED
    assert said in capsys.readouterr().err


def test_a_missing_truth_is_refused_before_the_work(footage, tmp_path, asked, capsys):
    status = cli.main(command(footage, tmp_path / "no.npz"))

    assert status == cli.REFUSED
    assert "is not there" in capsys.readouterr().err
    assert asked == []


def test_what_is_scored_was_computed_for_it(footage, truth_file, asked, stores):
    cli.main(command(footage, truth_file, "--camera", "front"))

    assert stores == [None]


@pytest.fixture
def captured(monkeypatch) -> list[CaptureRequest]:
    """What workshops were asked for; they answer at once."""
    requests: list[CaptureRequest] = []

    def capture(self, request, *, report, steps):
        requests.append(request)
        return capture_of(request)

    monkeypatch.setattr(Workshop, "capture", capture)
    return requests


def test_a_folder_of_clips_is_scored_with_its_truths(
    footage, truth_file, captured, tmp_path, capsys
):
    truth_file.rename(footage.with_suffix(".truth.npz"))
    path = tmp_path / "scores.json"

    status = cli.main(["evaluate", str(tmp_path), "--method", "smplify", "--json", str(path)])

    said = json.loads(path.read_text(encoding="utf-8"))
    assert status == cli.DONE
    assert said["cases"][f"{footage.stem} man"]["smplify"]["mpjpe_mm"] < 0.1
    assert said["missed"][0]["person"] == "woman"
    assert set(said["means"]["smplify"]) == KEYS
    assert "my clip's man  smplify" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["report.html", "report.md"])
def test_a_report_is_written_as_its_name_says(footage, truth_file, captured, tmp_path, name):
    pytest.importorskip("matplotlib")
    path = tmp_path / name

    status = cli.main(command(footage, truth_file, "--method", "smplify", "--report", str(path)))

    text = path.read_text(encoding="utf-8")
    assert status == cli.DONE
    assert "All together" in text
    pictures = sorted(each.name for each in tmp_path.glob("report_pictures/*"))
    assert (len(pictures) >= 4) == name.endswith(".md")
    assert [each for each in pictures if each not in text] == []


def test_more_methods_are_tried_in_turn(footage, truth_file, captured):
    status = cli.main(
        command(
            *(footage, truth_file, "--method", "spin+smplify"),
            *("--also", "smplify", "vibe+smplify+humor"),
        )
    )

    assert status == cli.DONE
    assert [(each.estimator, each.refiners) for each in captured] == [
        ("spin", ("smplify",)),
        ("smplify", ()),
        ("vibe", ("smplify", "humor")),
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["{clip}"], "there is no truth about"),
        (["{folder}", "--truth", "{truth}"], "whose truths are in it"),
        (["{folder}"], "has no movie with a truth"),
        (["{clip}", "--truth", "{truth}", "--report", "report.txt"], "does not end in .html"),
    ],
)
def test_what_lacks_a_truth_or_a_place_is_refused(
    footage, truth_file, captured, tmp_path, capsys, options, said
):
    places = {"clip": footage, "truth": truth_file, "folder": tmp_path}
    truth_file.rename(tmp_path / "elsewhere.npz")

    status = cli.main(["evaluate", *(each.format(**places) for each in options)])

    assert status == cli.REFUSED
    assert said in capsys.readouterr().err
    assert captured == []


def test_published_numbers_are_taken_from_the_datasets_own_boxes(tmp_path, monkeypatch, capsys):
    body = Body.from_template(toy_body())
    regressor = torch.eye(17, len(body.v_template))
    genders = dict.fromkeys(("male", "female", "neutral"), body)
    upright = torch.diag(torch.tensor([1.0, -1, -1]))

    def network(crops: torch.Tensor) -> Regressed:
        rotmat = torch.eye(3).repeat(len(crops), 24, 1, 1)
        rotmat[:, 0] = upright
        return Regressed(rotmat, torch.zeros(len(crops), 10), torch.zeros(len(crops), 3))

    monkeypatch.setattr(protocol, "yardstick", lambda: protocol.Yardstick(genders, regressor))
    monkeypatch.setattr(protocol, "spin_network", lambda device: network)
    write_dataset(tmp_path / "3dpw", toy_sequence(toy_body()))
    path = tmp_path / "scores.json"

    status = cli.main(["evaluate", str(tmp_path / "3dpw"), "--published", "--json", str(path)])

    said = json.loads(path.read_text(encoding="utf-8"))
    assert status == cli.DONE
    assert [each["frames"] for each in said.values()] == [2 * FRAMES_3DPW] * 3
    assert said["pelvis, as SPIN"]["pve_mm"] > 0
    assert "accel. error mm/frame²" in capsys.readouterr().out


def test_published_numbers_are_for_3dpw_alone(tmp_path, capsys):
    assert cli.main(["evaluate", str(tmp_path), "--published"]) == cli.REFUSED
    assert "3DPW's layout" in capsys.readouterr().err
