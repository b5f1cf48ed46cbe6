"""How far a job is, on a terminal: a bar with stage and time left, or plain lines in a log.

`Progress` is a `Report`: it is called with a stage, what is done, and of how much (0: not known).
"""

from __future__ import annotations

import shutil
import sys
import time
from types import TracebackType
from typing import TextIO

from tqdm import tqdm

LINE_INTERVAL_S = 15.0  # between lines of one stage where there is no terminal
MAX_COLUMNS, MIN_ROWS = 100, 24
_LABEL_WIDTH = 12


class Progress:
    """Shows the stages of a job one after the other; use it as a context."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._bar: tqdm | None = None
        self._stage: str | None = None
        self._started_s = self._said_s = 0.0
        self._last = (0, 0)

    def __call__(self, stage: str, done: int, of: int) -> None:
        """Shows that `done` of `of` steps of `stage` are made."""
        if stage != self._stage:
            self._end()
            self._begin(stage, of)
        self._last = (done, of)
        if self._bar is not None:
            self._bar.total = of or None
            self._bar.update(done - self._bar.n)
        elif time.monotonic() - self._said_s > LINE_INTERVAL_S:
            self._say(f"{stage}: {done}{f' of {of}' if of else ''}")

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end(finished=kind is None)

    def _begin(self, stage: str, of: int) -> None:
        self._stage = stage
        self._started_s = self._said_s = time.monotonic()
        if self._terminal:
            self._bar = tqdm(
                desc=f"{stage:<{_LABEL_WIDTH}}",
                total=of or None,
                file=self._stream,
                unit="",
                # Said here: some terminals claim to have no size, and tqdm then shows nothing.
                ncols=min(shutil.get_terminal_size((MAX_COLUMNS, MIN_ROWS)).columns, MAX_COLUMNS),
                nrows=MIN_ROWS,
                bar_format=None
                if not of
                else "{desc} {percentage:3.0f}% {bar} {n_fmt}/{total_fmt}"
                ", {remaining} left, {rate_fmt}",
            )

    def _end(self, *, finished: bool = True) -> None:
        if self._stage is None:
            return
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        elif finished:
            done, of = self._last
            seconds = time.monotonic() - self._started_s
            self._say(f"{self._stage}: {max(done, of)} in {seconds:.1f} s")
        self._stage = None

    def _say(self, line: str) -> None:
        print(line, file=self._stream, flush=True)
        self._said_s = time.monotonic()
