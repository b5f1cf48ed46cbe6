"""What a long step has found so far, chunk by chunk, so that a killed process loses seconds.

A journal is a folder of numbered files, each whole or not there. Its lock is held by the process
that writes it; the system takes the lock back when that process ends, however it ends.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from . import kept_file
from .kept_file import SUFFIX, Damaged
from .locks import try_lock

JOURNAL = ".journal"
_LOCK = "lock"

log = logging.getLogger(__name__)


class Journal:
    """One step's chunks; use it as a context, which holds the lock."""

    def __init__(
        self,
        folder: Path,
        lock: IO[bytes],
        *,
        room_for: Callable[[int], bool],
        used: Callable[[], None],
    ) -> None:
        self._folder, self._lock = folder, lock
        self._room_for, self._used = room_for, used
        self._closed = False
        self.chunks = self._read()  # of earlier processes, in order

    @classmethod
    def opened(
        cls, folder: Path, *, room_for: Callable[[int], bool], used: Callable[[], None]
    ) -> Journal | None:
        """The journal in `folder`, made if need be; None while another process has it.

        Args:
            folder: where the chunks lie.
            room_for: asked before so many bytes are written; false stops the writing.
            used: told at the end, if anything is kept.

        Raises:
            OSError: the folder cannot be made.
        """
        folder.mkdir(parents=True, exist_ok=True)
        lock = locked(folder)
        return None if lock is None else cls(folder, lock, room_for=room_for, used=used)

    def append(self, arrays: Mapping[str, Any]) -> None:
        """Keeps `arrays` as the next chunk; where that is impossible no later chunk is kept."""
        if self._closed:
            return
        content = kept_file.packed(arrays)
        try:
            if not self._room_for(len(content)):
                raise OSError("the cache is full")
            kept_file.write(self._folder / f"{self._next:06d}{SUFFIX}", content)
            self._next += 1
        except OSError as error:
            self._closed = True
            log.warning("Work in progress is not kept from here on (%s)", error)

    def drop(self) -> None:
        """Removes every chunk: the step is finished, or what was kept is of no use."""
        for file in sorted(self._folder.glob(f"*{SUFFIX}"), reverse=True):
            file.unlink(missing_ok=True)
        self.chunks, self._next = [], 0

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        if self._next == 0:
            give_up(self._folder, self._lock)
        else:
            self._used()
        self._lock.close()

    def _read(self) -> list[dict[str, np.ndarray]]:
        """Every chunk up to the first that is missing or damaged; later ones are removed."""
        chunks = []
        files = sorted(self._folder.glob(f"*{SUFFIX}"))
        for number, file in enumerate(files):
            try:
                if file.stem != f"{number:06d}":
                    raise Damaged("one before it is missing")
                chunks.append(kept_file.unpacked(file.read_bytes()))
            except (OSError, Damaged) as error:
                log.warning("%s and what follows is not used (%s)", file, error)
                for each in reversed(files[number:]):
                    each.unlink(missing_ok=True)
                break
        self._next = len(chunks)
        return chunks


def locked(folder: Path) -> IO[bytes] | None:
    """The open lock file of the journal in `folder`; None while somebody else holds it."""
    path = folder / _LOCK
    lock = path.open("ab")
    try:
        # Between opening and locking, its last owner may have removed the journal.
        if try_lock(lock.fileno()) and os.path.samestat(os.fstat(lock.fileno()), path.stat()):
            return lock
    except OSError:
        pass
    lock.close()
    return None


def give_up(folder: Path, lock: IO[bytes]) -> None:
    """Removes the journal in `folder`, whose `lock` is ours, and lets the lock go."""
    shutil.rmtree(folder, ignore_errors=True)
    lock.close()
    if sys.platform == "win32":  # where no open file can be removed
        shutil.rmtree(folder, ignore_errors=True)
