"""Files written by hand to be believed: absurd sizes, times and matrices, deep nests, playlists."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np

from .seed_movies import RECIPES, encoded

Craft = Callable[[np.random.Generator], bytes]
_RECIPES = {each.name: each for each in RECIPES}
_UNITY = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
_SIDES = (0, 1, 16_384, 30_000, 32_767, 65_500, 65_535)


def _side(generator: np.random.Generator) -> int:
    return int(generator.choice(_SIDES))


def _png(generator: np.random.Generator) -> bytes:
    """A picture of any size whose pixels are all there, in kilobytes."""
    width, height = max(1, _side(generator)), max(1, _side(generator))
    squeeze, body = zlib.compressobj(9), io.BytesIO()
    row, left = bytes(1 + (width + 7) // 8), height
    while left:
        body.write(squeeze.compress(row * min(left, 512)))
        left -= min(left, 512)
    body.write(squeeze.flush())
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", body.getvalue()), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _png_claim(generator: np.random.Generator) -> bytes:
    """A picture whose checked header says any size."""
    data = encoded(_RECIPES["still.png"])
    sides = [int(generator.choice([*_SIDES, 2**31 - 1, 2**31, 2**32 - 1])) for _ in range(2)]
    at = data.index(b"IHDR")
    head = struct.pack(">II", *sides) + data[at + 12 : at + 17]
    return data[: at - 4] + _chunk(b"IHDR", head) + data[at + 21 :]


def _gif(generator: np.random.Generator) -> bytes:
    """A canvas of any size with small pictures on it."""
    data = bytearray(encoded(_RECIPES["anim.gif"]))
    data[6:10] = struct.pack("<HH", _side(generator), _side(generator))
    return bytes(data)


def _jpeg(generator: np.random.Generator) -> bytes:
    data = bytearray(encoded(_RECIPES["still.jpg"]))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", _side(generator), _side(generator))
    return bytes(data)


def _bmp(generator: np.random.Generator) -> bytes:
    data = bytearray(encoded(_RECIPES["still.bmp"]))
    data[18:26] = struct.pack("<ii", _side(generator), -_side(generator))
    return bytes(data)


def _motion_jpeg(generator: np.random.Generator) -> bytes:
    """A movie whose pictures say any size, each another one or all the same."""
    data = bytearray(encoded(_RECIPES["mjpeg.avi"]))
    at, same = data.find(b"\xff\xc0"), struct.pack(">HH", _side(generator), _side(generator))
    alike = generator.random() < 0.5
    while at >= 0:
        size = same if alike else struct.pack(">HH", _side(generator), _side(generator))
        data[at + 5 : at + 9] = size
        at = data.find(b"\xff\xc0", at + 1)
    return bytes(data)


def _matrix(generator: np.random.Generator) -> bytes:
    """A movie to be turned, sheared or squeezed in any way."""
    data = bytearray(encoded(_RECIPES["h264.mp4"]))
    at = data.index(_UNITY, data.index(b"tkhd"))
    numbers = generator.choice([0, 1, -1, 1 << 16, -(1 << 16), 2**31 - 1, -(2**31), 46_341], 9)
    data[at : at + 36] = struct.pack(">9i", *numbers.tolist())
    return bytes(data)


def _atom(name: bytes, offset: int, width: int, count: int = 1) -> Craft:
    """A movie with extreme numbers in fields of `width` bytes, `offset` after an atom's name."""

    def craft(generator: np.random.Generator) -> bytes:
        data = bytearray(encoded(_RECIPES["h264.mp4"]))
        at = data.index(name) + 4 + offset
        choice = [bytes(width), b"\xff" * width, b"\x7f" + b"\xff" * (width - 1)]
        choice += [b"\x80" + bytes(width - 1), bytes(width - 1) + b"\1", b"\0\1" * (width // 2)]
        for index in range(count):
            start = at + index * width
            data[start : start + width] = choice[int(generator.integers(len(choice)))]
        return bytes(data)

    return craft


def _nest(generator: np.random.Generator) -> bytes:
    """Boxes within boxes, thousands deep."""
    depth = int(generator.choice([100, 5000, 50_000]))
    sizes = (8 * (depth - index) for index in range(depth))
    names = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"udta", b"meta")
    start = b"\0\0\0\x14ftypisom\0\0\2\0isom"
    return start + b"".join(
        struct.pack(">I", size) + names[index % len(names)] for index, size in enumerate(sizes)
    )


def _matroska_nest(generator: np.random.Generator) -> bytes:
    """A file of masters of unknown length within each other."""
    head = encoded(_RECIPES["h264.mkv"])[:64]
    depth = int(generator.choice([100, 20_000]))
    return head + b"\x18\x53\x80\x67\x01" + b"\xff" * 7 + b"\x12\x54\xc3\x67\x40\x7f" * depth


def _text(text: str) -> Craft:
    return lambda _generator: text.encode("utf-8")


def _many_tracks(_generator: np.random.Generator) -> bytes:
    """The movie's one track, a thousand times."""
    data = encoded(_RECIPES["h264.mp4"])
    at = data.index(b"trak") - 4
    track = data[at : at + struct.unpack(">I", data[at : at + 4])[0]]
    movie = data.index(b"moov") - 4
    size = struct.unpack(">I", data[movie : movie + 4])[0]
    grown = struct.pack(">I", size + 999 * len(track)) + data[movie + 4 : at] + track * 1000
    return data[:movie] + grown + data[at + len(track) :]


CRAFTED: dict[str, Craft] = {  # name of the file, with its suffix
    "bomb.png": _png,
    "size.png": _png_claim,
    "canvas.gif": _gif,
    "size.jpg": _jpeg,
    "size.bmp": _bmp,
    "matrix.mp4": _matrix,
    "timescale.mp4": _atom(b"mdhd", 12, 4, 2),
    "movie-timescale.mp4": _atom(b"mvhd", 12, 4, 2),
    "edits.mp4": _atom(b"elst", 4, 4, 4),
    "width.mp4": _atom(b"tkhd", 76, 4, 2),
    "coded-size.mp4": _atom(b"avc1", 24, 2, 2),
    "samples.mp4": _atom(b"stsz", 4, 4, 2),
    "sample-times.mp4": _atom(b"stts", 4, 4, 3),
    "offsets.mp4": _atom(b"stco", 4, 4, 2),
    "box-size.mp4": _atom(b"moov", -8, 4),
    "nest.mp4": _nest,
    "nest.mkv": _matroska_nest,
    "tracks.mp4": _many_tracks,
    "large.avi": _motion_jpeg,
    "list.m3u8": _text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n"),
    "list.mp4": _text("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"),
    "list.mov": _text("ffconcat version 1.0\nfile /etc/passwd\nfile /dev/zero\n"),
    "session.sdp": _text("v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 5004 RTP/AVP 96\n"),
    "manifest.mpd": _text('<?xml version="1.0"?><MPD type="static"><Period></Period></MPD>'),
    "subtitles.mkv": _text("1\n00:00:00,000 --> 99:00:00,000\n" + "x" * 10_000),
    "drawing.svg": _text(
        '<svg xmlns="http://www.w3.org/2000/svg"><image href="/etc/passwd"/></svg>'
    ),
    "filter.mp4": _text("color=c=red:s=65535x65535"),
    "text.mp4": _text("not a movie\n" * 500),
}
