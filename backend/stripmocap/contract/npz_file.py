"""Arrays in .npz files: written whole or not at all, and read without pickle.

A file may come from anybody, so its words are weighed before memory is spent on them: how many
entries it lists, how large they say they are, whether an array's header fits the bytes that follow.
What is read can be `MOST_INFLATED` times as large as the file, or `SMALL_BYTES`, but no larger.
"""

from __future__ import annotations

import io
import math
import os
import tokenize
import zipfile
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from .errors import StripMocapError
from .whole_file import whole

MOST_ENTRIES = 20_000  # a capture has six a person and take
MOST_BYTES = 4 * 2**30  # of all arrays
SMALL_BYTES = 256 * 2**20  # up to here, a file may be as dense as it likes: zeros are common
MOST_INFLATED = 100  # captures are 1.3 times as large as their files; deflate could reach 1032
_DIRECTORY_BYTES = 4 * 2**20  # of the archive's list of entries
_CHUNK_BYTES = 2**20
_SUFFIX = ".npy"
_NUMBERS_AND_TEXT = "biufcSU"
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others inflate without bound


def write(path: Path, arrays: Mapping[str, Any], *, error: type[StripMocapError]) -> None:
    """Writes `arrays` beside `path` and moves them there in one step.

    Raises:
        error: the folder is missing or not writable, or the disk is full; an earlier file stays.
    """
    with whole(path, error=error) as partial, partial.open("wb") as file:
        np.savez_compressed(file, **arrays)


def read(
    path: Path,
    *,
    error: type[StripMocapError],
    hint: str = "It may be cut short or of another kind; copy it again.",
    names: Collection[str] | None = None,
) -> dict[str, np.ndarray]:
    """The arrays of the .npz file at `path`, or those of them in `names`, never through pickle.

    Raises:
        error: the file is missing, is no .npz of plain arrays, or would become too large.
    """
    try:
        with _Source(path) as file, zipfile.ZipFile(file) as archive:
            entries = _plausible(archive, size=path.stat().st_size)
            return {
                name: _array(archive, entry)
                for name, entry in entries.items()
                if names is None or name in names
            }
    except FileNotFoundError as reason:
        raise error(f"{path} is not there", hint="Check the name and the folder.") from reason
    except (
        *(OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error),
        # a damaged header may ask for any amount of memory, or not even be Python's grammar
        *(MemoryError, OverflowError, SyntaxError, RecursionError, tokenize.TokenError),
        # for odd compression and encryption
        *(TypeError, NotImplementedError, RuntimeError),
    ) as reason:
        raise error(f"{path} cannot be read as an .npz file ({reason})", hint=hint) from reason


class _Source(io.FileIO):
    """A file of which nobody gets much at once: an archive's directory is read in one piece."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            size = os.fstat(self.fileno()).st_size - self.tell()
        if size > _DIRECTORY_BYTES:
            raise zipfile.BadZipFile(f"its list of entries has {size} bytes")
        return super().read(size) or b""


def _plausible(archive: zipfile.ZipFile, *, size: int) -> dict[str, zipfile.ZipInfo]:
    """The entries of `archive`, a file of `size` bytes, by the names of their arrays."""
    entries = archive.infolist()
    if len(entries) > MOST_ENTRIES:
        raise ValueError(f"it lists {len(entries)} entries")
    total = sum(each.file_size for each in entries)
    if total > min(MOST_BYTES, max(SMALL_BYTES, MOST_INFLATED * size)):
        raise ValueError(f"its {size} bytes would become {total}")
    for each in entries:
        if each.compress_type not in _COMPRESSIONS:
            raise ValueError(f"{each.filename} is compressed in another way than ours")
        if not each.filename.endswith(_SUFFIX):
            raise ValueError(f"{each.filename} is no array")
    return {each.filename.removesuffix(_SUFFIX): each for each in entries}


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray:
    name = entry.filename.removesuffix(_SUFFIX)
    with archive.open(entry) as file:
        shape, fortran, dtype = _header(cast("io.BufferedIOBase", file))
        if dtype.hasobject:
            raise ValueError(f"{name} holds Python objects, not numbers or text")
        if dtype.kind not in _NUMBERS_AND_TEXT:
            raise ValueError(f"{name} holds {dtype.name}, not numbers or text")
        claimed, there = math.prod(shape) * dtype.itemsize, entry.file_size - file.tell()
        if min(shape, default=0) < 0 or claimed != there:
            raise ValueError(f"{name} is said to have shape {shape}, and has {there} bytes")
        data = bytearray(there)
        view, filled = memoryview(data), 0
        while filled < there:
            got = file.read(min(_CHUNK_BYTES, there - filled))
            if not got:
                raise EOFError(f"{name} ends early")
            view[filled : filled + len(got)] = got
            filled += len(got)
        file.read(1)  # at its end, an entry's checksum is compared
    if there == 0:
        return np.zeros(shape, dtype)
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def _header(file: io.BufferedIOBase) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether columns are contiguous, and type. Headers over 10 000 bytes are refused."""
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(file)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(file)
    raise ValueError(f"an array has format {version[0]}.{version[1]}, not one of numbers")
