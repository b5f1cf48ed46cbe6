"""How the process runs, as one record that is passed down: flags, else `STRIPMOCAP_*`, else these.

What a job can choose is not here but in `contract/methods.py`; a paper's constants stand beside
their equations.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .contract.errors import RequestError
from .contract.handover import is_loopback
from .contract.places import data_folder

LOCALHOST = "127.0.0.1"
GIB = 2**30
CACHE, LOGS, UPLOADS = "cache", "logs", "uploads"  # folders in the data folder
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"", "0", "false", "no", "off"}


def cache_bytes(environment: Mapping[str, str] = os.environ) -> int:
    """Most that kept steps may take on disk: `STRIPMOCAP_CACHE_GB`, else the default.

    Raises:
        RequestError: the variable is no size.
    """
    text = environment.get("STRIPMOCAP_CACHE_GB", "").strip()
    try:
        return bytes_of(float(text)) if text else Settings.cache_bytes
    except ValueError as error:
        raise RequestError(
            f"STRIPMOCAP_CACHE_GB is {text!r}", hint="Set it to a number, or take it away."
        ) from error


def bytes_of(gigabytes: float) -> int:
    """A size that a person gave.

    Raises:
        RequestError: it is none.
    """
    if not 0 < gigabytes < math.inf:
        raise RequestError(f"{gigabytes} GB is no size", hint="Give more than 0.")
    return int(gigabytes * GIB)


@dataclass(frozen=True)
class Settings:
    """How the service runs."""

    data: Path = field(default_factory=data_folder)
    host: str = LOCALHOST
    port: int = 0  # 0: any that is free
    devices: tuple[str, ...] = ("auto",)  # a worker each: "cpu", "cuda", "cuda:1", "mps"
    cache_bytes: int = 20 * GIB  # of kept steps
    upload_bytes: int = 100 * GIB  # of uploaded footage
    worker_bytes: int | None = None  # a worker that takes more memory is ended; None: 80 % of all
    stall_s: float = 300.0  # a worker that says nothing for so long is ended
    tls_cert: Path | None = None
    tls_key: Path | None = None
    behind_proxy: bool = False  # a proxy in front does the TLS
    host_names: tuple[str, ...] = ()  # names by which others may call it, beside `host`
    attached: bool = False  # it ends when its standard input closes, that is with its client
    finish_jobs: bool = False  # but not before the queue is empty

    def __post_init__(self) -> None:
        if not 0 <= self.port < 65536:
            raise RequestError(f"{self.port} is no port", hint="Give 0 to 65535; 0: a free one.")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise RequestError(
                "TLS needs a certificate and its key", hint="Give --tls-cert and --tls-key."
            )
        if not is_loopback(self.host) and not (self.tls_cert or self.behind_proxy):
            raise RequestError(
                f"footage and token would cross the network to {self.host} in the open",
                hint="Give --tls-cert and --tls-key, or --behind-proxy if a proxy does the TLS.",
            )
        for name in ("cache_bytes", "upload_bytes", "stall_s"):
            if getattr(self, name) <= 0:
                raise RequestError(f"{name} is {getattr(self, name)}", hint="Give more than 0.")

    @property
    def remote(self) -> bool:
        """Whether clients may sit at other machines, so that their paths are not ours."""
        return self.behind_proxy or not is_loopback(self.host)


def flag(environment: Mapping[str, str], name: str) -> bool:
    """Whether the variable `name` says yes.

    Raises:
        RequestError: it says something else than yes or no.
    """
    value = environment.get(name, "").strip().lower()
    if value in _TRUE | _FALSE:
        return value in _TRUE
    raise RequestError(f"{name} is {value!r}", hint="Set it to 1 or 0.")
