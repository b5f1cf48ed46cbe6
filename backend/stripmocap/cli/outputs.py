"""Files that a verb writes: refused before the long work starts, and whole or not there at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from ..contract import whole_file
from ..contract.errors import ResultFileError

MIN_FREE_BYTES = 20 * 1024 * 1024  # a ten-minute capture of one person is about 10 MB


def check(path: Path, *, suffixes: tuple[str, ...], sources: tuple[Path | None, ...] = ()) -> None:
    """Makes sure that `path` can be written when the work is done; what is there stays.

    Args:
        path: the file to write.
        suffixes: the endings that it may have, lower case.
        sources: files that are read; they must not be overwritten.

    Raises:
        ResultFileError: it is a folder, has another ending, is a source, lies in no folder or in
            one that may not be written, or the disk is full.
    """
    if path.suffix.lower() not in suffixes:
        raise ResultFileError(
            f"{path} does not end in {' or '.join(suffixes)}",
            hint=f"Call it {path.stem or 'result'}{suffixes[0]}.",
        )
    if path.is_dir():
        raise ResultFileError(f"{path} is a folder", hint="Give the name of a file.")
    if any(each is not None and _same(path, each) for each in sources):
        raise ResultFileError(f"{path} would overwrite what is read", hint="Choose another name.")
    check_folder(path.parent)


def check_folder(folder: Path) -> None:
    """Makes sure that a file can be written into `folder`.

    Raises:
        ResultFileError: it is no folder, may not be written, or the disk is full.
    """
    if not folder.is_dir():
        raise ResultFileError(f"{folder} is not a folder", hint="Make it first, or choose another.")
    try:
        # Asking for permissions is no proof: network and read-only disks answer late.
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".stripmocap.", suffix=".part"):
            free = shutil.disk_usage(folder).free
    except OSError as error:
        raise ResultFileError(
            f"{folder} cannot be written ({error.strerror or error})",
            hint="Choose a folder that you may write to.",
        ) from error
    if free < MIN_FREE_BYTES:
        raise ResultFileError(
            f"{folder} has {free / 2**20:.0f} MB left",
            hint="Free some space, or choose another disk.",
        )


def make_folder(folder: Path) -> None:
    """Makes `folder` if it is not there, and sure that a file can be written into it.

    Raises:
        ResultFileError: it is something else, may not be made or written, or the disk is full.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResultFileError(
            f"{folder} cannot be made ({error.strerror or error})",
            hint="Choose a folder that you may write to.",
        ) from error
    check_folder(folder)


def whole(path: Path) -> AbstractContextManager[Path]:
    """A file beside `path`, of its kind, to write to; see `whole_file.whole`.

    Raises:
        ResultFileError: the system refused to write.
    """
    return whole_file.whole(path, error=ResultFileError, suffix=f".part{path.suffix}")


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Writes `values` to `path`, whole or not at all.

    Raises:
        ResultFileError: the system refused to write.
    """
    with whole(path) as partial:
        partial.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def _same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False
