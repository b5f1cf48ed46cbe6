"""A report that can be told again where it stands, so that a cancel is heard at once."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TypeVar

Report = Callable[[str, int, int], None]  # stage, done, of (0: not known); may raise Cancelled

PULSE_S = 0.1  # between reports of one and the same state
_Made = TypeVar("_Made")


class Beat:
    """Calls a report, and remembers what it told last."""

    def __init__(self, report: Report, *, stage: str) -> None:
        """Stands at the beginning of `stage`."""
        self._report = report
        self._last = (stage, 0, 0)
        self._said_s = -math.inf

    def __call__(self, stage: str, done: int, of: int) -> None:
        """Tells it now."""
        self._last, self._said_s = (stage, done, of), time.monotonic()
        self._report(stage, done, of)

    def again(self) -> None:
        """Tells once more what was told last, if that was a while ago."""
        self.now_and_then(*self._last)

    def now_and_then(self, stage: str, done: int, of: int) -> None:
        """Tells it, if the last time was a while ago."""
        if time.monotonic() - self._said_s >= PULSE_S:
            self(stage, done, of)

    def while_waiting(self, work: Callable[[], _Made]) -> _Made:
        """What `work` gives, done beside a beat that goes on and may end the waiting."""
        answer: Future[_Made] = Future()

        def run() -> None:
            try:
                answer.set_result(work())
            except BaseException as error:
                answer.set_exception(error)

        threading.Thread(target=run, daemon=True).start()
        while True:
            try:
                return answer.result(timeout=PULSE_S)
            except FutureTimeout:
                if answer.done():
                    raise
                self.again()
