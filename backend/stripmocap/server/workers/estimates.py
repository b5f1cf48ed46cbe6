"""How far a job is and how long it will take, from the rates of its stages on this device.

A rate is seconds a step. What lies ahead is judged by the rates that were kept from earlier jobs;
the current stage by its own steps as soon as there are some, over the latter half of its time, so
that a slow start, or a quick one over what was kept from before, is forgotten. Only a clock that
never jumps is used. The share is one of *time*: what is spent against what is spent and left, so a
stage that was kept from before takes none.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ...contract.jobs import JobProgress

# Seconds a step on two cores of 2020. Steps of "people" are frames, of the others frames a person.
USUAL_RATES = {
    **{"people": 0.045, "frame": 0.0005, "pixels": 0.12, "time": 0.001},
    **{"fit": 0.015, "refine": 0.08},
}
MAX_SHARE = 0.999  # until the job is done
MIN_STEPS, MIN_SPENT_S = 20, 1.0  # of a stage whose rate is worth keeping
_TRUST_S = 2.0  # of steps, after which a stage's own rate counts alone
# What takes longer than expected will go on for half of the time by which it is late, which it is
# said to be from 0.7 of the expected time on: so nothing is ever said to end at once.
_LATE_FROM, _LATE = 0.7, 0.5
_MIN_MARKS, _MAX_MARKS = 8, 128


class Estimate:
    """The progress of one attempt at a job. Safe to be asked from any thread.

    Args:
        rates: seconds a step by stage, on the device that works; others are taken as usual.
        plan: the slow stages in order; each has about as many steps as the one before.
        share: of the job that earlier attempts had reached.
        clock: seconds; never jumps.
    """

    def __init__(
        self,
        rates: Mapping[str, float],
        *,
        plan: Sequence[str],
        share: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._known, self._rates = set(rates), {**USUAL_RATES, **rates}
        self._base = self._share = min(max(share, 0.0), MAX_SHARE)
        self._clock, self._plan = clock, tuple(plan)
        self._began = clock()
        self._stage: _Stage | None = None
        self._slow = 1.0  # times as long as usual, that a step of an unknown stage takes here
        self._seen: set[str] = set()
        self._measured: dict[str, float] = {}
        self._lock = threading.Lock()

    def report(self, stage: str, done: int, of: int) -> JobProgress:
        """The progress, now that `done` of `of` (0: not known) steps of `stage` are made."""
        with self._lock:
            now = self._clock()
            if self._stage is None or self._stage.name != stage:
                self._leave(now)
                self._stage = _Stage(stage, now, self._expected(stage))
                self._seen.add(stage)
            self._stage.report(now, done=done, of=of)
            self._raise_share(now)
            return self._progress(now)

    def now(self) -> JobProgress:
        """The progress as it is at this moment."""
        with self._lock:
            return self._progress(self._clock())

    def finish(self) -> dict[str, float]:
        """Seconds a step of the stages that were long enough to tell; call it when all is done."""
        with self._lock:
            self._leave(self._clock())
            return dict(self._measured)

    def _leave(self, now: float) -> None:
        stage, self._stage = self._stage, None
        if stage is None:
            return
        self._slow *= self._slowness(stage)
        rate = stage.rate(now)
        if rate is not None:
            self._measured[stage.name] = rate

    def _progress(self, now: float) -> JobProgress:
        if self._stage is None:
            return JobProgress(share=self._share)
        return JobProgress(
            stage=self._stage.name,
            done=self._stage.done,
            of=self._stage.of,
            share=self._share,
            left_s=self._left_s(now),
        )

    def _raise_share(self, now: float) -> None:
        """Moves the share forward; it holds still where the time left grows."""
        left_s = self._left_s(now)
        if left_s is None:
            return
        spent_s = max(now - self._began, 0.0)
        reached = spent_s / (spent_s + left_s) if spent_s + left_s else 0.0
        share = self._base + (1 - self._base) * reached
        self._share = max(self._share, min(share, MAX_SHARE))

    def _left_s(self, now: float) -> float | None:
        stage = self._stage
        if stage is None:
            return None
        left_s = stage.left_s(now)
        if left_s is None or stage.name not in self._plan:
            # What a stage that is in no plan has to do says nothing of those behind it.
            return left_s if self._seen.issuperset(self._plan) else None
        # How many people there are is not known before the last frame is seen: one is assumed.
        behind = self._plan[self._plan.index(stage.name) + 1 :]
        later = [each for each in behind if each not in self._seen]
        rates = (self._expected(each, slowness=self._slowness(stage)) or 0.0 for each in later)
        return left_s + stage.of * sum(rates)

    def _expected(self, stage: str, *, slowness: float = 1.0) -> float | None:
        """Seconds a step of a stage to come; None if nothing tells."""
        rate = self._rates.get(stage)
        if rate is None or stage in self._known:
            return rate
        return rate * self._slow * slowness

    def _slowness(self, stage: _Stage) -> float:
        """What `stage` teaches of stages that this device was never seen at."""
        return 1.0 if stage.name in self._known else stage.slowness()


@dataclass
class _Stage:
    """What is known of the stage that runs."""

    name: str
    began: float
    usual: float | None  # seconds a step
    done: int = 0
    of: int = 0
    first: int | None = None  # done at the first report: what was kept from before
    marks: list[tuple[int, float]] = field(default_factory=list)  # done, and since when

    def report(self, now: float, *, done: int, of: int) -> None:
        done = max(done, self.done)
        if self.first is None:
            self.first = done
        if done == self.first:
            # Before the first step there are things to load, and a fit begins with all at once.
            self.marks = [(done, now)]
        elif done > self.done:
            self.marks.append((done, now))
            if len(self.marks) > _MAX_MARKS:
                self.marks = [*self.marks[:-1:2], self.marks[-1]]
        self.done, self.of = done, max(of, 0)

    def left_s(self, now: float) -> float | None:
        """Seconds to the end of the stage; None if nothing tells."""
        if not self.of:
            return None
        if self.done >= self.of:
            return 0.0
        planned, (rate, trust) = self._planned_s(now), self._latter_half()
        if rate is None:
            return planned
        measured = _counted_down(rate * (self.of - self.done), now - self.marks[-1][1])
        return measured if planned is None else trust * measured + (1 - trust) * planned

    def slowness(self) -> float:
        """Times that a step takes as long as usual, as far as that can be said; else 1."""
        rate, trust = self._latter_half()
        if rate is None or not self.usual:
            return 1.0
        return trust * rate / self.usual + (1 - trust)

    def rate(self, now: float) -> float | None:
        """Seconds a step, once it has found its pace; None if the stage was too short to tell."""
        steps, spent_s = self.done - (self.first or 0), now - self.began
        if steps < max(MIN_STEPS, self.of // 2) or spent_s < MIN_SPENT_S:
            return None
        rate, _ = self._latter_half()
        return spent_s / steps if rate is None or len(self.marks) < _MIN_MARKS else rate

    def _planned_s(self, now: float) -> float | None:
        if self.usual is None:
            return None
        return _counted_down(self.usual * (self.of - (self.first or 0)), now - self.began)

    def _latter_half(self) -> tuple[float | None, float]:
        """Seconds a step over the latter half of the marks' time, and how far to trust it."""
        done, at = self.marks[-1]
        half = (self.marks[0][1] + at) / 2
        since = next((each for each in self.marks[:-1] if each[1] >= half), self.marks[-2:][0])
        if since[0] == done:
            return None, 0.0
        return (at - since[1]) / (done - since[0]), min((at - since[1]) / _TRUST_S, 1.0)


def _counted_down(expected_s: float, spent_s: float) -> float:
    """What is left of the expected time; when that is over, still something."""
    late_s = min(spent_s, 2 * expected_s) - _LATE_FROM * expected_s
    return max(expected_s - spent_s, _LATE * late_s)
