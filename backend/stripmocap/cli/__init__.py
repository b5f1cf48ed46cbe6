"""The command line: `stripmocap VERB`. Verbs ask, the other rooms work.

Exit status: 0 done; 2 something that the person can put right, said with a hint; 1 a bug, with its
traceback in a file; 130 stopped by Ctrl-C or by another program. A verb's module is imported when
it is asked for, because torch takes seconds to load.
"""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from ..contract.errors import Cancelled, StripMocapError
from . import parser

DONE, BUG, REFUSED, STOPPED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the verb that `argv` names; the exit status."""
    arguments = parser.make().parse_args(argv)
    # Our arrays are small: a second OpenMP thread costs more than it gives, and on a busy machine
    # (two cores, footage being decoded) the wait for it made a fit eight times slower.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    _stop_on_signals()
    try:
        verb = importlib.import_module(f".{arguments.verb.replace('-', '_')}", __package__)
        return verb.run(arguments)
    except (KeyboardInterrupt, Cancelled):
        print("Stopped. Nothing half-written is left.", file=sys.stderr)
        return STOPPED
    except StripMocapError as error:
        print(f"Error: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"  {error.hint}", file=sys.stderr)
        return REFUSED
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone; there is nobody to tell
        return BUG
    except Exception:
        print(f"Internal error, see {_log_of_bug()}", file=sys.stderr)
        return BUG


def _stop_on_signals() -> None:
    """Makes Ctrl-C and a request to end the process unwind the stack, so that it cleans up."""

    def stop(number: int, frame: FrameType | None) -> None:
        # A second Ctrl-C must not interrupt the cleaning up.
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, stop)


def _log_of_bug() -> Path:
    """A file with the traceback of what is being handled, and what was asked for."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="stripmocap-error-", suffix=".log", delete=False, encoding="utf-8"
    ) as file:
        file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {' '.join(sys.argv)}\n")
        file.write(traceback.format_exc())
    return Path(file.name)
