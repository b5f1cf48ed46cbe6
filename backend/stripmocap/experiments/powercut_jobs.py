"""The job list under power cuts: what was acknowledged must be there, whatever the disk kept.

A child adds, claims, finishes, cancels, retries, moves and deletes jobs, and says after each what
the list is now. Then the power is cut at many points of what it wrote: the list that opens there
must be the one that was said last, or the next one, whole.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..contract.errors import ServiceError, StripMocapError
from ..contract.jobs import CLIENT_KEY_LENGTH
from ..contract.messages import CaptureRequest, Clip
from ..server.queue.job import RESULT, WORK, Job, has_result
from ..server.queue.rebuild import JOBS
from ..server.queue.store import Store
from .powercut import MARK, SURVIVALS, Disk, Event, Survival, build, record

STEPS = 120  # that the child takes
_STEPS_A_RUN = 25  # of the service, before it is closed, or left as it is, and opened again
_MOST_WAITING = 12  # jobs that are not done


@dataclass(frozen=True)
class Figures:
    """How the job list fared."""

    cuts: int  # points in time at which the power was cut, times what may be left then
    acknowledged: int  # changes that the child was told had happened
    events: int  # that the disk saw
    violations: tuple[str, ...]


def run(
    scratch: Path,
    *,
    seed: int = 0,
    cuts: int | None = None,
    steps: int = STEPS,
    recoveries: int = 0,
) -> Figures | None:
    """How many cuts of the power lose or damage something; None where they cannot be tried.

    Args:
        scratch: an empty folder.
        seed: of what the child does and of what the disk keeps.
        cuts: so many, at random points; None: after every event, with everything that may be left.
        steps: that the child takes.
        recoveries: after so many of the cuts, the power fails again while the list recovers, a
            fifth as often as `cuts` says.
    """
    recorder = build(scratch)
    if recorder is None:
        return None
    trial = _Trial(scratch, recorder, random.Random(seed))
    (scratch / "data").mkdir()
    events = trial.recorded(scratch / "data", seed=seed, steps=steps)
    said = [EMPTY, *_said(events)]
    wanted = [said[number : number + 2] for number in range(len(said))]
    trial.cut(Disk(), events, wanted, cuts=cuts, recoveries=recoveries)
    return Figures(trial.cuts, len(said) - 1, len(events), tuple(trial.violations))


EMPTY: dict[str, Any] = {"jobs": {}, "order": []}


def snapshot(store: Store) -> dict[str, Any]:
    """What must not get lost of the list; a job that runs counts as queued."""
    jobs, more = store.listed(limit=10_000)
    assert not more
    order = sorted(
        (job for job in jobs if not job.ended),
        key=lambda job: (-job.priority, job.position, job.number),
    )
    return {
        "jobs": {
            job.id: [
                job.owner,
                job.key,
                job.state if job.ended else "queued",
                job.attempts,
                job.result.sha256 if job.result else None,
                job.error.message if job.error else None,
            ]
            for job in jobs
        },
        "order": [job.id for job in order],
    }


def violation(data: Path, allowed: list[dict[str, Any]]) -> str | None:
    """What is wrong with the list in `data`, if it is none of `allowed`; None if all is well."""
    try:
        store = Store(data)
        try:
            store.recover()
            found = json.loads(json.dumps(snapshot(store)))
            jobs, _ = store.listed(limit=10_000)
        finally:
            store.close()
    except StripMocapError as error:
        return f"it does not open: {error}"
    if any("damaged" in notice for notice in store.notices):
        return f"it is damaged: {store.notices}"
    if found not in allowed:
        return f"{_difference(found, allowed[-1])} (before: {_difference(found, allowed[0])})"
    halves = [job.id for job in jobs if job.state == "done" and not has_result(job)]
    stray = [job.id for job in jobs if job.state != "done" and (job.folder / RESULT).exists()]
    work = list((data / JOBS).glob(f"*/{WORK}*"))
    return f"half results {halves}, stray ones {stray}, {work}" if halves or stray or work else None


def _difference(found: dict[str, Any], expected: dict[str, Any]) -> str:
    there, said = found["jobs"], expected["jobs"]
    differ = {
        each: (said.get(each), there.get(each))
        for each in there.keys() | said.keys()
        if there.get(each) != said.get(each)
    }
    return f"said and found: {differ}" if differ else f"order {found['order']}"


def _said(events: list[Event]) -> list[dict[str, Any]]:
    """What the child said that the list was, each time."""
    return [json.loads(each.data) for each in events if each.what == MARK]


class _Trial:
    """Cuts the power and counts what comes of it."""

    def __init__(self, scratch: Path, recorder: Path, rng: random.Random) -> None:
        self.cuts = 0
        self.violations: list[str] = []
        self._scratch = scratch
        self._recorder = recorder
        self._rng = rng

    def recorded(self, data: Path, *, seed: int, steps: int) -> list[Event]:
        """What a child does to the list in `data`."""
        with TemporaryDirectory(dir=self._scratch) as folder:
            marks = Path(folder) / "marks"
            arguments = [str(data.resolve()), str(marks.resolve()), str(seed), str(steps)]
            command = [sys.executable, "-m", __spec__.name, *arguments]
            return record(command, data, marks=marks, recorder=self._recorder)

    def cut(
        self,
        disk: Disk,
        events: list[Event],
        wanted: list[list[dict[str, Any]]],
        *,
        cuts: int | None = None,
        recoveries: int = 0,
        name: str = "",
    ) -> None:
        """Lets the events happen to the disk, cuts the power on the way, and looks at the list.

        Args:
            disk: before the first event.
            events: that happen to it.
            wanted: the lists that are right, by the number of times that the child had spoken.
            cuts: as in `run`.
            recoveries: as in `run`.
            name: of the cut before.
        """
        points: list[tuple[int, Survival]] = [
            (number, each) for number in range(len(events) + 1) for each in SURVIVALS
        ]
        if cuts is not None:
            points = sorted(self._rng.sample(points, min(cuts, len(points))))
        again = set(self._rng.sample(points, min(recoveries, len(points))))
        happened = 0
        for number, survival in points:
            for event in events[happened:number]:
                disk.happen(event)
            happened = number
            spoken = sum(each.what == MARK for each in events[:number])
            where = f"{name}after event {number} ({survival})"
            with TemporaryDirectory(dir=self._scratch) as folder:
                left = Path(folder) / "left"
                disk.survive(left, survival, rng=self._rng)
                if (number, survival) in again:
                    fewer = None if cuts is None else cuts // 5
                    self._cut_again(left, wanted[spoken], cuts=fewer, name=f"{where}, then ")
                self.cuts += 1
                found = violation(left, wanted[spoken])
            if found is not None:
                self.violations.append(f"{where}: {found}")

    def _cut_again(
        self, left: Path, wanted: list[dict[str, Any]], *, cuts: int | None, name: str
    ) -> None:
        """Cuts the power while the list in `left` recovers; `left` stays as it is."""
        with TemporaryDirectory(dir=self._scratch) as folder:
            data = Path(folder) / "data"
            shutil.copytree(left, data)
            disk = Disk(data)
            events = self.recorded(data, seed=0, steps=0)
            self.cut(disk, events, [wanted, _said(events)], cuts=cuts, name=name)


class _Child:
    """Does what clients and workers do, at random, one after the other."""

    def __init__(self, data: Path, rng: random.Random) -> None:
        self.store = Store(data)
        self.store.recover()
        self._data = data
        self._rng = rng
        self._added = 0

    def step(self) -> None:
        """One change of the list, if it can be made now."""
        jobs, _ = self.store.listed(limit=10_000)
        waiting = [job for job in jobs if job.state != "done"]
        adds = [self._add] * 3 if len(waiting) < _MOST_WAITING else []
        claims = [self._claim] * 3
        ends = [lambda each=each: self._end(each) for each in jobs]
        self._rng.choice([*adds, *claims, *ends, *ends])()

    def open_again(self) -> None:
        """Ends the service, in order or not, and starts it again."""
        if self._rng.random() < 0.5:
            self.store.close()
        self.store = Store(self._data)
        self.store.recover()

    def _add(self) -> None:
        self._added += 1
        owner = self._rng.choice("ab") * CLIENT_KEY_LENGTH
        key = self._rng.choice([None, f"shot {self._added}"])
        request = CaptureRequest(Clip(f"shot{self._added}.mp4"))
        self.store.add(request, owner=owner, key=key, priority=self._rng.randint(-1, 1))

    def _claim(self) -> None:
        self.store.claim("cpu")

    def _end(self, job: Job) -> None:
        match job.state:
            case "queued":
                choices = [
                    lambda: self.store.cancel(job.id),
                    lambda: self.store.move(job.id, to="first"),
                    lambda: self.store.move(job.id, priority=1, to="last"),
                ]
            case "running":
                choices = [
                    lambda: self._succeed(job),
                    lambda: self._succeed(job),
                    lambda: self.store.fail(job.id, ServiceError("made to fail")),
                    lambda: self.store.requeue(job.id, note="made to wait", strike=True),
                    lambda: self.store.cancel(job.id),
                ]
            case "done":
                choices = [lambda: self.store.delete(job.id)]
            case _:
                choices = [
                    lambda: self.store.retry(job.id),
                    lambda: self.store.delete(job.id),
                ]
        self._rng.choice(choices)()

    def _succeed(self, job: Job) -> None:
        made = job.work / RESULT
        made.write_bytes(self._rng.randbytes(self._rng.randint(1, 3000)))
        self.store.succeed(job.id, made)


def main(data: str, marks: str, seed: str, steps: str) -> None:
    """The child: changes the list in `data`, and says in `marks` what it is after each step."""
    said = os.open(marks, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    child = _Child(Path(data), random.Random(int(seed)))
    os.write(said, json.dumps(snapshot(child.store)).encode())
    for step in range(int(steps)):
        if step % _STEPS_A_RUN == _STEPS_A_RUN - 1:
            child.open_again()
        else:
            child.step()
        os.write(said, json.dumps(snapshot(child.store)).encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
