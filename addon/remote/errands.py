"""What the watcher is asked to do, and what it tells: plain records, both ways through a queue."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..contract import body_file, errors, jobs, messages, motion
from .host import Backend, ThisComputer
from .python import Examination


@dataclass(frozen=True)
class Connect:
    """Be in touch with a backend from now on; None: with none."""

    backend: Backend | None
    start: bool = True  # start the service of this computer if it does not run


@dataclass(frozen=True)
class Submit:
    """Make a job of a request under a key; a clip is sent first to a service elsewhere."""

    key: str
    request: messages.CaptureRequest


@dataclass(frozen=True)
class Withdraw:
    """Do not submit after all what has not been submitted yet."""

    key: str


@dataclass(frozen=True)
class Change:
    """Do something to a job."""

    job_id: str
    action: Literal["cancel", "retry", "first", "last", "delete"]


@dataclass(frozen=True)
class Fetch:
    """Bring the result of a job, with the body that it shows."""

    job_id: str
    bodies: Path | None = None  # the folder of the user's body files; None: in the data folder


@dataclass(frozen=True)
class FetchPart:
    """Bring what is finished of a job that still runs, with the body that it shows."""

    job_id: str
    bodies: Path | None = None  # as of `Fetch`


@dataclass(frozen=True)
class FetchPeople:
    """Bring who was found by a job that is done, and no bodies."""

    job_id: str


@dataclass(frozen=True)
class ReadLog:
    """Bring what was written while a job ran."""

    job_id: str


@dataclass(frozen=True)
class AskHealth:
    """Ask the service how it is."""


@dataclass(frozen=True)
class Examine:
    """Look whether a Python of this computer can capture."""

    backend: ThisComputer


@dataclass(frozen=True)
class AddBody:
    """Make a body file of an official file, with a Python of this computer."""

    backend: ThisComputer
    source: Path  # an official SMPL file
    folder: Path  # of the user's body files


@dataclass(frozen=True)
class Try:
    """Call a service once, without staying in touch."""

    backend: Backend


@dataclass(frozen=True)
class ClearCache:
    """Let the service forget the kept outputs of its steps."""


Errand = (
    Connect
    | Submit
    | Withdraw
    | Change
    | Fetch
    | FetchPart
    | FetchPeople
    | ReadLog
    | AskHealth
    | Examine
    | AddBody
    | Try
    | ClearCache
)


@dataclass(frozen=True)
class Reaching:
    """A service is being looked for or started."""


@dataclass(frozen=True)
class Connected:
    """The service answers."""

    url: str
    health: jobs.Health


@dataclass(frozen=True)
class Lost:
    """The service does not answer."""

    error: errors.StripMocapError
    again_s: float | None  # until the next try; None: there is none before it is asked for


@dataclass(frozen=True)
class JobsNews:
    """Jobs that changed, or all there are."""

    jobs: tuple[jobs.JobStatus, ...]
    deleted: tuple[str, ...]
    every: bool


@dataclass(frozen=True)
class Submitted:
    """A request became a job, or why not."""

    key: str
    job: jobs.JobStatus | None
    error: errors.StripMocapError | None = None


@dataclass(frozen=True)
class Moving:
    """How much of a file has been sent or brought."""

    name: str  # the key of what is submitted, or the id of the job that is fetched
    stage: str
    share: float  # in [0, 1]


@dataclass(frozen=True)
class Arrived:
    """The result of a job, or what was finished of it."""

    job_id: str
    path: Path
    capture: motion.Capture
    body: body_file.BodyTemplate
    remark: str = ""  # what is worth telling of the body, without full stop
    is_part: bool = False  # the job goes on, and its result comes later


@dataclass(frozen=True)
class PeopleFound:
    """Who was found by a job."""

    job_id: str
    capture: motion.Capture  # its takes are not for import


@dataclass(frozen=True)
class LogRead:
    """What was written while a job ran."""

    job_id: str
    text: str


@dataclass(frozen=True)
class Examined:
    """What can be captured with a Python of this computer."""

    examination: Examination | None
    error: errors.StripMocapError | None = None


@dataclass(frozen=True)
class BodyAdded:
    """A body file was made, or why not."""

    path: Path | None
    error: errors.StripMocapError | None = None


@dataclass(frozen=True)
class Tried:
    """How a service is that was called once."""

    health: jobs.Health | None
    error: errors.StripMocapError | None = None


@dataclass(frozen=True)
class Refused:
    """An errand could not be done."""

    errand: Errand
    error: errors.StripMocapError


News = (
    Reaching
    | Connected
    | Lost
    | JobsNews
    | Submitted
    | Moving
    | Arrived
    | PeopleFound
    | LogRead
    | Examined
    | BodyAdded
    | Tried
    | Refused
)
