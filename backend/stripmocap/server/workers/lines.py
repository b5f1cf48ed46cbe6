"""What the supervisor and a worker say to each other: one record as a line of JSON, both ways.

The supervisor's lines go to the worker's standard input, the worker's to the standard output that
it was started with. A line that is none of these records is nonsense and is passed over.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ...contract.errors import BackendMismatch
from ...contract.jobs import JobError, from_json, to_json
from ..queue.job import Footage

MAX_LINE_BYTES = 2**20  # longer lines are nonsense


@dataclass(frozen=True)
class Work:
    """To the worker: do this job."""

    job: str
    attempt: int
    request: dict[str, Any]  # as `CaptureRequest.to_json` writes it
    footage: Footage  # as the result shall name it
    small: bool  # with smaller batches
    result: str  # file to be made, in the folder of this attempt
    partial: str  # file for what is finished meanwhile
    log: str  # file for everything that is printed


@dataclass(frozen=True)
class Stop:
    """To the worker: let go of this job."""

    job: str
    attempt: int


@dataclass(frozen=True)
class Ready:
    """From the worker, once: it is loaded and computes on this."""

    name: str
    label: str
    memory_total: int | None
    memory_free: int | None


@dataclass(frozen=True)
class Memory:
    """From the worker, now and then: the device's memory, bytes."""

    total: int | None
    free: int | None


@dataclass(frozen=True)
class Reported:
    """From the worker: `done` of `of` steps of `stage` are made."""

    job: str
    attempt: int
    stage: str
    done: int
    of: int


@dataclass(frozen=True)
class Published:
    """From the worker: what is finished of the job lies in its folder."""

    job: str
    attempt: int


@dataclass(frozen=True)
class Held:
    """From the worker: it waits for somebody to free space on the disk."""

    job: str
    attempt: int
    why: str


@dataclass(frozen=True)
class Finished:
    """From the worker: the result is whole, in the folder of this attempt."""

    job: str
    attempt: int
    notes: tuple[str, ...] = ()  # what a person should know of how it went, in sentences


@dataclass(frozen=True)
class Failed:
    """From the worker: this is why there will be no result."""

    job: str
    attempt: int
    error: JobError


@dataclass(frozen=True)
class Stopped:
    """From the worker: it has let go of the job and given back its memory."""

    job: str
    attempt: int


Order = Work | Stop
AboutJob = Reported | Published | Held | Finished | Failed | Stopped
Line = Order | Ready | Memory | AboutJob
_KINDS: dict[str, type[Line]] = {
    each.__name__: each
    for each in (Work, Stop, Ready, Memory, Reported, Published, Held, Finished, Failed, Stopped)
}


def write(line: Line) -> bytes:
    """`line` with the end of line behind it."""
    values = {"kind": type(line).__name__, **to_json(line)}
    return json.dumps(values, allow_nan=False).encode("ascii") + b"\n"


def read(data: bytes) -> Line | None:
    """The record in a line; None if it is nonsense."""
    try:
        values = json.loads(data)
        return from_json(_KINDS[values["kind"]], values)
    except (ValueError, KeyError, TypeError, RecursionError, BackendMismatch):
        return None
