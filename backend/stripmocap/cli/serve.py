"""`stripmocap serve`: the service in the foreground, or the end of the one that runs."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ..contract.errors import RequestError
from ..server import run as server
from ..settings import Settings, bytes_of, cache_bytes, data_folder, flag
from . import connection

_Value = TypeVar("_Value")


def run(arguments: argparse.Namespace) -> int:
    """Serves until it is told to end; the exit status."""
    data = connection.data_of(arguments)
    if arguments.stop:
        connection.stop(connection.running(data), data)
        return 0
    environment = os.environ
    return server.serve(
        settings_of(arguments, environment),
        token_file=_first(arguments.token_file, _given(environment, "TOKEN_FILE", Path)),
        new_token=arguments.new_token,
    )


def settings_of(arguments: argparse.Namespace, environment: Mapping[str, str]) -> Settings:
    """How the service is to run: flags, else `STRIPMOCAP_*` of `environment`, else defaults.

    Raises:
        RequestError: a value cannot be read or is out of bounds.
    """

    def number(name: str, kind: Callable[[str], _Value]) -> _Value | None:
        return _given(environment, name, kind)

    chosen: dict[str, Any] = {
        "data": connection.absolute(arguments.data) if arguments.data else data_folder(environment),
        "host": _first(arguments.host, number("HOST", str)),
        "port": _first(arguments.port, number("PORT", int)),
        "devices": _first(_names(arguments.device), number("DEVICES", _split)),
        "cache_bytes": cache_bytes(environment)
        if arguments.cache_gb is None
        else bytes_of(arguments.cache_gb),
        "upload_bytes": number("UPLOAD_BYTES", int),
        "worker_bytes": number("WORKER_BYTES", int),
        "stall_s": number("STALL_S", float),
        "tls_cert": _first(arguments.tls_cert, number("TLS_CERT", Path)),
        "tls_key": _first(arguments.tls_key, number("TLS_KEY", Path)),
        "host_names": _first(_names(arguments.host_name), number("HOST_NAMES", _split)),
    }
    for name in ("behind_proxy", "attached", "finish_jobs"):
        asked = flag(environment, f"STRIPMOCAP_{name.upper()}")
        chosen[name] = _first(getattr(arguments, name), asked)
    return Settings(**{name: value for name, value in chosen.items() if value is not None})


def _given(
    environment: Mapping[str, str], name: str, kind: Callable[[str], _Value]
) -> _Value | None:
    """The variable `STRIPMOCAP_<name>` read as `kind`; None if it is not set."""
    text = environment.get(f"STRIPMOCAP_{name}", "").strip()
    if not text:
        return None
    try:
        return kind(text)
    except ValueError as error:
        raise RequestError(
            f"STRIPMOCAP_{name} is {text!r}", hint="Set it to a number, or take it away."
        ) from error


def _first(*values: _Value | None) -> _Value | None:
    return next((each for each in values if each is not None), None)


def _names(values: list[str] | None) -> tuple[str, ...] | None:
    return tuple(values) if values else None


def _split(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(",") if each.strip())
