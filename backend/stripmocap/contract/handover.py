"""How a client finds a service that runs on its machine, and says who it is.

A service writes where it listens and its token into `server.json` of its data folder, for its user
alone, and the same as the first line of its standard output. A killed service leaves the file
behind: whether one runs is known only when it answers.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from . import private_file
from .errors import BackendMismatch, NotAllowed
from .jobs import CLIENT_KEY_LENGTH, from_json, to_json

FILE = "server.json"
CLIENT_KEY_FILE = "client.key"


@dataclass(frozen=True)
class Handover:
    """Where a service listens, and what lets a client in."""

    url: str  # without a slash at its end
    token: str
    pid: int
    epoch: str  # of this run of it
    version: str
    contract: int

    def line(self) -> str:
        """The handover as one line of JSON, without its end."""
        return json.dumps(to_json(self))

    @classmethod
    def of_line(cls, text: str) -> Handover:
        """The handover that `line` wrote.

        Raises:
            BackendMismatch: it is none.
        """
        try:
            return from_json(cls, json.loads(text))
        except json.JSONDecodeError as error:
            raise BackendMismatch(
                f"{text[:60]!r} is no handover of the service",
                hint="Use the same version of Strip Mocap on both sides.",
            ) from error


def read(data: Path) -> Handover | None:
    """What the last service on the folder `data` left there; None if nothing, or nothing whole.

    Raises:
        ServiceError: the file cannot be read.
    """
    text = private_file.read(data / FILE)
    if not text:
        return None
    try:
        return Handover.of_line(text)
    except BackendMismatch:
        return None  # of another version, or damaged: nobody can be found by it


def write(data: Path, handover: Handover) -> None:
    """Says in the folder `data` where the service is.

    Raises:
        DiskFull, ServiceError: the file cannot be written.
    """
    private_file.write(data / FILE, handover.line() + "\n")


def remove(data: Path) -> None:
    """Takes back what `write` said, if the system lets us: who reads it must try it anyway."""
    try:
        (data / FILE).unlink(missing_ok=True)
    except OSError:
        return


def client_key(data: Path) -> str:
    """The secret by which the service knows this user's jobs; made at the first call.

    Raises:
        NotAllowed: what is kept there is no key.
        DiskFull, ServiceError: it cannot be read or written.
    """
    path = data / CLIENT_KEY_FILE
    return checked_key(private_file.kept(path, new_client_key), source=str(path))


def new_client_key() -> str:
    """A client's secret that nobody can guess."""
    return secrets.token_hex(CLIENT_KEY_LENGTH // 2)


def checked_key(text: str, *, source: str) -> str:
    """The client's secret in `text`, which came from `source`.

    Raises:
        NotAllowed: it is none.
    """
    key = text.strip().lower()
    if len(key) != CLIENT_KEY_LENGTH or set(key) - set("0123456789abcdef"):
        raise NotAllowed(
            f"{source} holds no client key",
            hint=f"A key is {CLIENT_KEY_LENGTH} hexadecimal digits. Delete the file and a new one "
            "is made; jobs of the old key are then nobody's.",
        )
    return key


def is_loopback(host: str) -> bool:
    """Whether only this machine can call `host`."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
