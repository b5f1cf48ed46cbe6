"""One child process that speaks in lines, and that can always be got rid of.

It is the head of its own process group, so that it and what it started end together, and Ctrl-C in
the server's terminal does not reach it. It ends by itself once its standard input closes.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from . import lines

# Our arrays are small: a second OpenMP thread costs more than it gives.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "PYTHONUTF8": "1"}
MAX_NONSENSE = 1000  # lines, before the process is taken for something else than a worker
_GONE_S = 5.0  # a killed process has gone by then, or hangs in the system and is given up

_log = logging.getLogger(__name__)


class Process:
    """A worker process, from start to end.

    Args:
        command: its argument vector.
        log: file that takes its standard error; begun anew.
        heard: told of each line that it says, and of None once it says nothing more; called on a
            thread of its own.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        heard: Callable[[Process, lines.Line | None], None],
    ) -> None:
        self._heard = heard
        with log.open("wb") as errors:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**ENVIRONMENT, **os.environ},
                start_new_session=sys.platform != "win32",
                creationflags=_windows_flags(),
            )
        self.pid = self._child.pid
        with contextlib.suppress(psutil.Error):
            self._usage = psutil.Process(self.pid)
        threading.Thread(target=self._listen, name=f"worker-{self.pid}", daemon=True).start()

    def say(self, order: lines.Order) -> None:
        """Sends `order`; if the process has gone, the end of its lines tells."""
        assert self._child.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self._child.stdin.write(lines.write(order))
            self._child.stdin.flush()

    def memory(self) -> int:
        """Bytes of memory that the process holds; 0 once it has gone."""
        try:
            return self._usage.memory_info().rss
        except (psutil.Error, AttributeError):
            return 0

    def end(self, *, wait_s: float = 0.0) -> str:
        """Ends the process, by force if it is still there after `wait_s`; how it ended."""
        assert self._child.stdin is not None
        with contextlib.suppress(OSError):
            self._child.stdin.close()
        try:
            self._child.wait(wait_s)
        except subprocess.TimeoutExpired:
            self._kill()
        return self.ending()

    def ending(self) -> str:
        """How the process ended, in words that follow "the worker"."""
        status = self._child.poll()
        if status is None:
            return "hangs"
        if status >= 0:
            return f"ended with status {status}"
        try:
            return f"was ended by signal {signal.Signals(-status).name}"
        except ValueError:
            return f"was ended by signal {-status}"

    def _kill(self) -> None:
        if sys.platform == "win32":
            self._child.kill()
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        try:
            self._child.wait(_GONE_S)
        except subprocess.TimeoutExpired:
            _log.error("worker process %d does not go away", self.pid)

    def _listen(self) -> None:
        nonsense = 0
        assert self._child.stdout is not None
        with self._child.stdout as said, contextlib.suppress(OSError):
            while nonsense < MAX_NONSENSE:
                data = said.readline(lines.MAX_LINE_BYTES)
                if not data:
                    break
                line = lines.read(data)
                if line is None:
                    nonsense += 1
                    _log.warning("worker %d said %r", self.pid, data[:80])
                else:
                    self._heard(self, line)
        self._heard(self, None)


def _windows_flags() -> int:
    if sys.platform != "win32":
        return 0
    return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
