from __future__ import annotations

from dataclasses import replace

import pytest
from stripmocap.contract.jobs import FileStatus, JobProgress, JobStatus
from stripmocap.experiments.ledger import Ledger


def status(**changes) -> JobStatus:
    queued = JobStatus(
        id="one",
        key="k",
        name="walk.mp4",
        state="queued",
        priority=0,
        place=0,
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
    return replace(queued, **changes)


def at(share: float) -> JobStatus:
    return status(state="running", progress=JobProgress("people", 1, 2, share))


DONE = status(state="done", progress=JobProgress(share=1.0), result=FileStatus("a" * 64, 10))


@pytest.mark.parametrize(
    ("told", "violation"),
    [
        ([at(0.1), at(0.5), DONE, DONE], None),
        ([at(0.5), at(0.4)], "share went back"),
        ([DONE, status(state="running", progress=JobProgress(share=1.0))], "done job went on"),
        ([DONE, replace(DONE, result=FileStatus("b" * 64, 10))], "two results"),
        ([DONE, replace(DONE, result=None)], "two results"),
    ],
)
def test_what_contradicts_itself_is_a_violation(told, violation):
    ledger = Ledger()
    entry = ledger.submitted("k", told[0])

    for each in told:
        ledger.seen(entry, each, epoch="e")

    assert [each.split(" ", 1)[1].split(":")[0] for each in ledger.violations] == (
        [violation] if violation else []
    )


def test_two_ids_under_one_key_are_a_violation():
    ledger = Ledger()
    ledger.submitted("k", status())

    ledger.submitted("k", status(id="two"))

    assert "job twice" in ledger.violations[0]


def test_a_step_back_after_a_kill_is_told_apart():
    ledger = Ledger()
    entry = ledger.submitted("k", status())
    ledger.seen(entry, at(0.5), epoch="before")

    ledger.seen(entry, at(0.4), epoch="after")

    assert "share back after a kill" in ledger.violations[0]


def test_a_job_that_its_client_retried_begins_anew():
    ledger = Ledger()
    entry = ledger.submitted("k", status())
    ledger.seen(entry, at(0.5), epoch="e")

    ledger.retried(entry)
    ledger.seen(entry, at(0.1), epoch="e")

    assert ledger.violations == []
