"""What the job list is asked inside one transaction, in words of jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from sqlite3 import Connection
from typing import Any

from ...contract.errors import NotThere
from ...contract.jobs import State
from .job import Job, Unreadable, to_row
from .schema import Damaged

COLUMNS = "id, owner, key, number, position, priority, state, body, checksum"
_SELECT = f"SELECT {COLUMNS} FROM jobs"
_SAVE = f"""
INSERT INTO jobs ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET position = excluded.position, priority = excluded.priority,
    state = excluded.state, body = excluded.body, checksum = excluded.checksum
"""
_IN_ORDER = "ORDER BY priority DESC, position, number, id"


class Rows:
    """The rows of the list, over a connection that is in a transaction or only reads.

    Everything that reads a job may raise `Damaged`.
    """

    def __init__(self, connection: Connection, parse: Callable[[tuple[Any, ...]], Job]) -> None:
        self._connection = connection
        self._parse = parse  # the job of a row, or Unreadable
        self.saved: list[Job] = []  # in this transaction
        self.forgotten: list[str] = []

    def one(self, job_id: str, *, owner: str | None = None) -> Job:
        """The job of this id.

        Raises:
            NotThere: there is none, or it is not `owner`'s.
        """
        found = self._all("WHERE id = ?", (job_id,)) if job_id.isascii() else []
        if not found or (owner is not None and found[0].owner != owner):
            raise NotThere(f"there is no job {job_id[:64]!a}", hint="List your jobs to see them.")
        return found[0]

    def under(self, owner: str, key: str) -> Job | None:
        """The job that `owner` calls `key`."""
        found = self._all("WHERE owner = ? AND key = ?", (owner, key))
        return found[0] if found else None

    def every(self) -> list[Job]:
        """All jobs."""
        return self._all("", ())

    def states(self) -> dict[str, State]:
        """The state of each job, by its id."""
        return dict(self._connection.execute("SELECT id, state FROM jobs").fetchall())

    def in_state(self, state: State) -> list[Job]:
        """All jobs in it, in the order in which they run."""
        return self._all(f"WHERE state = ? {_IN_ORDER}", (state,))

    def unended(self) -> list[Job]:
        """All jobs that are queued or run."""
        return self._all("WHERE state IN ('queued', 'running')", ())

    def first(self) -> Job | None:
        """The queued job that runs next."""
        found = self._all(f"WHERE state = 'queued' {_IN_ORDER} LIMIT 1", ())
        return found[0] if found else None

    def peers(self, job: Job) -> list[Job]:
        """The queued jobs of the same owner and priority, in order, `job` among them."""
        return self._all(
            f"WHERE owner = ? AND state = 'queued' AND priority = ? {_IN_ORDER}",
            (job.owner, job.priority),
        )

    def newest(
        self, *, owner: str | None, state: State | None, before: Job | None, limit: int
    ) -> list[Job]:
        """Jobs, the newest first; `Store.listed` says what the arguments mean."""
        asked: dict[str, tuple[Any, ...]] = {}
        if owner is not None:
            asked["owner = ?"] = (owner,)
        if state is not None:
            asked["state = ?"] = (state,)
        if before is not None:
            asked["(number, id) < (?, ?)"] = (before.number, before.id)
        where = f"WHERE {' AND '.join(asked)}" if asked else ""
        values = [value for each in asked.values() for value in each]
        return self._all(f"{where} ORDER BY number DESC, id DESC LIMIT ?", (*values, limit))

    def order(self) -> list[str]:
        """Ids of all queued jobs, in the order in which they run."""
        rows = self._connection.execute(f"SELECT id FROM jobs WHERE state = 'queued' {_IN_ORDER}")
        return [job_id for (job_id,) in rows.fetchall()]

    def counts(self) -> dict[str, int]:
        """How many jobs are queued and how many run; a state that no job is in may be missing."""
        rows = self._connection.execute(
            "SELECT state, count(*) FROM jobs WHERE state IN ('queued', 'running') GROUP BY state"
        )
        return dict(rows.fetchall())

    def next_number(self) -> int:
        """Above each number and position that a job has."""
        row = self._connection.execute(
            "SELECT max((SELECT ifnull(max(number), 0) FROM jobs),"
            " (SELECT ifnull(max(position), 0) FROM jobs))"
        ).fetchone()
        return row[0] + 1

    def moves(self) -> int:
        """How often the order of jobs was changed by hand."""
        return self._connection.execute("SELECT number FROM moves").fetchone()[0]

    def save_moves(self, number: int) -> None:
        """Keeps how often the order of jobs was changed by hand."""
        self._connection.execute("UPDATE moves SET number = ?", (number,))

    def save(self, jobs: Iterable[Job]) -> None:
        """Writes these jobs, new or known."""
        kept = list(jobs)
        self._connection.executemany(_SAVE, [to_row(job) for job in kept])
        self.saved += kept

    def forget(self, job_id: str) -> None:
        """Removes the row of this id, if there is one."""
        self._connection.execute("DELETE FROM jobs WHERE id = ?", (job_id,))
        self.forgotten.append(job_id)

    def rates(self) -> dict[tuple[str, str], float]:
        """Seconds of a step, by stage and device."""
        rows = self._connection.execute("SELECT stage, device, seconds FROM rates").fetchall()
        return {(stage, device): seconds for stage, device, seconds in rows}

    def save_rate(self, stage: str, device: str, seconds: float) -> None:
        """Keeps seconds of a step."""
        self._connection.execute(
            "INSERT OR REPLACE INTO rates (stage, device, seconds) VALUES (?, ?, ?)",
            (stage, device, seconds),
        )

    def _all(self, where: str, values: tuple[Any, ...]) -> list[Job]:
        rows = self._connection.execute(f"{_SELECT} {where}", values).fetchall()
        try:
            return [self._parse(row) for row in rows]
        except Unreadable as error:
            raise Damaged(str(error)) from error
