"""The service as its clients call it: every route as a method, with records for answers.

For programs on the machine of the service, `Service.of(handover)`; for others, its address, token
and certificate. Calls that a broken connection leaves in doubt are made again wherever that is
harmless, and `submit` is: a job has a key, and one key makes one job. A service may be used by
several threads.
"""

from __future__ import annotations

import urllib.parse
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from . import transfers
from .calls import Caller, Opener
from .errors import NotThere, WrongState
from .handover import Handover
from .jobs import (
    CacheStatus,
    Events,
    FileStatus,
    Health,
    JobList,
    JobStatus,
    State,
    from_json,
)
from .messages import CaptureRequest
from .transfers import Report

PAGE = 100  # jobs in one answer


class Service:
    """A running service, as one client sees it."""

    def __init__(
        self,
        url: str,
        *,
        token: str,
        client_key: str | None = None,
        ca: Path | None = None,
        opener: Opener | None = None,
    ) -> None:
        """A client of the service at `url`; nothing is sent yet.

        Args:
            url: https://machine:port, or http:// of this machine.
            token: what the service printed or keeps in its token file.
            client_key: whose jobs are shown and made; None: only what concerns all can be called.
            ca: a file of certificates to trust instead of the system's.
            opener: what opens a `urllib.request.Request` within seconds, for tests.
        """
        self._caller = Caller(url, token=token, client_key=client_key, ca=ca, opener=opener)

    @classmethod
    def of(
        cls, handover: Handover, *, client_key: str | None = None, ca: Path | None = None
    ) -> Service:
        """The service that left `handover`."""
        return cls(handover.url, token=handover.token, client_key=client_key, ca=ca)

    @property
    def url(self) -> str:
        """Where it is."""
        return self._caller.url

    def health(self) -> Health:
        """What the service is, has and can do."""
        return from_json(Health, self._caller.json("GET", "health"))

    def submit(
        self, request: CaptureRequest, *, key: str | None = None, priority: int = 0
    ) -> JobStatus:
        """The job that `request` became; with a `key` that made one before, that job.

        Raises:
            RequestError: it asks for what cannot be.
            WrongState: the key belongs to another request.
        """
        body = {
            "request": request.to_json(),
            "key": key or str(uuid.uuid4()),
            "priority": priority,
        }
        return self._job("POST", "jobs", body=body)

    def job(self, job_id: str) -> JobStatus:
        """How the job is.

        Raises:
            NotThere: there is none, or it is somebody else's.
        """
        return self._job("GET", _route(job_id))

    def jobs(
        self, *, state: State | None = None, before: str | None = None, limit: int = PAGE
    ) -> JobList:
        """This client's jobs, the newest first; `before` is the last id of the page before."""
        query = {"state": state, "before": before, "limit": limit}
        return from_json(JobList, self._caller.json("GET", f"jobs?{_query(query)}"))

    def every_job(self, *, state: State | None = None) -> Iterator[JobStatus]:
        """All of this client's jobs, the newest first."""
        page = self.jobs(state=state)
        yield from page.jobs
        while page.more and page.jobs:
            page = self.jobs(state=state, before=page.jobs[-1].id)
            yield from page.jobs

    def cancel(self, job_id: str) -> JobStatus:
        """The job, which will not go on.

        Raises:
            WrongState: it has ended otherwise.
        """
        return self._job("POST", _route(job_id, "cancel"))

    def retry(self, job_id: str) -> JobStatus:
        """The job that had failed or been cancelled, in the queue again.

        Raises:
            WrongState: it is done, or in the queue.
        """
        return self._job("POST", _route(job_id, "retry"), tries=1)

    def move(
        self,
        job_id: str,
        *,
        priority: int | None = None,
        to: Literal["first", "last"] | None = None,
    ) -> JobStatus:
        """The queued job with another priority, or before or after all others of this client."""
        return self._job("POST", _route(job_id, "move"), body={"priority": priority, "to": to})

    def delete(self, job_id: str) -> None:
        """Forgets a job that has ended, with its result.

        Raises:
            WrongState: it has not ended.
        """
        self._caller.json("DELETE", _route(job_id), tries=1)

    def events(self, *, after: int = 0, epoch: str | None = None, wait_s: float = 0.0) -> Events:
        """What changed since the answer whose number and epoch are given.

        Args:
            after: 0 at first.
            epoch: of that answer.
            wait_s: that the service holds back an answer as long as there is nothing to tell.
        """
        query = _query({"after": after, "epoch": epoch, "wait_s": wait_s})
        return from_json(Events, self._caller.json("GET", f"events?{query}", wait_s=wait_s))

    def result(self, job_id: str, path: Path, *, report: Report | None = None) -> JobStatus:
        """The job, whose result now is the file at `path`: whole, or not there.

        Raises:
            WrongState: it is not done.
            ResultFileError: it cannot be written.
        """
        return self._fetch(job_id, "result", path, report=report)

    def partial(self, job_id: str, path: Path, *, report: Report | None = None) -> JobStatus:
        """As `result`, with what is finished of a job that runs.

        Raises:
            WrongState: nothing is.
        """
        return self._fetch(job_id, "partial", path, report=report)

    def log(self, job_id: str | None = None) -> str:
        """What was written while the job ran; None: by the service itself."""
        route = "log" if job_id is None else _route(job_id, "log")
        return self._caller.text("GET", route)

    def upload(self, path: Path, *, report: Report | None = None) -> str:
        """The path that a clip has for the service once the file at `path` is sent there.

        Raises:
            VideoError: the file cannot be read.
            TooLarge, DiskFull: the service has no room for it.
        """
        return transfers.upload(self._caller, path, report=report or _silent)

    def cache(self) -> CacheStatus:
        """The kept outputs of pipeline steps."""
        return from_json(CacheStatus, self._caller.json("GET", "cache"))

    def clear_cache(self) -> None:
        """Forgets the kept outputs of pipeline steps."""
        self._caller.json("DELETE", "cache")

    def set_finish_jobs(self, finish_jobs: bool) -> None:
        """Whether the service works its queue off after the program that started it has gone."""
        self._caller.json("PUT", "life", body={"finish_jobs": finish_jobs})

    def stop(self) -> None:
        """Ends the service; what runs is queued for its next start."""
        self._caller.json("POST", "stop", tries=1)

    def _job(self, method: str, route: str, **call: Any) -> JobStatus:
        return from_json(JobStatus, self._caller.json(method, route, **call))

    def _fetch(
        self, job_id: str, which: Literal["result", "partial"], path: Path, *, report: Report | None
    ) -> JobStatus:
        for _ in range(transfers.PATIENCE):
            status = self.job(job_id)
            file = _file(status, which)
            try:
                transfers.download(
                    self._caller, _route(job_id, which), path, file=file, report=report or _silent
                )
                return status
            except (transfers.Changed, NotThere):
                continue  # a running job has finished more meanwhile, or all
        raise WrongState(
            f"the {which} of job {job_id} changes faster than it is fetched", hint="Try again."
        )


def _file(status: JobStatus, which: Literal["result", "partial"]) -> FileStatus:
    file: FileStatus | None = getattr(status, which)
    if file is not None:
        return file
    if which == "partial":
        raise WrongState(
            f"nothing of {status.name} can be fetched yet; it is {status.state}",
            hint="Fetch the result." if status.state == "done" else "Wait a while.",
        )
    raise WrongState(
        f"{status.name} has no result; it is {status.state}",
        hint="Wait until it is done."
        if status.state in {"queued", "running"}
        else "Retry it first.",
    )


def _route(job_id: str, action: str = "") -> str:
    return f"jobs/{urllib.parse.quote(job_id, safe='')}{'/' if action else ''}{action}"


def _query(values: dict[str, Any]) -> str:
    return urllib.parse.urlencode({key: each for key, each in values.items() if each is not None})


def _silent(stage: str, done: int, of: int) -> None:
    pass
