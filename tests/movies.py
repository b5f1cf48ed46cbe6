"""Small movies of many kinds, written with PyAV: what a test of video reading needs."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

RED, BLUE, GREY = (255, 0, 0), (0, 0, 255), (128, 128, 128)
# Phones write this matrix (16.16 and 2.30 fixed point) for a picture to be turned clockwise.
_UPRIGHT = np.array([1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30], dtype=">i4").tobytes()
_CLOCKWISE = np.array([0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30], dtype=">i4").tobytes()


def write_movie(
    path: Path,
    *,
    size: tuple[int, int] = (64, 48),
    frames: int = 10,
    fps: Fraction = Fraction(30),
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    stamps_ms: Sequence[int] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """A grey movie whose upper left quarter is red and upper right quarter blue."""
    import av

    picture = np.empty((size[1], size[0], 3), dtype=np.uint8)
    picture[:] = GREY
    picture[: size[1] // 2] = BLUE
    picture[: size[1] // 2, : size[0] // 2] = RED
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=fps)
        stream.width, stream.height = size
        stream.pix_fmt = pix_fmt
        if stamps_ms is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            if stamps_ms is not None:
                frame.pts, frame.time_base = stamps_ms[index], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_sound(path: Path) -> Path:
    """A file with sound and no pictures."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        stream.layout = "mono"
        for index in range(20):
            frame = av.AudioFrame.from_ndarray(
                np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
            )
            frame.sample_rate, frame.pts = 44100, index * 1024
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def turn_clockwise(path: Path) -> Path:
    """The MP4 file at `path`, marked as a phone marks a picture that was filmed upright."""
    data = path.read_bytes()
    track = data.index(b"tkhd")
    at = data.index(_UPRIGHT, track)
    path.write_bytes(data[:at] + _CLOCKWISE + data[at + len(_CLOCKWISE) :])
    return path


def cut_short(path: Path, share: float) -> Path:
    """The file at `path` with only the first `share` of its bytes."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path
