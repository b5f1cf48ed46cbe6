"""`serve`: one service on one data folder, from its lock to its last word.

What a killed service left behind never stands in the way: the lock went with it, its handover is
replaced, and what it was working on is queued again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from importlib import metadata
from pathlib import Path
from types import FrameType

from ..contract import handover, private_file
from ..contract.errors import BackendUnavailable, NotAllowed, StripMocapError
from ..contract.handover import Handover
from ..contract.jobs import CONTRACT
from ..settings import CACHE, LOGS, UPLOADS, Settings
from ..steps import StepStore
from . import listener, logs
from .life import Life, input_closes
from .listener import DRAIN_S, Listener
from .lock import Lock
from .queue.store import Store
from .web import app
from .web.events import Events
from .web.guards import owner_of
from .web.uploads import Uploads
from .workers.supervisor import Supervisor

TOKEN_FILE = "token"
MIN_TOKEN_LENGTH = 24
START_S = 30.0  # that a service may take until it listens
STOP_S = 2.0  # that workers may take to let go
HANG_S = 10.0  # after which a service that ought to have ended is ended the hard way
_LOOK_S = 0.1

log = logging.getLogger(__name__)


def serve(
    settings: Settings,
    *,
    token_file: Path | None = None,
    new_token: bool = False,
    worker_command: Sequence[str] | None = None,
) -> int:
    """Runs the service until it is told to end; or finds the one that runs on the same folder.

    Either way the first line on the standard output is the handover of the service that runs.

    Args:
        settings: how it runs.
        token_file: where the token of a service for other machines is kept; by default in the
            data folder. Given for a service of this machine, it too keeps its token.
        new_token: a kept token is replaced; clients must be told the new one.
        worker_command: what a worker is, for tests.

    Returns:
        0.

    Raises:
        StripMocapError: it cannot start; the hint says what to do.
    """
    os.umask(0o077)  # all that it makes is its user's alone
    _make_folder(settings.data)
    lock = Lock(settings.data)
    running = _taken_or_found(lock, settings.data)
    if running is not None:
        _tell(running)
        _say(f"A service runs on {settings.data} already, at {running.url}.")
        return 0
    try:
        handover.remove(settings.data)
        token = _token(settings, token_file, new_token=new_token)
        _run(settings, token, worker_command)
    finally:
        handover.remove(settings.data)
        lock.give_back()
    return 0


def _run(settings: Settings, token: str, worker_command: Sequence[str] | None) -> None:
    """Everything between the lock and the end; returns when the service has ended."""
    logs.begin(settings.data / LOGS, secrets=[token])
    listener.check_certificate(settings)
    listener.allow_files()
    events = Events(secrets.token_hex(8))
    with (
        listener.bind(settings) as listening,
        closing(Store(settings.data, changed=events.changed)) as store,
    ):
        uploads = Uploads(settings.data / UPLOADS, limit_bytes=settings.upload_bytes)
        supervisor = Supervisor(
            store,
            settings,
            changed=events.changed,
            command=worker_command,
            footage_of=uploads.footage_of,
        )
        life = Life(
            events.epoch,
            finish_jobs=settings.finish_jobs,
            starter=_starter(settings.data),
            notices=lambda: [*store.notices, *supervisor.notices],
        )
        calls = app.make(
            store=store,
            supervisor=supervisor,
            events=events,
            uploads=uploads,
            settings=settings,
            token=token,
            steps=StepStore(settings.data / CACHE, limit_bytes=settings.cache_bytes),
            life=life,
        )
        told = _handover(settings, listening, token=token, epoch=life.epoch)
        service = Listener(calls, settings, listening=lambda: _announce(settings, life, told))
        for job in store.recover():
            log.info("job %s was interrupted", job.id)
        supervisor.start()
        ending = _in_background(
            lambda: _end(settings.data, life, events=events, service=service, supervisor=supervisor)
        )
        if settings.attached:
            _in_background(
                lambda: life.outlive(
                    gone=input_closes, busy=lambda: _busy(store), calls=service.calls
                )
            )
        try:
            service.run(sockets=[listening])
        finally:
            life.stop()
            ending.join(STOP_S + DRAIN_S)
            log.info("ended")


def _end(
    data: Path, life: Life, *, events: Events, service: Listener, supervisor: Supervisor
) -> None:
    """Waits until the service is to end, and sends everybody home."""
    life.wait()
    log.info("ending")
    handover.remove(data)  # first: who starts now waits for the lock instead of finding us
    _in_background(_end_the_hard_way)
    events.close()
    service.should_exit = True
    supervisor.stop(wait_s=STOP_S)


def _end_the_hard_way() -> None:
    # The job list is safe at every moment, so nothing is lost; a process that hangs holds the lock.
    time.sleep(HANG_S)
    log.error("still here after %g s", HANG_S)
    os._exit(1)


def _announce(settings: Settings, life: Life, told: Handover) -> None:
    """Says where the service is, now that it listens, and what makes it stop."""
    loop = asyncio.get_running_loop()

    def stop(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(life.stop)

    for name in ("SIGINT", "SIGTERM", "SIGBREAK", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:  # as nohup has it
            signal.signal(number, stop)
    handover.write(settings.data, told)
    log.info("version %s listens at %s", told.version, told.url)
    _tell(told)
    where = f"Strip Mocap listens at {told.url}. Its data are in {settings.data}."
    if settings.remote:
        where += " Clients elsewhere need its token, see docs/service.md."
    _say(f"{where}\nCtrl-C ends it; what runs then goes on at the next start.")


def _handover(settings: Settings, listening: socket.socket, *, token: str, epoch: str) -> Handover:
    return Handover(
        url=listener.url(settings, listening),
        token=token,
        pid=os.getpid(),
        epoch=epoch,
        version=metadata.version("stripmocap"),
        contract=CONTRACT,
    )


def _taken_or_found(lock: Lock, data: Path) -> Handover | None:
    """None once the lock is ours; else where the service listens that has it.

    Raises:
        BackendUnavailable: somebody has the lock and does not say where.
    """
    until = time.monotonic() + START_S
    before = None
    while not lock.take():
        found = handover.read(data)
        # Who takes the lock removes what a killed service left there. Seen twice, it is not that.
        if found is not None and found == before:
            return found
        before = found
        if time.monotonic() > until:
            raise BackendUnavailable(
                f"another service uses {data} and does not say where it listens",
                hint="End it, or choose another data folder (--data).",
            )
        time.sleep(_LOOK_S)
    return None


def _token(settings: Settings, token_file: Path | None, *, new_token: bool) -> str:
    """What lets clients in: kept for those on other machines, else new at each start."""
    if not settings.remote and token_file is None:
        return secrets.token_urlsafe(32)
    path = token_file or settings.data / TOKEN_FILE
    if new_token:
        private_file.write(path, secrets.token_urlsafe(32) + "\n")
    token = private_file.kept(path, lambda: secrets.token_urlsafe(32))
    if len(token) < MIN_TOKEN_LENGTH or not token.isascii() or not token.isprintable():
        raise NotAllowed(
            f"{path} holds no token that is hard to guess",
            hint=f"At least {MIN_TOKEN_LENGTH} letters and digits; --new-token makes one.",
        )
    return token


def _starter(data: Path) -> str | None:
    """The owner, as the service knows clients, whose key whoever started us has; None: unknown."""
    key = os.environ.get("STRIPMOCAP_CLIENT") or private_file.read(data / handover.CLIENT_KEY_FILE)
    return owner_of(key.strip().lower()) if key else None


def _busy(store: Store) -> bool:
    try:
        return any(store.counts())
    except StripMocapError:
        log.exception("the queue cannot be counted")
        return True


def _make_folder(data: Path) -> None:
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise private_file.refused(data, error) from error


def _tell(told: Handover) -> None:
    """The first line of the standard output."""
    with contextlib.suppress(OSError, ValueError):  # nobody listens, or there is no output
        print(told.line(), flush=True)


def _say(text: str) -> None:
    """What a person at a terminal should know."""
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


def _in_background(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread
