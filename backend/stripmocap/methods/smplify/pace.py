"""How far a fit is, in frames: its parts weighed by the time that each was measured to take."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum, auto

from ..toolbox import Report

STAGE = "fit"
PUBLISHING_SHARE = 0.05  # of a fit's time, at most, is spent on handing out what is finished


class Part(Enum):
    """The parts of a fit, in order."""

    APART = auto()
    APART_TOLD = auto()  # the same from what another method found
    SHAPE = auto()
    APART_AGAIN = auto()
    CHAINED = auto()
    PLANTED = auto()


# Milliseconds a frame of the part, the middle of six shots on one core: only proportions count.
_COST = {
    Part.APART: 5.0,
    Part.APART_TOLD: 4.0,
    Part.SHAPE: 4.0,
    Part.APART_AGAIN: 3.5,
    Part.CHAINED: 10.0,
    Part.PLANTED: 7.5,
}


class Pace:
    """Tells a report how far a fit is, ever more."""

    def __init__(self, report: Report, *, frames: int, parts: dict[Part, int]) -> None:
        """A fit at its beginning.

        Args:
            report: what is told; it may raise to stop the fit.
            frames: of all people; progress is said as a number of these.
            parts: the frames that each part works on; what is not among them is left out.
        """
        self._report, self._frames = report, frames
        self._sizes = {part: max(count, 1) for part, count in parts.items()}
        self._total = sum(_COST[part] * count for part, count in self._sizes.items())
        self._done = 0

    def __call__(self, part: Part, frames: float) -> None:
        """Says that so many `frames` of `part` are done, and all of the parts before it."""
        before = list(Part)[: list(Part).index(part)]
        cost = sum(_COST[each] * self._sizes.get(each, 0) for each in before)
        cost += _COST[part] * min(frames, self._sizes[part])
        self._done = max(self._done, int(self._frames * cost / self._total))
        self._report(STAGE, self._done, self._frames)

    def finish(self) -> None:
        """Says that everything is done."""
        self._report(STAGE, self._frames, self._frames)

    def steps(self, part: Part, *, begin: int, stop: int, most: int) -> Callable[[], None]:
        """What to call before each of at `most` so many steps over the frames `begin` to `stop`."""
        made = 0

        def step() -> None:
            nonlocal made
            self(part, begin + (stop - begin) * made / most)
            made += 1

        return step


class Sparingly:
    """Does something now and then, so that it never takes more than a share of the time."""

    def __init__(self, share: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._share, self._clock = share, clock
        self._not_before_s = clock()

    def __call__(self, action: Callable[[], object]) -> None:
        """Does `action`, unless the last one was too dear to be followed by another so soon."""
        begun_s = self._clock()
        if begun_s < self._not_before_s:
            return
        action()
        ended_s = self._clock()
        self._not_before_s = ended_s + (ended_s - begun_s) / self._share
