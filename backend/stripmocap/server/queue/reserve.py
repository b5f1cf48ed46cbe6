"""A little space on the disk, kept so that a full one does not stop what would free it.

Without it, nobody could cancel a job or delete its files once the disk is full: both are written
down first.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

NAME = "reserve"
SIZE = 2**20  # bytes: some 20 changes of the job list


def keep(data: Path) -> None:
    """Sets the space aside, if it is not and the disk has it to spare."""
    path = data / NAME
    if path.exists():
        return
    try:
        # Not zeros: some file systems give those no space.
        path.write_bytes(os.urandom(SIZE))
    except OSError:
        spend(data)


def spend(data: Path) -> bool:
    """Gives the space back to the disk; whether there was any."""
    with contextlib.suppress(OSError):
        (data / NAME).unlink()
        return True
    return False
