"""The open job list: transactions that happen whole or not at all, and damage that heals.

One connection writes, another reads, so that asking never waits for a disk that syncs. SQLite's own
locks hold between programs, ours between threads.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from ...contract.errors import DiskFull, QueueUnavailable, ServiceError
from .. import durable
from . import reserve, schema
from .job import Job, from_row
from .rebuild import DATABASE, JOBS, reconcile, set_aside
from .rows import Rows

_Answer = TypeVar("_Answer")
_MOST_PARSED = 2048  # rows that are kept as records: lists are asked for again and again

log = logging.getLogger(__name__)


class Database:
    """The job list in `data`, opened, checked, and made again from the job folders if damaged.

    Raises:
        DiskFull: the folder cannot be written.
        QueueUnavailable: another program locks the list.
        ServiceError: the folder cannot be one, or a newer version wrote the list.
    """

    def __init__(self, data: Path, *, busy_s: float = schema.BUSY_S) -> None:
        self.notices: list[str] = []
        self._data = data
        self._path = data / DATABASE
        self._busy_s = busy_s
        self._writing = threading.RLock()  # taken before the other one, where both are
        self._reading = threading.Lock()
        self._opened = 0  # how often: tells who found damage whether somebody healed it since
        self._counting = threading.Lock()
        self._number = 0  # the highest so far
        self._closed = False
        self._aside = False  # the damaged list is, and there is no new one yet
        self._parse = lru_cache(maxsize=_MOST_PARSED)(lambda row: from_row(row, data / JOBS))
        self._running: dict[str, Job] = {}  # that the folders know only as not ended
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._files: list[tuple[int, int] | None] = []
        self._prepare()
        with self._writing, self._reading, self._told():
            self._open_or_rebuild()
        reserve.keep(data)

    def write(self, work: Callable[[Rows, ExitStack], _Answer], *, synced: bool = True) -> _Answer:
        """What `work` answers, once all that it did to the rows is on the disk.

        Args:
            work: may be called twice, if damage is found. What it does beside the rows it undoes in
                callbacks of the stack, which are called if nothing comes of it.
            synced: False: it is safe from a crash of ours at once, from a power cut a little later.

        Raises:
            DiskFull: the disk has no space or refuses; nothing was done.
            QueueUnavailable: another program locks the list; nothing was done.
            Exception: what `work` raised; nothing was done.
        """
        with self._held(self._writing), self._told():
            try:
                return self._transaction(work, synced=synced)
            except schema.Damaged as damage:
                with self._reading:
                    self._heal(str(damage))
                return self._transaction(work, synced=synced)

    def write_to_free(self, work: Callable[[Rows, ExitStack], _Answer]) -> _Answer:
        """As `write`, for what ends a job or gives space back: a full disk does not stop it."""
        try:
            return self.write(work)
        except DiskFull:
            if not reserve.spend(self._data):
                raise
            return self.write(work)

    def next_number(self) -> int:
        """Above each number and position that a job has or is about to get."""
        with self._counting:
            self._number += 1
            return self._number

    def freed(self) -> None:
        """To be called when there may be more space on the disk than before."""
        reserve.keep(self._data)

    def read(self, work: Callable[[Rows], _Answer]) -> _Answer:
        """What `work` answers, of all that was written before.

        Raises:
            QueueUnavailable: another program locks the list.
            Exception: what `work` raised.
        """
        with self._told():
            opened = self._opened
            try:
                with self._held(self._reading):
                    opened = self._opened
                    return self._asked(work)
            except schema.Damaged as damage:
                with self._held(self._writing), self._reading:
                    if self._opened == opened:
                        self._heal(str(damage))
                    return self._asked(work)

    def close(self) -> None:
        """Lets go of the files."""
        with self._writing, self._reading:
            self._closed = True
            self._close()

    def _prepare(self) -> None:
        """Makes the folders, and finds out now whether they can be written."""
        probe = self._data / JOBS / ".probe"
        try:
            self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self._data / JOBS).mkdir(mode=0o700, exist_ok=True)
            durable.write(probe, b"")
            probe.unlink()
            durable.sync_folder(self._data)
        except OSError as error:
            raise durable.refusal(error, self._data) or ServiceError(
                f"{self._data} cannot be the service's folder ({error.strerror or error})",
                hint="Choose another folder with STRIPMOCAP_DATA.",
            ) from error

    @contextmanager
    def _held(self, lock: Any) -> Iterator[None]:  # threading.RLock is no type
        """`lock`, taken within the time that we would wait for another program."""
        if not lock.acquire(timeout=4 * self._busy_s + 5):
            raise QueueUnavailable("the job list is busy", hint="Try again in a moment.")
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Says errors of the database and of its files in our words."""
        try:
            yield
        except sqlite3.Error as error:
            raise schema.meaning(error, self._path) from error
        except OSError as error:
            raise durable.refusal(error, self._data) or error from error
        except schema.Damaged as damage:  # again, after it was healed
            raise QueueUnavailable(
                f"the job list {self._path} is damaged again and again ({damage})",
                hint="Check the disk, or choose another folder with STRIPMOCAP_DATA.",
            ) from damage

    def _transaction(self, work: Callable[[Rows, ExitStack], _Answer], *, synced: bool) -> _Answer:
        self._check_files()
        assert self._writer is not None
        connection, rows = self._writer, Rows(self._writer, self._parse)
        try:
            connection.execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            with ExitStack() as undo:
                answer = work(rows, undo)
                connection.execute("COMMIT")
                undo.pop_all()
        except BaseException as error:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise schema.meaning(error, self._path) from error
            raise
        for job in rows.saved:
            self._running.pop(job.id, None)
            if job.state == "running":
                self._running[job.id] = job
        for job_id in rows.forgotten:
            self._running.pop(job_id, None)
        return answer

    def _asked(self, work: Callable[[Rows], _Answer]) -> _Answer:
        self._check_files()
        assert self._reader is not None
        try:
            return work(Rows(self._reader, self._parse))
        except sqlite3.Error as error:
            raise schema.meaning(error, self._path) from error

    def _check_files(self) -> None:
        """Finds out whether our open files are still those that have our names.

        Raises:
            Damaged: somebody removed or replaced them; SQLite would write on into nowhere.
        """
        if self._closed:
            raise QueueUnavailable("the job list is closed", hint="Start the service again.")
        if self._writer is None:
            raise schema.Damaged("it could not be made again")
        if self._identities() != self._files:
            raise schema.Damaged("its files were removed or replaced")

    def _identities(self) -> list[tuple[int, int] | None]:
        found: list[tuple[int, int] | None] = []
        for end in schema.COMPANIONS[:2]:
            try:
                status = os.stat(f"{self._path}{end}")
                found.append((status.st_dev, status.st_ino))
            except FileNotFoundError:
                found.append(None)
        return found

    def _open_or_rebuild(self) -> None:
        existed = self._path.exists() and self._path.stat().st_size > 0
        try:
            notices = self._open()
            if not existed and notices:
                notices.insert(0, "The job list was gone and was made again.")
            self.notices += notices
        except schema.Damaged as damage:
            self._heal(str(damage))
        except sqlite3.Error as error:
            found = schema.meaning(error, self._path)
            if not isinstance(found, schema.Damaged):
                raise
            self._heal(str(found))

    def _heal(self, damage: str) -> None:
        """Sets the damaged list aside and makes it again; both locks are held."""
        self._close()
        if not self._aside:  # else it could not be made again then, and can perhaps now
            kept = set_aside(self._data)
            self._aside = True
            where = "it was gone" if kept is None else f"it is kept as {kept}"
            log.error("the job list was damaged (%s); %s", damage, where)
            self.notices.append(
                f"The job list was damaged ({damage}); {where}, and was rebuilt from the job "
                "folders."
            )
        self.notices += self._open()
        self._aside = False

    def _open(self) -> list[str]:
        """Opens the list and brings it in line with the folders; says what its owner should know.

        Raises:
            Damaged: it must be made again.
        """
        try:
            writer = self._writer = schema.connect(self._path, busy_s=self._busy_s)
            schema.check(writer)
            writer.execute("BEGIN IMMEDIATE")
            rows = Rows(writer, self._parse)
            notices = reconcile(rows, self._data, running=self._running.values())
            self._number = max(self._number, rows.next_number() - 1)
            writer.execute("COMMIT")
            durable.sync_folder(self._data)
            self._reader = schema.connect(self._path, busy_s=self._busy_s)
            self._reader.execute("PRAGMA query_only = 1")
            self._files = self._identities()
            self._opened += 1
            return notices
        except BaseException:
            self._close()
            raise

    def _close(self) -> None:
        for connection in (self._reader, self._writer):
            if connection is not None:
                connection.close()
        self._reader = self._writer = None
