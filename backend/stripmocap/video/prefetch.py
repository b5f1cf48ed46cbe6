"""Reading ahead: pictures are decoded while a network still looks at the last ones."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from queue import Empty, Queue
from typing import TypeVar

Item = TypeVar("Item")
_LOOK_S = 0.05  # between looks whether a reader that was told to stop has
_WAIT_S = 0.1  # between signs of life while nothing comes


def nothing() -> None:
    """A pulse that nobody feels."""


class _Stopped(Exception):
    """Nobody wants what is read any more."""


def ahead(
    make: Callable[[Callable[[], None]], Iterator[Item]],
    *,
    depth: int,
    meanwhile: Callable[[], None] = nothing,
) -> Generator[Item, None, None]:
    """What `make` yields, in its order, made in a thread of its own up to `depth` items early.

    What it raises is raised here, after the items before it. The thread ends with this iterator,
    also when that is closed early.

    Args:
        make: handed a pulse that it calls often; the pulse raises once nobody listens.
        depth: items that wait at most.
        meanwhile: called often while an item is waited for; may raise to stop.
    """
    waiting: Queue[tuple[Item] | BaseException | None] = Queue(depth)
    stop = threading.Event()

    def pulse() -> None:
        if stop.is_set():
            raise _Stopped

    def read() -> None:
        try:
            for item in make(pulse):
                waiting.put((item,))
                pulse()
            waiting.put(None)
        except BaseException as error:
            waiting.put(error)

    thread = threading.Thread(target=read, daemon=True, name="read ahead")
    thread.start()
    try:
        while (got := _next(waiting, meanwhile)) is not None:
            if isinstance(got, BaseException):
                raise got
            yield got[0]
    finally:
        stop.set()
        while thread.is_alive():  # it may wait for room to put something
            _discard(waiting)
            thread.join(_LOOK_S)


def _next(waiting: Queue, meanwhile: Callable[[], None]) -> tuple | BaseException | None:
    while True:
        try:
            return waiting.get(timeout=_WAIT_S)
        except Empty:
            meanwhile()


def _discard(waiting: Queue) -> None:
    try:
        while True:
            waiting.get_nowait()
    except Empty:
        return
