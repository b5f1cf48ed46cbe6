"""Which service a command speaks to, and as whom: found on this machine, named, or started."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

from ..contract import handover, private_file
from ..contract.errors import (
    BackendMismatch,
    BackendUnavailable,
    NotAllowed,
    RequestError,
    ServiceError,
)
from ..contract.handover import Handover
from ..contract.service import Service
from ..server import lock
from ..settings import data_folder

SERVE = (sys.executable, "-m", "stripmocap", "serve")
START_S = 60.0  # that a service may take until it listens
_APART = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(
    subprocess, "CREATE_NO_WINDOW", 0
)
STOP_S = 15.0  # that a service may take to end
FIND_S = 5.0  # that one which is starting is waited for


def data_of(arguments: argparse.Namespace) -> Path:
    """The data folder that the arguments mean."""
    return absolute(arguments.data) if arguments.data else data_folder()


def absolute(path: Path) -> Path:
    """`path` as a service in another folder understands it."""
    return path.expanduser().absolute()


def address_of(arguments: argparse.Namespace) -> str | None:
    """Where the service on another machine is that the arguments mean; None: on this one."""
    return arguments.url or os.environ.get("STRIPMOCAP_URL")


def connect(arguments: argparse.Namespace) -> Service:
    """The service that the arguments mean.

    Raises:
        BackendUnavailable: none runs on this machine, and no address of another was given.
        StripMocapError: address, token, certificate or key cannot be used.
    """
    url = address_of(arguments)
    ca = _path(arguments.ca, "STRIPMOCAP_CA")
    if not url:
        data = data_of(arguments)
        return running(data, client_key=client_key(arguments), ca=ca)
    token_file = _path(arguments.token_file, "STRIPMOCAP_TOKEN_FILE")
    if token_file is None:
        raise NotAllowed(
            f"the service at {url} asks for a token",
            hint="Give the file that it stands in (--token-file).",
        )
    token = private_file.read(token_file)
    if not token:
        raise NotAllowed(f"{token_file} holds no token", hint="Copy it from the service's machine.")
    return Service(url, token=token, client_key=client_key(arguments), ca=ca)


def running(data: Path, *, client_key: str | None = None, ca: Path | None = None) -> Service:
    """The service that runs on the folder `data`.

    Raises:
        BackendUnavailable: none does.
    """
    until = time.monotonic() + FIND_S
    while lock.held(data):
        found = handover.read(data)
        if found is not None:
            return Service.of(found, client_key=client_key, ca=ca)
        if time.monotonic() > until:
            break
        time.sleep(0.1)
    raise BackendUnavailable(
        f"no service runs on {data}",
        hint="Start one in another terminal (stripmocap serve), or for your jobs alone "
        "(stripmocap jobs add VIDEO --start-service). For one on another machine give --url.",
    )


def client_key(arguments: argparse.Namespace) -> str:
    """The secret by which the service knows whose jobs these are."""
    if arguments.client_key_file:
        text = private_file.read(arguments.client_key_file)
        return handover.checked_key(text or "", source=str(arguments.client_key_file))
    given = os.environ.get("STRIPMOCAP_CLIENT")
    if given:
        return handover.checked_key(given, source="STRIPMOCAP_CLIENT")
    data = data_of(arguments)
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise private_file.refused(data, error) from error
    return handover.client_key(data)


class Started:
    """A service in the background that works the queue off and ends, once this process has."""

    def __init__(self, data: Path) -> None:
        """Starts it; `found` then says where it is.

        Raises:
            BackendUnavailable: it does not start.
        """
        with tempfile.TemporaryFile() as said:
            # It ends when its input closes and the queue is empty: this process holds the input.
            self._process = subprocess.Popen(
                [*SERVE, "--data", str(data), "--attached", "--finish-jobs"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                # So that a Ctrl-C here does not end it.
                start_new_session=sys.platform != "win32",
                creationflags=_APART,
            )
            try:
                self.found = self._first_word(said)
            except BaseException:
                self.let_go()
                raise

    def let_go(self) -> None:
        """Leaves it alone, as the end of this process would."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _first_word(self, said: IO[bytes]) -> Handover:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line:
            return Handover.of_line(line.decode())
        self._process.wait(START_S)
        said.seek(0)
        raise BackendUnavailable(
            f"the service does not start ({said.read(2000).decode(errors='replace').strip()})",
            hint="Try it in the foreground: stripmocap serve.",
        )


def start(arguments: argparse.Namespace) -> tuple[Service, Started | None]:
    """The service on this machine, and what holds it if it had to be started.

    Raises:
        RequestError: the arguments name another machine.
    """
    if address_of(arguments):
        raise RequestError(
            "a service on another machine cannot be started from here",
            hint="Leave out --start-service, or --url.",
        )
    data, key = data_of(arguments), client_key(arguments)
    ca = _path(arguments.ca, "STRIPMOCAP_CA")
    if lock.held(data):
        return running(data, client_key=key, ca=ca), None
    started = Started(data)
    return Service.of(started.found, client_key=key, ca=ca), started


def stop(service: Service, data: Path | None) -> None:
    """Ends `service`, and waits for it if it uses the folder `data`.

    Raises:
        ServiceError: it has not ended in time.
    """
    try:
        service.stop()
    except (BackendMismatch, BackendUnavailable, NotAllowed):
        # Of another version, with a certificate that is not known here, or behind a proxy: it must
        # not stand in the way of its own user.
        if data is None or not _signalled(data):
            raise
    until = time.monotonic() + STOP_S
    while data is not None and lock.held(data):
        if time.monotonic() > until:
            raise ServiceError(
                f"the service at {service.url} has not ended in {STOP_S:g} s",
                hint="It will, or end its process.",
            )
        time.sleep(0.05)
    print("The service has ended." if data else "The service ends.")


def _signalled(data: Path) -> bool:
    """Whether the process of the service that runs on `data` was asked to end."""
    found = handover.read(data)
    if found is None or not lock.held(data):
        return False
    try:
        os.kill(found.pid, signal.SIGTERM)
    except OSError:
        return False
    return True


def _path(given: Path | None, variable: str) -> Path | None:
    text = os.environ.get(variable)
    return given or (Path(text) if text else None)
