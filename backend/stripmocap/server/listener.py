"""The socket, TLS and uvicorn: what listens for calls and hands them to the app.

A connection that does not say what it wants within `HEADER_S` is closed: uvicorn itself would wait
for ever, and a few hundred such connections would keep everybody else out.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..contract.errors import RequestError, ServiceError
from ..settings import Settings

HEADER_S = 10.0  # from the first byte of a call, or the connection, to the end of its headers
KEEP_ALIVE_S = 15  # between two calls on a connection
MAX_CONNECTIONS = 400
MAX_FILES = 2048  # open at once; macOS allows 256 unless it is asked
DRAIN_S = 1  # for calls that are being answered when the service ends


class Listener(uvicorn.Server):
    """uvicorn, run by us: our signals, our socket, a word when it listens."""

    def __init__(
        self, app: Any, settings: Settings, *, listening: Callable[[], None] | None = None
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=Impatient,
                loop="asyncio",
                ws="none",
                lifespan="off",
                log_config=None,  # into the log of the whole process
                server_header=False,
                # Only the proxy in front may say who calls.
                proxy_headers=settings.behind_proxy,
                limit_concurrency=MAX_CONNECTIONS,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=DRAIN_S,
                ssl_certfile=settings.tls_cert,
                ssl_keyfile=settings.tls_key,
            )
        )
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens, and says so."""
        await super().startup(sockets)
        if self.started and self._listening is not None:
            self._listening()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the signals to the process."""
        yield

    def calls(self) -> int:
        """Callers who wait for an answer now and have not gone away."""
        return sum(
            each.cycle is not None and not each.cycle.response_complete
            for each in list(self.server_state.connections)
            if isinstance(each, H11Protocol)
        )


class Impatient(H11Protocol):
    """A connection that is closed if a call does not begin, or its headers do not end, in time."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for the first call."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Takes what came, and waits for the rest of the headers if they are not whole."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the connection."""
        super().connection_lost(exc)
        self._rest()

    def _watch(self) -> None:
        answering = self.cycle is not None and not self.cycle.response_complete
        # uvicorn's own timer runs between two calls.
        if answering or self.timeout_keep_alive_task is not None:
            self._rest()
        elif self._late is None:
            self._late = self.loop.call_later(HEADER_S, self._close)

    def _rest(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _close(self) -> None:
        if not self.transport.is_closing():
            self.transport.abort()


def allow_files() -> None:
    """Lets this process have as many open files as `MAX_CONNECTIONS` needs, if the system does."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_FILES if hard == resource.RLIM_INFINITY else min(MAX_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def bind(settings: Settings) -> socket.socket:
    """A socket at the host and port of `settings`.

    Raises:
        RequestError: the host is none of this machine, or the port is taken or not ours to take.
    """
    place = f"port {settings.port} of {settings.host}" if settings.port else settings.host
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host.strip("[]"), settings.port, type=socket.SOCK_STREAM
        )[0]
        found = socket.socket(family, kind, protocol)
    except OSError as error:
        raise RequestError(
            f"{settings.host} is no address of this machine ({error.strerror or error})",
            hint="Give --host 127.0.0.1, or an address of this machine.",
        ) from error
    try:
        if sys.platform == "win32":
            found.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen()
    except OSError as error:
        found.close()
        hint = "Choose another --port, or 0 for any that is free."
        if error.errno == errno.EADDRINUSE:
            raise RequestError(f"{place} is in use by another program", hint=hint) from error
        raise RequestError(
            f"{place} cannot be listened at ({error.strerror or error})", hint=hint
        ) from error
    return found


def check_certificate(settings: Settings) -> None:
    """Makes sure that the TLS files of `settings`, if any, can be used.

    Raises:
        ServiceError: one is missing, unreadable or locked, or they do not belong together.
    """
    if settings.tls_cert is None or settings.tls_key is None:
        return
    for each in (settings.tls_cert, settings.tls_key):
        try:
            each.open("rb").close()
        except OSError as error:
            raise ServiceError(
                f"{each} cannot be read ({error.strerror or error})",
                hint="Check the name, and that you may read it.",
            ) from error
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            settings.tls_cert, settings.tls_key, password=_no_password
        )
    except (ssl.SSLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or str(error)
        raise ServiceError(
            f"{settings.tls_cert} and {settings.tls_key} cannot be used for TLS ({reason})",
            hint="Give a certificate and the key that it was made for, both in PEM format and "
            "the key without a password.",
        ) from error


def url(settings: Settings, listening: socket.socket) -> str:
    """Where programs on this machine reach the service at the socket `listening`."""
    scheme = "https" if settings.tls_cert else "http"
    host, port = listening.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:
        # A certificate is made for a name.
        named = bool(settings.tls_cert and settings.host_names)
        host = settings.host_names[0] if named else ("127.0.0.1" if host == "0.0.0.0" else "::1")
    elif settings.tls_cert:
        host = settings.host
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _no_password() -> str:
    raise ValueError("the key has a password")
