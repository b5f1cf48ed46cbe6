"""What the service answers when it cannot do what was asked: a status and `{code, message, hint}`.

Everybody who refuses raises a class of `contract/errors.py`; here it becomes JSON. What is none of
these is a bug: it is logged with its traceback, and the client learns only that there is a log.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Match

from ...contract.errors import (
    BackendMismatch,
    DeviceOutOfMemory,
    DiskFull,
    NotAllowed,
    NotThere,
    QueueUnavailable,
    RequestError,
    StripMocapError,
    TooLarge,
    WrongState,
)

log = logging.getLogger(__name__)

STATUSES: dict[type[StripMocapError], int] = {
    RequestError: 422,
    NotAllowed: 403,  # 401 where the token is meant
    NotThere: 404,
    WrongState: 409,
    TooLarge: 413,
    BackendMismatch: 426,
    DiskFull: 507,
    QueueUnavailable: 503,
    DeviceOutOfMemory: 503,
}
REASONS = {
    400: "The call cannot be read.",
    401: "The token is missing or wrong.",
    403: "A browser sent this for another site, the service does not go by that name, or only "
    "programs on its own machine may ask this.",
    404: "There is no such thing, or it is somebody else's.",
    405: "That cannot be done here.",
    408: "The body did not arrive in time.",
    409: "That cannot be done in the state that it is in.",
    413: "More was sent than the service takes.",
    414: "The address is too long.",
    416: "The file has no such bytes.",
    422: "The call asks for something that cannot be.",
    426: "The client speaks another version of the contract.",
    431: "The headers are too many or too long.",
    500: "An internal error, see the log of the service.",
    503: "The job list cannot be read now; ask again.",
    507: "There is no space left where the service keeps its data.",
}
EVERYWHERE = (400, 401, 403, 408, 413, 414, 422, 426, 431, 500, 503)  # whatever was asked
TEXT: dict[int | str, dict[str, Any]] = {  # of routes that answer no JSON
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}}
}
_HINT = "See /docs for what can be asked."
_MAX_COMPLAINTS = 3  # of one call, in its message


@dataclass(frozen=True)
class Fault:
    """Why a call failed. `code` is stable; `hint` says what can be done about it."""

    code: str
    message: str
    hint: str


class Refused(Exception):
    """A refusal with a status of its own."""

    def __init__(self, status: int, error: StripMocapError) -> None:
        super().__init__(error.message)
        self.status = status
        self.error = error


def fault(
    error: StripMocapError, *, status: int | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer that tells a client about `error`."""
    status = status or STATUSES.get(type(error), 500)
    extra = dict(headers or {})
    if status == 401:
        extra["WWW-Authenticate"] = "Bearer"
    if status == 426:
        extra["Upgrade"] = "HTTP/1.1"  # the standard asks for one; nobody can switch on the way
    # A name from a disk may hold what is no Unicode.
    told = Fault(error.code, _clean(error.message), _clean(error.hint))
    return JSONResponse(asdict(told), status_code=status, headers=extra)


def bug(request_line: str) -> Response:
    """The answer to a call that met a bug; logs the exception that is being handled."""
    log.exception("%r failed", request_line)
    return fault(
        StripMocapError(
            "internal error", hint="The log of the service says more; please report it."
        )
    )


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route says in OpenAPI about the refusals that are its own and everybody's."""
    return {
        status: {"description": REASONS[status], "model": Fault}
        for status in sorted({*statuses, *EVERYWHERE})
    }


def install(app: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Makes `app` answer in this form, also where the frameworks below have one of their own.

    Args:
        app: the application.
        routers: all that it includes.
    """
    app.state.every_route = [route for each in routers for route in each.routes]
    app.exception_handler(StripMocapError)(_told)
    app.exception_handler(Refused)(_refused)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(HTTPException)(_http)


async def _told(_request: Request, error: StripMocapError) -> Response:
    answer = fault(error)
    if answer.status_code == 500:
        log.error("%s: %s", error.code, error.message)
    return answer


async def _refused(_request: Request, error: Refused) -> Response:
    return fault(error.error, status=error.status)


async def _invalid(_request: Request, error: RequestValidationError) -> Response:
    return fault(RequestError(complaint(error.errors()), hint=_HINT))


async def _http(request: Request, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    # The framework names the methods of one route where several share an address.
    if error.status_code == 405 and (methods := _methods(request)):
        headers["Allow"] = ", ".join(sorted(methods))
    if error.status_code == 404:
        told: StripMocapError = NotThere("there is no such address", hint="See /docs.")
    else:
        told = RequestError(
            REASONS.get(error.status_code, str(error.detail)),
            hint=_HINT,
        )
    return fault(told, status=error.status_code, headers=headers)


def _methods(request: Request) -> set[str]:
    """What can be done at the address of the call."""
    return {
        method
        for route in request.app.state.every_route
        if route.matches(request.scope)[0] is not Match.NONE
        for method in getattr(route, "methods", None) or ()
    }


def complaint(errors: Iterable[Any]) -> str:
    """The findings of pydantic as one sentence; what the client sent is not repeated."""
    every = list(errors)
    told = [f"{_place(each['loc'])}: {each['msg']}" for each in every[:_MAX_COMPLAINTS]]
    if len(every) > _MAX_COMPLAINTS:
        told.append(f"and {len(every) - _MAX_COMPLAINTS} more")
    return "; ".join(told)


def _place(loc: Iterable[Any]) -> str:
    # A name that the client made up may be long.
    return ".".join(str(each)[:80] for each in loc)


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
