"""One device's place in the service: its worker process, the job on it, and what befalls them.

A seat is a thread that sleeps until something is said to it: by its worker, by a client who
cancels, by the queue. Only while its worker works does it look around a few times a second. It is
the only one who starts, feeds and ends its worker, so there is never more than one.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...contract.errors import DiskFull, QueueUnavailable, StripMocapError
from ...contract.jobs import DeviceStatus, JobProgress
from ..queue.job import Footage, Job
from ..queue.store import Store
from . import lines, strikes
from .attempt import Attempt
from .process import Process

CANCEL_S = 1.0  # for a worker to let go of a job before it is ended
LOAD_S = 120.0  # that a worker may take to load, if a longer silence is not allowed anyway
TICK_S = 0.25  # between two looks at a worker that works
MANY_FAILURES = 4  # in a row, after which the device is said to have failed
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 60.0  # before a worker that failed is started again
STEADY_S = 60.0  # a worker that lived so long has started well
BAD_LUCK = 4  # deaths at work, one after the other; more are the fault of this machine, not of jobs
STORE_PAUSE_S = 2.0  # before the store is asked again for what it refused
BUG_PAUSE_S = 1.0
_SLEPT_S = 2.0  # a longer tick is the machine's sleep, not the worker's silence
_LAST_WORDS_S = 0.2  # from the end of a worker's lines to the end of the worker

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """What a worker may do before it is ended."""

    worker_bytes: int
    stall_s: float


@dataclass(frozen=True)
class _Said:
    process: Process
    line: lines.Line | None


@dataclass(frozen=True)
class _Woken:
    pass


@dataclass(frozen=True)
class _Cancel:
    job: Job


@dataclass(frozen=True)
class _End:
    wait_s: float


_Event = _Said | _Woken | _Cancel | _End


class Seat:
    """The place of one device.

    Args:
        device: as the settings name it.
        command: the worker's argument vector.
        store: the queue.
        limits: of the worker.
        log: file that takes what the worker prints while it has no job.
        changed: told the owner and id of the job that runs, when there is news of it.
        freed: called when a job was put back, so that all seats look at the queue.
        footage_of: a job's footage as its owner knows it.
    """

    def __init__(
        self,
        device: str,
        command: Sequence[str],
        *,
        store: Store,
        limits: Limits,
        log: Path,
        changed: Callable[[str, str, bool], None],
        freed: Callable[[], None],
        footage_of: Callable[[Job], Footage],
    ) -> None:
        self.status = DeviceStatus(device, "", "stopped", None, None)
        self.notices: dict[str, str] = {}
        self._command, self._worker_log = command, log
        self._store, self._limits = store, limits
        self._changed, self._freed, self._footage_of = changed, freed, footage_of
        self._events: queue.SimpleQueue[_Event] = queue.SimpleQueue()
        self._process: Process | None = None
        self._loaded = False  # the process is ready for jobs
        self._attempt: Attempt | None = None
        self._failures = 0  # of workers to start, one after the other
        self._deaths = 0  # of workers at work, one after the other
        self._start_at = self._ask_at = 0.0
        self._born = self._looked = time.monotonic()
        self._silent_s = 0.0
        self._ending = False
        self._thread = threading.Thread(target=self._live, name=f"seat-{device}", daemon=True)

    # --- what others ask, from any thread ---

    def start(self) -> None:
        """Begins to live; the worker is started at once."""
        self.status = replace(self.status, state="starting")
        self._thread.start()

    def wake(self) -> None:
        """Says that a job was queued."""
        self._events.put(_Woken())

    def cancel(self, job: Job) -> None:
        """Says that this attempt at `job` is not wanted any more."""
        self._events.put(_Cancel(job))

    def ask_to_end(self, wait_s: float) -> None:
        """Says that the seat shall put its job back, and end with its worker within `wait_s`."""
        self._events.put(_End(wait_s))

    def join(self, wait_s: float) -> bool:
        """Whether the seat has ended, now or within `wait_s`."""
        if self._thread.ident is not None:
            self._thread.join(max(wait_s, 0.0))
        return not self._thread.is_alive()

    def progress(self, job_id: str) -> JobProgress | None:
        """How far the job is; None if it is not here."""
        attempt = self._attempt
        return attempt.progress() if attempt and attempt.job.id == job_id else None

    @property
    def idle(self) -> bool:
        """Whether no job runs here, and none waits to be registered."""
        return self._attempt is None

    # --- the thread ---

    def _live(self) -> None:
        while not self._ending:
            try:
                self._act()
                with contextlib.suppress(queue.Empty):
                    self._hear(self._events.get(timeout=self._pause()))
                self._look()
            except Exception:
                # A bug of ours must cost neither the queue nor the processor.
                _log.exception("the seat of %s", self.status.name)
                time.sleep(BUG_PAUSE_S)

    def _pause(self) -> float | None:
        """Seconds until there is something to do even if nothing is said; None: there is not."""
        now = time.monotonic()
        if self._process is None:
            waits = [self._start_at - now]
        elif not self._loaded or self._working:
            waits = [TICK_S]
        else:
            waits = []
        if self._ask_at > now:
            waits.append(self._ask_at - now)
        return max(min(waits), 0.0) if waits else None

    @property
    def _working(self) -> bool:
        return self._attempt is not None and not self._attempt.over

    def _act(self) -> None:
        """Does what is due: start the worker, tell the store what ended, begin the next job."""
        if self._process is None and time.monotonic() >= self._start_at:
            self._start_worker()
        if self._ask_at > time.monotonic():
            return
        try:
            if self._attempt and self._attempt.over:
                self._settle(self._attempt)
            if self._process and self._loaded and self._attempt is None:
                self._begin()
            self.notices.pop("store", None)
        except (QueueUnavailable, DiskFull) as error:
            self.notices["store"] = f"Jobs wait: {error.message}. {error.hint}".strip()
            self._ask_at = time.monotonic() + STORE_PAUSE_S

    def _hear(self, event: _Event) -> None:
        match event:
            case _Said(process, line) if process is self._process:
                self._silent_s = 0.0
                self._hear_worker(process, line)
            case _Cancel(job):
                self._cancel(job)
            case _End(wait_s):
                self._end(wait_s)

    def _hear_worker(self, process: Process, line: lines.Line | None) -> None:
        match line:
            case None:
                self._lose(strikes.Crash(process.end(wait_s=_LAST_WORDS_S)))
            case lines.Ready(name, label, total, free):
                self._loaded = True
                self.status = DeviceStatus(name, label, "ready", total, free)
                self.notices.pop("worker", None)
            case lines.Memory(total, free):
                self.status = replace(self.status, memory_total=total, memory_free=free)
            case lines.Work() | lines.Stop():
                pass
            case _:
                attempt = self._attempt
                if attempt and not attempt.over and attempt.is_of(line.job, line.attempt):
                    attempt.hear(line)
                    self._show(attempt)

    def _show(self, attempt: Attempt) -> None:
        """Makes status and notices say how it stands with the attempt."""
        self.notices.pop("disk", None)
        if attempt.held:
            self.notices["disk"] = attempt.held
        if attempt.over and self._process:
            self._failures = self._deaths = 0
            self.status = replace(self.status, state="ready")

    def _look(self) -> None:
        """Looks whether the worker still does what it should."""
        now = time.monotonic()
        # Capped: a machine that slept for hours has not heard its worker either.
        self._silent_s += min(now - self._looked, _SLEPT_S)
        self._looked = now
        process, attempt = self._process, self._attempt
        if process is None or (self._loaded and not self._working):
            return
        if attempt and not attempt.over:
            attempt.look()
            if attempt.cancelled_at is not None and now - attempt.cancelled_at > CANCEL_S:
                return self._replace(process, None)
        if (size := process.memory()) > self._limits.worker_bytes:
            return self._replace(process, strikes.TooMuchMemory(size, self._limits.worker_bytes))
        patience_s = self._limits.stall_s if self._loaded else max(self._limits.stall_s, LOAD_S)
        if self._silent_s > patience_s:
            self._replace(process, strikes.Stall(patience_s))

    # --- the worker ---

    def _start_worker(self) -> None:
        self._born, self._silent_s, self._loaded = time.monotonic(), 0.0, False
        try:
            self._process = Process(self._command, log=self._worker_log, heard=self._said)
        except OSError as error:
            self._lose(strikes.Crash(f"cannot be started ({error.strerror or error})"))

    def _said(self, process: Process, line: lines.Line | None) -> None:
        self._events.put(_Said(process, line))

    def _replace(self, process: Process, cause: strikes.Cause | None) -> None:
        """Ends the worker by force, because of `cause`; None: its job was cancelled."""
        process.end()
        self._lose(cause)

    def _lose(self, cause: strikes.Cause | None) -> None:
        """Goes on without the worker, which has ended, until the next one is started."""
        begun = self._attempt is not None and not self._attempt.over and self._attempt.heard
        steady = begun or time.monotonic() - self._born > STEADY_S
        self._failures = 0 if steady else self._failures + 1
        self._deaths += begun and cause is not None
        self._process, self._loaded = None, False
        # If every job ended its worker, a whole queue would fail before anybody looks.
        pause_s = _pause_after(max(self._failures, self._deaths - BAD_LUCK))
        self._start_at = time.monotonic() + pause_s
        self.status = replace(self.status, state="starting", memory_free=None)
        if self._failures >= MANY_FAILURES and cause:
            self.status = replace(self.status, state="failed")
            self.notices["worker"] = (
                f"The worker for {self.status.name} {cause.what}, {self._failures} times in a row. "
                f"Jobs wait; it is tried again. What it says is in {self._worker_log}."
            )
        if self._attempt and not self._attempt.over:
            self._attempt.lose(cause)
            self._show(self._attempt)

    def _end(self, wait_s: float) -> None:
        """Puts the job back and ends the worker: the service stops."""
        self._ending = True
        if self._process:
            self._process.end(wait_s=min(wait_s / 2, 0.5))
            self._process = None
        if self._attempt:
            self._attempt.put_back("The service was stopped; the job goes on when it runs again.")
            # What cannot be said now is found out at the next start: see `Store.recover`.
            with contextlib.suppress(QueueUnavailable, DiskFull):
                self._settle(self._attempt)
        self.status = replace(self.status, state="stopped", memory_free=None)

    # --- the job ---

    def _begin(self) -> None:
        device, rates = self.status.name, self._store.rates()
        job = self._store.claim(device)
        if job is None:
            return
        self._attempt = Attempt(
            job,
            device,
            rates=rates,
            store=self._store,
            changed=self._changed,
            freed=self._freed,
            footage=self._footage_of(job),
        )
        self._silent_s = 0.0
        self.status = replace(self.status, state="busy")
        if self._process:
            self._process.say(self._attempt.order())

    def _settle(self, attempt: Attempt) -> None:
        try:
            attempt.settle()
        except (QueueUnavailable, DiskFull):
            raise
        except StripMocapError as error:
            # Such as a job that was cancelled and deleted meanwhile.
            _log.warning("job %s: %s", attempt.job.id, error.message)
        self._attempt = None

    def _cancel(self, job: Job) -> None:
        attempt = self._attempt
        if attempt is None or attempt.over or attempt.cancelled_at is not None:
            return
        if attempt.is_of(job.id, job.attempts):
            attempt.cancelled_at = time.monotonic()
            if self._process:
                self._process.say(lines.Stop(job.id, job.attempts))


def _pause_after(failures: int) -> float:
    """Seconds before the next start, after so many failures in a row."""
    if failures <= 0:
        return 0.0
    return min(FIRST_PAUSE_S * 2 ** (failures - 1), LONGEST_PAUSE_S)
