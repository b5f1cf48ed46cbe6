"""The one thread that owns every socket: it does errands and follows the jobs of the service.

It knows nothing of Blender: errands come in by `ask`, news go out by the queue `news`. Between two
errands it asks the service what changed, at short intervals, so that an errand never waits long;
while a file is sent or brought it goes on doing both.
"""

from __future__ import annotations

import queue
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ..contract import bodies, errors, jobs, messages, places, result_file, service
from . import host, python
from .errands import (
    AddBody,
    Arrived,
    AskHealth,
    BodyAdded,
    Change,
    ClearCache,
    Connect,
    Connected,
    Errand,
    Examine,
    Examined,
    Fetch,
    FetchPart,
    FetchPeople,
    JobsNews,
    LogRead,
    Lost,
    Moving,
    News,
    PeopleFound,
    Reaching,
    ReadLog,
    Refused,
    Submit,
    Submitted,
    Tried,
    Try,
    Withdraw,
)

BUSY_WAIT_S = 0.5  # that the service may hold back its answer while jobs run
IDLE_PAUSE_S = 2.0  # between two looks while none do
PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0)  # before the service is looked for again
HEALTH_S = 30.0  # between two questions how the service is: files and devices come and go
TOLD_S = 0.2  # between two words on a file that is sent or brought
_FOREVER_S = 3600.0
# One at a time.
_MOVERS = Submit | Fetch | FetchPart | FetchPeople | Connect | Examine | AddBody | Try

Linker = Callable[..., host.Link]


class Watcher:
    """A thread with its two queues. `start` once, `stop` once."""

    def __init__(self, folder: Path, *, linker: Linker = host.link) -> None:
        """Nothing happens yet.

        Args:
            folder: where results are put, one file a job; it exists.
            linker: `host.link`, or a stand-in.
        """
        self.news: queue.Queue[News] = queue.Queue()
        self._errands: queue.Queue[Errand | None] = queue.Queue()
        self._later: deque[Errand] = deque()  # that came while a file moved, and would move one
        self._folder = folder
        self._linker = linker
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stripmocap", daemon=True)
        self._wish = Connect(None)
        self._link: host.Link | None = None
        self._child: subprocess.Popen[bytes] | None = None  # the service that we started
        self._remote = False
        self._health_s = 0.0  # when the service was asked last how it is
        self._seen: tuple[int, str | None] = (0, None)  # number and epoch of the last events
        self._active: set[str] = set()  # ids of jobs that have not ended
        self._failures = 0
        self._withdrawn: set[str] = set()  # keys; also added to by those who ask
        self._submitted: dict[str, str] = {}  # id of the job that was made of a key
        self._moving = False

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def ask(self, errand: Errand) -> None:
        """Has `errand` done; any thread may ask."""
        if isinstance(errand, Withdraw):  # known at once: what it withdraws may be under way
            self._withdrawn.add(errand.key)
        self._errands.put(errand)

    def stop(self, *, wait_s: float = 2.0) -> None:
        """Ends the thread and lets go of a service that it started; back after `wait_s` at most."""
        self._stopping.set()
        self._errands.put(None)
        if self._thread.ident is not None:
            self._thread.join(wait_s)

    @property
    def running(self) -> bool:
        """Whether the thread lives."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                errand = self._next(self._pause_s())
                if errand is not None:
                    self._do(errand)
                elif self._wish.backend is not None and not self._stopping.is_set():
                    self._follow()
        finally:
            self._let_go()

    def _next(self, wait_s: float) -> Errand | None:
        if self._later and not self._moving:
            return self._later.popleft()
        try:
            return self._errands.get(timeout=wait_s) if wait_s else self._errands.get_nowait()
        except queue.Empty:
            return None

    def _pause_s(self) -> float:
        if self._wish.backend is None:
            return _FOREVER_S
        if self._link is None:
            if not self._looks_again and self._failures:
                return _FOREVER_S  # nobody has asked for more than a look
            return PAUSES_S[min(self._failures, len(PAUSES_S)) - 1] if self._failures else 0.0
        return 0.0 if self._active else IDLE_PAUSE_S

    @property
    def _looks_again(self) -> bool:
        """Whether a service that does not answer is looked for again unasked."""
        return self._wish.start or bool(self._active)

    def _do(self, errand: Errand) -> None:
        """Does one errand; whatever comes of it is told."""
        try:
            self._serve(errand)
        except errors.Cancelled:
            return
        except errors.StripMocapError as error:
            self._tell_refusal(errand, error)
            if isinstance(error, errors.BackendUnavailable):
                self._lose(error)
        except Exception as error:  # a bug must not silence the panel for good
            self._tell_refusal(errand, _internal(error))

    def _serve(self, errand: Errand) -> None:
        match errand:
            case Connect():
                self._reconnect(errand)
            case Examine(backend=backend):
                self._examine(backend)
            case AddBody():
                self._add_body(errand)
            case Try(backend=backend):
                self._try(backend)
            case Submit(key=key, request=request):
                self._submit(key, request)
            case Withdraw(key=key):
                self._withdraw(key)
            case Change(job_id=job_id, action=action):
                self._change(job_id, action)
            case Fetch() | FetchPart():
                self._fetch(errand)
            case FetchPeople(job_id=job_id):
                self._fetch_people(job_id)
            case ReadLog(job_id=job_id):
                self.news.put(LogRead(job_id, self._service().log(job_id)))
            case AskHealth():
                self._tell_health(self._service())
            case ClearCache():
                self._service().clear_cache()
                self._tell_health(self._service())

    def _tell_refusal(self, errand: Errand, error: errors.StripMocapError) -> None:
        match errand:
            case Submit(key=key):
                self.news.put(Submitted(key, None, error))
            case Examine():
                self.news.put(Examined(None, error))
            case Try():
                self.news.put(Tried(None, error))
            case _:
                self.news.put(Refused(errand, error))

    def _reconnect(self, wish: Connect) -> None:
        before, self._failures = self._wish, 0
        if wish.backend != before.backend:
            self._let_go()
            self._active = set()
            self._wish = wish
            return
        # Who only looks does not take back that somebody else has asked for a start.
        self._wish = replace(wish, start=wish.start or before.start)
        if self._link is not None and _finishes(wish.backend) != _finishes(before.backend):
            self._link.service.set_finish_jobs(_finishes(wish.backend))

    def _service(self) -> service.Service:
        """The service, once it has answered; looked for and started if need be.

        Raises:
            StripMocapError: there is none.
        """
        if self._link is not None and self._link.died:
            self._link = None
        if self._link is None:
            if self._wish.backend is None:
                raise errors.BackendUnavailable(
                    "no backend is chosen", hint="Choose where captures run in the preferences."
                )
            self.news.put(Reaching())
            link = self._linker(
                self._wish.backend, start=self._wish.start, stopping=self._stopping.is_set
            )
            self._link, self._failures, self._seen = link, 0, (0, None)
            self._child = link.child or self._child
            self._tell_health(link.service)
        return self._link.service

    def _tell_health(self, there: service.Service) -> None:
        health = there.health()
        self._remote, self._health_s = health.remote, time.monotonic()
        self.news.put(Connected(there.url, health))

    def _follow(self) -> None:
        """Asks the service what changed, and tells it."""
        try:
            there = self._service()
            wait_s = BUSY_WAIT_S if self._active and not self._moving else 0.0
            number, epoch = self._seen
            events = there.events(after=number, epoch=epoch, wait_s=wait_s)
            if events.missed or events.epoch != epoch:
                news = JobsNews(tuple(there.every_job()), (), every=True)
                self._active = set()
            else:
                news = JobsNews(events.jobs, events.deleted, every=False)
            self._seen = events.number, events.epoch
            self._note(news)
            if time.monotonic() - self._health_s > HEALTH_S:
                self._tell_health(there)
        except errors.Cancelled:
            return
        except errors.StripMocapError as error:
            self._lose(error)
        except Exception as error:
            self._lose(_internal(error))

    def _note(self, news: JobsNews) -> None:
        for each in news.jobs:
            (self._active.discard if each.state in jobs.ENDED else self._active.add)(each.id)
        self._active -= set(news.deleted)
        if news.jobs or news.deleted or news.every:
            self.news.put(news)

    def _lose(self, error: errors.StripMocapError) -> None:
        # A child is kept: it may be only too busy to answer, and found again.
        self._link = None
        self._failures += 1
        self.news.put(Lost(error, self._pause_s() if self._looks_again else None))

    def _let_go(self) -> None:
        self._link = None
        if self._child is not None:
            host.let_go(self._child)
            self._child = None

    def _submit(self, key: str, request: messages.CaptureRequest) -> None:
        there = self._service()
        values = request.to_json()
        if self._remote:
            path = there.upload(Path(request.clip.path), report=self._reporter(key))
            values["clip"]["path"] = path
        if key in self._withdrawn:
            self._withdrawn.discard(key)
            raise errors.Cancelled("withdrawn")
        job = there.submit(messages.CaptureRequest.from_json(values), key=key)
        self._submitted[key] = job.id
        self.news.put(Submitted(key, job))
        self._note(JobsNews((job,), (), every=False))
        self._withdraw(key)

    def _withdraw(self, key: str) -> None:
        """Cancels a job that was made of a request which nobody wants any more."""
        if key in self._withdrawn and key in self._submitted:
            self._withdrawn.discard(key)
            self._change(self._submitted[key], "cancel")

    def _change(self, job_id: str, action: str) -> None:
        there = self._service()
        if action == "delete":
            there.delete(job_id)
            self._note(JobsNews((), (job_id,), every=False))
            return
        if action == "cancel":
            job = there.cancel(job_id)
        elif action == "retry":
            job = there.retry(job_id)
        else:
            job = there.move(job_id, to="first" if action == "first" else "last")
        self._note(JobsNews((job,), (), every=False))

    def _fetch(self, errand: Fetch | FetchPart) -> None:
        job_id, is_part = errand.job_id, isinstance(errand, FetchPart)
        path = self._folder / (f"{job_id}.partial.npz" if is_part else f"{job_id}.npz")
        bring = self._service().partial if is_part else self._service().result
        bring(job_id, path, report=self._reporter(job_id))
        # Read here, where it keeps nobody waiting.
        folder = errand.bodies or places.bodies_folder()
        found = bodies.dressed(result_file.load(path), folder=folder)
        self.news.put(Arrived(job_id, path, found.capture, found.body, found.remark, is_part))

    def _fetch_people(self, job_id: str) -> None:
        path = self._folder / f"{job_id}.people.npz"
        try:
            self._service().result(job_id, path, report=self._reporter(job_id))
            capture = result_file.load(path)
        finally:
            path.unlink(missing_ok=True)
        self.news.put(PeopleFound(job_id, capture))

    def _examine(self, backend: host.ThisComputer) -> None:
        found = python.find(backend.python, data=backend.data, checkout=backend.checkout)
        self.news.put(Examined(python.examine(found, stopping=self._stopping.is_set)))

    def _add_body(self, errand: AddBody) -> None:
        backend = errand.backend
        try:
            found = python.find(backend.python, data=backend.data, checkout=backend.checkout)
            path = python.convert_body(
                found, errand.source, folder=errand.folder, stopping=self._stopping.is_set
            )
        except errors.StripMocapError as error:  # no service is lost with it
            self.news.put(BodyAdded(None, error))
        else:
            self.news.put(BodyAdded(path))

    def _try(self, backend: host.Backend) -> None:
        link = self._linker(backend, start=False, stopping=self._stopping.is_set)
        self.news.put(Tried(link.service.health()))

    def _reporter(self, name: str) -> Callable[[str, int, int], None]:
        """What is told how far a file is; meanwhile other errands are done."""
        told_s = 0.0

        def report(stage: str, done: int, of: int) -> None:
            nonlocal told_s
            if self._stopping.is_set() or name in self._withdrawn:
                self._withdrawn.discard(name)
                raise errors.Cancelled("no longer wanted")
            if time.monotonic() - told_s < TOLD_S:
                return
            told_s = time.monotonic()
            self.news.put(Moving(name, stage, done / max(of, 1)))
            self._meanwhile()

        return report

    def _meanwhile(self) -> None:
        """One turn of everything that does not move a file itself."""
        if self._moving:
            return
        self._moving = True
        try:
            while (errand := self._next(0.0)) is not None:
                if isinstance(errand, _MOVERS):
                    self._later.append(errand)
                else:
                    self._do(errand)
            if self._link is not None and self._active:
                self._follow()
        finally:
            self._moving = False


def _finishes(backend: host.Backend | None) -> bool:
    return isinstance(backend, host.ThisComputer) and backend.finish_jobs


def _internal(error: Exception) -> errors.StripMocapError:
    return errors.ServiceError(
        f"internal error in the panel ({type(error).__name__}: {error})",
        hint="Please report it, with what you did.",
    )
