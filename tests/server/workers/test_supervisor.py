"""Jobs through real worker processes: done, failed, tried again."""

from __future__ import annotations

import pytest
from server.service import Service
from server.toyworker import NOTE
from stripmocap.contract import result_file


@pytest.fixture
def service(tmp_path):
    with Service(tmp_path) as service:
        yield service


def test_a_job_that_is_queued_is_done_and_its_result_can_be_read(service):
    job = service.until_ended(service.add("walk"))

    assert job.state == "done"
    assert len(result_file.load(job.folder / "result.npz").takes) == 1
    service.until(lambda: not job.work.exists())


@pytest.mark.parametrize("deed", ["exit", "segfault", "exit-fit"])
def test_a_job_that_ends_its_worker_twice_fails_with_advice(service, deed):
    job = service.until_ended(service.add(deed))

    assert (job.state, job.attempts, len(job.notes)) == ("failed", 2, 1)
    assert job.error.code == "worker_died"
    assert job.error.hint


@pytest.mark.parametrize("deed", ["once", "once-fit", "gpu"])
def test_a_job_that_ends_its_worker_once_is_done_with_smaller_batches(service, deed):
    job = service.until_ended(service.add(deed))

    assert (job.state, job.attempts, job.small) == ("done", 2, True)


@pytest.mark.parametrize(("deed", "code"), [("broken", "video"), ("bug", "service")])
def test_a_job_whose_worker_says_why_fails_at_once(service, deed, code):
    job = service.until_ended(service.add(deed))

    assert (job.state, job.attempts, job.error.code) == ("failed", 1, code)


def test_what_a_person_should_know_of_a_result_is_noted_at_the_job(service):
    noted, silent = (service.until_ended(service.add(deed)) for deed in ("note", "walk"))

    assert (noted.state, noted.notes) == ("done", (NOTE,))
    assert silent.notes == ()


def test_what_a_worker_prints_and_the_traceback_of_a_bug_are_in_the_log(service):
    printed = service.until_ended(service.add("print"))
    failed = service.until_ended(service.add("bug"))

    log = (printed.folder / "log.txt").read_text(encoding="utf-8")
    assert "a library in C" in log
    assert "a library in Python" in log
    assert "ZeroDivisionError" in (failed.folder / "log.txt").read_text(encoding="utf-8")
