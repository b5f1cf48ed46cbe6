"""Files that are there whole after a crash or a power cut, or not at all.

`write` and `move` return only when the disk says that it has the content and the name. A file's
content is synced before it gets its name, the folder after. Windows cannot sync folders: there the
file system's own journal keeps names in order.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
import uuid
from pathlib import Path

from ..contract.errors import DiskFull

PART = ".part"  # how the names of files end that are being written
# What a disk says that is full, read-only or broken; the person can do something about these.
_REFUSALS = {
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM", "EIO")
    if hasattr(errno, name)
}
_NO_SPACE = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


def write(path: Path, data: bytes) -> None:
    """`data` as the file at `path`, readable by its owner only; what stood there is replaced.

    Raises:
        DiskFull: the disk has no space or refuses; what stood at `path` still does.
    """
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}{PART}")
    try:
        with open(part, "xb", opener=_private) as file:
            file.write(data)
            file.flush()
            sync(file.fileno())
        part.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise _told(error, path) from error


def move(source: Path, target: Path) -> None:
    """The file at `source`, synced, now at `target` on the same disk; it replaces what is there.

    Raises:
        DiskFull: the disk has no space or refuses.
        FileNotFoundError: there is no such file.
    """
    try:
        sync_file(source)
        source.replace(target)
        sync_folder(target.parent)
        if source.parent != target.parent:
            sync_folder(source.parent)
    except OSError as error:
        raise _told(error, target) from error


def remove(path: Path) -> None:
    """No file at `path`, for good.

    Raises:
        DiskFull: the disk refuses.
    """
    try:
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise _told(error, path) from error


def put_back(source: Path, target: Path) -> None:
    """Undoes a move from `target` to `source`, if it happened, as well as the disk lets us."""
    if source.exists() and not target.exists():
        with contextlib.suppress(OSError, DiskFull):
            source.replace(target)
            sync_folder(target.parent)


def take_back(path: Path) -> None:
    """Undoes the writing of `path`, if it happened, as well as the disk lets us."""
    with contextlib.suppress(OSError, DiskFull):
        remove(path)


def take_back_folder(path: Path) -> None:
    """Undoes the making of a folder and all that is in it, if it happened."""
    if path.exists():
        shutil.rmtree(path, ignore_errors=True)
        with contextlib.suppress(OSError):
            sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """The content of a file, that somebody else wrote and closed, is on the disk.

    Raises:
        DiskFull: the disk refuses.
    """
    try:
        with path.open("rb+") as file:
            sync(file.fileno())
    except OSError as error:
        raise _told(error, path) from error


def make_folder(path: Path) -> None:
    """An empty folder at `path`, for its owner only; its parent is there, it is not.

    Raises:
        DiskFull: the disk has no space or refuses.
    """
    try:
        path.mkdir(mode=0o700)
        sync_folder(path.parent)
    except OSError as error:
        raise _told(error, path) from error


def move_folder(source: Path, target: Path) -> None:
    """The folder at `source`, now at `target` in the same parent, where nothing is.

    Raises:
        DiskFull: the disk refuses, or on Windows somebody has a file of it open.
    """
    try:
        source.rename(target)
        sync_folder(target.parent)
    except OSError as error:
        raise _told(error, target) from error


def sync(descriptor: int) -> None:
    """What was written to the open file is on the disk."""
    if sys.platform == "darwin":
        import fcntl

        # There fsync stops at the drive's cache. Network drives do not know the stronger one.
        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """The names in `folder` are on the disk, where the system can promise it."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        sync(descriptor)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:  # some network drives cannot
            raise
    finally:
        os.close(descriptor)


def refusal(error: OSError, path: Path) -> DiskFull | None:
    """What to tell the person if `error` is the disk's; None if it means something else."""
    if error.errno not in _REFUSALS:
        return None
    if error.errno in _NO_SPACE:
        return DiskFull(
            f"there is no space left for {path}",
            hint="Free some space on that disk, then try again.",
        )
    return DiskFull(
        f"{path} cannot be written ({error.strerror or error})",
        hint="Let your user write there, or choose another folder with STRIPMOCAP_DATA.",
    )


def _told(error: OSError, path: Path) -> Exception:
    return refusal(error, path) or error


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
