"""Whether a movie shows its pictures at a steady rate, read from the index of an MP4 or MOV file.

Phones and screen recorders write uneven files, and nearly all of them write this format (ISO/IEC
14496-12: boxes of a length, a name and contents; "stts" holds the durations of the pictures). Other
formats are not looked into.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

TOLERANCE = 0.5  # pictures that one may stray from where a steady rate would show it
_MAX_INDEX_BYTES = 64 << 20
_NESTED = {b"moov", b"trak", b"mdia", b"minf", b"stbl"}


@dataclass(frozen=True)
class Rhythm:
    """How the pictures of a movie follow each other."""

    is_steady: bool  # every picture comes when a steady rate would bring it
    mean_fps: float  # pictures a second over the whole file


def rhythm_of(file: Path) -> Rhythm | None:
    """The rhythm of a movie; None if its file does not tell."""
    try:
        with file.open("rb") as stream:
            durations_s = _picture_durations_s(stream, stream.seek(0, 2))
    except (OSError, struct.error, ValueError):
        return None
    if durations_s is None or len(durations_s) < 3 or durations_s.sum() <= 0:
        return None
    times_s = np.cumsum(durations_s[:-1])  # the last picture's own duration moves nobody
    mean_s = times_s[-1] / len(times_s)
    steady_s = mean_s * np.arange(1, len(times_s) + 1)
    is_steady = bool(np.abs(times_s - steady_s).max() <= TOLERANCE * mean_s)
    return Rhythm(is_steady, mean_fps=1 / mean_s)


def _picture_durations_s(stream: BinaryIO, end: int) -> np.ndarray | None:
    """How long each picture of the first video track lasts, in the order of decoding."""
    is_video, ticks_a_second = False, 0
    for name, start, stop in _boxes(stream, 0, end):
        if name == b"mdhd":
            ticks_a_second = _timescale(stream, start)
        elif name == b"hdlr":
            stream.seek(start + 4)
            component, kind = struct.unpack(">4s4s", stream.read(8))
            if component != b"dhlr":  # which says only where the data are; MOV has it besides
                is_video = kind == b"vide"
        elif name == b"stts" and is_video and ticks_a_second:
            ticks = _run_lengths(stream, start, stop)
            return None if ticks is None else ticks / ticks_a_second
    return None


def _timescale(stream: BinaryIO, start: int) -> int:
    stream.seek(start)
    version = stream.read(1)
    stream.seek(start + (20 if version == b"\x01" else 12))  # behind two times of 8 or 4 bytes
    return struct.unpack(">I", stream.read(4))[0]


def _boxes(stream: BinaryIO, start: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """Name and extent of the contents of every box, those inside others after these."""
    while start + 8 <= stop:
        stream.seek(start)
        size, name = struct.unpack(">I4s", stream.read(8))
        contents = start + 8
        if size == 1:  # too long for 32 bits
            (size,) = struct.unpack(">Q", stream.read(8))
            contents += 8
        after = stop if size == 0 else start + size
        if after < contents or after > stop:
            return
        yield name, contents, after
        if name in _NESTED:
            yield from _boxes(stream, contents, after)
        start = after


def _run_lengths(stream: BinaryIO, start: int, stop: int) -> np.ndarray | None:
    if stop - start > _MAX_INDEX_BYTES:
        return None
    stream.seek(start + 4)
    (count,) = struct.unpack(">I", stream.read(4))
    pairs = np.frombuffer(stream.read(8 * count), dtype=">u4").reshape(-1, 2)
    if pairs[:, 0].sum() > _MAX_INDEX_BYTES // 8:
        return None
    return np.repeat(pairs[:, 1].astype(np.int64), pairs[:, 0])
