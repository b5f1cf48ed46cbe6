"""The service as an experiment runs it: a process to be started, found, killed and looked into."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from ..contract import handover
from ..contract.errors import StripMocapError
from ..contract.service import Service

REAL = (sys.executable, "-m", "stripmocap", "serve", "--device", "cpu", "--data")
TOY = (sys.executable, "-m", "stripmocap.experiments.toy_service")
START_S = 60.0  # within which a service must answer; it takes about one
GONE_S = 10.0  # within which the workers of a killed service must have ended
_LOOK_S = 0.02


class Served:
    """A service on the folder `data`, and its successors.

    Args:
        command: its argument vector, to which the folder is added.
        data: its data folder.
        environment: variables beside our own.
        said: file that takes what it prints; None: one beside the folder.
    """

    def __init__(
        self,
        command: Sequence[str],
        data: Path,
        *,
        environment: Mapping[str, str] | None = None,
        said: Path | None = None,
    ) -> None:
        self.data = data
        self.said = said or data.with_name(f"{data.name}.said.txt")
        self._command = [*command, str(data)]
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Of the service that runs; None if none does."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    @property
    def status(self) -> int | None:
        """The exit status of the one started last; None while it runs."""
        return None if self._process is None else self._process.poll()

    def launch(self) -> None:
        """Starts one and waits for nothing."""
        with self.said.open("ab") as said:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env=self._environment,
            )

    def wait(self, *, limit_s: float = START_S) -> float | None:
        """Seconds until it answered; None if it did not within the limit, or ended."""
        began = time.monotonic()
        while time.monotonic() - began < limit_s and self.pid is not None:
            with contextlib.suppress(StripMocapError):
                service = self.service()
                if service is not None and service.health():
                    return time.monotonic() - began
            time.sleep(_LOOK_S)
        return None

    def start(self) -> None:
        """Starts one and waits until it answers.

        Raises:
            RuntimeError: it does not.
        """
        self.launch()
        if self.wait() is None:
            raise RuntimeError(f"the service on {self.data} does not answer ({self.status})")

    def service(self, client_key: str | None = None) -> Service | None:
        """A client of the one that runs; None while it has not said where it is."""
        told = handover.read(self.data)
        if told is None or told.pid != self.pid:
            return None
        return Service.of(told, client_key=client_key)

    def workers(self) -> list[psutil.Process]:
        """The worker processes of the one that runs."""
        pid = self.pid
        with contextlib.suppress(psutil.Error):
            return [] if pid is None else psutil.Process(pid).children(recursive=True)
        return []

    def kill(self) -> list[psutil.Process]:
        """Kills the service as the system would; the workers that outlive it."""
        workers, process = self.workers(), self._process
        if process is not None:
            process.kill()
            process.wait()
        _, alive = psutil.wait_procs(workers, timeout=GONE_S)
        return alive

    def end(self, *, limit_s: float = 20.0) -> bool:
        """Ends it with its workers, politely first; whether that was enough."""
        process = self._process
        if process is None or process.poll() is not None:
            return True
        workers = self.workers()
        process.terminate()
        try:
            process.wait(limit_s)
            return True
        except subprocess.TimeoutExpired:
            return False
        finally:
            process.kill()
            process.wait()
            for each in workers:
                with contextlib.suppress(psutil.Error):
                    each.kill()
