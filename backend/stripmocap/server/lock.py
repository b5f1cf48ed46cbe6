"""The lock that keeps two services off one data folder, held by the system while a process lives.

Nobody has to take it away: when the process ends, however it ends, the system does. The file itself
says nothing and stays. Tried on Linux; macOS has the same calls, and Windows its own, untested.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..contract.private_file import refused
from ..steps.locks import try_lock

FILE = "server.lock"


class Lock:
    """The lock of one data folder; not yet taken."""

    def __init__(self, data: Path) -> None:
        self._path = data / FILE
        self._handle: int | None = None

    def take(self) -> bool:
        """Whether the lock is ours now; False while another process has it. Never waits.

        Raises:
            DiskFull, ServiceError: the file cannot be made.
        """
        assert self._handle is None, "taken already"
        try:
            # Not inherited by the processes that are started: they would hold on to it.
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise refused(self._path, error) from error
        if not try_lock(handle):
            os.close(handle)
            return False
        self._handle = handle
        return True

    def give_back(self) -> None:
        """Lets others take it; harmless if it is not ours."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def held(data: Path) -> bool:
    """Whether some process has the lock of the folder `data`."""
    if not (data / FILE).exists():
        return False
    lock = Lock(data)
    free = lock.take()
    lock.give_back()
    return not free
