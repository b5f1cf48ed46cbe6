"""What changed since a client asked last: numbered, one entry a job, and waited for.

Only the last change of each job is kept, and only of the last `size` jobs; who asks for older ones
is told that some are missed and reads the list again. Nothing here outlives the process, so a
number means something only together with the epoch. A waiting client costs one future.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import OrderedDict
from dataclasses import dataclass

SIZE = 10_000  # jobs whose last change is kept
SETTLE_S = 0.1  # a client that was woken is answered so much later, with what came meanwhile


@dataclass(frozen=True)
class Changes:
    """What a client has not heard yet."""

    number: int  # to be given as `after` in the next call
    missed: bool  # older changes are forgotten
    jobs: tuple[str, ...]  # ids, in the order of their last change
    deleted: tuple[str, ...]


class Events:
    """The changes of one run of the service."""

    def __init__(self, epoch: str, *, size: int = SIZE, settle_s: float = SETTLE_S) -> None:
        self.epoch = epoch
        self._size = size
        self._settle_s = settle_s
        self._lock = threading.Lock()
        self._number = 0
        self._forgotten = 0  # the highest number that is no longer kept
        # (owner, job) -> number, deleted; the oldest first
        self._last: OrderedDict[tuple[str, str], tuple[int, bool]] = OrderedDict()
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self._closed = False

    def changed(self, owner: str, job_id: str, deleted: bool) -> None:
        """Says that something about a job is new. From any thread; never waits."""
        with self._lock:
            self._number += 1
            self._last.pop((owner, job_id), None)
            self._last[owner, job_id] = (self._number, deleted)
            while len(self._last) > self._size:
                _, (self._forgotten, _) = self._last.popitem(last=False)
            sleepers = self._waiting.pop(owner, set())
        for each in sleepers:
            _wake(each)

    def close(self) -> None:
        """Sends everybody home who waits, now and later: the service is about to end."""
        with self._lock:
            self._closed = True
            sleepers = [each for some in self._waiting.values() for each in some]
            self._waiting.clear()
        for each in sleepers:
            _wake(each)

    async def after(
        self, number: int, owner: str, wait_s: float, *, epoch: str | None = None, limit: int = 200
    ) -> Changes:
        """What changed for `owner` after `number`; waits up to `wait_s` seconds for something.

        Args:
            number: of the last answer.
            owner: whose jobs.
            wait_s: 0 asks without waiting.
            epoch: of the last answer; with another one than ours, or None, everything is missed.
            limit: of jobs in the answer; its `number` then asks for the rest.
        """
        future = None
        with self._lock:
            if epoch != self.epoch:
                return Changes(self._number, True, (), ())
            found = self._since(number, owner, limit)
            if _empty(found) and wait_s > 0 and not self._closed:
                future = asyncio.get_running_loop().create_future()
                self._waiting.setdefault(owner, set()).add(future)
        if future is None:
            return found
        try:
            await asyncio.wait_for(future, wait_s)
            await asyncio.sleep(self._settle_s)
        except TimeoutError:
            pass
        finally:
            self._forget(owner, future)
        with self._lock:
            return self._since(number, owner, limit)

    @property
    def number(self) -> int:
        """Of the last change."""
        with self._lock:
            return self._number

    @property
    def waiting(self) -> int:
        """Clients that wait."""
        with self._lock:
            return sum(map(len, self._waiting.values()))

    def _since(self, number: int, owner: str, limit: int) -> Changes:
        """What is kept of the changes after `number`; the lock is held."""
        if not self._forgotten <= number <= self._number:
            return Changes(self._number, True, (), ())
        found = []
        for (who, job), (when, deleted) in reversed(self._last.items()):
            if when <= number:
                break
            if who == owner:
                found.append((when, job, deleted))
        found.reverse()
        last = self._number if len(found) <= limit else found[limit - 1][0]
        return Changes(
            last,
            False,
            tuple(job for _, job, deleted in found[:limit] if not deleted),
            tuple(job for _, job, deleted in found[:limit] if deleted),
        )

    def _forget(self, owner: str, future: asyncio.Future[None]) -> None:
        with self._lock:
            others = self._waiting.get(owner)
            if others is not None:
                others.discard(future)
                if not others:
                    del self._waiting[owner]


def _empty(changes: Changes) -> bool:
    return not (changes.missed or changes.jobs or changes.deleted)


def _wake(sleeper: asyncio.Future[None]) -> None:
    with contextlib.suppress(RuntimeError):  # its loop has ended, and so has the client's call
        sleeper.get_loop().call_soon_threadsafe(_finish, sleeper)


def _finish(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)
