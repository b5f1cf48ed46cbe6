"""What is shown of a long clip while people are still followed through it.

Every now and then a fast method poses everybody who was followed so far. That may cost a small
share of the time and no more: the longer a clip, the further apart the looks. What is shown is no
part of the result: whatever fails here, for want of memory too, stops the showing and nothing else.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace

from .contract.errors import Cancelled, StripMocapError
from .contract.messages import CaptureRequest
from .people.observations import Cast

EVERY_S = 20.0  # of footage, at the least
SHARE = 0.02  # of the time so far
FAST = ("frame", "time")  # stages of methods that take a millisecond a body or less
USUAL = "vibe"  # what is shown where the method that was asked for is slow

log = logging.getLogger(__name__)


def shown_meanwhile(request: CaptureRequest) -> CaptureRequest | None:
    """What to show while `request` waits for its people; None if nothing is fast enough."""
    if request.weights != "embedded" or not request.methods:
        return None
    alone = replace(request, refiners=(), refiner_options=())
    if request.methods[0].weights["embedded"].stage in FAST:
        return alone
    return replace(alone, estimator=USUAL, options=None)


class Preview:
    """Watches how people are followed, and now and then shows who was followed so far."""

    def __init__(
        self, show: Callable[[Cast], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """A watch that begins now; `show` is called in the thread that follows people."""
        self._show, self._clock = show, clock
        self._began_s = clock()
        self._spent_s = 0.0
        self._frames = 0  # so far
        self._shown = 0  # frames that were shown, each as often as it was
        self._last_s: float | None = None  # of the footage: when it was last shown
        self._is_over = False

    def __call__(self, time_s: float, so_far: Callable[[], Cast]) -> None:
        """Told of the frame at `time_s`, and of how to make the record of everybody.

        Raises:
            Cancelled: the work is to stop.
        """
        self._frames += 1
        self._last_s = time_s if self._last_s is None else self._last_s
        if self._is_over or time_s - self._last_s < EVERY_S or not self._is_affordable():
            return
        began_s, self._last_s = self._clock(), time_s
        cast = so_far()
        if cast.people:
            self._try(cast)
        self._shown += self._frames
        self._spent_s += self._clock() - began_s

    def _is_affordable(self) -> bool:
        """Whether a look would cost a small share, if a frame of it costs what it has so far."""
        look_s = self._spent_s / max(self._shown, 1) * self._frames
        return self._spent_s + look_s <= SHARE * (self._clock() - self._began_s)

    def _try(self, cast: Cast) -> None:
        try:
            self._show(cast)
        except Cancelled:
            raise
        except StripMocapError as error:
            log.info("What is followed so far is not shown (%s)", error.message)
        except Exception:  # ours or the memory's: the capture itself may well succeed
            log.warning("Nothing more is shown of people who are followed", exc_info=True)
            self._is_over = True
