"""The service that a panel talks to: found running, started as a child, or at another machine.

A child is started `--attached`: it ends when its standard input closes, that is with Blender,
however Blender ends. Where it listens is read from the handover in the data folder, so nothing
waits for what it prints. Everything here may take seconds and belongs in the watcher's thread.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..contract import errors, handover, private_file, service
from . import python

START_S = 60.0  # from its start until it answers
LOG = "start.log"
_LOOK_S = 0.1


@dataclass(frozen=True)
class ThisComputer:
    """The service of this user on this computer; it is started if it does not run.

    Two are equal if they mean the same service: how it is started makes no other one of it.
    """

    data: Path  # folder of jobs, cache and logs
    checkout: Path  # of the extension, see `python.find`
    python: Path | None = None  # chosen by the user
    device: str = field(default="auto", compare=False)
    cache_gb: float | None = field(default=None, compare=False)  # None: as the service has it
    # It works its queue off after Blender has gone.
    finish_jobs: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class MyServer:
    """A service that somebody else started, on this or another machine."""

    url: str
    token: str
    data: Path  # folder of this user's client key
    ca: Path | None = None


Backend = ThisComputer | MyServer


@dataclass(frozen=True)
class Link:
    """A service that has answered, and the child process if it is ours."""

    service: service.Service
    child: subprocess.Popen[bytes] | None = None

    @property
    def died(self) -> bool:
        """Whether it was our child and has ended."""
        return self.child is not None and self.child.poll() is not None


def let_go(child: subprocess.Popen[bytes], *, wait_s: float = 1.0) -> None:
    """Closes what keeps a service alive that we started; it ends unless it is to finish its jobs.

    Waits for its end no longer than `wait_s`.
    """
    if child.stdin is not None:
        child.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(wait_s)


def link(
    backend: Backend,
    *,
    start: bool = True,
    stopping: Callable[[], bool] = lambda: False,
    timeout_s: float = START_S,
) -> Link:
    """The service of `backend`, which has answered.

    Args:
        backend: where it is.
        start: whether it is started if it does not run; else BackendUnavailable.
        stopping: asked now and then whether to give up.
        timeout_s: for the start.

    Raises:
        Cancelled: `stopping` became true.
        StripMocapError: it cannot be had; the hint says what to do.
    """
    if not start and isinstance(backend, ThisComputer) and not backend.data.is_dir():
        raise errors.BackendUnavailable("the service of this computer has never run")
    _make_folder(backend.data)
    if isinstance(backend, MyServer):
        there = service.Service(
            backend.url, token=backend.token, client_key=_key(backend), ca=backend.ca
        )
        there.health()
        return Link(there)
    running = _found(backend)
    if running is not None:
        return Link(running)
    if not start:
        raise errors.BackendUnavailable("the service of this computer does not run")
    child = _started(backend)
    try:
        there = _answering(backend, child, stopping=stopping, timeout_s=timeout_s)
        # A child that found another service running has ended well.
        return Link(there, child if child.poll() is None else None)
    except BaseException:
        child.kill()
        child.wait()
        raise


def name_of(url: str) -> str:
    """The machine in an address; empty if it is no address."""
    try:
        return urllib.parse.urlsplit(url.strip()).hostname or ""
    except ValueError:
        return ""


def command(backend: ThisComputer) -> list[str]:
    """What starts the service of this computer.

    Raises:
        BackendUnavailable: the backend is not there.
    """
    found = python.find(backend.python, data=backend.data, checkout=backend.checkout)
    words = [str(found), "-m", "stripmocap", "serve", "--attached", "--data", str(backend.data)]
    if backend.device != "auto":
        words += ["--device", backend.device]
    if backend.cache_gb is not None:
        words += ["--cache-gb", f"{backend.cache_gb:g}"]
    if backend.finish_jobs:
        words += ["--finish-jobs"]
    return words


def _found(backend: ThisComputer) -> service.Service | None:
    """The service that runs, if one does and answers."""
    left = handover.read(backend.data)
    if left is None:
        return None
    there = service.Service.of(left, client_key=_key(backend))
    try:
        there.health()
    except (errors.BackendUnavailable, errors.NotAllowed, errors.RequestError):
        return None  # it was killed, or its port is somebody else's by now
    return there


def _started(backend: ThisComputer) -> subprocess.Popen[bytes]:
    words = command(backend)
    try:
        with (backend.data / LOG).open("wb") as log:
            return subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=python.environment(),
                creationflags=python.window_flags(),
                cwd=backend.data,
                # Ctrl+C in the terminal that Blender was started from is not for the service.
                start_new_session=True,
            )
    except OSError as error:
        raise errors.BackendUnavailable(
            f"{words[0]} does not run ({error.strerror or error})",
            hint="Choose the python program of the backend's environment in the preferences.",
        ) from error


def _answering(
    backend: ThisComputer,
    child: subprocess.Popen[bytes],
    *,
    stopping: Callable[[], bool],
    timeout_s: float,
) -> service.Service:
    """The service, once it answers: the child, or one that was started at the same moment."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if stopping():
            raise errors.Cancelled("Blender lets go of the service")
        there = _found(backend)
        if there is not None:
            return there
        if child.poll():
            raise errors.BackendUnavailable(
                f"the service did not start ({_last_words(backend)})",
                hint="Press Check in the preferences to see what is missing.",
            )
        time.sleep(_LOOK_S)
    raise errors.BackendUnavailable(
        f"the service did not answer within {timeout_s:.0f} s",
        hint=f"See {backend.data / LOG} and try again.",
    )


def _last_words(backend: ThisComputer) -> str:
    try:
        said = (backend.data / LOG).read_bytes()[-2000:].decode("utf-8", "replace").split("\n")
    except OSError:
        said = []
    return next((each.strip()[:300] for each in reversed(said) if each.strip()), "no reason given")


def _key(backend: Backend) -> str:
    return handover.client_key(backend.data)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise private_file.refused(folder, error) from error
