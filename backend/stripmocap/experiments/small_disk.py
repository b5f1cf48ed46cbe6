"""A disk of a few megabytes to fill up or to make read-only, where the system lets us mount one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_FILLER = "filler"


class CannotMount(Exception):
    """Why there is no such disk here."""


class SmallDisk:
    """A mounted disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, *, leave: int = 0) -> None:
        """Takes all space but the last `leave` bytes."""
        size = max(self.left() - leave, 0)
        with suppress(OSError), (self.folder / _FILLER).open("ab") as file:
            while size > 0:  # or until it is full, as it should be
                size -= file.write(bytes(min(size, 65_536)))
                file.flush()

    def left(self) -> int:
        """Bytes that are free."""
        free = os.statvfs(self.folder)
        return free.f_bavail * free.f_frsize

    def free(self) -> None:
        """Gives the space back."""
        (self.folder / _FILLER).unlink(missing_ok=True)

    def forbid_writing(self) -> None:
        """Makes it read-only; nothing may have a file open for writing."""
        _mount("-o", "remount,ro", str(self.folder))


@contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[SmallDisk]:
    """A new disk mounted at the new folder `folder`, taken away at last.

    Raises:
        CannotMount: the system does not let us; only Linux's administrator may.
    """
    if not sys.platform.startswith("linux"):
        raise CannotMount("needs Linux")
    folder.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "stripmocap-faults", str(folder))
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False, timeout=30)


def _mount(*arguments: str) -> None:
    try:
        done = subprocess.run(
            ["mount", *arguments], capture_output=True, check=False, timeout=30, text=True
        )
    except OSError as error:
        raise CannotMount(f"mount cannot be run ({error.strerror})") from error
    if done.returncode:
        raise CannotMount(f"mounting is not allowed here ({done.stderr.strip()[:80]})")
