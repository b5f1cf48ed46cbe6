"""Work on rigs that is done a little at a time, once nobody has asked for more of it for a moment.

Whoever asks again for the same rig, as a slider does while it is dragged, has the work begin anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import bpy

from ..scene.steps import Steps

RESTS_S = 0.15  # without being asked again before work begins
SLICE_S = 0.02  # of work between two turns of Blender's main loop; a single step may take longer
SOON_S = 0.01  # between two slices

Begin = Callable[[bpy.types.Object], Steps[None]]


@dataclass(eq=False)
class _Work:
    rig: bpy.types.Object
    begin: Begin
    from_s: float  # of the monotonic clock
    steps: Steps[None] | None = None  # None before it has begun


class Slices:
    """Rigs with work to be done, all of it by Blender's main thread."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._works: list[_Work] = []
        self.done = 0  # steps since the beginning

    def put(self, rig: bpy.types.Object, begin: Begin) -> None:
        """Has the work that `begin` begins be done on a rig; what is under way there is dropped."""
        self.drop(rig)
        self._works.append(_Work(rig, begin, self._clock() + RESTS_S))

    def drop(self, rig: bpy.types.Object) -> None:
        """Drops the work on a rig."""
        for each in [each for each in self._works if each.rig == rig]:
            self._end(each)

    def forget(self) -> None:
        """Drops everything."""
        while self._works:
            self._end(self._works[0])

    def has(self, rig: bpy.types.Object) -> bool:
        """Whether there is work on a rig."""
        return any(each.rig == rig for each in self._works)

    def is_busy(self) -> bool:
        """Whether something is left."""
        return bool(self._works)

    def turn(self) -> float | None:
        """Works for a moment; the seconds until the next turn, None if nothing is left."""
        until = time.perf_counter() + SLICE_S
        while self._works and time.perf_counter() < until:
            wait_s = self._works[0].from_s - self._clock()
            if wait_s > 0:
                return wait_s
            self._step(self._works[0])
        return SOON_S if self._works else None

    def finish(self) -> None:
        """Does all that is left, at once."""
        while self._works:
            self._step(self._works[0])

    def _step(self, work: _Work) -> None:
        """One step of some work, which is over if there is none, or if it fails."""
        self.done += 1
        try:
            work.steps = work.steps or work.begin(work.rig)
            next(work.steps)
        except (StopIteration, ReferenceError):  # done; or the rig, or a take, is gone
            self._works.remove(work)
        except Exception:
            self._works.remove(work)
            raise

    def _end(self, work: _Work) -> None:
        """Drops some work, which may still set right what it leaves behind."""
        self._works.remove(work)
        if work.steps is not None:
            with suppress(ReferenceError):  # what it worked on is gone
                work.steps.close()
