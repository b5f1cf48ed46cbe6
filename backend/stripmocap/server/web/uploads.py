"""Footage that clients on other machines send: in chunks, resumable, known by its SHA-256.

A whole file is everybody's who can name its checksum, so nothing is sent twice. Clients that send
one file at the same time do not see each other's part of it; the first to finish is the last to
send. A chunk is acknowledged when the disk has it for good.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from ...contract import sequences
from ...contract.errors import (
    NotThere,
    RequestError,
    ServiceError,
    WrongState,
)
from ...contract.jobs import UPLOAD_SCHEME, UploadStatus
from .. import durable
from ..queue.job import Footage, Job
from ..queue.store import Store
from .shelf import HASH, Record, Shelf

PIECE = 256 * 1024  # bytes that are in memory at once
NAMELESS = "upload"  # what is shown of footage whose client gave no name
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


@dataclass
class _Sender:
    """One client's sending of one file: one chunk at a time."""

    lock: threading.Lock
    digest: Any = None  # of the first `hashed` bytes
    hashed: int = 0


class Uploads:
    """The folder of uploads. Thread-safe.

    Args:
        folder: it is made, its parent is there.
        limit_bytes: of everything in it; TooLarge beyond.
    """

    def __init__(self, folder: Path, *, limit_bytes: int) -> None:
        self.folder = folder
        self._shelf = Shelf(folder, limit_bytes=limit_bytes)
        self._lock = threading.RLock()  # over what lies in the folder, not over the sending
        self._senders: dict[tuple[str, str], _Sender] = {}

    def keep(self, needed: Callable[[], set[str]]) -> None:
        """From now on the files stay whose checksums `needed` returns."""
        self._shelf.needed = needed

    def begin(self, sha256: str, *, size: int, owner: str, name: str | None = None) -> UploadStatus:
        """How much of the file is here, after room was made for the rest.

        Raises:
            RequestError: another size was given before for what is here; or it is a picture.
            TooLarge: it does not fit into the limit, or the client has begun too many files.
            DiskFull: it does not fit on the disk.
        """
        shown = shown_name(name)
        _check_movie(shown)
        with self._lock:
            whole = self._shelf.size_of(sha256)
            if whole is not None:
                if whole != size:
                    raise RequestError(
                        f"the file with this checksum has {whole} bytes, not {size}",
                        hint="Send the checksum and the size of the same file.",
                    )
                self._shelf.use(sha256)
                self._shelf.write(sha256, owner, Record(size, size, shown))
                return UploadStatus(sha256, size, size, complete=True)
            record = self._shelf.record(sha256, owner)
            if record is not None and record.size == size:
                self._shelf.check_disk(size - record.received)
                return UploadStatus(sha256, size, record.received, complete=False)
            self._shelf.drop(sha256, owner)
            self._shelf.check_count(owner)
            self._shelf.make_room(size)
            self._shelf.check_disk(size)
            self._shelf.write(sha256, owner, Record(size, 0, shown))
            return UploadStatus(sha256, size, 0, complete=False)

    def status(self, sha256: str, *, owner: str) -> UploadStatus:
        """How much of the file is here.

        Raises:
            NotThere: nothing is, or nothing of this client's.
        """
        with self._lock:
            whole = self._shelf.size_of(sha256)
            if whole is not None:
                return UploadStatus(sha256, whole, whole, complete=True)
            record = self._shelf.record(sha256, owner)
        if record is None:
            raise NotThere("nobody has begun to send that file", hint="Begin with POST uploads.")
        return UploadStatus(sha256, record.size, record.received, complete=False)

    def put(self, sha256: str, *, offset: int, chunk: IO[bytes], owner: str) -> UploadStatus:
        """How much of the file is here once `chunk`, whose bytes begin at `offset`, is kept.

        Returns only when the disk has it for good. What was sent before is passed over.

        Raises:
            NotThere: nobody has begun to send the file.
            WrongState: bytes before `offset` are missing, or differ from those sent before.
            RequestError: there is more than the size that was given, or the whole file has another
                checksum; then it is dropped.
            DiskFull: the disk refuses; what was kept before still is.
        """
        with self._sending(sha256, owner) as sender:
            status = self.status(sha256, owner=owner)
            if status.complete:
                return status
            length = chunk.seek(0, os.SEEK_END)
            _check_place(status, offset, length)
            part = self._shelf.part(sha256, owner)
            with _disk(part), part.open("r+b" if part.exists() else "w+b") as file:
                _check_same(file, chunk, offset=offset, until=min(status.received, offset + length))
                chunk.seek(status.received - offset)
                file.seek(status.received)
                shutil.copyfileobj(chunk, file, PIECE)
                received = file.truncate()
                file.flush()
                durable.sync(file.fileno())
                _hash_on(sender, file, received)
            record = self._shelf.record(sha256, owner)
            if record is not None and record.size == status.size:
                record = replace(record, received=received)
                if received < status.size:
                    self._shelf.write(sha256, owner, record)
                return self._received(sha256, owner, record, sender=sender)
            raise NotThere("the upload was given up", hint="Begin again with POST uploads.")

    def scratch(self) -> SpooledTemporaryFile[bytes]:
        """Where a chunk lies until it is whole: in memory at first, then in a file that goes."""
        return SpooledTemporaryFile(max_size=PIECE, dir=str(self.folder))

    def spool(self, chunk: IO[bytes], piece: bytes) -> None:
        """Adds `piece` to a chunk.

        Raises:
            DiskFull: the disk refuses.
        """
        with _disk(self.folder):
            chunk.write(piece)

    @contextlib.contextmanager
    def held(self, sha256: str) -> Iterator[Path]:
        """The whole file with that checksum, which does not go while the block runs.

        Raises:
            NotThere: it is not here.
        """
        with self._lock:
            if not HASH.fullmatch(sha256) or self._shelf.size_of(sha256) is None:
                raise NotThere(
                    "the footage of the job has not been sent, or is not here any more",
                    hint="Send the file first (POST uploads), then make the job.",
                )
            self._shelf.use(sha256)
            yield self._shelf.whole(sha256)

    def footage_of(self, job: Job) -> Footage:
        """The job's footage as its owner knows it: what was sent has no path here."""
        sha256 = checksum_at(job.request.clip.path, self.folder)
        if sha256 is None:
            return job.footage
        record = self._shelf.record(sha256, job.owner)
        return Footage(UPLOAD_SCHEME + sha256, record.name if record else NAMELESS)

    def _received(
        self, sha256: str, owner: str, record: Record, *, sender: _Sender
    ) -> UploadStatus:
        """How much of a file is here; a client's copy that is whole becomes everybody's."""
        with self._lock:
            if self._shelf.size_of(sha256) is not None:  # somebody else was faster
                self._shelf.drop_parts(sha256)
            elif record.received == record.size:
                if sender.digest.hexdigest() != sha256:
                    self._shelf.drop(sha256, owner)
                    raise RequestError(
                        "the file that was sent has another checksum, so it was dropped",
                        hint="See that nothing changes it while it is sent, and send it again.",
                    )
                durable.move(self._shelf.part(sha256, owner), self._shelf.whole(sha256))
                self._shelf.drop_parts(sha256)
                self._shelf.write(sha256, owner, record)
            return self.status(sha256, owner=owner)

    @contextlib.contextmanager
    def _sending(self, sha256: str, owner: str) -> Iterator[_Sender]:
        key = (sha256, owner)
        with self._lock:
            sender = self._senders.setdefault(key, _Sender(threading.Lock()))
        with sender.lock:
            try:
                yield sender
            finally:
                with self._lock:
                    record = self._shelf.record(sha256, owner)
                    if record is None or record.received == record.size:
                        self._senders.pop(key, None)


def needed(store: Store, folder: Path) -> set[str]:
    """Checksums of the uploads in `folder` that queued and running jobs read."""
    found = set()
    for state in ("queued", "running"):
        before, more = None, True
        while more:
            jobs, more = store.listed(state=state, before=before, limit=200)
            paths = (job.request.clip.path for job in jobs)
            found |= {sha256 for path in paths if (sha256 := checksum_at(path, folder))}
            before = jobs[-1].id if jobs else None
    return found


def checksum_at(path: str, folder: Path) -> str | None:
    """The checksum of the upload that lies at `path` in `folder`; None for any other file."""
    name = path.removeprefix(str(folder) + os.sep)
    return name if name != path and HASH.fullmatch(name) else None


def checksum_in(path: str) -> str | None:
    """The checksum that a clip's path names; None if it is a path on a disk.

    Raises:
        RequestError: it begins like an upload and is none.
    """
    if not path.startswith(UPLOAD_SCHEME):
        return None
    sha256 = path.removeprefix(UPLOAD_SCHEME)
    if not HASH.fullmatch(sha256):
        raise RequestError(
            "the clip names no upload",
            hint=f"Give {UPLOAD_SCHEME!r} and the 64 hexadecimal digits of the file's SHA-256.",
        )
    return sha256


def shown_name(name: str | None) -> str:
    """What is shown of a file that a client calls `name`: no folders, nothing invisible."""
    last = re.split(r"[/\\]", name or "")[-1]
    return _CONTROL.sub("", last).strip()[:255] or NAMELESS


def _check_movie(name: str) -> None:
    if PurePosixPath(name).suffix.lower() in sequences.EXTENSIONS:
        raise RequestError(
            f"{name} is a picture, and image sequences cannot be sent to another machine",
            hint="Make a movie of the sequence and send that.",
        )


def _check_place(status: UploadStatus, offset: int, length: int) -> None:
    if not length:
        raise RequestError("the chunk is empty", hint="Send the bytes of the file as the body.")
    if offset > status.received:
        raise WrongState(
            f"byte {status.received} comes next, not byte {offset}",
            hint="Ask how much is there, and go on from there.",
        )
    if offset + length > status.size:
        raise RequestError(
            f"the file was said to have {status.size} bytes, and this goes on to {offset + length}",
            hint="See that nothing changes the file while it is sent, and begin again.",
        )


def _check_same(file: IO[bytes], chunk: IO[bytes], *, offset: int, until: int) -> None:
    """Raises WrongState if the chunk repeats bytes of the file, and they are others."""
    file.seek(offset)
    chunk.seek(0)
    while (length := min(PIECE, until - offset)) > 0:
        if file.read(length) != chunk.read(length):
            raise WrongState(
                f"the bytes from {offset} on are not those that were sent before",
                hint="Send one file at a time, from its beginning.",
            )
        offset += length


def _hash_on(sender: _Sender, file: IO[bytes], received: int) -> None:
    """Takes what is new in the file into the checksum; all of it, after a restart."""
    if sender.digest is None or sender.hashed > received:
        sender.digest, sender.hashed = hashlib.sha256(), 0
    file.seek(sender.hashed)
    while sender.hashed < received:
        piece = file.read(min(PIECE, received - sender.hashed))
        if not piece:
            raise ServiceError("what was sent cannot be read again", hint="Send the file again.")
        sender.digest.update(piece)
        sender.hashed += len(piece)


@contextlib.contextmanager
def _disk(path: Path) -> Iterator[None]:
    """Tells what a disk says in the words of the contract."""
    try:
        yield
    except OSError as error:
        raise durable.refusal(error, path) or error from error
