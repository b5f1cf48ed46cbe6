"""The worker process by itself, spoken to as the supervisor does."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import stripmocap.server
from stripmocap.contract import result_file
from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.server.queue.job import Footage
from stripmocap.server.workers import lines
from stripmocap.server.workers.supervisor import WORKER

TOY = Path(__file__).parents[1] / "toyworker.py"
SERVER = Path(stripmocap.server.__file__).parent
IN_WORKERS_ONLY = {"bench"}  # of the server's modules
HEAVY = {"torch", "cv2", "av", "ai_edge_litert", "scipy"}
DEADLINE_S = 60


class Worker:
    """A worker process, and the two ends of its lines."""

    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def say(self, line: lines.Line) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(lines.write(line))
        self.process.stdin.flush()

    def hear(self, kind: type) -> lines.Line:
        """The next line of a kind; others are passed over."""
        assert self.process.stdout is not None
        for data in self.process.stdout:
            line = lines.read(data)
            assert line is not None
            if isinstance(line, kind):
                return line
        raise AssertionError(f"the worker ended before it said {kind.__name__}")

    def leave(self) -> int:
        """Closes the worker's input; its exit status."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(DEADLINE_S)


@pytest.fixture
def worker():
    worker = Worker(sys.executable, str(TOY), "well")
    with worker.process:
        yield worker
        worker.process.kill()


def work(folder: Path, deed: str, *, job: str = "a", small: bool = False) -> lines.Work:
    path = folder / f"{deed}.mp4"
    return lines.Work(
        job,
        1,
        CaptureRequest(Clip(str(path))).to_json(),
        footage=Footage(str(path), path.name),
        small=small,
        result=str(folder / "result.npz"),
        partial=str(folder / "partial.npz"),
        log=str(folder / "log.txt"),
    )


def test_a_worker_says_what_it_computes_on_then_how_far_it_is_then_that_it_is_done(
    worker, tmp_path
):
    ready = worker.hear(lines.Ready)
    worker.say(work(tmp_path, "walk"))

    assert (ready.name, ready.memory_total, ready.memory_free) == ("cpu", 1000, 500)
    assert worker.hear(lines.Reported).stage == "people"
    assert worker.hear(lines.Reported).stage == "fit"
    assert worker.hear(lines.Finished) == lines.Finished("a", 1)
    assert len(result_file.load(tmp_path / "result.npz").takes) == 1


def test_a_result_names_footage_as_its_owner_does_and_no_path_of_this_machine(worker, tmp_path):
    footage = Footage("upload:" + "0" * 64, "walk.mp4")
    worker.say(replace(work(tmp_path, "walk"), footage=footage))

    worker.hear(lines.Finished)

    told = result_file.load(tmp_path / "result.npz").provenance
    assert told["request"]["clip"]["path"] == footage.path
    assert told["source"]["name"] == footage.name
    assert str(tmp_path) not in json.dumps(told)


def test_reports_of_one_stage_are_few(worker, tmp_path):
    worker.say(work(tmp_path, "wait"))
    worker.hear(lines.Reported)
    reports = [worker.hear(lines.Reported) for _ in range(3)]  # of some hundreds

    assert {each.stage for each in reports} == {"people"}
    assert worker.leave() == 0


def test_what_is_finished_is_a_whole_file_before_it_is_said(worker, tmp_path):
    worker.say(work(tmp_path, "publish"))

    worker.hear(lines.Published)

    assert len(result_file.load(tmp_path / "partial.npz").takes) == 1


def test_a_worker_that_is_told_to_let_go_does_the_next_job(worker, tmp_path):
    worker.say(work(tmp_path, "wait", job="a"))
    worker.hear(lines.Reported)
    worker.say(lines.Stop("a", 1))
    worker.say(work(tmp_path, "walk", job="b"))

    assert worker.hear(lines.Stopped) == lines.Stopped("a", 1)
    assert worker.hear(lines.Finished) == lines.Finished("b", 1)


def test_a_job_that_is_not_wanted_before_it_begins_is_not_begun(worker, tmp_path):
    worker.say(lines.Stop("a", 1))
    worker.say(work(tmp_path, "exit"))

    assert worker.hear(lines.Stopped) == lines.Stopped("a", 1)


def test_a_request_that_cannot_be_read_is_refused_in_words(worker, tmp_path):
    order = work(tmp_path, "walk")
    order.request["clip"] = {}
    worker.say(order)

    assert worker.hear(lines.Failed).error.code == "request"


def test_a_worker_without_a_log_file_still_works(worker, tmp_path):
    order = work(tmp_path, "print")
    (tmp_path / "log.txt").mkdir()
    worker.say(order)

    assert worker.hear(lines.Finished) == lines.Finished("a", 1)


def test_nonsense_is_passed_over(worker, tmp_path):
    worker.process.stdin.write(b"hello\n\xff\n{}\n")
    worker.say(work(tmp_path, "walk"))

    assert worker.hear(lines.Finished) == lines.Finished("a", 1)


@pytest.mark.parametrize("deed", [None, "wait", "sleep"])
def test_a_worker_ends_when_its_input_closes_whatever_it_does(worker, tmp_path, deed):
    worker.hear(lines.Ready)
    if deed:
        worker.say(work(tmp_path, deed))
        worker.hear(lines.Reported)

    assert worker.leave() == 0
    assert not (tmp_path / "result.npz").exists()


def test_the_server_loads_neither_torch_nor_decoders():
    files = [each for each in SERVER.rglob("*.py") if each.stem not in IN_WORKERS_ONLY]
    parts = [each.relative_to(SERVER.parents[1]).with_suffix("").parts for each in files]
    names = [".".join(each) for each in parts if each[-1] != "__init__"]
    program = f"import sys, json, importlib; [importlib.import_module(each) for each in {names!r}]"
    program += f"; print(json.dumps(sorted({HEAVY!r} & set(sys.modules))))"

    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, timeout=DEADLINE_S
    ).stdout

    assert json.loads(said) == []


def test_only_the_worker_knows_the_bench():
    knowing = [
        each.stem
        for each in SERVER.rglob("*.py")
        for node in ast.walk(ast.parse(each.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        if {alias.name for alias in node.names} & IN_WORKERS_ONLY or node.module in IN_WORKERS_ONLY
    ]

    assert knowing == ["worker"]


def test_the_real_worker_loads_torch_and_refuses_what_is_no_video(tmp_path):
    (tmp_path / "walk.mp4").write_bytes(b"no video")
    worker = Worker(*WORKER, "auto", str(tmp_path / "cache"), "1000000")
    with worker.process:
        ready = worker.hear(lines.Ready)
        worker.say(work(tmp_path, "walk"))
        failed = worker.hear(lines.Failed)
        status = worker.leave()

    assert ready.name in {"cpu", "cuda:0", "mps"}
    assert ready.label
    assert ready.memory_total >= ready.memory_free > 0
    assert failed.error.code == "video"
    assert status == 0


def test_the_real_worker_says_that_a_device_is_not_there(tmp_path):
    command = [*WORKER, "cuda:77", str(tmp_path / "cache"), "1000000"]
    with (tmp_path / "log.txt").open("wb") as log:
        # Its input stays open: a worker whose input closes ends before it says anything.
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=log)
        with process:
            status = process.wait(DEADLINE_S)

    assert status == 1
    assert "cannot start" in (tmp_path / "log.txt").read_text(encoding="utf-8")
