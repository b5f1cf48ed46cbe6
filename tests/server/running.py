"""A service in a process of its own, as its clients meet it, with toy workers unless said."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from stripmocap.contract.errors import WrongState
from stripmocap.contract.handover import Handover
from stripmocap.contract.jobs import ENDED, JobStatus
from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.contract.service import Service

TOY_COMMAND = (sys.executable, str(Path(__file__).with_name("toycommand.py")))
DEADLINE_S = 60.0  # for what takes a second or two; a busy machine is slow, a hang is a fault
KEY, OTHER_KEY = "0123456789abcdef" * 2, "fedcba9876543210" * 2


class Running:
    """The process of one `stripmocap serve`; it is killed at the end of the block."""

    def __init__(self, data: Path, *flags: str, command=TOY_COMMAND, key: str | None = KEY):
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("STRIPMOCAP_")
        }
        if key:
            environment["STRIPMOCAP_CLIENT"] = key
        self.data = data
        self.process = subprocess.Popen(
            [*command, "--data", str(data), *flags],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
        )
        self._handover: Handover | None = None

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_) -> None:
        self.process.kill()
        self.process.communicate()

    @property
    def handover(self) -> Handover:
        """What it prints first; fails if it ends without a word."""
        if self._handover is None:
            line = self.process.stdout.readline()
            assert line, self.process.stderr.read()
            self._handover = Handover.of_line(line)
        return self._handover

    def service(self, key: str = KEY) -> Service:
        return Service.of(self.handover, client_key=key)

    def kill(self) -> None:
        """Ends it as a power cut would."""
        assert self.handover
        self.process.kill()
        self.process.wait(DEADLINE_S)

    def end(self) -> float:
        """Asks it to end; the seconds that it takes."""
        began = time.monotonic()
        self.ask_to_end()
        assert self.process.wait(DEADLINE_S) == 0, self.process.stderr.read()
        return time.monotonic() - began

    def ask_to_end(self) -> None:
        assert self.handover
        self.process.send_signal(signal.SIGTERM)

    def abandon(self) -> None:
        """Goes away as the program that started it would."""
        assert self.handover
        self.process.stdin.close()
        self.process.stdin = None  # or communicate() would flush it

    def said(self) -> tuple[int, str, str]:
        """Status, output and errors of a process that ends by itself."""
        out, errors = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, out, errors


def asked(path: Path) -> CaptureRequest:
    """A request for the footage at `path`, made up if need be; its name is the toy's deed."""
    if not path.exists():
        path.write_bytes(b"no video, but the toy does not mind")
    return CaptureRequest(Clip(str(path)))


def until(holds: Callable[[], bool], *, within_s: float = DEADLINE_S) -> None:
    """Returns when something holds; fails if it does not."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


def until_state(service: Service, job: JobStatus, *states: str) -> JobStatus:
    until(lambda: service.job(job.id).state in states)
    return service.job(job.id)


def until_ended(service: Service, job: JobStatus) -> JobStatus:
    return until_state(service, job, *ENDED)


def cancel_all(service: Service) -> None:
    """Leaves no job of this client to hold up those of others."""
    for each in service.every_job():
        with contextlib.suppress(WrongState):  # it has ended meanwhile
            service.cancel(each.id)


@contextlib.contextmanager
def alive(running: Running, *, for_s: float) -> Iterator[None]:
    """Holds if the process is alive after the block and for so long."""
    yield
    deadline = time.monotonic() + for_s
    while time.monotonic() < deadline:
        assert running.process.poll() is None, "it has ended"
        time.sleep(0.05)
