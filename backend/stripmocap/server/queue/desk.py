"""The desk where clients ask: they add jobs, look at them, and change what becomes of them.

What a method returns has happened for good: it survives a crash and a power cut. What it raises has
not happened at all.
"""

from __future__ import annotations

import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Literal

from ...contract.errors import WrongState
from ...contract.jobs import State
from ...contract.messages import CaptureRequest
from .. import durable
from . import changes, schema
from .database import Database
from .job import OUTCOME, PARTIAL, Job, work_folders, write_folder, write_outcome
from .rebuild import GONE, JOBS, OLD, keep_order
from .rows import Rows

_LOCKS = 64  # that keys share


def nothing(owner: str, job_id: str, deleted: bool) -> None:
    """Tells nobody that a job changed."""


class Desk:
    """The jobs of all clients, in `data`. Any thread may call it.

    Args:
        data: the service's folder; made where it is missing.
        changed: told the owner and id of each job that changed, and whether it is deleted; it is
            called after the change, by the thread that made it, with no lock held.
        clock: the time of day in unix seconds, for display only.

    Every method may raise `QueueUnavailable` where another program locks the list for too long,
    and `DiskFull` where the disk is full or refuses; then nothing has changed.
    """

    def __init__(
        self,
        data: Path,
        *,
        changed: Callable[[str, str, bool], None] = nothing,
        clock: Callable[[], float] = time.time,
        busy_s: float = schema.BUSY_S,
    ) -> None:
        self._database = Database(data, busy_s=busy_s)
        self._jobs = data / JOBS
        self._changed = changed
        self._clock = clock
        self._keys = [threading.Lock() for _ in range(_LOCKS)]

    @property
    def notices(self) -> list[str]:
        """What its owner should know, in sentences: what was damaged, and what was done."""
        return self._database.notices

    def close(self) -> None:
        """Lets go of the files; nothing else may be called then."""
        self._database.close()

    def add(
        self, request: CaptureRequest, *, owner: str, key: str | None = None, priority: int = 0
    ) -> Job:
        """The new job, last of its priority; or the one that the owner added under `key` before.

        Raises:
            WrongState: under `key` the owner asked for something else.
            RequestError: `priority` is out of range, or the key cannot be kept.
        """
        changes.check_priority(priority)
        changes.check_key(key)
        # The files of many jobs are written side by side; those of one key one after the other.
        with self._keys[hash((owner, key)) % len(self._keys)] if key else nullcontext():
            job, new = self._added(request, owner=owner, key=key, priority=priority)
        if not new and job.request != request:
            raise WrongState(
                f"the key {key!r} belongs to another request (job {job.id})",
                hint="Choose a new key for each request.",
            )
        if new:
            self._changed(owner, job.id, False)
        return job

    def get(self, job_id: str, *, owner: str | None = None) -> Job:
        """The job of this id.

        Raises:
            NotThere: there is none, or it is not `owner`'s.
        """
        return self._database.read(lambda rows: rows.one(job_id, owner=owner))

    def listed(
        self,
        *,
        owner: str | None = None,
        state: State | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> tuple[list[Job], bool]:
        """Jobs, the newest first, and whether there are older ones.

        Args:
            owner: only this one's.
            state: only those in it.
            before: only those added before the job of this id.
            limit: at most so many.

        Raises:
            NotThere: there is no job `before`, or it is not `owner`'s.
        """

        def work(rows: Rows) -> list[Job]:
            last = None if before is None else rows.one(before, owner=owner)
            return rows.newest(owner=owner, state=state, before=last, limit=limit + 1)

        found = self._database.read(work)
        return found[:limit], len(found) > limit

    def places(self, ids: Iterable[str]) -> dict[str, int]:
        """How many queued jobs, anybody's, run before each of these; only those that are queued."""
        asked = set(ids)
        if not asked:
            return {}
        order = self._database.read(Rows.order)
        return {job_id: place for place, job_id in enumerate(order) if job_id in asked}

    def counts(self) -> tuple[int, int]:
        """How many jobs of all clients are queued, and how many run."""
        counted = self._database.read(Rows.counts)
        return counted.get("queued", 0), counted.get("running", 0)

    def cancel(self, job_id: str) -> Job:
        """The job, cancelled; one that was cancelled before stays as it is.

        Raises:
            WrongState: it is done or failed.
        """
        return self._change(job_id, lambda job: changes.cancelled(job, now_s=self._clock()))

    def retry(self, job_id: str) -> Job:
        """A job that failed or was cancelled, queued again as the last of its priority.

        Raises:
            WrongState: it has not ended, or is done.
        """

        def work(rows: Rows, undo: ExitStack) -> Job:
            job = rows.one(job_id)
            fresh = replace(changes.anew(job), position=self._database.next_number(), moved=True)
            rows.save([fresh])
            keep_order(rows, self._jobs.parent, undo=undo)
            # What has no outcome has not ended: see `rebuild`.
            outcome, old = job.folder / OUTCOME, job.folder / f"{OUTCOME}{OLD}"
            if outcome.exists():
                undo.callback(durable.put_back, old, outcome)
                durable.move(outcome, old)
            return fresh

        job = self._database.write(work)
        drop(job.folder / f"{OUTCOME}{OLD}")
        self._changed(job.owner, job.id, False)
        return job

    def move(
        self,
        job_id: str,
        *,
        priority: int | None = None,
        to: Literal["first", "last"] | None = None,
    ) -> Job:
        """The queued job with another priority, or before or after the owner's others of its own.

        The owner's jobs trade places among themselves; with `to`, nobody else's place changes.

        Raises:
            WrongState: it is not queued.
            RequestError: `priority` is out of range.
        """
        if priority is not None:
            changes.check_priority(priority)

        def work(rows: Rows, undo: ExitStack) -> list[Job]:
            job = rows.one(job_id)
            if job.state != "queued":
                raise changes.wrong(job, "moved", hint="Only queued jobs can be moved.")
            changed = [job]
            if priority is not None and priority != job.priority:
                changed = [replace(job, priority=priority, moved=True)]
                rows.save(changed)
            if to is not None:
                changed = changes.traded(rows.peers(changed[0]), job_id, to=to)
                rows.save(changed)
            keep_order(rows, self._jobs.parent, undo=undo)
            return changed

        changed = self._database.write(work)
        for each in changed:
            self._changed(each.owner, each.id, False)
        return next(each for each in changed if each.id == job_id)

    def delete(self, job_id: str) -> None:
        """Forgets a job that has ended, with all its files.

        Raises:
            WrongState: it has not ended.
        """
        gone = self._jobs / f"{GONE}{job_id}"

        def work(rows: Rows, undo: ExitStack) -> Job:
            job = rows.one(job_id)
            if not job.ended:
                raise changes.wrong(job, "deleted", hint="Cancel it first.")
            rows.forget(job_id)
            if job.folder.exists():
                # Under this name it is as good as gone, whatever happens next: see `rebuild`.
                undo.callback(durable.put_back, gone, job.folder)
                durable.move_folder(job.folder, gone)
            return job

        job = self._database.write_to_free(work)
        shutil.rmtree(gone, ignore_errors=True)
        self._database.freed()
        self._changed(job.owner, job_id, True)

    def _added(
        self, request: CaptureRequest, *, owner: str, key: str | None, priority: int
    ) -> tuple[Job, bool]:
        """The job of `add`, and whether it is new."""

        def under(rows: Rows) -> Job | None:
            return None if key is None else rows.under(owner, key)

        def work(rows: Rows, undo: ExitStack) -> Job:
            there = under(rows)
            if there is None:
                rows.save([job])
            return there or job

        there = self._database.read(under)
        if there is not None:
            return there, False
        number, job_id = self._database.next_number(), uuid.uuid4().hex
        job = Job(
            id=job_id,
            owner=owner,
            key=key,
            request=request,
            number=number,
            position=number,
            priority=priority,
            created_s=self._clock(),
            folder=self._jobs / job_id,
        )
        with ExitStack() as undo:
            undo.callback(durable.take_back_folder, job.folder)
            write_folder(job)
            listed = self._database.write(work)
            if listed.id == job.id:
                undo.pop_all()
        return listed, listed.id == job.id

    def _change(self, job_id: str, change: Callable[[Job], Job]) -> Job:
        """The job, after `change`; one that `change` ends gets its outcome first."""

        def work(rows: Rows, undo: ExitStack) -> tuple[Job, Job]:
            before = rows.one(job_id)
            after = change(before)
            if after != before:
                if after.ended:
                    if not before.ended:
                        undo.callback(durable.take_back, after.folder / OUTCOME)
                    keep_folder(after)
                    write_outcome(after)
                rows.save([after])
            return before, after

        before, job = self._database.write_to_free(work)
        if job.ended and not before.ended:
            self._tell_end(job)
        elif job != before:
            self._changed(job.owner, job.id, False)
        return job

    def _tell_end(self, job: Job) -> None:
        """Removes what only running jobs need, and tells that the job ended."""
        if job.state == "done":
            drop(job.folder / PARTIAL)
        for attempt, work in work_folders(job.folder).items():
            if attempt <= job.attempts:  # it may run again already
                shutil.rmtree(work, ignore_errors=True)
        self._changed(job.owner, job.id, False)


def keep_folder(job: Job) -> None:
    """Makes the job's folder again, where somebody deleted it."""
    if not job.folder.is_dir():
        write_folder(job)


def drop(path: Path) -> None:
    """Removes a file that nobody needs any more; if it stays, it does no harm."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
