"""One call to the service: sent with token and version, answered or refused in our own errors.

Standard library only. Calls to this machine never go through a proxy, whatever the environment
says; nothing is ever sent on to where an answer points, because the token would go with it.
"""

from __future__ import annotations

import http.client
import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from .errors import (
    BackendMismatch,
    BackendUnavailable,
    NotAllowed,
    QueueUnavailable,
    RequestError,
    StripMocapError,
    from_code,
)
from .handover import is_loopback
from .jobs import CLIENT_HEADER, CONTRACT, CONTRACT_HEADER

Opener = Callable[[urllib.request.Request, float], http.client.HTTPResponse]  # request, timeout_s
TIMEOUT_S = 20.0  # without a sign of life
PAUSES_S = (0.2, 0.8)  # before a call that may be repeated is
_OVERLOADED = {502, 503, 504}  # as proxies say it, and uvicorn
MAX_ANSWER_BYTES = 64 * 2**20  # of what is not a file


class Caller:
    """What every call to one service has in common."""

    def __init__(
        self,
        url: str,
        *,
        token: str,
        client_key: str | None = None,
        ca: Path | None = None,
        opener: Opener | None = None,
        timeout_s: float = TIMEOUT_S,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = checked_url(url)
        self._sleep = sleep
        self._opener = opener or make_opener(self.url, ca=ca)
        self._timeout_s = timeout_s
        self._headers = {"Authorization": f"Bearer {token}", CONTRACT_HEADER: str(CONTRACT)}
        if client_key:
            self._headers[CLIENT_HEADER] = client_key

    def json(
        self,
        method: str,
        route: str,
        *,
        body: Any = None,
        wait_s: float = 0.0,
        tries: int = len(PAUSES_S) + 1,
    ) -> Any:
        """The JSON that the service answers.

        Args:
            method: of HTTP.
            route: below /v1/, quoted, with its query.
            body: bytes, or what JSON can say.
            wait_s: that the service may take its time on purpose.
            tries: 1 for what must not happen twice when an answer is lost.

        Raises:
            StripMocapError: as `text`.
        """
        answer = self.text(method, route, body=body, wait_s=wait_s, tries=tries)
        try:
            return json.loads(answer) if answer else None
        except json.JSONDecodeError as error:
            raise self._stranger("no JSON") from error

    def text(
        self,
        method: str,
        route: str,
        *,
        body: Any = None,
        wait_s: float = 0.0,
        tries: int = len(PAUSES_S) + 1,
    ) -> str:
        """The text that the service answers; arguments as for `json`.

        Raises:
            BackendUnavailable: it does not answer, or what answers is something else.
            BackendMismatch: it speaks another version of the contract.
            StripMocapError: what the service refuses, as the class that it names.
        """
        for failures in range(tries):
            try:
                with self.opened(method, route, body=body, wait_s=wait_s) as response:
                    return self._read(response)
            except (BackendUnavailable, QueueUnavailable):
                if failures + 1 == tries:
                    raise
            self.pause(failures)
        raise AssertionError("tries is at least 1")

    def pause(self, failures: int) -> None:
        """Waits before the next try, after so many failures before the last one."""
        self._sleep(PAUSES_S[min(failures, len(PAUSES_S) - 1)])

    def opened(
        self,
        method: str,
        route: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        wait_s: float = 0.0,
    ) -> http.client.HTTPResponse:
        """The service's answer, not yet read; to be closed.

        Raises:
            StripMocapError: as `text`.
        """
        request = self._request(method, route, body=body, headers=headers or {})
        try:
            response = self._opener(request, self._timeout_s + wait_s)
        except urllib.error.HTTPError as error:
            with error:
                raise self._refusal(error) from error
        except (OSError, http.client.HTTPException) as error:
            raise self.silence(error) from error
        try:
            self._check_version(response.headers.get(CONTRACT_HEADER))
        except StripMocapError:
            response.close()
            raise
        return response

    def silence(self, error: Exception) -> BackendUnavailable:
        """What a person is told when the connection failed with `error`."""
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLCertVerificationError):
            return BackendUnavailable(
                f"the certificate of {self.url} is not trusted ({reason.verify_message})",
                hint="Give the certificate that it was signed with (--ca), and use the name "
                "that it was made for.",
            )
        return BackendUnavailable(
            f"the service at {self.url} does not answer ({reason or type(reason).__name__})",
            hint="See that it runs and that nothing between keeps you from it.",
        )

    def _request(
        self, method: str, route: str, *, body: Any, headers: Mapping[str, str]
    ) -> urllib.request.Request:
        data = body
        kind = "application/octet-stream"
        if body is not None and not isinstance(body, bytes):
            data, kind = json.dumps(body, allow_nan=False).encode(), "application/json"
        every = {**self._headers, **headers}
        if data is not None:
            every["Content-Type"] = kind
        return urllib.request.Request(
            f"{self.url}/v1/{route}", data=data, headers=every, method=method
        )

    def _read(self, response: http.client.HTTPResponse) -> str:
        try:
            answer = response.read(MAX_ANSWER_BYTES + 1)
            if response.length:  # cut off: read() with a size does not say so
                raise http.client.IncompleteRead(answer, response.length)
        except (OSError, http.client.HTTPException) as error:
            raise self.silence(error) from error
        if len(answer) > MAX_ANSWER_BYTES:
            raise self._stranger(f"more than {MAX_ANSWER_BYTES // 2**20} MB")
        return answer.decode("utf-8", "replace")

    def _refusal(self, error: urllib.error.HTTPError) -> StripMocapError:
        """What the service means by an answer that is no success."""
        try:
            said: Any = json.loads(error.read(MAX_ANSWER_BYTES))
        except (OSError, http.client.HTTPException, ValueError):
            said = None
        theirs = error.headers.get(CONTRACT_HEADER)
        try:
            self._check_version(theirs)
        except BackendMismatch as mismatch:
            return mismatch
        except BackendUnavailable:
            if error.code in _OVERLOADED:
                return BackendUnavailable(
                    f"the service at {self.url} cannot be reached now (HTTP status {error.code})",
                    hint="Try again; too many may call it, or it may be starting.",
                )
            return self._stranger(f"HTTP status {error.code}")
        values = cast("dict[str, Any]", said) if isinstance(said, dict) else {}
        message = str(values.get("message") or f"the service refused (HTTP status {error.code})")
        return from_code(str(values.get("code")), message, hint=str(values.get("hint") or ""))

    def _check_version(self, theirs: str | None) -> None:
        if theirs == str(CONTRACT):
            return
        if theirs is None or not theirs.isascii() or not theirs.isdigit():
            raise self._stranger("without our version")
        message = f"the service at {self.url} speaks version {theirs}, this side {CONTRACT}"
        if int(theirs) > CONTRACT:
            raise BackendMismatch(message, hint="Update Strip Mocap on this side.")
        raise BackendMismatch(message, hint="Update Strip Mocap where the service runs.")

    def _stranger(self, what: str) -> BackendUnavailable:
        return BackendUnavailable(
            f"what answers at {self.url} is not the service of Strip Mocap ({what})",
            hint="Check the address. If a proxy stands before the service, see that it runs.",
        )


def make_opener(url: str, *, ca: Path | None = None) -> Opener:
    """What opens calls to `url`, trusting the certificates in the file `ca` or the system's.

    Raises:
        RequestError: `ca` cannot be read as certificates.
    """
    handlers: list[urllib.request.BaseHandler] = [_StayHere()]
    parts = urllib.parse.urlsplit(url)
    if is_loopback(parts.hostname or ""):
        handlers.append(urllib.request.ProxyHandler({}))
    if parts.scheme == "https":
        try:
            context = ssl.create_default_context(cafile=ca)
        except OSError as error:  # ssl.SSLError is one
            raise RequestError(
                f"{ca} cannot be read as certificates ({error.strerror or error})",
                hint="Give a file in PEM format.",
            ) from error
        handlers.append(urllib.request.HTTPSHandler(context=context))
    director = urllib.request.build_opener(*handlers)
    return lambda request, timeout_s: director.open(request, timeout=timeout_s)


def checked_url(url: str) -> str:
    """The address `url` of a service without a slash at its end.

    Raises:
        RequestError: it is no address.
        NotAllowed: the token would cross a network unencrypted.
    """
    try:
        parts = urllib.parse.urlsplit(url.strip())
        host = parts.hostname or ""
        wrong = parts.scheme not in {"http", "https"} or not host or parts.port == 0
    except ValueError:
        wrong, parts, host = True, urllib.parse.urlsplit(""), ""
    if wrong or parts.query or parts.fragment or parts.username:
        raise RequestError(
            f"{url!r} is no address of a service", hint="It looks like https://machine:port."
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise NotAllowed(
            f"footage and token would cross the network to {host} in the open",
            hint="Use an address that begins with https://.",
        )
    return url.strip().rstrip("/")


class _StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None  # urllib then raises the answer as an HTTPError
