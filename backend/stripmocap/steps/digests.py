"""Checksums of footage, remembered, so that twenty gigabytes are not read for each job.

A checksum is remembered with what the system says of the files: path, size, times of change and
inode. The time of the last change of status cannot be set back by any program on Linux and macOS;
a file that was touched a moment ago is not remembered, because clocks of file systems are coarse.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from . import kept_file

CHUNK_BYTES = 2**20
SETTLED_S = 2.0  # since the last change; file systems' clocks tick every 4 ms to 2 s
MOST_REMEMBERED = 1000

log = logging.getLogger(__name__)


class Digests:
    """The remembered checksums of one store."""

    def __init__(self, memory: Path) -> None:
        self._memory = memory

    def of(self, files: Sequence[Path], *, pulse: Callable[[int], None]) -> str:
        """The SHA-256 of the content of `files`; see `StepStore.digest`."""
        before = stamp(files)
        known = self._remembered().get(before)
        if known is not None:
            return known
        digest = _digest(files, pulse=pulse)
        # What changed while it was read has no checksum that could be used again.
        if _settled(files) and stamp(files) == before:
            self._remember(before, digest)
        return digest

    def forget(self) -> None:
        """Forgets every checksum."""
        try:
            self._memory.unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s cannot be removed (%s)", self._memory, error)

    def _remembered(self) -> dict[str, str]:
        try:
            values = json.loads(self._memory.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(values, dict):
            return {}
        return {key: each for key, each in values.items() if isinstance(each, str)}

    def _remember(self, stamped: str, digest: str) -> None:
        # Two processes may forget each other's newest; then a file is read once more.
        values = {**self._remembered(), stamped: digest}
        newest = dict(list(values.items())[-MOST_REMEMBERED:])
        try:
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            kept_file.write(self._memory, json.dumps(newest).encode())
        except OSError as error:
            log.warning("The checksum of %s is not kept (%s)", self._memory, error)


def stamp(files: Sequence[Path]) -> str:
    """What the system says of `files`: another one as soon as one of them is written to.

    Raises:
        OSError: a file is not there.
    """
    said = hashlib.sha256()
    for file in files:
        status = file.stat()
        times = (status.st_mtime_ns, status.st_ctime_ns)
        said.update(repr((str(file), status.st_size, *times, status.st_ino)).encode())
    return said.hexdigest()


def _settled(files: Sequence[Path]) -> bool:
    """Whether the last change of `files` is so long ago that a new one would show in the times."""
    changed_s = max(max(each.st_mtime, each.st_ctime) for each in (file.stat() for file in files))
    return time.time() - changed_s > SETTLED_S


def _digest(files: Sequence[Path], *, pulse: Callable[[int], None]) -> str:
    """SHA-256 of a file's content; of several, of their checksums in order."""
    done, parts = 0, []
    for file in files:
        part = hashlib.sha256()
        with file.open("rb") as content:
            while chunk := content.read(CHUNK_BYTES):
                part.update(chunk)
                done += len(chunk)
                pulse(done)
        parts.append(part)
    if len(parts) == 1:
        return parts[0].hexdigest()
    return hashlib.sha256(b"".join(each.digest() for each in parts)).hexdigest()
