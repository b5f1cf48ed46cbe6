"""The service's log: a few files of bounded size, in which no token and no client's secret stands.

Everything that Python's logging is told goes there. On the terminal are only warnings of our own.
"""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Iterable
from logging.handlers import RotatingFileHandler
from pathlib import Path

from ..contract.jobs import CLIENT_HEADER
from ..contract.private_file import refused

FILE = "server.log"
MAX_BYTES, OLD_FILES = 2**20, 4  # five files with the one that is written
MAX_LINE = 8000  # letters of one record; what strangers send may be long
HIDDEN = "[hidden]"
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# Also secrets that are not ours, or wrong: people paste them into the wrong field.
_SECRETS = re.compile(
    rf"((?:bearer|token|{CLIENT_HEADER}|authorization)[\"']?\s*[:=,]?\s*(?:b?[\"'])?(?:bearer\s+)?)"
    r"[\w.~+/=-]{16,}",
    flags=re.IGNORECASE,
)


def begin(folder: Path, *, secrets: Iterable[str]) -> None:
    """Sends what is logged from now on to `folder`; replaces where it went before.

    Args:
        folder: is made if need be.
        secrets: never written, wherever they would stand.

    Raises:
        DiskFull, ServiceError: the folder or file cannot be written.
    """
    try:
        folder.mkdir(exist_ok=True, mode=0o700)
        file = RotatingFileHandler(
            folder / FILE, maxBytes=MAX_BYTES, backupCount=OLD_FILES, encoding="utf-8"
        )
    except OSError as error:
        raise refused(folder / FILE, error) from error
    file.setFormatter(_Discreet(_FORMAT, secrets))
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setLevel(logging.WARNING)
    terminal.setFormatter(_Discreet("%(message)s", secrets))
    terminal.addFilter(logging.Filter("stripmocap"))
    logging.getLogger("uvicorn.access").addFilter(_worth_a_line)
    root = logging.getLogger()
    for each in list(root.handlers):
        root.removeHandler(each)
    root.setLevel(logging.INFO)
    root.addHandler(file)
    root.addHandler(terminal)
    # A full disk must not fill the terminal with tracebacks of the log itself.
    logging.raiseExceptions = False


def _worth_a_line(record: logging.LogRecord) -> bool:
    """Whether a call changed something or went wrong: clients look, and look again, all day."""
    if not isinstance(record.args, tuple) or len(record.args) != 5:
        return True
    _client, method, _path, _version, status = record.args
    return method not in {"GET", "HEAD"} or not isinstance(status, int) or status >= 400


class _Discreet(logging.Formatter):
    """One record as text of bounded length without secrets, times in UTC."""

    converter = time.gmtime

    def __init__(self, layout: str, secrets: Iterable[str]) -> None:
        super().__init__(layout, datefmt="%Y-%m-%dT%H:%M:%SZ")
        self._secrets = [each for each in secrets if each]

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        for each in self._secrets:
            text = text.replace(each, HIDDEN)
        text = _SECRETS.sub(rf"\1{HIDDEN}", text)
        return text if len(text) <= MAX_LINE else f"{text[:MAX_LINE]}…"
