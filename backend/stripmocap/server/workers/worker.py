"""The worker: a process of its own, so that what crashes here costs one job and not the service.

Run as `python -m stripmocap.server.workers.worker DEVICE CACHE CACHE_BYTES` by the supervisor, to
which it speaks in `lines`. It loads torch once and keeps networks between jobs. It never outlives
the server: when its standard input closes it is gone at once, whatever it was doing.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import faulthandler
import gc
import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from ...contract import result_file
from ...contract.errors import (
    Cancelled,
    DeviceOutOfMemory,
    ResultFileError,
    ServiceError,
    StripMocapError,
)
from ...contract.jobs import JobError
from ...contract.messages import CaptureRequest
from ...contract.motion import Capture
from . import lines

REPORT_S = 0.2  # between two reports of one stage
MEMORY_S = 1.0  # between two looks at the device's memory
HELD_S = 1.0  # between two tries to write a result to a disk that is full
_NO_SPACE = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND

_log = logging.getLogger(__name__)


class Bench(Protocol):
    """What a worker works with: `bench.Bench`, or a stand-in of a test."""

    name: str  # of the device
    label: str

    def capture(  # noqa: D102
        self,
        request: CaptureRequest,
        *,
        report: Callable[[str, int, int], None],
        publish: Callable[[Capture], None],
        small: bool,
    ) -> Capture: ...
    def release(self) -> None: ...  # noqa: D102
    def memory(self) -> tuple[int | None, int | None]: ...  # noqa: D102


def main() -> int:
    """The worker of the command line; the exit status."""
    device, cache, cache_bytes = sys.argv[1:4]

    def make() -> Bench:
        # Here and not above: torch takes seconds to load, and the server may end meanwhile.
        from . import bench

        return bench.Bench(device, cache=Path(cache), cache_bytes=int(cache_bytes))

    return serve(make)


def serve(make: Callable[[], Bench]) -> int:
    """Does jobs until standard input closes; only a bench that cannot be made returns."""
    channel = _Channel()
    _prepare()
    try:
        bench = make()
    except Exception:
        _log.exception("the worker cannot start")
        return 1
    # What is loaded stays. To look through it for garbage took half a second of every cancel.
    gc.freeze()
    total, free = bench.memory()
    channel.say(lines.Ready(bench.name, bench.label, total, free))
    while True:
        _Task(bench, channel, channel.works.get()).run()


class _Channel:
    """The lines to and from the supervisor; what prints to standard output goes elsewhere."""

    def __init__(self) -> None:
        self.works: queue.SimpleQueue[lines.Work] = queue.SimpleQueue()
        self._orders = os.fdopen(os.dup(0), "rb")
        self._said = os.fdopen(os.dup(1), "wb")
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        self._stopped: set[tuple[str, int]] = set()
        self._news = threading.Event()
        threading.Thread(target=self._listen, name="orders", daemon=True).start()

    def say(self, line: lines.Line) -> None:
        """Tells the supervisor; without one there is nobody to work for."""
        try:
            self._said.write(lines.write(line))
            self._said.flush()
        except OSError:
            os._exit(0)

    def stopped(self, work: lines.Work) -> bool:
        """Whether the supervisor wants no more of `work`."""
        return (work.job, work.attempt) in self._stopped

    def wait(self, seconds: float) -> None:
        """Returns after so long, or as soon as something is not wanted any more."""
        self._news.wait(seconds)
        self._news.clear()

    def _listen(self) -> None:
        for data in self._orders:
            match lines.read(data):
                case lines.Work() as work:
                    self.works.put(work)
                case lines.Stop(job, attempt):
                    self._stopped.add((job, attempt))
                    self._news.set()
        # The server has gone. Nothing here is worth a tidy end: files are whole or not there.
        os._exit(0)


class _Task:
    """One attempt at one job."""

    def __init__(self, bench: Bench, channel: _Channel, work: lines.Work) -> None:
        self._bench, self._channel, self._work = bench, channel, work
        self._stage: str | None = None
        self._said_s = self._looked_s = -1e9

    def run(self) -> None:
        """Does the job and says how it ended, in one line, after its log is complete."""
        with _logged(Path(self._work.log)):
            _log.info("attempt %d on %s", self._work.attempt, self._bench.name)
            end = self._end()
            if not isinstance(end, lines.Finished):
                self._release()
        self._channel.say(end)
        if isinstance(end, lines.Finished):
            self._release()
        self._say_memory()

    def _end(self) -> lines.Line:
        job, attempt = self._work.job, self._work.attempt
        try:
            capture = self._capture()
            self._save(capture)
            return lines.Finished(job, attempt, capture.notes)
        except Cancelled:
            _log.info("cancelled")
            return lines.Stopped(job, attempt)
        except StripMocapError as error:
            _log.info("%s: %s", error.code, error.message)
            return lines.Failed(job, attempt, JobError.of(error))
        except MemoryError:
            _log.exception("out of memory")
            error = DeviceOutOfMemory("there is too little memory for this job")
            return lines.Failed(job, attempt, JobError.of(error))
        except Exception:
            _log.exception("internal error")
            error = ServiceError(
                "internal error, see the job's log",
                hint="Retry the job. If it fails again, report it with the log.",
            )
            return lines.Failed(job, attempt, JobError.of(error))

    def _capture(self) -> Capture:
        self._check()
        return self._bench.capture(
            CaptureRequest.from_json(self._work.request),
            report=self._report,
            publish=self._publish,
            small=self._work.small,
        )

    def _named(self, capture: Capture) -> Capture:
        """The capture, saying of its footage what its owner knows: no path of this machine."""
        told, footage = capture.provenance, self._work.footage
        request, source = told.get("request", {}), told.get("source", {})
        clip = {**request.get("clip", {}), "path": footage.path}
        named = {"request": {**request, "clip": clip}, "source": {**source, "name": footage.name}}
        return replace(capture, provenance={**told, **named})

    def _save(self, capture: Capture) -> None:
        self._check()
        capture = self._named(capture)
        while True:
            try:
                return result_file.save(capture, Path(self._work.result))
            except ResultFileError as error:
                # What may have taken hours is not thrown away for a disk that fills up.
                if not _is_full(error.__cause__):
                    raise
                why = f"{error.message}. The job is done as soon as there is space."
            self._channel.say(lines.Held(self._work.job, self._work.attempt, why))
            self._channel.wait(HELD_S)
            self._check()

    def _check(self) -> None:
        if self._channel.stopped(self._work):
            raise Cancelled("the job was cancelled")

    def _report(self, stage: str, done: int, of: int) -> None:
        self._check()
        now = time.monotonic()
        if stage == self._stage and now - self._said_s < REPORT_S:
            return
        self._stage, self._said_s = stage, now
        work = self._work
        self._channel.say(lines.Reported(work.job, work.attempt, stage, int(done), int(of)))
        if now - self._looked_s >= MEMORY_S:
            self._looked_s = now
            self._say_memory()

    def _publish(self, capture: Capture) -> None:
        self._check()
        try:
            result_file.save(self._named(capture), Path(self._work.partial))
        except ResultFileError as error:
            _log.warning("what is finished is not shown (%s)", error.message)
        else:
            self._channel.say(lines.Published(self._work.job, self._work.attempt))

    def _release(self) -> None:
        try:
            self._bench.release()
        except Exception:
            # The device is in a state that nobody knows: a fresh process is the only cure.
            _log.exception("the device's memory cannot be freed")
            os._exit(1)

    def _say_memory(self) -> None:
        self._channel.say(lines.Memory(*self._bench.memory()))


def _is_full(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno in _NO_SPACE


@contextlib.contextmanager
def _logged(path: Path) -> Iterator[None]:
    """Sends everything that is printed, by libraries in C too, to the end of the file at `path`."""
    usual = os.dup(2)
    try:
        log = os.open(path, _APPEND, 0o600)
    except OSError as error:
        _log.warning("%s cannot be written (%s)", path, error.strerror)
        log = os.dup(usual)
    try:
        _print_to(log)
        yield
    finally:
        _print_to(usual)


def _print_to(descriptor: int) -> None:
    """Makes `descriptor`, which is closed, standard output and standard error."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def _prepare() -> None:
    """Makes the process one that can be ended without harm."""
    faulthandler.enable()  # says in the log where a library crashed
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor decides
    if sys.platform == "linux":
        # A library that hangs in C keeps the thread that listens from running. Then the system
        # ends this process with the server's thread that started it, which lives as long as it.
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        with contextlib.suppress(OSError):  # out of memory, rather this process than the server
            Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")


if __name__ == "__main__":
    sys.exit(main())
