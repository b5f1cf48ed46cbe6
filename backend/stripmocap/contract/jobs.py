"""Jobs of the service as its clients see them: records, and the same as JSON.

A job is one `CaptureRequest` on its way through the queue: queued -> running -> done, failed or
cancelled. What another client owns is never shown; it only counts in `place`. Times of day are unix
seconds and for display alone: nothing is ordered by them, because clocks jump.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

from .errors import BackendMismatch, StripMocapError, from_code

CONTRACT = 4  # raised when an older client or service would misread what is said
CONTRACT_HEADER = "Stripmocap-Contract"  # of every call that our own clients make, and its answer
CLIENT_HEADER = "Stripmocap-Client"  # who asks: a secret of the client's own making
CLIENT_KEY_LENGTH = 32  # hexadecimal digits of that secret
UPLOAD_SCHEME = "upload:"  # a clip's path that is "upload:" and the SHA-256 of a file sent before
PRIORITY_RANGE = (-10, 10)  # higher goes first
MAX_CHUNK_BYTES = 8 * 2**20  # of an upload, in one call
MAX_WAIT_S = 30.0  # that the service holds back an answer about events

# What a person reads of a stage; one that is not here is shown by its own name.
STAGE_LABELS = {
    "load": "opening the footage",
    "check": "looking for earlier work",
    "people": "finding people",
    "frame": "posing each frame",
    "pixels": "looking at each frame",
    "time": "posing over time",
    "fit": "fitting bodies",
    "refine": "refining motion",
}

State = Literal["queued", "running", "done", "failed", "cancelled"]
ENDED = ("done", "failed", "cancelled")


@dataclass(frozen=True)
class JobError:
    """Why a job failed, as one of the classes in `errors`."""

    code: str
    message: str
    hint: str

    @classmethod
    def of(cls, error: StripMocapError) -> JobError:
        """The record of `error`."""
        return cls(error.code, error.message, error.hint)

    def raised(self) -> StripMocapError:
        """The error that the record was made of, to be raised here."""
        return from_code(self.code, self.message, hint=self.hint)


@dataclass(frozen=True)
class JobProgress:
    """How far a job is."""

    stage: str = ""  # what is being done; empty before the first stage
    done: int = 0  # steps of the stage
    of: int = 0  # steps that the stage has; 0: not known
    share: float = 0.0  # of the whole job's time, in [0, 1]; never falls while a job lives
    left_s: float | None = None  # seconds of work still to do; None: cannot be said yet

    @property
    def label(self) -> str:
        """What is being done, in words for people."""
        return STAGE_LABELS.get(self.stage, self.stage) or "starting"


@dataclass(frozen=True)
class FileStatus:
    """A file that can be fetched."""

    sha256: str
    size: int  # bytes


@dataclass(frozen=True)
class JobStatus:
    """One job, as its owner sees it."""

    id: str
    key: str | None  # the client's own name for it; asking twice under one key makes one job
    name: str  # of the footage
    state: State
    priority: int  # in PRIORITY_RANGE
    place: int | None  # jobs that run before it, other clients' too; None once it runs
    progress: JobProgress
    request: dict[str, Any]  # as `CaptureRequest.told` says it
    attempts: int  # times that a worker began it
    notes: tuple[str, ...]  # what happened on the way, in sentences
    error: JobError | None  # of a failed job
    result: FileStatus | None  # of a job that is done
    partial: FileStatus | None  # what is finished of a job that runs
    created_s: float
    started_s: float | None
    finished_s: float | None


@dataclass(frozen=True)
class JobList:
    """Some of a client's jobs, the newest first."""

    jobs: tuple[JobStatus, ...]
    more: bool  # there are older ones: ask again with `before` the last one's id


@dataclass(frozen=True)
class Events:
    """What changed since a client asked last: the latest status of each job that did."""

    epoch: str  # of this run of the service; with another one than before, read the list again
    number: int  # to be given as `after` in the next call
    missed: bool  # older changes are forgotten: read the list again
    jobs: tuple[JobStatus, ...]
    deleted: tuple[str, ...]  # ids


@dataclass(frozen=True)
class UploadStatus:
    """How much of a file the service has."""

    sha256: str
    size: int  # bytes, of the whole file
    received: int  # bytes from the start; the next chunk begins here
    complete: bool


@dataclass(frozen=True)
class DeviceStatus:
    """One worker and what it computes on."""

    name: str  # "cpu", "cuda:0", "mps"
    label: str  # what the maker calls it
    state: Literal["starting", "ready", "busy", "failed", "stopped"]
    memory_total: int | None  # bytes; None where the system does not say
    memory_free: int | None


@dataclass(frozen=True)
class MethodStatus:
    """Whether a method can run here on some weights."""

    key: str
    label: str
    roles: tuple[str, ...]
    weights: str  # one of methods.WEIGHTS
    ready: bool
    lacks: tuple[str, ...]  # sentences: each file that it needs and how to get it


@dataclass(frozen=True)
class Health:
    """What the service is, has, and can do."""

    version: str
    contract: int
    epoch: str
    remote: bool  # footage must be uploaded; paths are not read
    finish_jobs: bool  # it goes on after its client has gone, until the queue is empty
    devices: tuple[DeviceStatus, ...]
    methods: tuple[MethodStatus, ...]
    queued: int  # jobs of all clients
    running: int
    disk_free: int  # bytes, where jobs are kept
    cache_size: int  # bytes of kept steps
    cache_limit: int
    notices: tuple[str, ...]  # what its owner should know, in sentences


@dataclass(frozen=True)
class CacheStatus:
    """The kept outputs of pipeline steps."""

    folder: str
    size: int  # bytes
    limit: int
    entries: dict[str, int]  # by step


_Record = TypeVar("_Record")


def to_json(record: Any) -> dict[str, Any]:
    """A dictionary that `json` can write, of any record here."""
    return asdict(record)


def from_json(kind: type[_Record], values: Any) -> _Record:
    """The record of `kind` that `to_json` wrote; names that it does not have are passed over.

    Raises:
        BackendMismatch: an entry is missing or of another type, so the other side is not ours.
    """
    try:
        return cast("_Record", _built(kind, values))
    except (KeyError, TypeError, ValueError) as error:
        raise BackendMismatch(
            f"the answer is no {kind.__name__} ({error})",
            hint="Use the same version of Strip Mocap on both sides.",
        ) from error


def _built(kind: Any, value: Any) -> Any:
    """`value` of JSON as the type that a field of a record has."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is UnionType:
        if value is None and NoneType in inner:
            return None
        return _built(next(each for each in inner if each is not NoneType), value)
    if origin is tuple:
        return tuple(_built(inner[0], each) for each in _of(list, value))
    if origin is dict:
        return {_of(str, key): _built(inner[1], each) for key, each in _of(dict, value).items()}
    if origin is Literal:
        if value not in inner:
            raise ValueError(f"{value!r} is none of {inner}")
        return value
    if is_dataclass(kind):
        entries, hints = _of(dict, value), get_type_hints(kind)
        return cast("type", kind)(
            **{each.name: _built(hints[each.name], entries[each.name]) for each in fields(kind)}
        )
    if kind is float:
        number = float(_of(int | float, value))
        if not math.isfinite(number):
            raise ValueError(f"{number} is no number")
        return number
    return value if kind is Any else _of(kind, value)


def _of(kind: Any, value: Any) -> Any:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"{str(value)[:40]!r} is no {getattr(kind, '__name__', kind)}")
    return value
