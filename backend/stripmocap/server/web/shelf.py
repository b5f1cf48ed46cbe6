"""The folder in which uploads lie, and what may stay there.

In it are `<sha256>` (a whole file), `<sha256>.<owner>.part` (what one client has sent of it so far)
and `<sha256>.<owner>.json` (the size it gave, how much is on the disk for good, and the name it
showed). No name that a client gave becomes a path: only checksums do. What no job needs goes when
room is needed, the least recently used first.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ...contract.errors import DiskFull, TooLarge
from .. import durable

SPARE_BYTES = 256 * 2**20  # of the disk, that are left for results and the job list
MAX_UNFINISHED = 64  # files that one client may have begun
IDLE_S = 3600.0  # a begun file that nobody has touched for so long may go if room is needed
HASH = re.compile(r"[0-9a-f]{64}")
_HASH_DIGITS = 64
_OWNER_DIGITS = 32
_RECORD = ".json"


@dataclass(frozen=True)
class Record:
    """What is known of one client's copy of a file."""

    size: int  # bytes, of the whole file
    received: int  # bytes that are on the disk for good
    name: str  # for display


class Shelf:
    """The folder. Whoever calls holds a lock.

    Args:
        folder: it is made; its parent is there.
        limit_bytes: of everything in it.
    """

    needed: Callable[[], set[str]]  # checksums of the files that must stay

    def __init__(self, folder: Path, *, limit_bytes: int) -> None:
        self.folder = folder
        self._limit = limit_bytes
        self.needed = set
        if not folder.is_dir():
            durable.make_folder(folder)

    def whole(self, sha256: str) -> Path:
        """Where the whole file lies, if it is here."""
        return self.folder / sha256

    def part(self, sha256: str, owner: str) -> Path:
        """Where a client's copy of the file grows."""
        return self.folder / f"{sha256}.{owner[:_OWNER_DIGITS]}{durable.PART}"

    def size_of(self, sha256: str) -> int | None:
        """Bytes of the whole file; None if it is not here."""
        try:
            return self.whole(sha256).stat().st_size
        except OSError:
            return None

    def record(self, sha256: str, owner: str) -> Record | None:
        """What is known of a client's copy; None if there is none."""
        record = _read(self._record_path(sha256, owner))
        if record is None or self.size_of(sha256) is not None:
            return record
        # A disk that lost power may have less than it promised.
        try:
            there = self.part(sha256, owner).stat().st_size
        except OSError:
            there = 0
        return replace(record, received=min(record.received, there))

    def write(self, sha256: str, owner: str, record: Record) -> None:
        """Keeps what is known of a client's copy, for good.

        Raises:
            DiskFull: the disk refuses; what was known before still is.
        """
        durable.write(self._record_path(sha256, owner), json.dumps(asdict(record)).encode())

    def use(self, sha256: str) -> None:
        """Says that the whole file is needed now."""
        with contextlib.suppress(OSError):
            os.utime(self.whole(sha256))

    def drop(self, sha256: str, owner: str) -> None:
        """Takes away a client's copy."""
        for path in (self.part(sha256, owner), self._record_path(sha256, owner)):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def drop_parts(self, sha256: str) -> None:
        """Takes away what was sent of a file that is whole by now."""
        for path in self.folder.glob(f"{sha256}.*{durable.PART}"):
            with contextlib.suppress(OSError):  # Windows: somebody writes it, and drops it then
                path.unlink()

    def make_room(self, size: int) -> None:
        """Drops what is least recently used until `size` more bytes fit.

        Raises:
            TooLarge: they do not.
        """
        sizes = self._sizes()
        over = sum(sizes.values()) + size - self._limit
        if over > 0 and size <= self._limit:
            for path in self._spare(list(sizes)):
                self._remove(path)
                over -= sizes[path]
                if over <= 0:
                    break
        if over > 0:
            raise TooLarge(
                f"the service keeps {self._limit} bytes of uploads, and {size} more do not fit",
                hint="Wait until some jobs are done, or let who runs the service raise the limit.",
            )

    def check_disk(self, size: int) -> None:
        """Raises DiskFull if the disk has not `size` bytes to spare."""
        free = shutil.disk_usage(self.folder).free
        if free - SPARE_BYTES < size:
            raise DiskFull(
                f"{size} more bytes do not fit on the disk of the service ({free} are free)",
                hint="Let who runs the service free some space there.",
            )

    def check_count(self, owner: str) -> None:
        """Raises TooLarge if a client has begun too many files and gone on with all of them."""
        begun = sorted(
            (each.stat().st_mtime, each)
            for each in self.folder.glob(f"*.{owner[:_OWNER_DIGITS]}{_RECORD}")
            if not self.whole(each.name[:_HASH_DIGITS]).exists()
        )
        if len(begun) < MAX_UNFINISHED:
            return
        used, oldest = begun[0]
        if time.time() - used < IDLE_S:
            raise TooLarge(
                f"{len(begun)} files are begun and not finished",
                hint="Send the rest of them first.",
            )
        self._remove(oldest)

    def _record_path(self, sha256: str, owner: str) -> Path:
        return self.folder / f"{sha256}.{owner[:_OWNER_DIGITS]}{_RECORD}"

    def _sizes(self) -> dict[Path, int]:
        """Bytes of each whole file, and those promised to each begun one, by its record."""
        sizes = {}
        for path in self.folder.iterdir():
            with contextlib.suppress(OSError):
                if HASH.fullmatch(path.name):
                    sizes[path] = path.stat().st_size
                elif path.suffix == _RECORD and not self.whole(path.name[:_HASH_DIGITS]).exists():
                    record = _read(path)
                    sizes[path] = record.size if record else 0
        return sizes

    def _spare(self, paths: list[Path]) -> list[Path]:
        """Those of `paths` that may go, the least recently used first."""
        needed, now = self.needed(), time.time()
        found = []
        for path in paths:
            with contextlib.suppress(OSError):
                used = path.stat().st_mtime
                idle = path.suffix == _RECORD and now - used > IDLE_S
                if idle or (not path.suffix and path.name not in needed):
                    found.append((used, path))
        return [path for _, path in sorted(found)]

    def _remove(self, path: Path) -> None:
        """Removes a whole file with what is known of it, or what one client began."""
        for each in self.folder.glob(f"{path.stem}*"):
            with contextlib.suppress(OSError):
                each.unlink()


def _read(path: Path) -> Record | None:
    """The record there; None if there is none, or it cannot be understood."""
    try:
        values = json.loads(path.read_bytes())
        record = Record(int(values["size"]), int(values["received"]), str(values["name"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return record if 0 <= record.received <= record.size else None
