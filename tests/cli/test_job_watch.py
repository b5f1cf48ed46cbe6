from __future__ import annotations

import io
import threading
from dataclasses import replace

import pytest
from server.running import DEADLINE_S, KEY, Running, asked, until, until_state
from stripmocap.cli import DONE, REFUSED, STOPPED, connection, job_texts, job_watch
from stripmocap.contract.errors import BackendUnavailable
from stripmocap.contract.jobs import Events, JobError, JobProgress, JobStatus

JOB = JobStatus(
    id="0123456789abcdef" * 2,
    key=None,
    name="walk.mp4",
    state="queued",
    priority=0,
    place=2,
    progress=JobProgress(),
    request={},
    attempts=0,
    notes=(),
    error=None,
    result=None,
    partial=None,
    created_s=0.0,
    started_s=None,
    finished_s=None,
)
RUNNING = replace(
    JOB, state="running", place=None, progress=JobProgress("people", 3, 10, share=0.25, left_s=75.0)
)
FAILED = replace(JOB, state="failed", place=None, error=JobError("video", "no video", "Look."))


class Told:
    """A service that tells a story, one status at a time; None: it is away."""

    def __init__(self, *story: JobStatus | None) -> None:
        self.story = list(story)

    def events(self, *, after: int, epoch: str | None, wait_s: float) -> Events:
        if epoch is None:
            return Events("run", 0, True, (), ())
        job = self.story.pop(0)
        if job is None:
            raise BackendUnavailable("away")
        return Events("run", after + 1, False, (job,), ())

    def job(self, job_id: str) -> JobStatus:
        return self.story.pop(0)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def watched(service, *, stream=None) -> tuple[int, str]:
    stream = stream or io.StringIO()
    status = job_watch.watch(service, JOB.id, again=lambda: service, stream=stream)
    return status, stream.getvalue()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(job_watch, "_AGAIN_S", 0.01)


@pytest.mark.parametrize(
    ("end", "status"),
    [("done", DONE), ("failed", REFUSED), ("cancelled", STOPPED)],
)
def test_the_status_tells_how_it_ended(end, status):
    last = FAILED if end == "failed" else replace(JOB, state=end, place=None)

    assert watched(Told(JOB, RUNNING, last))[0] == status


def test_in_a_log_a_line_stands_for_each_stage():
    further = replace(RUNNING, progress=replace(RUNNING.progress, done=4))
    fit = replace(RUNNING, progress=JobProgress("fit", 0, 9, share=0.5))
    done = replace(JOB, state="done", place=None)

    _, text = watched(Told(JOB, RUNNING, further, fit, done))

    assert text.splitlines() == [
        "01234567 walk.mp4: queued, 2 before it",
        "01234567 walk.mp4: [##........]  25 % finding people, 1:15 left",
        "01234567 walk.mp4: [#####.....]  50 % fitting bodies",
        "01234567 walk.mp4: done",
    ]


def test_on_a_terminal_one_line_changes():
    _, text = watched(Told(JOB, RUNNING, FAILED), stream=Terminal())

    lines = [each.rstrip() for each in text.split("\r")]
    assert lines[1:] == [
        "01234567 walk.mp4: queued, 2 before it",
        "01234567 walk.mp4: [##........]  25 % finding people, 1:15 left",
        "01234567 walk.mp4: failed, no video",
    ]
    assert text.endswith("\n")
    assert text.count("\n") == 1


def test_a_service_that_is_away_is_waited_for():
    status, text = watched(Told(RUNNING, None, None, replace(JOB, state="done", place=None)))

    assert status == DONE
    assert text.endswith("done\n")


def test_a_service_that_does_not_come_back_is_given_up(monkeypatch):
    monkeypatch.setattr(job_watch, "AWAY_S", 0.05)

    with pytest.raises(BackendUnavailable):
        watched(Told(RUNNING, *[None] * 1000))


def test_a_job_that_ended_while_the_service_was_away_is_heard_of():
    class Back:
        runs = iter(("first", "second"))
        states = iter((RUNNING, FAILED))

        def events(self, *, after: int, epoch: str | None, wait_s: float) -> Events:
            return Events(next(self.runs), 0, True, (), ())

        def every_job(self):
            return [next(self.states)]

    service, stream = Back(), io.StringIO()

    assert job_watch.watch(service, None, again=lambda: service, stream=stream) == REFUSED


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (0.2, "0 s"), (59.4, "59 s"), (61, "1:01"), (3723, "1:02:03"), (-1, "0 s")],
)
def test_times_are_short(value, text):
    assert job_texts.seconds(value) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KB"), (20 * 2**30, "20.0 GB")],
)
def test_sizes_are_short(count, text):
    assert job_texts.size(count) == text


def test_a_table_says_why_a_job_failed():
    long = replace(FAILED, error=JobError("video", "x" * 300, ""))

    head, first, second = job_texts.table([FAILED, long]).splitlines()

    assert "no video" in first
    assert len(second) < 100
    assert first.index("walk.mp4") == head.index("NAME")


def test_a_job_is_followed_from_one_run_of_the_service_to_the_next(tmp_path):
    data, stream, found = tmp_path / "data", io.StringIO(), []

    def follow() -> None:
        service = first.service()
        again = connection.running
        found.append(
            job_watch.watch(
                service, job.id, again=lambda: again(data, client_key=KEY), stream=stream
            )
        )

    with Running(data) as first:
        job = first.service().submit(asked(tmp_path / "wait.mp4"))
        until_state(first.service(), job, "running")
        following = threading.Thread(target=follow)
        following.start()
        until(lambda: "walk" in stream.getvalue() or "wait.mp4" in stream.getvalue())
        first.kill()
    (tmp_path / "go").touch()
    with Running(data) as second:
        assert second.handover
        following.join(DEADLINE_S)

    assert found == [DONE]
    assert stream.getvalue().endswith("wait.mp4: done\n")
