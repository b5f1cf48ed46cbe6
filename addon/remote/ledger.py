"""What the panel knows of the service and its jobs: plain memory that outlives files and undo.

It hears the watcher's news and says what is to be fetched. The panel reads `rows` and `connection`
and nothing else, so drawing costs no call.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from ..contract import errors, jobs
from .errands import (
    Arrived,
    Change,
    Connected,
    Fetch,
    FetchPart,
    FetchPeople,
    JobsNews,
    Lost,
    Moving,
    News,
    PeopleFound,
    Reaching,
    Refused,
    Submit,
    Submitted,
)

Touch = Literal["off", "reaching", "on", "lost"]
WAITING, SENDING, REFUSED = "waiting", "sending", "refused"  # beside the states of a job
_ACTIVE = ("running", SENDING, WAITING, "queued")


@dataclass(frozen=True)
class Connection:
    """Whether the service answers, and what it said of itself last."""

    touch: Touch = "off"
    url: str = ""
    health: jobs.Health | None = None
    error: errors.StripMocapError | None = None


@dataclass(frozen=True)
class Row:
    """A job as it is listed."""

    key: str  # the client's name for it; empty for jobs of other programs without one
    job_id: str  # empty before the service has it
    name: str
    state: str  # of a job, or `WAITING`, `SENDING`, `REFUSED`
    text: str  # what happens, how far, how long still
    share: float  # in [0, 1]
    error: errors.StripMocapError | None = None
    notes: tuple[str, ...] = ()
    makes_bodies: bool = True  # False: people are only looked for
    has_part: bool = False  # something is finished of it that can be looked at already

    @property
    def active(self) -> bool:
        """Whether something is still to come of it."""
        return self.state in _ACTIVE


@dataclass
class _Asked:
    """A request on its way to become a job."""

    submit: Submit
    name: str
    share: float | None = None
    error: errors.StripMocapError | None = None


@dataclass
class Ledger:
    """Everything that was asked for and everything that was heard."""

    connection: Connection = field(default_factory=Connection)
    jobs: dict[str, jobs.JobStatus] = field(default_factory=dict)  # by id
    mine: set[str] = field(default_factory=set)  # keys that were asked for in this session
    wanted: set[str] = field(default_factory=set)  # ids whose result is on its way here
    _asked: dict[str, _Asked] = field(default_factory=dict)  # by key
    _fetching: dict[str, float] = field(default_factory=dict)  # share, by id
    _fetched: set[str] = field(default_factory=set)

    def leave(self) -> None:
        """Forgets a service and its jobs, because another one is meant from now on."""
        self.connection = Connection()
        self.jobs = {}

    def ask(self, submit: Submit, *, name: str) -> None:
        """Notes a request that is given to the watcher; again after it was refused."""
        self.mine.add(submit.key)
        self._asked[submit.key] = _Asked(submit, name)

    def fetch(self, job_id: str) -> None:
        """Notes that the result of a job is brought."""
        self.wanted.add(job_id)
        self._fetching[job_id] = 0.0

    def fetch_part(self, job_id: str) -> None:
        """Notes that what is finished of a job is brought; its result is still to come."""
        self._fetching[job_id] = 0.0

    def is_fetching(self, job_id: str) -> bool:
        """Whether something of a job is on its way here."""
        return job_id in self._fetching

    def forget(self, key: str) -> None:
        """Drops a request; should it become a job all the same, that is not to be fetched."""
        self._asked.pop(key, None)
        self.mine.discard(key)

    def makes_bodies(self, job_id: str) -> bool:
        """Whether a job is a capture; others only look for people."""
        job = self.jobs.get(job_id)
        return job is None or job.request.get("estimator", "") is not None

    def refused(self, key: str) -> Submit | None:
        """The request under `key` that the service did not take, to be made again."""
        asked = self._asked.get(key)
        return asked.submit if asked is not None and asked.error is not None else None

    def hear(self, news: News) -> tuple[str, ...]:
        """Takes in `news`; ids of jobs of this session that are done and not yet fetched."""
        match news:
            case Reaching():
                self.connection = replace(self.connection, touch="reaching")
            case Connected(url=url, health=health):
                self.connection = Connection("on", url, health)
            case Lost(error=error, again_s=again_s):
                touch: Touch = "off" if again_s is None else "lost"
                self.connection = replace(self.connection, touch=touch, error=error)
            case JobsNews():
                return self._hear_jobs(news)
            case Submitted():
                self._hear_submitted(news)
            case Moving(name=name, share=share):
                if name in self._fetching:
                    self._fetching[name] = share
                elif name in self._asked:
                    self._asked[name].share = share
            case Arrived(job_id=job_id, is_part=True) | Refused(errand=FetchPart(job_id=job_id)):
                self._fetching.pop(job_id, None)
            case Arrived(job_id=job_id):
                self._drop_fetch(job_id)
                self._fetched.add(job_id)
            case PeopleFound(job_id=job_id):
                self._drop_search(job_id)
                if not self.makes_bodies(job_id):
                    self._fetched.add(job_id)
            case Refused(errand=FetchPeople(job_id=job_id)):
                self._drop_search(job_id)
            case Refused(errand=Fetch() | Change() as errand):
                self._drop_fetch(errand.job_id)
            case _:
                pass
        return ()

    def rows(self) -> tuple[Row, ...]:
        """Every job and request: those that are not at their end first, then the newest."""
        known = {each.key for each in self.jobs.values()}
        asked = [_asked_row(key, each) for key, each in self._asked.items() if key not in known]
        listed = sorted(self.jobs.values(), key=_newest_first)
        rows = [*asked, *(self._row(each) for each in listed)]
        return tuple(
            sorted(rows, key=lambda row: _ACTIVE.index(row.state) if row.active else len(_ACTIVE))
        )

    @property
    def active(self) -> int:
        """How many are not at their end."""
        ended = sum(each.state in jobs.ENDED for each in self.jobs.values())
        waiting = sum(each.error is None for each in self._asked.values())
        return len(self.jobs) - ended + waiting

    def _hear_jobs(self, news: JobsNews) -> tuple[str, ...]:
        if news.every:
            self.jobs = {}
        self.jobs.update({each.id: each for each in news.jobs})
        for each in news.deleted:
            self.jobs.pop(each, None)
        for each in news.jobs:
            if each.key is not None:
                self._asked.pop(each.key, None)
        return tuple(
            each.id
            for each in news.jobs
            if each.state == "done"
            and each.key in self.mine
            and each.id not in self.wanted | self._fetched
        )

    def _hear_submitted(self, news: Submitted) -> None:
        if news.job is not None:
            self.jobs[news.job.id] = news.job
            self._asked.pop(news.key, None)
        elif news.key in self._asked:
            self._asked[news.key].error = news.error

    def _drop_fetch(self, job_id: str) -> None:
        self._fetching.pop(job_id, None)
        self.wanted.discard(job_id)

    def _drop_search(self, job_id: str) -> None:
        # What is on its way of a capture are its bodies, whoever else is asked for.
        if job_id not in self.jobs or not self.makes_bodies(job_id):
            self._drop_fetch(job_id)

    def _row(self, job: jobs.JobStatus) -> Row:
        text, share = _told(job)
        if job.id in self._fetching:
            what = "the result" if job.id in self.wanted else "what is finished"
            text, share = f"bringing {what}", self._fetching[job.id]
        return Row(
            key=job.key or "",
            job_id=job.id,
            name=job.name,
            state=job.state,
            text=text,
            share=share,
            error=None if job.error is None else job.error.raised(),
            notes=job.notes,
            makes_bodies=self.makes_bodies(job.id),
            has_part=job.state == "running" and job.partial is not None,
        )


def duration(seconds: float) -> str:
    """A time that is left, in words as coarse as its guess."""
    if seconds < 90:
        return f"{max(5, 5 * round(seconds / 5))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def _asked_row(key: str, asked: _Asked) -> Row:
    if asked.error is not None:
        return Row(key, "", asked.name, REFUSED, "not sent", 0.0, error=asked.error)
    if asked.share is not None:
        return Row(key, "", asked.name, SENDING, "sending the footage", asked.share)
    return Row(key, "", asked.name, WAITING, "waiting for the service", 0.0)


def _told(job: jobs.JobStatus) -> tuple[str, float]:
    progress = job.progress
    if job.state == "queued":
        if not job.place:
            return "next in the queue", progress.share
        others = "1 job" if job.place == 1 else f"{job.place} jobs"
        return f"{others} before it", progress.share
    if job.state == "running":
        left = "" if progress.left_s is None else f", {duration(progress.left_s)} left"
        return f"{progress.label}{left}", progress.share
    return job.state, 1.0 if job.state == "done" else progress.share


def _newest_first(job: jobs.JobStatus) -> tuple[bool, int, float]:
    # Among queued ones the next; clocks are for the rest, where order is display alone.
    queued = job.state == "queued"
    return (not queued, (job.place or 0) if queued else 0, -job.created_s)
