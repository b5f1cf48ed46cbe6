"""Follows jobs until they end: one line that changes on a terminal, lines in a log elsewhere."""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from typing import TextIO, TypeVar

from ..contract.errors import BackendUnavailable, NotAllowed, NotThere
from ..contract.jobs import ENDED, Events, JobStatus
from ..contract.service import Service
from . import DONE, REFUSED, STOPPED, job_texts

WAIT_S = 10.0  # for news, in one call
LINE_S = 15.0  # between two lines about one stage, where there is no terminal
AWAY_S = 60.0  # that a service may be away: it may be started again
_AGAIN_S = 1.0

_Answer = TypeVar("_Answer")


def watch(
    service: Service,
    job_id: str | None,
    *,
    again: Callable[[], Service],
    stream: TextIO | None = None,
) -> int:
    """Shows the job, or every job of this client, until it has ended.

    Args:
        service: where the jobs are.
        job_id: one of them; None: all.
        again: finds the service when it was started again, or raises.
        stream: where it is shown; by default the standard output.

    Returns:
        Done, failed (of all: any is), or stopped: by Ctrl-C, or because the job was cancelled.

    Raises:
        NotThere: there is no such job any more.
        BackendUnavailable: the service has gone, and does not come back.
    """
    shown = _Shown(stream or sys.stdout)
    try:
        for job in _news(_Line(service, again), job_id):
            shown.show(job)
        return shown.status()
    except KeyboardInterrupt:
        shown.close()
        which = f" {job_id[: job_texts.SHORT_ID]}" if job_id else ""
        print(
            f"No longer watched; the work goes on. See it again: stripmocap jobs watch{which}",
            file=sys.stderr,
        )
        return STOPPED
    finally:
        shown.close()


def _news(line: _Line, job_id: str | None) -> Iterator[JobStatus]:
    """Each status of what is watched, the newest last; ends when all have ended."""
    alive: set[str] = set()
    after, epoch = 0, None
    while True:
        wait_s = WAIT_S if epoch else 0.0
        events: Events = line.ask(
            lambda service, *seen: service.events(after=seen[0], epoch=seen[1], wait_s=seen[2]),
            *(after, epoch, wait_s),
        )
        if events.epoch != epoch or events.missed:
            jobs = line.ask(_all, job_id, alive)
            alive = {each.id for each in jobs}
        else:
            jobs = [each for each in events.jobs if job_id in {None, each.id}]
        if job_id in events.deleted:
            raise NotThere("the job was deleted while it was watched")
        after, epoch = events.number, events.epoch
        for each in jobs:
            alive.add(each.id)
            if each.state in ENDED:
                alive.discard(each.id)
            yield each
        alive.difference_update(events.deleted)
        if not alive:
            return


def _all(service: Service, job_id: str | None, seen: set[str]) -> list[JobStatus]:
    """What is watched, the newest last: also what was `seen` before and has ended unheard."""
    if job_id is not None:
        return [service.job(job_id)]
    every = service.every_job()
    return [each for each in every if each.state not in ENDED or each.id in seen][::-1]


class _Line:
    """A service that may go away and come back."""

    def __init__(self, service: Service, again: Callable[[], Service]) -> None:
        self._service = service
        self._again = again

    def ask(self, question: Callable[..., _Answer], *about: object) -> _Answer:
        """What the service answers; while it is away, it is waited for.

        Raises:
            BackendUnavailable, NotAllowed: it does not come back.
        """
        until = time.monotonic() + AWAY_S
        while True:
            try:
                return question(self._service, *about)
            except (BackendUnavailable, NotAllowed):
                # Started again, a service of this machine has another port and token.
                if time.monotonic() > until:
                    raise
            time.sleep(_AGAIN_S)
            with contextlib.suppress(BackendUnavailable):
                self._service = self._again()


class _Shown:
    """What was shown of each job."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._last: dict[str, JobStatus] = {}
        self._said: dict[str, tuple[str, str, float]] = {}  # state, stage, when
        self._open = False  # the line is not ended

    def show(self, job: JobStatus) -> None:
        """Shows what is new about `job`."""
        self._last[job.id] = job
        state, stage, said_s = self._said.get(job.id, ("", "", 0.0))
        now = time.monotonic()
        same = (job.state, job.progress.stage) == (state, stage)
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            text = job_texts.line(job)[:width]
            self._stream.write(f"\r{text:<{width}}")
            self._open = True
            if job.state in ENDED:
                self.close()
            self._stream.flush()
        elif not same or (now - said_s > LINE_S and job.state == "running"):
            print(job_texts.line(job), file=self._stream, flush=True)
            self._said[job.id] = (job.state, job.progress.stage, now)

    def close(self) -> None:
        """Ends a line that is still open."""
        if self._open:
            self._stream.write("\n")
            self._open = False

    def status(self) -> int:
        """The exit status that tells how all ended."""
        states = {each.state for each in self._last.values()}
        for job in self._last.values():
            if job.error is not None and job.error.hint:
                print(f"  {job.error.hint}", file=sys.stderr)
        if "failed" in states:
            return REFUSED
        return STOPPED if "cancelled" in states else DONE
