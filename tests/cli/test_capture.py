from __future__ import annotations

import json
import math
import os
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from stripmocap import cli
from stripmocap.cli.capture import summary
from stripmocap.contract import result_file
from stripmocap.contract.camera_path import CameraPath
from stripmocap.contract.errors import ResultFileError
from stripmocap.contract.methods import METHODS, USUAL, HumorOptions, SmplifyOptions
from toyshot import toy_capture

Usage = namedtuple("Usage", "total used free")


def test_the_result_can_be_read_again(footage, tmp_path, asked, capsys):
    path = tmp_path / "result.npz"

    status = cli.main(["capture", str(footage), "-o", str(path), "--method", "smplify"])

    assert status == cli.DONE
    assert len(result_file.load(path).take("fitted").motions[0].times_s) == 8
    assert f"Saved {path}" in capsys.readouterr().out


def test_everything_that_was_typed_is_asked_for(footage, tmp_path, asked):
    options = "--method smplify --start 1 --stop 2.5 --height 1.8 --focal 900 --body female"
    options += " --smoothness 2 --depth-cue 0 --contacts 0.5"

    cli.main(["capture", str(footage), "-o", str(tmp_path / "a.npz"), *options.split()])

    (request,) = asked
    assert (request.clip.start_s, request.clip.stop_s) == (1, 2.5)
    assert (request.height_m, request.focal_px, request.body) == (1.8, 900, "female")
    assert vars(request.options) == {"smoothness": 2, "depth_cue": 0, "contacts": 0.5}


@pytest.mark.parametrize(
    ("typed", "estimator", "refiner", "weights"),
    [
        ("--method smplify", "smplify", None, "embedded"),
        ("--method spin", "spin", None, "embedded"),
        ("--method spin+smplify --smoothness 2", "spin", "smplify", "embedded"),
        ("--method spin+smplify --weights official", "spin", "smplify", "official"),
        ("--method vibe", "vibe", None, "embedded"),
        ("--method vibe+smplify --smoothness 2 --smooth 0.5", "vibe", "smplify", "embedded"),
    ],
)
def test_a_method_may_be_refined_by_another(
    footage, tmp_path, asked, typed, estimator, refiner, weights
):
    cli.main(["capture", str(footage), "-o", str(tmp_path / "a.npz"), *typed.split()])

    (request,) = asked
    refiners = () if refiner is None else (refiner,)
    assert (request.estimator, request.refiners, request.weights) == (estimator, refiners, weights)
    assert type(request.options) is METHODS[estimator].options
    if refiner is not None:
        assert request.refiner_options[0].smoothness == (2 if "smoothness" in typed else 1)


def test_options_that_methods_share_by_name_are_told_apart(footage, tmp_path, asked):
    typed = "--method vibe+smplify+humor --contacts 2 --humor-contacts 3 --humor-prior 0.5"

    cli.main(["capture", str(footage), "-o", str(tmp_path / "a.npz"), *typed.split()])

    (request,) = asked
    assert request.refiners == ("smplify", "humor")
    assert request.refiner_options == (
        SmplifyOptions(contacts=2),
        HumorOptions(contacts=3, prior=0.5),
    )
    assert request.pose_prior == "embedded"


def test_a_moving_camera_is_read_from_a_file(footage, tmp_path, asked):
    path = CameraPath(np.array([0.5]), np.array([[0.0, 1.0, 1.5]]), np.array([[1.0, 0, 0, 0]]))
    file = tmp_path / "path.json"
    file.write_text(json.dumps(path.to_json()))

    cli.main(["capture", str(footage), "-o", str(tmp_path / "a.npz"), "--camera-path", str(file)])

    assert [each.camera_path for each in asked] == [path]


@pytest.mark.parametrize(
    "content", [None, "", "[1]", "[" * 100_000, '{"times_s": [0]}', " " * 5_000_000]
)
def test_a_file_that_is_no_path_is_refused_in_words(footage, tmp_path, asked, content, capsys):
    file = tmp_path / "path.json"
    if content is not None:
        file.write_text(content)

    status = cli.main(
        ["capture", str(footage), "-o", str(tmp_path / "a.npz"), "--camera-path", str(file)]
    )

    assert (status, asked) == (cli.REFUSED, [])
    assert "quats" in capsys.readouterr().err


def test_what_a_person_should_know_is_said_before_where_it_is_saved():
    capture = replace(toy_capture(frames=2), notes=("Person 1 is left as they were.",))

    said = summary(capture, Path("a.npz")).splitlines()

    assert said[-2:] == [
        "Person 1 is left as they were.",
        "Saved a.npz, with the takes refined, fitted",
    ]


@pytest.mark.parametrize("typed", ["spin+spin", "smplify+spin", "smplify+smplify", "magic"])
def test_methods_that_do_not_go_together_cannot_be_typed(footage, tmp_path, asked, typed, capsys):
    with pytest.raises(SystemExit):
        cli.main(["capture", str(footage), "-o", str(tmp_path / "a.npz"), "--method", typed])

    assert "spin+smplify" in capsys.readouterr().err


def test_nothing_typed_asks_for_the_whole_clip(footage, tmp_path, asked):
    cli.main(["capture", str(footage), "-o", str(tmp_path / "a.npz")])

    assert asked[0].clip.start_s == 0
    assert math.isinf(asked[0].clip.stop_s)


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("no/such/folder/a.npz", "is not a folder"),
        ("result.txt", "does not end in .npz"),
        ("folder.npz", "is a folder"),
    ],
)
def test_a_wrong_output_is_refused_before_the_work(footage, tmp_path, asked, capsys, output, said):
    (tmp_path / "folder.npz").mkdir()

    status = cli.main(["capture", str(footage), "-o", str(tmp_path / output)])

    assert status == cli.REFUSED
    assert said in capsys.readouterr().err
    assert asked == []


def test_a_folder_that_may_not_be_written_is_refused(footage, tmp_path, asked, monkeypatch, capsys):
    def refuse(**_: object):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("stripmocap.cli.outputs.tempfile.NamedTemporaryFile", refuse)

    status = cli.main(["capture", str(footage), "-o", str(tmp_path / "a.npz")])

    assert status == cli.REFUSED
    assert "cannot be written (Permission denied)" in capsys.readouterr().err
    assert asked == []


def test_a_full_disk_is_refused(footage, tmp_path, asked, monkeypatch, capsys):
    monkeypatch.setattr(
        "stripmocap.cli.outputs.shutil.disk_usage", lambda _: Usage(100, 99, 1 << 20)
    )

    status = cli.main(["capture", str(footage), "-o", str(tmp_path / "a.npz")])

    assert status == cli.REFUSED
    assert "has 1 MB left" in capsys.readouterr().err
    assert asked == []


def test_a_disk_that_fills_up_meanwhile_costs_no_work(
    footage, tmp_path, asked, monkeypatch, capsys
):
    output, spare = tmp_path / "a.npz", tmp_path / "spare"
    output.write_bytes(b"an earlier result")
    spare.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(spare))
    save = result_file.save

    def full(capture, path):
        if path == output:
            raise ResultFileError(f"{path} cannot be written (No space left on device)")
        save(capture, path)

    monkeypatch.setattr(result_file, "save", full)

    status = cli.main(["capture", str(footage), "-o", str(output)])

    (kept,) = spare.glob("*/a.npz")
    said = capsys.readouterr().err
    assert status == cli.REFUSED
    assert "No space left" in said
    assert str(kept) in said
    assert result_file.load(kept).take("fitted").motions
    assert output.read_bytes() == b"an earlier result"


def test_the_footage_is_never_overwritten(tmp_path, asked, capsys):
    clip = tmp_path / "clip.npz"
    clip.write_bytes(b"precious")
    os.link(clip, tmp_path / "same.npz")

    status = cli.main(["capture", str(clip), "-o", str(tmp_path / "same.npz")])

    assert status == cli.REFUSED
    assert clip.read_bytes() == b"precious"
    assert "would overwrite" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    ["--start 3 --stop 2", "--height 5", "--focal -1", "--humor-prior nan", "--start nan"],
)
def test_impossible_numbers_are_refused(footage, tmp_path, asked, options, capsys):
    status = cli.main(["capture", str(footage), "-o", str(tmp_path / "a.npz"), *options.split()])

    assert status == cli.REFUSED
    assert capsys.readouterr().err.startswith("Error: ")
    assert asked == []


@pytest.mark.parametrize(
    ("typed", "option", "way"),
    [
        ("--smoothness 0.3", "--smoothness", "--method smplify"),
        ("--method smplify --solver fast", "--solver", "+humor"),
    ],
)
def test_an_option_that_no_method_heeds_is_refused(
    footage, tmp_path, asked, typed, option, way, capsys
):
    status = cli.main(["capture", str(footage), "-o", str(tmp_path / "a.npz"), *typed.split()])

    assert status == cli.REFUSED
    said = capsys.readouterr().err
    assert option in said
    assert way in said
    assert asked == []


def test_what_is_not_typed_is_the_usual_way(footage, tmp_path, asked):
    cli.main(["capture", str(footage), "-o", str(tmp_path / "a.npz")])

    (request,) = asked
    assert (request.estimator, *request.refiners) == USUAL


def test_an_overlay_is_made_with_the_result(footage, tmp_path, asked):
    overlay = tmp_path / "overlay.mp4"

    status = cli.main(
        ["capture", str(footage), "-o", str(tmp_path / "a.npz"), "--overlay", str(overlay)]
    )

    assert status == cli.DONE
    assert overlay.stat().st_size > 0
