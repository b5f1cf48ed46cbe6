"""The real service with toy workers: `python -m stripmocap.experiments.toy_service DATA`."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from ..contract.errors import StripMocapError
from ..server import run
from ..settings import Settings

WORKER = (sys.executable, "-m", "stripmocap.experiments.toy_worker")


def main() -> int:
    """The service of the command line; the exit status."""
    try:
        return run.serve(Settings(data=Path(sys.argv[1])), worker_command=WORKER)
    except StripMocapError as error:
        logging.error("%s %s", error.message, error.hint)
        return 2


if __name__ == "__main__":
    sys.exit(main())
