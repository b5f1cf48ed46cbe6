"""One job of the queue: the record, its row of the database, and the files in its folder.

`request.json` says what was asked, by whom and when in the order of things; it is there before the
job is. `outcome.json` says how the job ended; it is there before anybody is told. Both carry a
checksum, are written whole, and are all that is needed to make the job list again.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ...contract.errors import DiskFull, RequestError
from ...contract.jobs import ENDED, FileStatus, JobError, State
from ...contract.messages import CaptureRequest
from .. import durable

REQUEST, OUTCOME, RESULT, PARTIAL = "request.json", "outcome.json", "result.npz", "partial.npz"
WORK = "work-"  # and the attempt: where a worker makes its files
NEW = ".new-"  # before the id: the folder of a job that is being added
FORMAT = 1  # of both files
_WORK_FOLDER = re.compile(rf"{WORK}(\d+)")


class Unreadable(Exception):
    """What is kept of a job is not what was written, or of a version that is not ours."""


@dataclass(frozen=True)
class Footage:
    """A job's footage as its owner knows it, which another machine's user sent."""

    path: str
    name: str


@dataclass(frozen=True)
class Job:
    """One job, as the service knows it."""

    id: str
    owner: str
    key: str | None  # the owner's own name for it
    request: CaptureRequest
    number: int  # order in which jobs were added
    position: int  # order in which jobs of one priority run
    priority: int  # higher runs first
    created_s: float
    folder: Path
    state: State = "queued"
    moved: bool = False  # priority and position are not those of request.json
    attempts: int = 0  # times that it was claimed
    strikes: int = 0  # times that it ended a worker
    interruptions: int = 0  # times that the service ended under it and it had got no further
    small: bool = False  # to be tried with smaller batches
    notes: tuple[str, ...] = ()
    error: JobError | None = None
    share: float = 0.0  # highest progress so far, in [0, 1]
    mark: float = 0.0  # `share` at the last interruption
    result: FileStatus | None = None
    device: str | None = None  # on which it was claimed last
    started_s: float | None = None
    finished_s: float | None = None

    @property
    def name(self) -> str:
        """The footage's, without its folder."""
        return re.split(r"[/\\]", self.request.clip.path)[-1]

    @property
    def footage(self) -> Footage:
        """Its footage, where the owner's files are this machine's."""
        return Footage(self.request.clip.path, self.name)

    @property
    def ended(self) -> bool:
        """Whether it will not run again unless somebody says so."""
        return self.state in ENDED

    @property
    def work(self) -> Path:
        """The folder in which this attempt's worker makes its files."""
        return self.folder / f"{WORK}{self.attempts}"


_COLUMNS = ("id", "owner", "key", "number", "position", "priority", "state")
_OUTCOME = ("attempts", "notes", "error", "share", "result", "started_s", "finished_s")


def to_row(job: Job) -> tuple[Any, ...]:
    """The values of the table's columns; the last one is a checksum over the others."""
    head = tuple(getattr(job, name) for name in _COLUMNS)
    rest = {name: value for name, value in asdict(job).items() if name not in (*_COLUMNS, "folder")}
    body = json.dumps({**rest, "request": job.request.to_json()})
    return (*head, body, _row_checksum((*head, body)))


def from_row(row: tuple[Any, ...], jobs: Path) -> Job:
    """The job that `to_row` wrote, its folder in `jobs`.

    Raises:
        Unreadable: the row is damaged or of another version.
    """
    *values, checksum = row
    if _row_checksum(tuple(values)) != checksum:
        raise Unreadable("a row of the job list is damaged")
    *head, body = values
    return _job({**json.loads(body), **dict(zip(_COLUMNS, head, strict=True))}, jobs)


def write_folder(job: Job) -> None:
    """The job's folder, with its `request.json`; it is not there before the file is whole.

    Raises:
        DiskFull: the disk has no space or refuses.
    """
    new = job.folder.with_name(f"{NEW}{job.id}")
    try:
        new.mkdir(mode=0o700)
        _write_request(job, new)
        durable.move_folder(new, job.folder)
    except (OSError, DiskFull) as error:
        durable.take_back_folder(new)
        if isinstance(error, OSError):
            raise durable.refusal(error, job.folder) or error from error
        raise


def _write_request(job: Job, folder: Path) -> None:
    names = ("id", "owner", "key", "number", "position", "priority", "created_s")
    values = {name: getattr(job, name) for name in names}
    write_sealed(folder / REQUEST, {**values, "request": job.request.to_json()})


def write_outcome(job: Job) -> None:
    """The `outcome.json` of a job that has ended, into its folder."""
    assert job.ended
    every = asdict(job)
    values = {name: every[name] for name in _OUTCOME}
    write_sealed(job.folder / OUTCOME, {"id": job.id, "state": job.state, **values})


def read_job(folder: Path) -> Job:
    """The job whose folder this is, as its request says it: queued, with no outcome.

    Raises:
        Unreadable: the request is missing, damaged or of another version.
    """
    values = read_sealed(folder / REQUEST)
    if values is None or values.get("id") != folder.name:
        raise Unreadable(f"{folder} holds no job")
    values["attempts"] = max(work_folders(folder), default=0)
    return _job(values, folder.parent)


def with_outcome(job: Job) -> Job | None:
    """The job as its `outcome.json` says that it ended; None if it does not.

    Raises:
        Unreadable: the file is damaged or of another version.
    """
    values = read_sealed(job.folder / OUTCOME)
    if values is None:
        return None
    if values.get("id") != job.id or values.get("state") not in ENDED:
        raise Unreadable(f"{job.folder / OUTCOME} is of another job")
    ended = replace(job, state=values["state"], **_outcome(values))
    return replace(ended, attempts=max(ended.attempts, job.attempts))


def has_result(job: Job, *, hashed: bool = True) -> bool:
    """Whether the result is there with its size, and is what its checksum says if that is asked."""
    path = job.folder / RESULT
    if job.result is None:
        return False
    try:
        if path.stat().st_size != job.result.size:
            return False
        return not hashed or status_of(path) == job.result
    except OSError:
        return False


def status_of(path: Path) -> FileStatus:
    """Checksum and size of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return FileStatus(digest, file.tell())


def work_folders(folder: Path) -> dict[int, Path]:
    """The folders of work that are in a job's folder, by the attempts that they are of."""
    if not folder.is_dir():
        return {}
    found = {each: _WORK_FOLDER.fullmatch(each.name) for each in folder.iterdir()}
    return {int(match[1]): each for each, match in found.items() if match}


def write_sealed(path: Path, values: dict[str, Any]) -> None:
    """A JSON file that says whether it is whole."""
    sealed = {"format": FORMAT, **values}
    durable.write(path, json.dumps({**sealed, "checksum": _seal(sealed)}, indent=1).encode())


def read_sealed(path: Path) -> dict[str, Any] | None:
    """What `write_sealed` wrote; None where there is no such file.

    Raises:
        Unreadable: the file is damaged or of another version.
    """
    try:
        values = json.loads(path.read_bytes())
        whole = values.pop("checksum") == _seal(values)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise Unreadable(f"{path} is damaged ({error})") from error
    if not whole or values.pop("format") != FORMAT:
        raise Unreadable(f"{path} is damaged or of another version")
    return values


def _job(values: dict[str, Any], jobs: Path) -> Job:
    try:
        request = CaptureRequest.from_json(values.pop("request"))
        outcome = _outcome(values)
        rest = {name: value for name, value in values.items() if name not in outcome}
        return Job(request=request, folder=jobs / values["id"], **rest, **outcome)
    except (RequestError, KeyError, TypeError) as error:
        raise Unreadable(f"job {values.get('id')} is of another version ({error})") from error


def _outcome(values: dict[str, Any]) -> dict[str, Any]:
    """The entries of `_OUTCOME` that are in `values`, as the types that a job has."""
    kept = {name: values[name] for name in _OUTCOME if name in values}
    try:
        for name, kind in (("error", JobError), ("result", FileStatus)):
            if kept.get(name) is not None:
                kept[name] = kind(**kept[name])
        if "notes" in kept:
            kept["notes"] = tuple(kept["notes"])
    except TypeError as error:
        raise Unreadable(str(error)) from error
    return kept


def _row_checksum(values: tuple[Any, ...]) -> int:
    return zlib.crc32(repr(values).encode())


def _seal(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
