"""Small files that only their user may read: tokens and keys, written whole or not at all.

On POSIX systems they have mode 0600. On Windows they inherit the rights of their folder, which for
the default one, under the user's profile, are the user's own.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from .errors import DiskFull, ServiceError, StripMocapError

MAX_BYTES = 64 * 1024  # what is larger is not ours


def write(path: Path, text: str) -> None:
    """Puts `text` at `path` in one step; what was there before is replaced.

    Raises:
        DiskFull: there is no space, or the disk refuses to write.
        ServiceError: the folder is missing, or may not be written.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        _create(partial, text)
        partial.replace(path)
    except OSError as error:
        raise refused(path, error) from error
    finally:
        partial.unlink(missing_ok=True)


def kept(path: Path, make: Callable[[], str]) -> str:
    """What stands in `path`, without space around it; what `make` returns, if it is not there yet.

    Several processes may ask at the same moment; all get the same.

    Raises:
        DiskFull, ServiceError: as for `write`; or what is there cannot be read.
    """
    found = read(path)
    if found is not None:
        return found
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        _create(partial, make() + "\n")
        try:
            os.link(partial, path)  # unlike a rename, it fails if somebody was faster
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            if not path.exists():
                partial.replace(path)
    except OSError as error:
        raise refused(path, error) from error
    finally:
        partial.unlink(missing_ok=True)
    return read(path) or ""


def read(path: Path) -> str | None:
    """What stands in `path`, without space around it; None if there is no such file.

    Raises:
        ServiceError: it cannot be read, or is no text.
    """
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES).decode("utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ServiceError(
            f"{path} cannot be read ({getattr(error, 'strerror', None) or error})",
            hint="See that it is a file of yours, or delete it: it is made anew.",
        ) from error


def refused(path: Path, error: OSError) -> StripMocapError:
    """What a person is told when `path` could not be written because of `error`."""
    message = f"{path} cannot be written ({error.strerror or error})"
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}:
        return DiskFull(message, hint="Free some space, or choose a data folder on another disk.")
    return ServiceError(message, hint="Choose a data folder that you may write to (--data).")


def _create(path: Path, text: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    handle = os.open(path, flags, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
