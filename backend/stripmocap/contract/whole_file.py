"""Files that are written whole, or are not there at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from .errors import StripMocapError

PART = ".part"  # how the names of files end that are being written
HINT = "Choose a folder that exists, that you may write to, and that has space left."


@contextmanager
def whole(
    path: Path, *, error: type[StripMocapError], suffix: str = PART, hint: str = HINT
) -> Generator[Path]:
    """An empty file beside `path` to write to; it takes the place of `path` after the block.

    What other libraries raise in the block should be raised on as an OSError.

    Args:
        path: of the file.
        error: what a system that refuses is answered with.
        suffix: of the file beside it, for writers that go by it.
        hint: what the person can do.

    Raises:
        error: the folder is missing or not writable, or the disk is full; an earlier file stays.
    """
    partial = None
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", suffix=suffix, delete=False
        ) as file:
            partial = Path(file.name)
        yield partial
        with partial.open("r+b") as file:
            os.fsync(file.fileno())
        # A temporary file is private; this one gets the rights that an ordinary new file has.
        partial.chmod(0o666 & ~_umask())
        partial.replace(path)
    except OSError as reason:
        raise error(
            f"{path} cannot be written ({reason.strerror or reason})", hint=hint
        ) from reason
    finally:
        if partial is not None:
            partial.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
