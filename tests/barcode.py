"""Movies whose frame number stands in the picture as black and white bars, lowest bit first."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

BITS = 8
SIZE = (128, 32)  # width, height


def write_movie(
    path: Path,
    *,
    frames: int,
    fps: Fraction,
    size: tuple[int, int] = SIZE,
    stamps_ms: Sequence[int] | None = None,
) -> None:
    """A movie of `frames` pictures, numbered from 0, at `stamps_ms` if these are given."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        if stamps_ms is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(_picture(number, size), format="rgb24")
            if stamps_ms is not None:
                frame.pts, frame.time_base = stamps_ms[number], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def write_pictures(
    folder: Path, numbers: Iterable[int], *, size: tuple[int, int] = SIZE
) -> list[Path]:
    """The pictures of these numbers as files of one sequence."""
    import av

    paths = []
    for number in numbers:
        paths.append(folder / f"p{number:04d}.png")
        with av.open(str(paths[-1]), "w", format="image2", options={"update": "1"}) as container:
            stream = container.add_stream("png", rate=24)
            stream.width, stream.height = size
            stream.pix_fmt = "rgb24"
            picture = av.VideoFrame.from_ndarray(_picture(number, size), format="rgb24")
            container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
    return paths


def mark_quarter_turn(path: Path) -> None:
    """Makes the movie ask to be shown turned clockwise by 90 degrees, as phones' movies do."""
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 44  # of the track's header: type, version, times, reserved
    data[matrix : matrix + 36] = struct.pack(">9i", 0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
    path.write_bytes(data)


def read_number(picture: np.ndarray) -> int:
    """The number in a picture (H, W), bright above 0.5, of whatever size."""
    width = picture.shape[1] / BITS
    row = picture[picture.shape[0] // 2]
    bits = [row[int((bit + 0.5) * width)] > 0.5 for bit in range(BITS)]
    return sum(1 << bit for bit, lit in enumerate(bits) if lit)


def _picture(number: int, size: tuple[int, int]) -> np.ndarray:
    bits = [255 * (number >> bit & 1) for bit in range(BITS)]
    row = np.repeat(np.array(bits, dtype=np.uint8), size[0] // BITS)
    return np.broadcast_to(row[None, :, None], (size[1], size[0], 3)).copy()
