"""One attempt at a job: what its worker says of it, its log, and how it ends.

An attempt ends in two steps. First it is *over*: the worker is free for something else. Then it is
*settled*: the store knows. Between the two lies as much time as the store's disk needs to come
back; what a worker has made waits in its folder meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from ...contract.errors import ServiceError, StripMocapError
from ...contract.jobs import JobProgress
from .. import durable
from ..queue.job import PARTIAL, RESULT, Footage, Job
from ..queue.store import Store
from . import lines, strikes
from .estimates import Estimate

LOG = "log.txt"  # of a job, in its folder
MAX_LOG_BYTES = 2**20
SHARE_STEP = 0.005  # of a job: so far it goes on before that is kept, and only then told
PATIENCE_S = 5.0  # with a store that could not keep it, before it is asked again


class Attempt:
    """What a worker does for one job, until the store knows how it ended.

    Args:
        job: as it was claimed.
        device: on which the worker computes.
        rates: seconds a step, by stage and device.
        store: the queue.
        changed: told the owner and id when there is news.
        freed: called when the job was put back into the queue.
        footage: as the result shall name it.
    """

    def __init__(
        self,
        job: Job,
        device: str,
        *,
        rates: Mapping[tuple[str, str], float],
        store: Store,
        changed: Callable[[str, str, bool], None],
        freed: Callable[[], None],
        footage: Footage,
    ) -> None:
        self.job = job
        self.cancelled_at: float | None = None
        self.heard = False  # the worker has said something of it
        self.over = False
        self.held: str | None = None  # why the worker waits, in a sentence
        self._device, self._footage = device, footage
        self._store, self._changed, self._freed = store, changed, freed
        self._share = job.share  # kept, so that a service that is killed tells no less later
        self._keeps_at = 0.0
        self._tell: Callable[[], object] | None = None  # the store, how it ended
        self._rates = {stage: rate for (stage, on), rate in rates.items() if on == device}
        self._estimate = Estimate(self._rates, plan=job.request.stages, share=job.share)

    def is_of(self, job_id: str, attempt: int) -> bool:
        """Whether this is that attempt at that job."""
        return (self.job.id, self.job.attempts) == (job_id, attempt)

    def order(self) -> lines.Work:
        """What to tell the worker."""
        job = self.job
        return lines.Work(
            job.id,
            job.attempts,
            job.request.to_json(),
            footage=self._footage,
            small=job.small,
            result=str(job.work / RESULT),
            partial=str(job.folder / PARTIAL),
            log=str(job.folder / LOG),
        )

    def progress(self) -> JobProgress:
        """How far the job is. From any thread."""
        return replace(self._estimate.now(), share=self._share)

    def hear(self, line: lines.AboutJob) -> None:
        """Takes in what the worker says of this attempt."""
        self.held, self.heard = None, True
        match line:
            case lines.Reported(_, _, stage, done, of):
                self._estimate.report(stage, done, of)
                self._keep_share()
                self._changed(self.job.owner, self.job.id, False)
            case lines.Published():
                self._changed(self.job.owner, self.job.id, False)
            case lines.Held(_, _, why):
                self.held = why
            case lines.Finished(_, _, notes):
                rates = self._estimate.finish()
                self._end(lambda: self._register(rates, notes))
            case lines.Failed(_, _, error):
                verdict = strikes.of_failure(self.job, error.raised())
                self._end(lambda: self._apply(verdict))
            case lines.Stopped() if self.cancelled_at is None:
                self.lose(strikes.Crash("let go of the job unasked"))
            case lines.Stopped():
                self._end(None)

    def look(self) -> None:
        """Keeps the log within its bounds."""
        path = self.job.folder / LOG
        with contextlib.suppress(OSError):
            if path.stat().st_size > MAX_LOG_BYTES:
                os.truncate(path, MAX_LOG_BYTES)

    def lose(self, cause: strikes.Cause | None) -> None:
        """Takes in that the worker has ended, because of `cause`; None: the job was cancelled."""
        if cause is None or self.cancelled_at is not None:
            self._write("cancelled; the worker was ended")
            return self._end(None)
        self._write(f"the worker {cause.what}")
        verdict = strikes.of_death(self.job, cause, begun=self.heard)
        self._end(lambda: self._apply(verdict))

    def put_back(self, note: str) -> None:
        """Ends it so that the job waits in the queue again."""
        if not self.over:
            self._end(lambda: self._requeue(note))

    def settle(self) -> None:
        """Tells the store how it ended, unless the store knows.

        Raises:
            QueueUnavailable: not now; nothing is lost, try again.
            DiskFull: the same.
        """
        assert self.over
        # First, because once the store knows, the next attempt may write its own.
        for each in self.job.folder.glob(f".{PARTIAL}.*{durable.PART}"):
            with contextlib.suppress(OSError):
                each.unlink()
        if self._tell:
            self._tell()
            self._tell = None
        shutil.rmtree(self.job.work, ignore_errors=True)

    def _end(self, tell: Callable[[], object] | None) -> None:
        self.over = True
        # Who cancelled has told the store already.
        self._tell = None if self.cancelled_at is not None else tell

    def _register(self, rates: dict[str, float], notes: tuple[str, ...]) -> None:
        try:
            self._store.succeed(self.job.id, self.job.work / RESULT, notes=notes)
        except ServiceError as error:
            self._apply(error)
        # A later attempt goes quickly over what the one before has kept.
        for stage, rate in rates.items() if self.job.attempts == 1 else ():
            kept = self._rates.get(stage, rate)
            self._store.keep_rate(stage, self._device, (kept + rate) / 2)

    def _apply(self, verdict: strikes.Verdict) -> None:
        """Puts the job back or lets it fail, unless it was cancelled and begun again meanwhile."""
        if self._store.get(self.job.id).attempts != self.job.attempts:
            return
        if isinstance(verdict, StripMocapError):
            self._store.fail(self.job.id, verdict)
        else:
            self._requeue(verdict.note, strike=verdict.strike)
            self._freed()

    def _requeue(self, note: str, *, strike: bool = False) -> None:
        self._store.keep_share(self.job.id, self._estimate.now().share)
        self._store.requeue(self.job.id, note=note, small=strike, strike=strike)

    def _keep_share(self) -> None:
        share = self._estimate.now().share
        if share < self._share + SHARE_STEP or time.monotonic() < self._keeps_at:
            return
        try:
            self._store.keep_share(self.job.id, share)
        except StripMocapError:
            self._keeps_at = time.monotonic() + PATIENCE_S
        else:
            self._share = share

    def _write(self, text: str) -> None:
        """Adds a line of our own to the job's log, which then may be a little too long."""
        self.look()
        with contextlib.suppress(OSError), (self.job.folder / LOG).open("ab") as log:
            log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n".encode())
