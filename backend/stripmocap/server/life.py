"""How long the service lives: until it is told to stop or, attached, until its starter has gone.

Attached, it holds the other end of its standard input: when that closes, the program that started
it has ended, however it ended. It then ends too, at once, unless somebody else uses it or its user
wants the queue finished. Who else there is, shows in three ways: another client key was heard
lately; a call came after the end; a call that came before is still waited for.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable

QUIET_S = 30.0  # without a word from anybody: nobody is there
GRACE_S = 1.0  # in which those who are left may speak, and calls of the dead be seen as such
_LOOK_S = 0.2
_LATE_S = 0.2  # after its end, in which a last call of the starter may still arrive


class Life:
    """One run of the service. Any thread may call it."""

    def __init__(
        self,
        epoch: str,
        *,
        finish_jobs: bool = False,
        starter: str | None = None,
        notices: Callable[[], Iterable[str]] = tuple,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """A run that lasts until `stop` is called.

        Args:
            epoch: the name of this run.
            finish_jobs: it goes on after its starter has gone, until the queue is empty.
            starter: how `heard` names the client that started it, if that is known.
            notices: what the service's owner should know, in sentences.
            clock: seconds that never go back.
        """
        self.epoch = epoch
        self.finish_jobs = finish_jobs
        self._starter = starter
        self._clock = clock
        self._heard_s: dict[str, float] = {}  # by client; only those of the last QUIET_S
        self._last_s: float | None = None  # when anybody was heard
        self._ended = threading.Event()
        self._told = notices
        self._lock = threading.Lock()

    def heard(self, client: str | None = None) -> None:
        """Says that `client` has called, or somebody who gave no name."""
        now = self._clock()
        with self._lock:
            self._last_s = now
            self._heard_s = {
                name: at_s for name, at_s in self._heard_s.items() if now - at_s < QUIET_S
            }
            self._heard_s[client or ""] = now

    def stop(self) -> None:
        """Asks the service to end; it will within seconds."""
        self._ended.set()

    @property
    def ended(self) -> bool:
        """Whether `stop` was called."""
        return self._ended.is_set()

    def wait(self) -> None:
        """Returns once `stop` is called."""
        self._ended.wait()

    def notices(self) -> tuple[str, ...]:
        """What the service's owner should know, in sentences."""
        return tuple(self._told())

    def outlive(
        self,
        *,
        gone: Callable[[], None],
        busy: Callable[[], bool],
        calls: Callable[[], int],
    ) -> None:
        """Stops the service some time after its starter has gone; returns then.

        Args:
            gone: returns when the starter has gone.
            busy: whether jobs are queued or running.
            calls: how many callers wait for an answer now.
        """
        gone()
        gone_s = self._clock()
        while not self._ended.wait(_LOOK_S):
            if self._clock() - gone_s < GRACE_S and self._somebody_may_be_left(gone_s):
                continue
            if not (self._others(gone_s) or calls() or (self.finish_jobs and busy())):
                self.stop()

    def _somebody_may_be_left(self, gone_s: float) -> bool:
        """Whether anybody was heard so lately that it need not have been the starter alone."""
        return self._last_s is not None and gone_s - self._last_s < QUIET_S

    def _others(self, gone_s: float) -> bool:
        """Whether somebody was heard in the last QUIET_S who cannot have been the starter."""
        now = self._clock()
        with self._lock:
            lately = {name: at for name, at in self._heard_s.items() if now - at < QUIET_S}
        return any(
            at > gone_s + _LATE_S or (self._starter is not None and name not in {self._starter, ""})
            for name, at in lately.items()
        )


def input_closes() -> None:
    """Returns when the standard input ends, that is when whoever holds its other end has gone."""
    if sys.stdin is None:  # a program without a terminal, on Windows
        return
    # Not through sys.stdin: its buffer stays locked by a thread that waits, and Python cannot end.
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
