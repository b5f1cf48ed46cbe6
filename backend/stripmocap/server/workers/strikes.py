"""What becomes of a job that ended its worker: a second try with smaller batches, then advice."""

from __future__ import annotations

from dataclasses import dataclass

from ...contract.errors import DeviceOutOfMemory, StripMocapError, WorkerDied
from ..queue.job import Job

GIB = 2**30
FALSE_STARTS = 3  # of a job, whose worker ended for reasons of its own; then the job is suspected


@dataclass(frozen=True)
class Crash:
    """The process ended."""

    what: str  # in words that follow "the worker"
    advice: str = (
        "The video may be damaged: convert it to H.264 with another program and capture that. "
        "The job's log says where it happened."
    )


@dataclass(frozen=True)
class Stall:
    """The process said nothing for too long."""

    seconds: float
    advice: str = (
        "The video may be damaged, or lie on a drive that does not answer. Copy it to this "
        "machine, then retry the job."
    )

    @property
    def what(self) -> str:
        """In words that follow "the worker"."""
        return f"said nothing for {self.seconds:.0f} s"


@dataclass(frozen=True)
class TooMuchMemory:
    """The process took more than it may."""

    size: int  # bytes
    limit: int
    advice: str = (
        "Capture a shorter span, or give the worker more memory with STRIPMOCAP_WORKER_BYTES."
    )

    @property
    def what(self) -> str:
        """In words that follow "the worker"."""
        return f"took {self.size / GIB:.1f} GiB of memory, with {self.limit / GIB:.1f} GiB allowed"


Cause = Crash | Stall | TooMuchMemory


@dataclass(frozen=True)
class Again:
    """The job is put back."""

    note: str
    strike: bool = True  # to be tried with smaller batches, for the last time


Verdict = Again | StripMocapError


def of_death(job: Job, cause: Cause, *, begun: bool = True) -> Verdict:
    """What becomes of `job`, whose worker ended because of `cause`, perhaps before it began it."""
    if not begun and job.attempts - job.strikes <= FALSE_STARTS:
        return Again(f"The worker {cause.what} before it began the job.", strike=False)
    if not job.strikes:
        return Again(f"The worker {cause.what}; the job is tried again with smaller batches.")
    return WorkerDied(f"the worker {cause.what}, for the second time", hint=cause.advice)


def of_failure(job: Job, error: StripMocapError) -> Verdict:
    """What becomes of `job`, for which the worker says `error`."""
    if isinstance(error, DeviceOutOfMemory) and not job.strikes:
        return Again(f"{_sentence(error.message)} It is tried again with smaller batches.")
    return error


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
