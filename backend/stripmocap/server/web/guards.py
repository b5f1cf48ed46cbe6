"""Who may call, and how much they may send: everything that is looked at before a route is.

Plain ASGI around the whole application. A page in a browser cannot get in: it sends an Origin or
says that it is cross-site (there is no CORS, ever), and a name that was rebound to this machine is
none that the service goes by. A token is needed for all but the description of the service. Bodies
are counted as they come, whatever they claim, and must come steadily.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from collections.abc import Callable
from ipaddress import ip_address

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...contract.errors import BackendMismatch, NotAllowed, RequestError, StripMocapError, TooLarge
from ...contract.jobs import (
    CLIENT_HEADER,
    CLIENT_KEY_LENGTH,
    CONTRACT,
    CONTRACT_HEADER,
    MAX_CHUNK_BYTES,
)
from ...settings import Settings
from .answers import Refused, bug, fault

MAX_JSON_BYTES = 2**20
MAX_HEADERS = 64
MAX_HEADER_BYTES = 16 * 1024
MAX_TARGET_BYTES = 4096  # path and query
MAX_TOKEN_LENGTH = 512
IDLE_S = 20.0  # in which something more of a body must come
WHOLE_S = 300.0  # in which all of it must
OPEN_PATHS = frozenset({"/docs", "/openapi.json"})  # no secrets there, so no token is asked for
CLIENT_KEY = rf"^[0-9a-f]{{{CLIENT_KEY_LENGTH}}}$"
_CHUNK_PATH = re.compile(r"/v1/uploads/[0-9a-f]{64}")
_OWN_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
_HARMLESS_SITES = frozenset({"none", "same-origin"})  # typed by a person; asked by our own page
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    CONTRACT_HEADER: str(CONTRACT),
}


class Guard:
    """The door of the service.

    Args:
        app: what is behind it.
        settings: the names by which it may be called.
        token: that every client has.
        heard: told the owner of each call that got in; None if it did not say who it is.
        idle_s: seconds in which something more of a body must come.
        whole_s: seconds in which all of it must.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: Settings,
        token: str,
        heard: Callable[[str | None], None],
        idle_s: float = IDLE_S,
        whole_s: float = WHOLE_S,
    ) -> None:
        self._app = app
        self._settings = settings
        self._token = token
        self._heard = heard
        self._idle_s = idle_s
        self._whole_s = whole_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers itself, or lets the call in."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        guarded = _Send(send)
        try:
            self._check(scope)
            body = _Body(receive, limit=_limit(scope), idle_s=self._idle_s, whole_s=self._whole_s)
            if not _is_chunk(scope):
                await body.gather()
            await self._app(scope, body, guarded)
        except ClientDisconnect:
            return
        except Refused as refusal:
            answer = fault(refusal.error, status=refusal.status)
        except StripMocapError as error:
            answer = fault(error)
        except Exception:
            answer = bug(f"{scope['method']} {scope['path']}")
        else:
            return
        if not guarded.started:  # else the client sees that the answer breaks off
            await answer(scope, receive, guarded)

    def _check(self, scope: Scope) -> None:
        """Raises Refused unless the call is well-formed, from a program, and allowed."""
        check_size(scope)
        headers = Headers(scope=scope)
        check_host(headers, self._settings, address=scope.get("server"))
        check_origin(headers)
        check_contract(headers)
        if scope["path"] in OPEN_PATHS:
            return
        check_token(headers, self._token)
        key = headers.get(CLIENT_HEADER)
        self._heard(owner_of(key) if key and re.fullmatch(CLIENT_KEY, key) else None)


def owner_of(key: str) -> str:
    """By which name the service keeps what belongs to the client with this secret."""
    return hashlib.sha256(key.encode()).hexdigest()


def check_size(scope: Scope) -> None:
    """Raises Refused if the call's address or headers are absurd."""
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MAX_TARGET_BYTES:
        raise Refused(414, TooLarge("the address is too long", hint="Send less in one call."))
    headers = scope["headers"]
    if (
        len(headers) > MAX_HEADERS
        or sum(len(name) + len(value) for name, value in headers) > MAX_HEADER_BYTES
    ):
        raise Refused(431, TooLarge("the headers are too many or too long", hint="Send fewer."))


def check_host(headers: Headers, settings: Settings, *, address: tuple[str, int] | None) -> None:
    """Raises Refused if the call is for a name that the service does not go by.

    Args:
        headers: of the call.
        settings: `host` and `host_names` are its names.
        address: at which the call arrived: the port of an own name must be the one listened at.
    """
    given = headers.getlist("host")
    name, port = _host_and_port(given[0]) if len(given) == 1 else ("", None)
    here, listening = address or ("", None)
    others = {each.lower().strip("[]") for each in (settings.host, *settings.host_names)}
    if name in others - _OWN_NAMES and not _is_anywhere(name):
        return  # whatever is in front of it may listen at another port
    own = _OWN_NAMES | ({here} if not _is_anywhere(here) else set())
    if name in own and (listening is None or (port or _usual_port(settings)) == listening):
        return
    raise Refused(
        403,
        NotAllowed(
            "the service does not go by the name that was called",
            hint="Call 127.0.0.1 and the port, or start it with that name among --host-name.",
        ),
    )


def check_origin(headers: Headers) -> None:
    """Raises Refused if a page of some site sent the call."""
    site = headers.get("sec-fetch-site", "none").strip().lower()
    if "origin" in headers or site not in _HARMLESS_SITES:
        raise Refused(
            403,
            NotAllowed(
                "pages in a browser may not call the service",
                hint="Call it from a program, or type its address.",
            ),
        )


def check_contract(headers: Headers) -> None:
    """Raises BackendMismatch if the client speaks another version."""
    given = headers.get(CONTRACT_HEADER)
    if given is not None and given.strip() != str(CONTRACT):
        raise BackendMismatch(
            f"the client speaks version {given.strip()[:20]} of the contract, this is {CONTRACT}",
            hint="Use the same version of Strip Mocap on both sides.",
        )


def check_token(headers: Headers, token: str) -> None:
    """Raises Refused if the call does not carry the token; takes as long for any wrong one."""
    given = headers.getlist("authorization")
    scheme, _, value = (given[0] if len(given) == 1 else "").partition(" ")
    value = value.strip()[:MAX_TOKEN_LENGTH]
    right = hmac.compare_digest(value.encode(), token.encode())
    if not (right and scheme.lower() == "bearer"):
        raise Refused(
            401,
            NotAllowed(
                "the token is missing or wrong",
                hint="On the service's own machine it stands in server.json and changes at each "
                "start. For other machines it is the file token of the service's data folder: "
                "ask who runs it.",
            ),
        )


def check_length(headers: Headers, limit: int) -> None:
    """Raises Refused if the call announces more than `limit` bytes, or no number."""
    announced = headers.get("content-length")
    if announced is None:
        return
    if not re.fullmatch(r"[0-9]{1,20}", announced):
        raise Refused(400, RequestError("the length of the body is no number"))
    if int(announced) > limit:
        raise _too_large(limit)


class _Body:
    """A call's body as it comes: counted, and given up when it is too much or too slow."""

    def __init__(self, receive: Receive, *, limit: int, idle_s: float, whole_s: float) -> None:
        self._receive = receive
        self._limit = limit
        self._idle_s = idle_s
        self._until = asyncio.get_running_loop().time() + whole_s
        self._count = 0
        self._whole = False
        self._gathered: bytes | None = None

    async def gather(self) -> None:
        """Takes in all of the body before anybody asks for it.

        Raises:
            Refused: it is too much or too slow.
            ClientDisconnect: the client went away.
        """
        parts = []
        while not self._whole:
            message = await self()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            parts.append(message.get("body", b""))
        self._gathered = b"".join(parts)

    async def __call__(self) -> Message:
        """The next message of the client."""
        if self._gathered is not None:
            body, self._gathered = self._gathered, None
            return {"type": "http.request", "body": body, "more_body": False}
        if self._whole:
            return await self._receive()
        left_s = min(self._idle_s, self._until - asyncio.get_running_loop().time())
        try:
            message = await asyncio.wait_for(self._receive(), max(left_s, 0.0))
        except TimeoutError as error:
            raise Refused(
                408, RequestError("the body did not arrive in time", hint="Send it again.")
            ) from error
        if message["type"] == "http.request":
            self._count += len(message.get("body", b""))
            self._whole = not message.get("more_body", False)
            if self._count > self._limit:
                raise _too_large(self._limit)
        return message


class _Send:
    """Sends answers with the headers that every one has."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def __call__(self, message: Message) -> None:
        """Passes a message on to the client."""
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)


def _limit(scope: Scope) -> int:
    limit = MAX_CHUNK_BYTES if _is_chunk(scope) else MAX_JSON_BYTES
    check_length(Headers(scope=scope), limit)
    return limit


def _is_chunk(scope: Scope) -> bool:
    return scope["method"] == "PUT" and _CHUNK_PATH.fullmatch(scope["path"]) is not None


def _too_large(limit: int) -> Refused:
    return Refused(
        413, TooLarge(f"the body has more than {limit} bytes", hint="Send it in smaller parts.")
    )


def _host_and_port(text: str) -> tuple[str, int | None]:
    """Name in small letters and port of a Host header; an empty name if it is none."""
    found = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?", text.strip())
    if found is None:
        return "", None
    return found[1].lower().strip("[]"), int(found[2]) if found[2] else None


def _usual_port(settings: Settings) -> int:
    return 443 if settings.tls_cert else 80


def _is_anywhere(host: str) -> bool:
    """Whether `host` is no machine but a wildcard, which a browser would take for this one."""
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return not host
