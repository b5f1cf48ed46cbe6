"""The folder of kept steps: what each gave, under a key of exactly what it depends on.

    <folder>/<step>/<key>.kept       the arrays that the step gave
    <folder>/<step>/<key>.journal/   what a step that is not finished has found so far
    <folder>/digests.json            checksums of footage

Nothing here may stop a job: a full disk or a folder that cannot be written is logged, and then less
is kept. What was used longest ago goes first; the order of use is kept in the files' times of
change, which only ever rise, whatever the clock says. Any number of processes may use one folder.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..contract.jobs import CacheStatus
from . import journal as journals
from . import kept_file
from .digests import Digests
from .journal import JOURNAL, Journal
from .kept_file import PART, SUFFIX, Damaged

RESERVE_BYTES = 64 * 2**20  # left free on the disk: the queue needs it more
ABANDONED_S = 3600.0  # a part of a file this old is not being written any more

log = logging.getLogger(__name__)


def key_of(**depends_on: Any) -> str:
    """The SHA-256 of everything that a step depends on; values are what `json` can write."""
    text = json.dumps(depends_on, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class _Entry:
    """A kept step or a journal."""

    path: Path
    size: int  # bytes
    used_ns: int  # larger: used later


class StepStore:
    """Kept outputs of steps in one folder, the least recently used given up over a limit."""

    def __init__(self, folder: Path, *, limit_bytes: int) -> None:
        """Opens the store; the folder is made when something is kept.

        Args:
            folder: of nobody else.
            limit_bytes: of all that is kept.
        """
        self.folder, self.limit_bytes = folder, limit_bytes
        self._digests = Digests(folder / "digests.json")
        self._sweep()

    def fetch(self, step: str, key: str) -> dict[str, np.ndarray] | None:
        """What was kept of `step` under `key`; None if it is not there, or damaged and dropped."""
        path = self._path(step, key)
        try:
            arrays = kept_file.unpacked(path.read_bytes())
            self._touch(path)
        except FileNotFoundError:
            return None
        except Damaged as error:
            log.warning("%s is damaged and dropped (%s)", path, error)
            self.drop(step, key)
            return None
        except OSError as error:
            log.warning("%s cannot be read (%s)", path, error)
            return None
        return arrays

    def keep(self, step: str, key: str, arrays: Mapping[str, Any]) -> bool:
        """Keeps `arrays`, whole or not at all, and gives up others over the limit.

        Returns:
            Whether they are kept; why not is logged.
        """
        content = kept_file.packed(arrays)
        path = self._path(step, key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not self._room_for(len(content)):
                raise OSError(f"{len(content) / 2**20:.1f} MB do not fit")
            kept_file.write(path, content)
            self._touch(path)
            self._sweep()
        except OSError as error:
            log.warning("The step %r is not kept in %s (%s)", step, self.folder, error)
            return False
        return True

    def drop(self, step: str, key: str) -> None:
        """Forgets what was kept of `step` under `key`."""
        _freed(self._path(step, key))

    def journal(self, step: str, key: str) -> Journal | None:
        """Where `step` may write down what it has so far; None if another process does already."""
        path = self._path(step, key).with_suffix(JOURNAL)
        try:
            return Journal.opened(path, room_for=self._room_for, used=lambda: self._touch(path))
        except OSError as error:
            log.warning("Work in progress is not kept in %s (%s)", self.folder, error)
            return None

    def digest(self, files: Sequence[Path], *, pulse: Callable[[int], None]) -> str:
        """The SHA-256 of the content of `files`, read only if they changed since the last time.

        Args:
            files: one movie, or the pictures of a sequence in order.
            pulse: told how many bytes are read, at every megabyte; may raise to stop.

        Raises:
            OSError: a file cannot be read.
        """
        return self._digests.of(files, pulse=pulse)

    def status(self) -> CacheStatus:
        """How much is kept, of which steps."""
        entries: dict[str, int] = {}
        size = 0
        for each in self._entries():
            step = each.path.parent.name
            entries[step] = entries.get(step, 0) + 1
            size += each.size
        return CacheStatus(str(self.folder), size, self.limit_bytes, dict(sorted(entries.items())))

    def clear(self) -> int:
        """Gives up everything but what is being written now; the bytes that are free again."""
        freed = sum(_freed(each.path) for each in list(self._entries()))
        self._digests.forget()
        return freed

    def _path(self, step: str, key: str) -> Path:
        return self.folder / step / f"{key}{SUFFIX}"

    def _entries(self) -> Iterator[_Entry]:
        for path in self.folder.glob("*/*"):
            if path.suffix not in (SUFFIX, JOURNAL):
                continue
            try:
                used_ns = path.stat().st_mtime_ns
                size = _size(path)
            except OSError:  # another process has just given it up
                continue
            yield _Entry(path, size, used_ns)

    def _touch(self, path: Path) -> None:
        """Makes `path` the last used, even if the clock was put back."""
        newest = max((each.used_ns for each in self._entries()), default=0)
        now = max(time.time_ns(), newest + 1)
        try:
            os.utime(path, ns=(now, now))
        except OSError:  # read-only, or just given up
            log.debug("%s keeps its place", path)

    def _room_for(self, size: int) -> bool:
        """Whether `size` more bytes may be kept, once the longest unused entries have gone."""
        entries = sorted(self._entries(), key=lambda each: each.used_ns)
        excess = sum(each.size for each in entries) + size - self.limit_bytes
        if size <= self.limit_bytes:
            for each in entries:
                if excess <= 0:
                    break
                excess -= _freed(each.path)
        return excess <= 0 and shutil.disk_usage(self.folder).free - size >= RESERVE_BYTES

    def _sweep(self) -> None:
        """Removes parts of files that killed processes have left behind."""
        for path in [*self.folder.glob(f"*/*{PART}"), *self.folder.glob(f"*/*/*{PART}")]:
            try:
                if abs(time.time() - path.stat().st_mtime) > ABANDONED_S:
                    path.unlink(missing_ok=True)
            except OSError:
                continue


def _size(path: Path) -> int:
    """Bytes of a file, or of the files in a folder."""
    if path.suffix == JOURNAL:
        return sum(each.stat().st_size for each in path.iterdir())
    return path.stat().st_size


def _freed(path: Path) -> int:
    """Removes an entry that nobody is writing; the bytes that are free again."""
    try:
        size = _size(path)
        if path.suffix != JOURNAL:
            path.unlink()
            return size
        lock = journals.locked(path)
        if lock is None:
            return 0
        journals.give_up(path, lock)
    except OSError:  # given up by another process, or held open by one
        return 0
    return size
