"""Files for clients: whole, or from some byte on, known by their checksum.

A file is opened before the answer begins, so that what is sent is one version of it to the end,
whatever takes its place or deletes it meanwhile. The ETag is the SHA-256 of the content: a client
whose download broke off asks for the rest with If-Range and gets it only if the file is the same.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from ...contract.errors import NotThere, RequestError
from ...contract.jobs import FileStatus
from .answers import Refused, fault

MEDIA_TYPE = "application/octet-stream"
PIECE = 256 * 1024  # bytes sent at once
MAX_TAIL = 2**20  # bytes of a log in one answer
_KNOWN = 256  # checksums that are kept
_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{0,18})|bytes=-(\d{1,18})")


class Download(StreamingResponse):
    """An open file as an answer; it is closed however the answer ends."""

    def __init__(self, file: BufferedReader, status: FileStatus, *, asked: Headers) -> None:
        """What of the file the headers of the call ask for.

        Args:
            file: open for reading.
            status: of its content.
            asked: headers of the call.

        Raises:
            Refused: the range begins behind the end.
        """
        self._file = file
        tag = f'"{status.sha256}"'
        headers = {"ETag": tag, "Accept-Ranges": "bytes"}
        start, stop = 0, status.size
        code = 200
        if tag in {each.strip() for each in asked.get("if-none-match", "").split(",")}:
            super().__init__(iter(()), 304, headers)
            return
        if asked.get("if-range", tag).strip() == tag:
            found = _range(asked.get("range", ""), status.size)
            if found is not None:
                (start, stop), code = found, 206
                headers["Content-Range"] = f"bytes {start}-{stop - 1}/{status.size}"
        headers["Content-Length"] = str(stop - start)
        headers["Content-Disposition"] = "attachment"
        super().__init__(_pieces(file, start, stop), code, headers, media_type=MEDIA_TYPE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it, until the client has all or goes away."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._file.close()


class Checksums:
    """Checksums of files that are replaced whole, each read once. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, int, int, int], str] = OrderedDict()

    def of(self, file: BufferedReader, path: Path) -> FileStatus:
        """What the open file, which was found at `path`, holds; it is at its start after that."""
        stat = os.fstat(file.fileno())
        key = (str(path), stat.st_ino, stat.st_mtime_ns, stat.st_size)
        with self._lock:
            sha256 = self._known.get(key)
        if sha256 is None:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            with self._lock:
                self._known[key] = sha256
                while len(self._known) > _KNOWN:
                    self._known.popitem(last=False)
        file.seek(0)
        return FileStatus(sha256, stat.st_size)


def download(path: Path, status: FileStatus | None, *, sums: Checksums, asked: Headers) -> Response:
    """The file at `path` as an answer.

    Args:
        path: of the file.
        status: what is known of its content; None: it is looked at.
        sums: checksums that are known.
        asked: headers of the call.

    Raises:
        NotThere: there is no such file.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise NotThere("the file is not there", hint="Ask for the job again.") from error
    try:
        return Download(file, status or sums.of(file, path), asked=asked)
    except Refused as refusal:
        file.close()
        size = os.stat(path).st_size if status is None else status.size
        return fault(
            refusal.error, status=refusal.status, headers={"Content-Range": f"bytes */{size}"}
        )
    except BaseException:
        file.close()
        raise


def tail(path: Path, length: int) -> str:
    """The last `length` bytes of a log, from the beginning of a line; empty if there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - length))
            text = file.read(length)
    except OSError:
        return ""
    if size > length:
        text = text.partition(b"\n")[2] or text
    return text.decode("utf-8", "replace")


def _range(asked: str, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last; None: all of it, as for ranges that are not ours."""
    found = _RANGE.fullmatch(asked.strip())
    if found is None:
        return None
    first, last, suffix = found.groups()
    if suffix is not None:
        start, stop = max(0, size - int(suffix)), size
    else:
        start, stop = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < int(first):
            return None
    if start >= size or start >= stop:
        raise Refused(416, RequestError(f"the file has {size} bytes", hint="Ask for less."))
    return start, stop


def _pieces(file: BufferedReader, start: int, stop: int) -> Iterator[bytes]:
    file.seek(start)
    while start < stop:
        piece = file.read(min(PIECE, stop - start))
        if not piece:
            return  # shorter than it was: the client sees that bytes are missing
        start += len(piece)
        yield piece
