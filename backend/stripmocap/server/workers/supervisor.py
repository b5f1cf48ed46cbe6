"""The workers of the service: one process per device, each with a seat that looks after it.

Nothing here imports torch or opens a video: whatever can crash does so in a worker.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

import psutil

from ...contract.jobs import DeviceStatus, JobProgress
from ...settings import CACHE, LOGS, Settings
from ..queue.job import Footage, Job
from ..queue.store import Store
from .seat import Limits, Seat

WORKER = (sys.executable, "-m", "stripmocap.server.workers.worker")
USUAL_MEMORY = 0.8  # of the machine's, for a worker


def _its_own(job: Job) -> Footage:
    return job.footage


class Supervisor:
    """Runs the queue's jobs on the devices of the settings.

    Args:
        store: the queue; it has recovered.
        settings: devices, limits and folders.
        changed: told the owner and id of a running job when there is news of it.
        command: the worker's argument vector, to which device, cache and its limit are added.
        footage_of: a job's footage as its owner knows it; by default it is a file of theirs.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        changed: Callable[[str, str, bool], None],
        command: Sequence[str] | None = None,
        footage_of: Callable[[Job], Footage] = _its_own,
    ) -> None:
        limits = Limits(
            worker_bytes=settings.worker_bytes or int(USUAL_MEMORY * psutil.virtual_memory().total),
            stall_s=settings.stall_s,
        )
        self._logs = settings.data / LOGS
        cache = (str(settings.data / CACHE), str(settings.cache_bytes))
        self._seats = [
            Seat(
                device,
                [*(command or WORKER), device, *cache],
                store=store,
                limits=limits,
                log=self._logs / f"worker-{number}.log",
                changed=changed,
                freed=self.wake,
                footage_of=footage_of,
            )
            for number, device in enumerate(settings.devices)
        ]

    def start(self) -> None:
        """Starts every worker, and the jobs that wait as soon as one is loaded."""
        self._logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        for each in self._seats:
            each.start()

    def stop(self, *, wait_s: float = 2.0) -> None:
        """Puts running jobs back into the queue and ends the workers, within about `wait_s`."""
        until = time.monotonic() + wait_s
        for each in self._seats:
            each.ask_to_end(wait_s)
        for each in self._seats:
            each.join(until - time.monotonic())

    def wake(self) -> None:
        """Says that a job was queued."""
        for each in self._seats:
            each.wake()

    def cancel(self, job: Job) -> None:
        """Makes the worker let go of `job`, which the store has cancelled; returns at once.

        A worker that has not let go after `seat.CANCEL_S` is ended, whatever it does.
        """
        for each in self._seats:
            each.cancel(job)

    def progress(self, job_id: str) -> JobProgress | None:
        """How far the job is; None if it does not run."""
        found = (each.progress(job_id) for each in self._seats)
        return next((each for each in found if each), None)

    def devices(self) -> tuple[DeviceStatus, ...]:
        """Each worker and what it computes on."""
        return tuple(each.status for each in self._seats)

    @property
    def notices(self) -> tuple[str, ...]:
        """What the owner of the service should know, in sentences."""
        return tuple(text for each in self._seats for text in tuple(each.notices.values()))

    @property
    def idle(self) -> bool:
        """Whether no job runs and none waits to be registered."""
        return all(each.idle for each in self._seats)
