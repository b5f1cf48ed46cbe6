"""A few jobs of one client on a service under a fault: asked for, waited for and looked over."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from ..contract import result_file
from ..contract.errors import (
    BackendUnavailable,
    DiskFull,
    NotThere,
    QueueUnavailable,
    StripMocapError,
)
from ..contract.handover import new_client_key
from ..contract.jobs import JobStatus
from ..contract.messages import CaptureRequest, Clip
from ..contract.service import Service
from .served import Served

PASSING = (QueueUnavailable, DiskFull)  # what a client may meet while a fault lasts
END_S = 120.0  # within which jobs of milliseconds must end once the fault is over
ANSWER_S = 40.0  # within which every call ends, fault or not: three tries of eight seconds
_LOOK_S = 0.05


class Batch:
    """Jobs by their keys, and what went wrong with them."""

    def __init__(self, served: Served) -> None:
        self.client_key = new_client_key()
        self.jobs: dict[str, str] = {}  # id by key
        self.results: dict[str, str] = {}  # SHA-256 by id
        self.violations: list[str] = []
        self.refused = 0  # calls that met an error of `PASSING`
        self._served = served

    @property
    def service(self) -> Service:
        """The client of the service that runs now.

        Raises:
            BackendUnavailable: it does not say where it is.
        """
        service = self._served.service(self.client_key)
        if service is None:
            raise BackendUnavailable("the service has not said where it is")
        return service

    def add(self, count: int, *, milliseconds: int) -> None:
        """Asks for so many jobs; those that are refused are asked for again by `finish`."""
        first = len(self.jobs)
        for number in range(first, first + count):
            self.jobs.setdefault(f"job{number}", "")
            self._ask(f"job{number}", milliseconds)

    def call(self, what: str, work: Callable[[], object]) -> bool:
        """Whether the call was answered with what it asked for; anything unforeseen is noted."""
        began = time.monotonic()
        try:
            work()
            return True
        except PASSING:
            self.refused += 1
        except StripMocapError as error:
            self.violations.append(f"{what}: {type(error).__name__}: {error}")
        finally:
            if time.monotonic() - began > ANSWER_S:
                self.violations.append(f"{what} took {time.monotonic() - began:.0f} s")
        return False

    def finish(self, *, milliseconds: int = 50) -> None:
        """Asks for what was refused, and waits until all have ended well."""
        until = time.monotonic() + END_S
        waiting = set(self.jobs)
        while waiting and time.monotonic() < until:
            for key in list(waiting):
                if not self.jobs[key] and not self._ask(key, milliseconds):
                    continue
                if self._ended(key):
                    waiting.discard(key)
            time.sleep(_LOOK_S)
        if waiting:
            self.violations += [f"{key} has not ended; {self._said()}" for key in sorted(waiting)]

    def check(self, data: Path) -> None:
        """Looks over every job: there once, and done ones as they were, with a sound file."""
        try:
            there = {each.id: each for each in self.service.every_job()}
        except StripMocapError as error:
            self.violations.append(f"the list cannot be read: {error}")
            return
        known = [each.key for each in there.values()]
        self.violations += [f"{key} is there twice" for key in set(known) if known.count(key) > 1]
        for key, job_id in self.jobs.items():
            if job_id and job_id not in there:
                self.violations.append(f"{key} is lost")
            elif job_id in self.results:
                self._check_done(there[job_id], data)

    def _check_done(self, status: JobStatus, data: Path) -> None:
        if status.result is None or status.result.sha256 != self.results[status.id]:
            self.violations.append(f"{status.key} was done and is {status.state}, or other than it")
            return
        try:
            result_file.load(data / "jobs" / status.id / "result.npz")
        except StripMocapError as error:
            self.violations.append(f"the result of {status.key}: {error}")

    def _said(self) -> str:
        """What the service says of itself, for whoever looks into it."""
        try:
            health = self.service.health()
            return f"{[each.state for each in health.devices]} {list(health.notices)}"
        except StripMocapError as error:
            return str(error)

    def _ask(self, key: str, milliseconds: int) -> bool:
        request = CaptureRequest(Clip(f"/footage/{key}-{milliseconds}ms.mp4"))

        def ask() -> None:
            job_id = self.service.submit(request, key=key).id
            if self.jobs.get(key, "") not in {"", job_id}:
                self.violations.append(f"{key} is {self.jobs[key]} and {job_id}")
            self.jobs[key] = job_id

        return self.call(f"submit {key}", ask)

    def _ended(self, key: str) -> bool:
        seen: list[JobStatus] = []
        try:
            if not self.call(f"look at {key}", lambda: seen.append(self._look(key))):
                return False
        except NotThere:
            return True
        status = seen[0]
        if status.state == "failed":
            self.violations.append(f"{key} failed: {status.error}")
        if status.result is not None:
            self.results[status.id] = status.result.sha256
        return status.state in {"done", "failed", "cancelled"}

    def _look(self, key: str) -> JobStatus:
        try:
            return self.service.job(self.jobs[key])
        except NotThere:
            self.violations.append(f"{key} is lost")
            raise
