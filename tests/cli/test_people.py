from __future__ import annotations

import json
from dataclasses import replace

import cv2
import pytest
from stripmocap import cli, pipeline
from stripmocap.contract import result_file
from stripmocap.contract.corrections import Correction, Mark
from toyshot import toy_capture

HERE, THERE = Mark(1.5, 0.25, 0.5), Mark(4.0, 0.75, 0.5)


@pytest.fixture
def asked(monkeypatch):
    """What was asked for; two people are there who cross the picture."""
    requests = []

    def capture(request, **_):
        requests.append(request)
        whole = toy_capture()
        return whole if request.methods else replace(whole, takes=())

    monkeypatch.setattr(pipeline, "capture", capture)
    return requests


def test_everybody_is_listed_with_a_mark(asked, footage, capsys):
    assert cli.main(["people", str(footage), "--start", "1"]) == cli.DONE

    out = capsys.readouterr().out
    assert (asked[0].estimator, asked[0].clip.start_s) == (None, 1)
    assert [line.split(":")[0] for line in out.splitlines()] == ["Person 0", "Person 1"]
    assert all("mark" in line and "seen in 98% of 40 frames" in line for line in out.splitlines())


def test_a_listed_mark_can_be_typed(asked, footage, capsys):
    cli.main(["people", str(footage)])
    mark = capsys.readouterr().out.splitlines()[1].rpartition(" ")[2]

    cli.main(["people", str(footage), "--correct", f"ignore {mark}"])

    lines = capsys.readouterr().out.splitlines()
    assert [line.endswith("left out") for line in lines] == [False, True]


def test_result_and_pictures_are_written(asked, footage, tmp_path, capsys):
    folder, output = tmp_path / "faces", tmp_path / "people.npz"
    folder.mkdir()

    cli.main(["people", str(footage), "-o", str(output), "--pictures", str(folder)])

    assert len(result_file.load(output).tracks) == 2
    strip = cv2.imread(str(folder / "person-1.png"))
    assert strip.shape == (8, 16, 3)
    assert (strip == 40).all()
    assert str(output) in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["people", "capture"])
def test_corrections_of_a_file_come_before_those_that_are_typed(verb, footage, tmp_path, asked):
    file = tmp_path / "corrections.json"
    merge = Correction("merge", HERE, THERE)
    file.write_text(json.dumps([merge.to_json()]))
    typed = ["split 1.5,0.25,0.5 at 2", "swap 1.5,0.25,0.5 4,0.75,0.5 at 2.5", "choose 4,0.75,0.5"]
    more = ["-o", str(tmp_path / "a.npz")]

    words = [each for text in typed for each in ("--correct", text)]
    cli.main([verb, str(footage), *more, "--corrections", str(file), *words])

    assert asked[0].corrections == (
        merge,
        Correction("split", HERE, time_s=2.0),
        Correction("swap", HERE, THERE, time_s=2.5),
        Correction("choose", THERE),
    )


@pytest.mark.parametrize(
    "text",
    [
        *("", "clone 1,0,0", "ignore", "ignore 1,2", "ignore 1,2,3 4,5,6", "merge 1,2,3"),
        *("split 1,2,3 2", "split 1,2,3 at", "split 1,2,3 at soon", "ignore 1,2,nan"),
        *("swap 1,2,3 at 4", "ignore 1,2,x"),
    ],
)
def test_what_is_no_correction_is_refused(asked, footage, text, capsys):
    assert cli.main(["people", str(footage), "--correct", text]) == cli.REFUSED

    assert "Error" in capsys.readouterr().err
    assert asked == []


@pytest.mark.parametrize(
    "content", ["", "{}", "[3]", "[" * 100_000, "\xff", '[{"kind": "ignore"}]']
)
def test_a_file_without_corrections_is_refused(asked, footage, tmp_path, content, capsys):
    file = tmp_path / "corrections.json"
    file.write_bytes(content.encode("latin-1"))

    assert cli.main(["people", str(footage), "--corrections", str(file)]) == cli.REFUSED
    assert asked == []


def test_a_file_that_is_not_there_or_endless_is_refused(asked, footage, tmp_path):
    file = tmp_path / "corrections.json"
    assert cli.main(["people", str(footage), "--corrections", str(file)]) == cli.REFUSED

    file.write_bytes(b"[" + b" " * 2**20 + b"]")
    assert cli.main(["people", str(footage), "--corrections", str(file)]) == cli.REFUSED


def test_nothing_is_looked_for_where_nothing_can_be_written(asked, footage, tmp_path):
    assert cli.main(["people", str(footage), "-o", str(tmp_path / "no" / "a.npz")]) == cli.REFUSED
    assert cli.main(["people", str(footage), "--pictures", str(tmp_path / "no")]) == cli.REFUSED

    assert asked == []
