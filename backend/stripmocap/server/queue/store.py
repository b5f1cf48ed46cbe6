"""The durable queue: what clients ask of it (`desk`), and what the supervisor says here.

A job that ends writes its `outcome.json` before the list says so (see `job` and `rebuild`), so a
list that is damaged is set aside and made again, even while the service runs. Nothing is ordered by
the time of day.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

from ...contract.errors import NotThere, ServiceError, StripMocapError
from ...contract.jobs import State
from .. import durable
from . import changes
from .desk import Desk, drop, keep_folder
from .job import OUTCOME, RESULT, Job, status_of, write_outcome
from .rebuild import sweep
from .rows import Rows

__all__ = ["Job", "Store"]


class Store(Desk):
    """The jobs of all clients, in a folder. Any thread may call it.

    Every method may raise `QueueUnavailable` where another program locks the list for too long,
    and `DiskFull` where the disk is full or refuses; then nothing has changed.
    """

    def claim(self, device: str) -> Job | None:
        """The job that is next, running on `device` from now on; None if none is queued."""

        def work(rows: Rows, undo: ExitStack) -> Job | None:
            job = rows.first()
            if job is None:
                return None
            job = replace(
                job,
                state="running",
                attempts=job.attempts + 1,
                device=device,
                started_s=self._clock(),
            )
            keep_folder(job)
            shutil.rmtree(job.work, ignore_errors=True)
            undo.callback(shutil.rmtree, job.work, ignore_errors=True)
            job.work.mkdir(mode=0o700)
            rows.save([job])
            return job

        job = self._database.write(work)
        if job is not None:
            self._changed(job.owner, job.id, False)
        return job

    def succeed(self, job_id: str, made: Path, *, notes: Sequence[str] = ()) -> Job:
        """The job, done, with the file at `made` as its result; its worker has closed the file.

        A job that no longer runs, or that runs in a later attempt than the one that made the file,
        stays as it is and the file is dropped. `notes` are sentences about how it went.

        Raises:
            ServiceError: there is no such file.
        """
        job = self.get(job_id)
        if not changes.awaits(job, made):
            drop(made)
            return job
        try:
            durable.sync_file(made)
            status = status_of(made)
        except OSError as error:
            job = self.get(job_id)
            if not changes.awaits(job, made):  # it was cancelled just now, and its files removed
                return job
            raise ServiceError(
                f"the worker left no result at {made} ({error.strerror or error})",
                hint="Retry the job; see its log if it happens again.",
            ) from error

        def work(rows: Rows, undo: ExitStack) -> tuple[Job, bool]:
            job = rows.one(job_id)
            if not changes.awaits(job, made):
                return job, False
            done = replace(
                changes.ended(job, "done", now_s=self._clock()), share=1.0, result=status
            )
            for each in notes:
                done = changes.noted(done, each)
            undo.callback(durable.put_back, job.folder / RESULT, made)
            undo.callback(durable.take_back, job.folder / OUTCOME)
            made.replace(job.folder / RESULT)
            write_outcome(done)  # which syncs the folder, so that both names are on the disk
            rows.save([done])
            return done, True

        job, new = self._database.write(work)
        if not new:
            drop(made)
            return job
        self._tell_end(job)
        return job

    def fail(self, job_id: str, error: StripMocapError) -> Job:
        """The running job, failed with `error`; one that no longer runs stays as it is."""

        def change(job: Job) -> Job:
            if job.state != "running":
                return job
            return changes.failed(job, error, now_s=self._clock())

        return self._change(job_id, change)

    def requeue(self, job_id: str, *, note: str, small: bool = False, strike: bool = False) -> Job:
        """The running job, queued again where it was; one that no longer runs stays as it is.

        Args:
            job_id: its id.
            note: what happened, a sentence for its owner.
            small: it is to be tried with smaller batches from now on.
            strike: it ended its worker.
        """

        def change(job: Job) -> Job:
            if job.state != "running":
                return job
            job = replace(changes.noted(job, note), state="queued", small=job.small or small)
            return replace(job, strikes=job.strikes + strike)

        return self._change(job_id, change)

    def keep_share(self, job_id: str, share: float) -> None:
        """Keeps how far the job is, if that is further than before; a power cut may lose it."""

        def work(rows: Rows, undo: ExitStack) -> None:
            job = rows.one(job_id)
            if job.state == "running" and job.share < share <= 1:
                rows.save([replace(job, share=share)])

        with suppress(NotThere):
            self._database.write(work, synced=False)

    def note(self, job_id: str, sentence: str) -> None:
        """Adds a sentence to what happened to the job on its way."""
        self._change(job_id, lambda job: changes.noted(job, sentence))

    def rates(self) -> dict[tuple[str, str], float]:
        """Seconds that a step of a stage takes on a device, as they were kept."""
        return self._database.read(Rows.rates)

    def keep_rate(self, stage: str, device: str, seconds_per_step: float) -> None:
        """Keeps how long a step of the stage takes; a power cut may lose it."""
        self._database.write(
            lambda rows, undo: rows.save_rate(stage, device, seconds_per_step), synced=False
        )

    def recover(self) -> list[Job]:
        """The jobs that ran when the service ended, queued again; to be called before any claim.

        One that was interrupted `MOST_INTERRUPTIONS` times without getting further has failed. What
        interrupted work left in the folders is removed.
        """

        def work(rows: Rows, undo: ExitStack) -> tuple[list[Job], dict[str, State]]:
            now_s = self._clock()
            jobs = [changes.interrupted(job, now_s=now_s) for job in rows.in_state("running")]
            for job in jobs:
                if job.ended:
                    undo.callback(durable.take_back, job.folder / OUTCOME)
                    write_outcome(job)
            rows.save(jobs)
            return jobs, rows.states()

        jobs, states = self._database.write_to_free(work)
        sweep(self._jobs, states)
        for job in jobs:
            self._changed(job.owner, job.id, False)
        return jobs
