"""What every route is handed: the parts of the service, and who asks.

What clients of other machines see names nothing of this one: footage that they sent is shown as
they sent it, under the name that they gave it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Generic, Protocol, TypeVar

from fastapi import Depends, Header, Request

from ...contract.errors import NotAllowed
from ...contract.jobs import CLIENT_HEADER, JobError, JobStatus, MethodStatus
from ...settings import Settings, is_loopback
from ...steps import StepStore
from ..queue.job import Job
from ..queue.statuses import Statuses
from ..queue.store import Store
from ..workers.supervisor import Supervisor
from .downloads import Checksums
from .events import Events
from .guards import CLIENT_KEY, owner_of
from .uploads import Uploads

_Value = TypeVar("_Value")


class LifeLike(Protocol):
    """What the routes need of a run of the service."""

    epoch: str
    finish_jobs: bool

    def heard(self, client: str | None = None) -> None:
        """Says that a client has called."""

    def stop(self) -> None:
        """Asks the service to end."""

    def notices(self) -> Iterable[str]:
        """What the service's owner should know."""
        ...


class Recent(Generic[_Value]):
    """A value that is costly to find out, and may be a little old. Thread-safe."""

    def __init__(self, find: Callable[[], _Value], *, age_s: float) -> None:
        self._find = find
        self._age_s = age_s
        self._lock = threading.Lock()
        self._found: tuple[float, _Value] | None = None

    def __call__(self) -> _Value:
        """The value as it was found at most `age_s` ago."""
        with self._lock:
            now = time.monotonic()
            if self._found is None or now - self._found[0] > self._age_s:
                self._found = (now, self._find())
            return self._found[1]

    def forget(self) -> None:
        """Has the value found out again when it is asked for."""
        with self._lock:
            self._found = None


@dataclass(frozen=True)
class Context:
    """The parts of the service."""

    store: Store
    supervisor: Supervisor
    events: Events
    uploads: Uploads
    settings: Settings
    steps: StepStore
    life: LifeLike
    statuses: Statuses
    sums: Checksums
    methods: Recent[tuple[MethodStatus, ...]]
    cache_size: Recent[int]  # bytes
    disk: asyncio.Semaphore  # of calls that write footage, so that others find a thread

    def shown(self, jobs: Iterable[Job]) -> list[JobStatus]:
        """What their owner sees of `jobs`."""
        listed = list(jobs)
        every = self.statuses.of_all(listed)
        return [self._as_sent(status, job) for job, status in zip(listed, every, strict=True)]

    def one(self, job: Job) -> JobStatus:
        """What its owner sees of `job`."""
        return self.shown([job])[0]

    def _as_sent(self, status: JobStatus, job: Job) -> JobStatus:
        """The status, with the file of an upload under the names that its sender knows."""
        path, sent = job.request.clip.path, self.uploads.footage_of(job)
        if sent == job.footage:
            return status
        error = status.error

        def told(text: str) -> str:
            return text.replace(path, sent.name).replace(job.name, sent.name)

        return replace(
            status,
            name=sent.name,
            request={**status.request, "clip": {**status.request["clip"], "path": sent.path}},
            notes=tuple(map(told, status.notes)),
            error=error and JobError(error.code, told(error.message), told(error.hint)),
        )


def context_of(request: Request) -> Context:
    """The parts of the service that answers `request`."""
    return request.app.state.context


def _owner(
    key: Annotated[
        str,
        Header(
            alias=CLIENT_HEADER,
            pattern=CLIENT_KEY,
            description="A secret of the client's own making: it sees the jobs that were made with "
            "the same one, and no others.",
            examples=["0123456789abcdef0123456789abcdef"],
        ),
    ],
) -> str:
    return owner_of(key)


def _at_the_machine(request: Request) -> None:
    """Lets in only programs on the service's own machine.

    Raises:
        NotAllowed: the call comes from another, or through a proxy.
    """
    settings = context_of(request).settings
    if not is_here(request, settings):
        raise NotAllowed(
            "only programs on the service's own machine may ask this",
            hint="Ask who runs the service.",
        )


def is_here(request: Request, settings: Settings) -> bool:
    """Whether the caller is a program on the service's own machine."""
    if not settings.remote:
        return True
    return not settings.behind_proxy and bool(request.client and is_loopback(request.client.host))


Parts = Annotated[Context, Depends(context_of)]
Owner = Annotated[str, Depends(_owner)]
AtTheMachine = Depends(_at_the_machine)
