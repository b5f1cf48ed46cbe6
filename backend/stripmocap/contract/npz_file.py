"""Arrays in .npz files: written whole or not at all, and read without pickle."""

from __future__ import annotations

import os
import tempfile
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .errors import StripMocapError


def write(path: Path, arrays: Mapping[str, Any], *, error: type[StripMocapError]) -> None:
    """Writes `arrays` beside `path` and moves them there in one step.

    Raises:
        error: the folder is missing or not writable, or the disk is full; an earlier file stays.
    """
    partial = None
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", suffix=".part", delete=False
        ) as file:
            partial = Path(file.name)
            np.savez_compressed(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        partial.chmod(0o666 & ~_umask())
        partial.replace(path)
    except OSError as reason:
        raise error(
            f"{path} cannot be written ({reason.strerror or reason})",
            hint="Choose a folder that exists, that you may write to, and that has space left.",
        ) from reason
    finally:
        if partial is not None:
            partial.unlink(missing_ok=True)


def read(
    path: Path,
    *,
    error: type[StripMocapError],
    hint: str = "It may be cut short or of another kind; copy it again.",
) -> dict[str, np.ndarray]:
    """All arrays of the .npz file at `path`, never through pickle.

    Raises:
        error: the file is missing, or is no .npz of plain arrays.
    """
    try:
        # numpy takes what is no archive for a pickle, and says how to load one "unsafely".
        if not zipfile.is_zipfile(path):
            path.open("rb").close()  # missing, a folder, or not to be read
            raise zipfile.BadZipFile("it is no archive of arrays")
        with np.load(path, allow_pickle=False) as file:
            return {name: _plain(file, name) for name in file.files}
    except FileNotFoundError as reason:
        raise error(f"{path} is not there", hint="Check the name and the folder.") from reason
    except (
        *(OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error),
        # a damaged header may ask for any amount of memory, or not even be Python's grammar
        *(MemoryError, OverflowError, SyntaxError, tokenize.TokenError),
        # for odd compression and encryption
        *(TypeError, NotImplementedError, RuntimeError),
    ) as reason:
        raise error(f"{path} cannot be read as an .npz file ({reason})", hint=hint) from reason


def _plain(file: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    try:
        return file[name]
    except ValueError as reason:
        if "allow_pickle" in str(reason):
            raise ValueError(f"{name} holds Python objects, not numbers or text") from reason
        raise


def _umask() -> int:
    # The temporary file is private; the result gets the rights that an ordinary new file has.
    mask = os.umask(0)
    os.umask(mask)
    return mask
