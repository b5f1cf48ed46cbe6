"""Arrays in a file that is whole or not there, and that notices any damage.

A SHA-256 of 32 bytes, then an .npz of plain arrays, not compressed: landmarks do not shrink.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

SUFFIX, PART = ".kept", ".part"
_DIGEST_BYTES = 32


class Damaged(Exception):
    """The file is not what was written."""


def packed(arrays: Mapping[str, Any]) -> bytes:
    """What a file that holds `arrays` consists of."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    content = buffer.getbuffer()
    return hashlib.sha256(content).digest() + content


def unpacked(content: bytes) -> dict[str, np.ndarray]:
    """The arrays in the `content` of a file.

    Raises:
        Damaged: it is not what `packed` made.
    """
    body = memoryview(content)[_DIGEST_BYTES:]
    if hashlib.sha256(body).digest() != content[:_DIGEST_BYTES]:
        raise Damaged("its checksum is another")
    try:
        with np.load(io.BytesIO(body), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except ValueError as error:  # somebody wrote a checksum over something else
        raise Damaged(str(error)) from error


def write(path: Path, content: bytes) -> None:
    """Puts `content` at `path` in one step.

    Raises:
        OSError: the folder is missing or not writable, or the disk is full; nothing is left.
    """
    part = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=PART, delete=False) as file:
            part = Path(file.name)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        if part is not None:
            part.unlink(missing_ok=True)
