"""Files to and from the service: in pieces, taken up again after a break, checked by hash.

What arrives is written beside its destination and takes its name when it is whole; what is sent is
known by its SHA-256, so that nothing goes twice.
"""

from __future__ import annotations

import hashlib
import http.client
import os
from collections.abc import Callable
from pathlib import Path

from .calls import Caller
from .errors import BackendUnavailable, ResultFileError, VideoError, WrongState
from .jobs import MAX_CHUNK_BYTES, UPLOAD_SCHEME, FileStatus, UploadStatus, from_json

Report = Callable[[str, int, int], None]  # stage, bytes done, of; may raise to stop
CHUNK_BYTES = min(4 * 2**20, MAX_CHUNK_BYTES)
MAX_NAME = 200  # letters of a file's name that are shown
PATIENCE = 5  # failures in a row, with nothing gained between, before a transfer gives up


class Changed(Exception):
    """The file on the other side is no longer the one that was asked for."""


def upload(caller: Caller, path: Path, *, report: Report) -> str:
    """The name by which a clip may use the file at `path`; it is sent as far as need be.

    Raises:
        VideoError: it cannot be read, is empty, or changes while it is sent.
        StripMocapError: the service refuses it or does not answer.
    """
    try:
        sha256, size = _hashed(path, report)
        if not size:
            raise VideoError(f"{path} is empty", hint="Copy it again.")
        with path.open("rb") as file:
            status = _announced(caller, sha256, size, path.name)
            failures = 0
            while not status.complete:
                report("upload", status.received, size)
                file.seek(status.received)
                piece = file.read(CHUNK_BYTES)
                if not piece or failures > PATIENCE:
                    raise VideoError(
                        f"{path} changes while it is sent", hint="Wait until it is whole."
                    )
                status, gained = _sent(caller, status, piece, failures=failures, name=path.name)
                failures = 0 if gained else failures + 1
    except OSError as error:
        raise VideoError(
            f"{path} cannot be read ({error.strerror or error})", hint="Check name and rights."
        ) from error
    report("upload", size, size)
    return UPLOAD_SCHEME + sha256


def download(caller: Caller, route: str, path: Path, *, file: FileStatus, report: Report) -> None:
    """Writes the service's `file` at `route` to `path`, whole or not at all.

    What a broken connection left beside `path` is taken up again, also by the next call.

    Raises:
        Changed: the service has another file by now.
        ResultFileError: it cannot be written, or does not arrive as it was sent.
        StripMocapError: the service refuses it or does not answer.
    """
    partial = path.with_name(f".{path.name}.{file.sha256[:16]}.part")
    try:
        _fill(caller, route, partial, file=file, report=report)
        with partial.open("r+b") as whole:
            os.fsync(whole.fileno())
        partial.replace(path)
    except OSError as error:
        raise ResultFileError(
            f"{path} cannot be written ({error.strerror or error})",
            hint="Choose a folder that exists, that you may write to, and that has space left.",
        ) from error
    except BackendUnavailable:
        raise  # what is there serves the next try
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _hashed(path: Path, report: Report) -> tuple[str, int]:
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        while piece := file.read(CHUNK_BYTES):
            digest.update(piece)
            done += len(piece)
            report("hash", done, max(done, size))
    return digest.hexdigest(), done


def _announced(caller: Caller, sha256: str, size: int, name: str) -> UploadStatus:
    body = {"sha256": sha256, "size": size, "name": name[:MAX_NAME]}
    answer = caller.json("POST", "uploads", body=body)
    return from_json(UploadStatus, answer)


def _sent(
    caller: Caller, status: UploadStatus, piece: bytes, *, failures: int, name: str
) -> tuple[UploadStatus, bool]:
    """How much the service has after `piece` was sent, and whether that is more than before."""
    route = f"uploads/{status.sha256}?offset={status.received}"
    try:
        after = from_json(UploadStatus, caller.json("PUT", route, body=piece, tries=1))
    except (BackendUnavailable, WrongState):
        # It may have arrived, in part or whole, or somebody else sends the same file.
        if failures >= PATIENCE:
            raise
        caller.pause(failures)
        after = _announced(caller, status.sha256, status.size, name)
    return after, after.complete or after.received > status.received


def _fill(caller: Caller, route: str, partial: Path, *, file: FileStatus, report: Report) -> None:
    """Makes `partial` the whole `file`."""
    failures = 0
    while True:
        have = partial.stat().st_size if partial.exists() else 0
        if have == file.size:
            with partial.open("rb") as whole:
                if hashlib.file_digest(whole, "sha256").hexdigest() == file.sha256:
                    return
        if have >= file.size or failures > PATIENCE:  # damaged on the way, or by an earlier try
            partial.unlink(missing_ok=True)
            have = 0
        if failures > PATIENCE:
            raise ResultFileError(
                "the file does not arrive as it was sent", hint="Something between changes it."
            )
        try:
            _receive(caller, route, partial, have=have, file=file, report=report)
            failures += 1  # forgiven when it turns out to be whole
        except BackendUnavailable:
            gained = partial.exists() and partial.stat().st_size > have
            failures = 0 if gained else failures + 1
            if failures >= PATIENCE:
                raise
            caller.pause(failures)


def _receive(
    caller: Caller, route: str, partial: Path, *, have: int, file: FileStatus, report: Report
) -> None:
    """Adds to `partial` what comes in one connection."""
    tag = f'"{file.sha256}"'
    ask = {"Range": f"bytes={have}-", "If-Range": tag} if have else {}
    with caller.opened("GET", route, headers=ask) as response:
        if response.headers.get("ETag") != tag:
            raise Changed
        done = have if response.status == http.client.PARTIAL_CONTENT else 0
        with partial.open("ab" if done else "wb") as writing:
            while done < file.size:
                report("download", done, file.size)
                try:
                    piece = response.read(min(CHUNK_BYTES // 4, file.size - done))
                except (OSError, http.client.HTTPException) as error:
                    raise caller.silence(error) from error
                if not piece:
                    raise caller.silence(http.client.IncompleteRead(b"", file.size - done))
                writing.write(piece)
                done += len(piece)
    report("download", done, file.size)
