"""What may become of a job, as functions from one record to the next; nothing is written here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from ...contract.errors import RequestError, StripMocapError, WorkerDied, WrongState
from ...contract.jobs import PRIORITY_RANGE, JobError, State
from .job import Job

MOST_INTERRUPTIONS = 10  # without getting further; then the job itself is under suspicion
MOST_NOTES = 50
MOST_KEY_BYTES = 1000
_FURTHER = 0.01  # share of the job that counts as having got further


def check_priority(priority: int) -> None:
    """Refuses a priority that is out of range.

    Raises:
        RequestError: it is.
    """
    low, high = PRIORITY_RANGE
    if not low <= priority <= high:
        raise RequestError(f"the priority is {priority}", hint=f"Give {low} to {high}.")


def check_key(key: str | None) -> None:
    """Refuses a key that cannot be kept.

    Raises:
        RequestError: it is empty or too long, or is no text.
    """
    if key is None:
        return
    try:
        fits = 0 < len(key.encode()) <= MOST_KEY_BYTES
    except UnicodeEncodeError:  # half a letter
        fits = False
    if not fits:
        raise RequestError(
            f"the key {key[:40]!a} cannot be kept", hint=f"Give 1 to {MOST_KEY_BYTES} bytes."
        )


def wrong(job: Job, verb: str, *, hint: str) -> WrongState:
    """The error that says that the job cannot be "moved", "deleted" or the like in its state."""
    return WrongState(f"job {job.id} is {job.state} and cannot be {verb}", hint=hint)


def noted(job: Job, sentence: str) -> Job:
    """The job with one more sentence about its way."""
    return replace(job, notes=(*job.notes, sentence)[-MOST_NOTES:])


def ended(job: Job, state: State, *, now_s: float) -> Job:
    """The job, ended."""
    return replace(job, state=state, finished_s=now_s)


def cancelled(job: Job, *, now_s: float) -> Job:
    """The job, cancelled; one that was cancelled before stays as it is.

    Raises:
        WrongState: it is done or failed.
    """
    if job.state in {"done", "failed"}:
        raise wrong(job, "cancelled", hint="Delete it if it is not wanted.")
    return job if job.ended else ended(job, "cancelled", now_s=now_s)


def failed(job: Job, error: StripMocapError, *, now_s: float) -> Job:
    """The job, failed with `error`."""
    return replace(ended(job, "failed", now_s=now_s), error=JobError.of(error))


def anew(job: Job) -> Job:
    """The ended job, queued as if it had not been tried, but for what counts its attempts.

    Raises:
        WrongState: it has not ended, or is done.
    """
    if job.state not in {"failed", "cancelled"}:
        raise wrong(job, "retried", hint="Only failed and cancelled jobs are retried.")
    job = replace(job, state="queued", strikes=0, interruptions=0, small=False, share=0.0, mark=0.0)
    job = replace(job, error=None, result=None, device=None, started_s=None, finished_s=None)
    return noted(job, "It was retried.")


def interrupted(job: Job, *, now_s: float) -> Job:
    """The job that ran when the service ended: queued, or failed if that was once too often."""
    further = job.share >= job.mark + _FURTHER
    times = 1 if further else job.interruptions + 1
    job = replace(job, interruptions=times, mark=job.share)
    if times < MOST_INTERRUPTIONS:
        job = noted(job, "The service ended while it ran, so it was queued again.")
        return replace(job, state="queued")
    error = WorkerDied(
        f"the service ended {times} times while this job ran, and it got no further",
        hint="Capture a shorter span, or look into the service's log for why it ends.",
    )
    return failed(job, error, now_s=now_s)


def traded(peers: list[Job], job_id: str, *, to: Literal["first", "last"]) -> list[Job]:
    """`peers` with this job first or last, each at a place that one of them had; all that moved."""
    job = next(each for each in peers if each.id == job_id)
    others = [each for each in peers if each.id != job_id]
    wanted = [job, *others] if to == "first" else [*others, job]
    positions = [each.position for each in peers]
    placed = [
        replace(each, position=position, moved=True)
        for each, position in zip(wanted, positions, strict=True)
    ]
    known = {each.id: each.position for each in peers}
    return [each for each in placed if each.id == job_id or each.position != known[each.id]]


def awaits(job: Job, made: Path) -> bool:
    """Whether a result at `made` is of the attempt that runs now."""
    other = made.parent.parent == job.folder and made.parent != job.work
    return job.state == "running" and not other
