from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from stripmocap import cli, pipeline
from stripmocap.contract.errors import Cancelled, NobodyFound, VideoError

BACKEND = Path(cli.__file__).parents[2]


@pytest.fixture(autouse=True)
def signals():
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


def failing(error: BaseException):
    def capture(*_: object, **__: object):
        raise error

    return capture


def capture_command(footage: Path, tmp_path: Path) -> list[str]:
    return ["capture", str(footage), "-o", str(tmp_path / "result.npz")]


def test_an_error_says_what_is_wrong_and_what_to_do(footage, tmp_path, monkeypatch, capsys):
    error = NobodyFound("nobody is in the clip", hint="Film somebody.")
    monkeypatch.setattr(pipeline, "capture", failing(error))

    status = cli.main(capture_command(footage, tmp_path))

    assert status == cli.REFUSED
    assert capsys.readouterr().err == "Error: nobody is in the clip\n  Film somebody.\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Cancelled("stop")])
def test_a_stopped_job_leaves_no_file(footage, tmp_path, monkeypatch, error):
    monkeypatch.setattr(pipeline, "capture", failing(error))

    status = cli.main(capture_command(footage, tmp_path))

    assert status == cli.STOPPED
    assert {each.name for each in tmp_path.iterdir()} == {footage.name}


def test_a_bug_leaves_its_traceback_in_a_file(footage, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(pipeline, "capture", failing(ZeroDivisionError("odd")))

    status = cli.main(capture_command(footage, tmp_path))

    said = capsys.readouterr().err
    log = Path(said.strip().splitlines()[-1].partition("see ")[2])
    text = log.read_text(encoding="utf-8")
    log.unlink()
    assert status == cli.BUG
    assert "Traceback" not in said
    assert "ZeroDivisionError: odd" in text


def test_an_earlier_result_survives_a_failure(footage, tmp_path, monkeypatch, asked):
    command = capture_command(footage, tmp_path)
    cli.main(command)
    first = (tmp_path / "result.npz").read_bytes()

    monkeypatch.setattr(pipeline, "capture", failing(VideoError("cut short")))
    status = cli.main(command)

    assert status == cli.REFUSED
    assert (tmp_path / "result.npz").read_bytes() == first


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_a_running_verb(tmp_path, number):
    program = (
        "import sys, time, types\n"
        "from stripmocap import cli\n"
        "def run(arguments):\n"
        "    print('working', flush=True)\n"
        "    time.sleep(60)\n"
        "sys.modules['stripmocap.cli.capture'] = types.SimpleNamespace(run=run)\n"
        "sys.exit(cli.main(['capture', __file__, '-o', sys.argv[1]]))\n"
    )
    script = tmp_path / "run.py"
    script.write_text(program, encoding="utf-8")
    command = [sys.executable, str(script), str(tmp_path / "out.npz")]
    environment = {**os.environ, "PYTHONPATH": str(BACKEND), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "working\n"
        started = time.monotonic()

        process.send_signal(number)
        _, said = process.communicate(timeout=30)

    assert process.returncode == cli.STOPPED
    assert said.endswith("Stopped. Nothing half-written is left.\n")
    assert time.monotonic() - started < 30
    assert {each.name for each in tmp_path.iterdir()} == {"run.py"}


def test_help_is_quick_because_torch_is_not_loaded():
    program = "import sys; from stripmocap.cli import parser; parser.make(); print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(BACKEND)}

    loaded = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    ).stdout.split()

    assert "stripmocap.cli.parser" in loaded
    assert {"torch", "cv2", "av", "scipy"}.isdisjoint(loaded)


@pytest.mark.parametrize("argv", [[], ["fly"], ["capture"], ["capture", "a.mp4"]])
def test_a_wrong_command_is_refused_with_its_usage(argv, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(argv)

    assert caught.value.code == cli.REFUSED
    assert "usage: stripmocap" in capsys.readouterr().err
