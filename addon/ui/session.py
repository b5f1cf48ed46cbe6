"""The one live connection and everything around it that outlives files and undo.

There is one `Session` while the extension is enabled: plain memory, so that loading a file or
undoing a step takes nothing from it. Datablocks are only in what is under way, an import and
mixes, which are dropped before that. Its thread starts with the first errand.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..contract import errors, messages, motion
from ..remote import errands, host
from ..remote.ledger import Ledger
from ..remote.watcher import Watcher
from ..scene.character import Steps, clip_path
from ..scene.strips import Shot
from .casts import Casts, View, cast_of
from .slices import Slices

SLICE_S = 0.003  # for hearing news, in one turn of Blender's main loop


@dataclass(frozen=True)
class Ticket:
    """A capture that was asked for in this session."""

    key: str
    strip: str  # the strip's name
    path: str  # of the footage, on this computer


@dataclass
class Import:
    """A result that is being imported."""

    arrived: errands.Arrived
    steps: Steps
    title: str = ""  # of the undo step that is still to be made; empty before the last step


class Session:
    """What the panel has in memory."""

    def __init__(self, *, make_watcher: Callable[[Path], Watcher] = Watcher) -> None:
        self.ledger = Ledger()
        self.tickets: dict[str, Ticket] = {}  # by key
        self._missed: dict[str, str] = {}  # why people of a job could not be looked up, by id
        self.ready: deque[errands.Arrived] = deque()  # brought, not yet imported
        self.importing: Import | None = None
        self.mixing = Slices()  # mixes that are due, by rig
        self.by_hand: set[str] = set()  # ids of jobs whose import was asked for by a button
        self.remarks: dict[str, str] = {}  # why a job was not imported by itself, by id
        self.shots: tuple[Shot, ...] = ()  # of the selection, as the panel shows them
        # By name of a shot: whether its animation is elsewhere, and seconds of it not captured.
        self.edits: dict[str, tuple[bool, float]] = {}
        self.selection: object = None  # what the shots were made of
        self.look_again_s = 0.0
        self.casts = Casts()  # who was found in footage
        self.view: View | None = None  # the people of the strip in focus, as they are corrected
        self.viewed: object = None  # what that was made of
        self.is_overtaken = False  # bodies of them were made with other corrections
        self.footage_of: dict[str, str] = {}  # paths here, by ids of jobs that others asked for
        self.examination: errands.Examined | None = None
        self.tried: errands.Tried | None = None
        self.checking = False
        self.problem = ""  # the last thing that could not be done, as a sentence
        self.notice = ""  # the last thing that is worth telling and no fault, as a sentence
        self.logs: deque[errands.LogRead] = deque()  # to be opened
        self.preferences_stale = True
        self.bodies: Path | None = None  # the folder of the user's body files, as preferred
        self.body_line: tuple[str, str] | None = None  # what came of a body file: state and text
        self.dirty = True  # the panels are to be drawn again
        self._backend: host.Backend | None = None
        self._make_watcher = make_watcher
        self._watcher: Watcher | None = None
        self._folder: Path | None = None

    def ask(self, errand: errands.Errand) -> None:
        """Has the watcher do `errand`."""
        if self._watcher is None:
            self._folder = Path(tempfile.mkdtemp(prefix="stripmocap-"))
            self._watcher = self._make_watcher(self._folder)
            self._watcher.start()
        self._watcher.ask(errand)
        self.dirty = True

    def connect(self, backend: host.Backend | None, *, start: bool) -> None:
        """Is in touch with `backend` from now on; one of this computer is started if need be."""
        if backend != self._backend:
            self._backend, self.problem = backend, ""
            self.ledger.leave()
        if backend is None and self._watcher is None:
            return
        self.ask(errands.Connect(backend, start=start))

    def capture(self, request: messages.CaptureRequest, ticket: Ticket) -> None:
        """Asks for a capture."""
        submit = errands.Submit(ticket.key, request)
        self.tickets[ticket.key] = ticket
        self.ledger.ask(submit, name=ticket.strip)
        self.problem = self.notice = ""
        self.ask(submit)

    def fetch(self, job_id: str, *, by_hand: bool) -> None:
        """Has the result of a job brought."""
        if by_hand:
            self.by_hand.add(job_id)
            self.remarks.pop(job_id, None)
        is_here = any(each.job_id == job_id and not each.is_part for each in self.ready)
        if job_id not in self.ledger.wanted and not is_here:
            self.ledger.fetch(job_id)
            makes_bodies = self.ledger.makes_bodies(job_id)
            self.ask(
                errands.Fetch(job_id, self.bodies) if makes_bodies else errands.FetchPeople(job_id)
            )

    def fetch_part(self, job_id: str) -> None:
        """Has brought what is finished of a job that runs, to be imported as soon as it is here."""
        if self.ledger.is_fetching(job_id) or any(each.job_id == job_id for each in self.ready):
            return
        self.by_hand.add(job_id)
        self.remarks.pop(job_id, None)
        self.ledger.fetch_part(job_id)
        self.ask(errands.FetchPart(job_id, self.bodies))

    def look_up_people(self, job_id: str, *, path: str) -> None:
        """Has those brought who were found by a job of the footage at `path`, once a session.

        If they cannot be brought, it may be asked again after a pause.
        """
        if self.casts.may_look_up(job_id, now_s=time.monotonic()):
            self.casts.looked_up.add(job_id)
            self.footage_of[job_id] = path
            self.ask(errands.FetchPeople(job_id))

    def hear(self, *, auto_import: bool) -> None:
        """Takes in what the watcher tells, for `SLICE_S` at most."""
        if self._watcher is None:
            return
        until = time.perf_counter() + SLICE_S
        while not self._watcher.news.empty() and time.perf_counter() < until:
            self._hear(self._watcher.news.get_nowait(), auto_import=auto_import)
            self.dirty = True

    def check_lines(self) -> list[tuple[str, str]]:
        """What the last check of a backend found: "ok", "note" or "problem", and a text."""
        if self.checking:
            return [("note", "Looking …")]
        lines: list[tuple[str, str]] = []
        if self.tried is not None:
            lines += _tried_lines(self.tried)
        if self.examination is not None:
            lines += _examined_lines(self.examination)
        return lines

    def preferences_changed(self) -> None:
        """Has the backend looked at again; what the last check found is of another one."""
        self.examination = self.tried = None
        self.preferences_stale = True

    def fail(self, error: errors.StripMocapError) -> None:
        """Shows in the panel what could not be done."""
        self.problem = sentence(error)
        self.dirty = True

    def fail_inside(self) -> None:
        """Shows in the panel that something broke, which the console tells more of."""
        self.problem = "Internal error, see the console. Please report it"
        self.dirty = True

    def close(self) -> None:
        """Ends the thread, lets go of the service, and drops what was brought; within 2 s."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _hear(self, news: errands.News, *, auto_import: bool) -> None:
        was_on = self.ledger.connection.touch == "on"
        finished = self.ledger.hear(news)
        for job_id in finished:
            if auto_import or not self.ledger.makes_bodies(job_id):
                self.fetch(job_id, by_hand=False)
        match news:
            case errands.Connected() if not was_on:
                self.problem = ""
            case errands.Arrived(job_id=job_id, capture=capture):
                self._see(job_id, capture)
                self.ready.append(news)
            case errands.PeopleFound(job_id=job_id, capture=capture):
                self._see(job_id, capture)
                if self.remarks.get(job_id) == self._missed.pop(job_id, ""):
                    self.remarks.pop(job_id, None)
            case errands.LogRead():
                self.logs.append(news)
            case errands.Examined():
                self.examination, self.checking = news, False
            case errands.Tried():
                self.tried, self.checking = news, False
            case errands.BodyAdded(error=errors.StripMocapError() as error):
                self.body_line = ("problem", sentence(error))
                self.fail(error)
            case errands.BodyAdded(path=path):
                self.notice = f"The body model is {path}."
                self.body_line = ("ok", self.notice)
            case errands.Refused(errand=errands.FetchPeople(job_id=job_id), error=error):
                # An import of the same job may be under way, and what is told of that stays.
                self.casts.miss(job_id, now_s=time.monotonic())
                self._missed[job_id] = sentence(error)
                self.remarks.setdefault(job_id, self._missed[job_id])
            case errands.Refused(errand=errands.Fetch() | errands.FetchPart() as errand) as told:
                self.by_hand.discard(errand.job_id)
                self.remarks[errand.job_id] = sentence(told.error)
            case (
                errands.Refused(error=error)
                | errands.Submitted(error=errors.StripMocapError() as error)
            ):
                self.fail(error)
            case _:
                pass

    def _see(self, job_id: str, capture: motion.Capture) -> None:
        """Keeps who was found for a result, to be shown with the strips of its footage."""
        if capture.provenance.get("partial"):
            return  # not everybody yet
        job = self.ledger.jobs.get(job_id)
        ticket = self.tickets.get((job.key if job is not None else None) or "")
        path = ticket.path if ticket is not None else self.footage_of.get(job_id)
        cast = cast_of(
            capture,
            job_id=job_id,
            path=path or clip_path(capture),
            created_s=job.created_s if job is not None else 0.0,
        )
        self.casts.looked_up.add(job_id)
        if cast is not None:
            self.casts.add(cast)
            self.selection = None  # what is selected is looked at again


def current() -> Session:
    """The session of this Blender."""
    return _sessions[0]


def sentence(error: errors.StripMocapError) -> str:
    """What went wrong and what to do, in sentences."""
    message = f"{error.message[:1].upper()}{error.message[1:].rstrip('.')}."
    return f"{message} {error.hint}".strip()


def _tried_lines(tried: errands.Tried) -> list[tuple[str, str]]:
    if tried.error is not None:
        return [("problem", sentence(tried.error))]
    assert tried.health is not None
    devices = ", ".join(each.label or each.name for each in tried.health.devices)
    lines = [("ok", f"Strip Mocap {tried.health.version} answers; it computes on {devices}")]
    lines += [("note", each) for each in tried.health.notices]
    return lines + [
        ("problem", lack) for each in tried.health.methods if not each.ready for lack in each.lacks
    ]


def _examined_lines(examined: errands.Examined) -> list[tuple[str, str]]:
    if examined.error is not None:
        return [("problem", sentence(examined.error))]
    assert examined.examination is not None
    lines = [("ok", f"The backend is in {examined.examination.python}")]
    for each in examined.examination.findings:
        lines.append((each.state, f"{each.subject}: {each.text}"))
        if each.advice and each.state != "ok":
            lines.append(("", each.advice))
    return lines


def begin(live: Session) -> None:
    """Puts `live` in the place of the session there was, which is closed."""
    unregister()
    _sessions[:] = [live]


def register() -> None:
    """Begins a session."""
    begin(Session())


def unregister() -> None:
    """Ends it; harmless when it is over already."""
    for each in _sessions:
        each.close()


_sessions: list[Session] = [Session()]  # always one, so that what is drawn late finds it
