"""`stripmocap serve` with the toy worker: everything else is the real thing."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

from stripmocap import cli
from stripmocap.server import run

TOY = Path(__file__).with_name("toyworker.py")


def main() -> int:
    command = [sys.executable, str(TOY), "well"]
    run.serve = functools.partial(run.serve, worker_command=command)
    return cli.main(["serve", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
