"""Hostile files made from sound ones, the same ones for the same number and seed.

Blind damage (bits, blocks, cuts) finds what a decoder forgets to check; damage that knows where the
numbers stand (sizes, counts, dimensions, time scales, edit lists, matrices) finds what a reader
believes. What each kind does is its function below.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .crafted_files import CRAFTED
from .seed_movies import Seed

Damage = Callable[[bytes, np.random.Generator], bytes]
_EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000)
_EXTREME_BYTES = tuple(struct.pack(">I", each) for each in (*_EXTREMES, 0xFFFFFFFE, 0xFFFFFFFF))
# Names and numbers after which the fields stand that a reader of the container believes.
_LANDMARKS = {
    ".mp4": (
        *(b"ftyp", b"moov", b"mvhd", b"trak", b"tkhd", b"edts", b"elst", b"mdia", b"mdhd", b"hdlr"),
        *(b"minf", b"stbl", b"stsd", b"avc1", b"avcC", b"hvc1", b"hvcC", b"stts", b"ctts", b"stss"),
        *(b"stsc", b"stsz", b"stco", b"mp4v", b"esds", b"pasp", b"mdat", b"udta", b"meta"),
    ),
    ".mkv": (
        *(b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", b"\x15\x49\xa9\x66", b"\x16\x54\xae\x6b"),
        *(b"\x1f\x43\xb6\x75", b"\x1c\x53\xbb\x6b", b"\x11\x4d\x9b\x74", b"\x2a\xd7\xb1"),
        *(b"\x44\x89", b"\x23\xe3\x83", b"\x63\xa2", b"\x54\xb0", b"\x54\xba"),
        *(b"\xb0", b"\xba", b"\xe0", b"\xa3"),
    ),
    ".avi": (b"RIFF", b"LIST", b"avih", b"strh", b"strf", b"movi", b"00dc", b"idx1", b"hdrl"),
    ".gif": (b"GIF89a", b"\x21\xf9", b"\x21\xff", b"\x2c"),
    ".png": (b"IHDR", b"IDAT", b"pHYs", b"IEND"),
    ".jpg": (b"\xff\xc0", b"\xff\xc4", b"\xff\xdb", b"\xff\xda", b"\xff\xe0"),
    ".h264": (b"\0\0\1\x67", b"\0\0\1\x68", b"\0\0\1\x65", b"\0\0\1\x41", b"\0\0\1"),
    ".ts": (b"\x47",),
    ".wmv": (b"\x30\x26\xb2\x75", b"\xa1\xdc\xab\x8c", b"\x91\x07\xdc\xb7", b"\x36\x26\xb2\x75"),
    ".exr": (b"channels", b"dataWindow", b"displayWindow", b"compression", b"lineOrder"),
    ".jp2": (b"ihdr", b"jp2c", b"\xff\x51", b"\xff\x52", b"\xff\x5c", b"\xff\x90"),
}
_LANDMARKS[".mov"], _LANDMARKS[".webm"] = _LANDMARKS[".mp4"], _LANDMARKS[".mkv"]


@dataclass(frozen=True)
class Hostile:
    """A file that is not what it says."""

    name: str  # says how it was made; ends in the suffix that the file should have
    kind: str
    data: bytes


def hostile(number: int, *, seed: int, seeds: Sequence[Seed]) -> Hostile:
    """The file `number` of the corpus of `seed`."""
    generator = np.random.default_rng([seed, number])
    kind = KINDS[number % len(KINDS)]
    chosen = seeds[int(generator.integers(len(seeds)))]
    if kind == "crafted":
        label, craft = list(CRAFTED.items())[number // len(KINDS) % len(CRAFTED)]
        return Hostile(f"{number:05d}-{label}", kind, craft(generator))
    suffix, data = chosen.suffix, chosen.data
    if kind in {"joined", "spliced", "renamed"}:
        other = seeds[int(generator.integers(len(seeds)))]
        data = _MIXES[kind](chosen.data, other.data, generator)
        suffix = other.suffix if kind == "renamed" else suffix
    elif kind == "fields":
        data = _fields(data, generator, landmarks=_LANDMARKS.get(suffix, ()))
    else:
        data = _DAMAGES[kind](data, generator)
    return Hostile(f"{number:05d}-{kind}-{chosen.name.partition('.')[0]}{suffix}", kind, data)


def _fields(data: bytes, generator: np.random.Generator, *, landmarks: Sequence[bytes]) -> bytes:
    """Extreme numbers of one to eight bytes, just before or after the names of fields."""
    places = [at for mark in landmarks for at in _all_places(data, mark)]
    places = places or list(range(min(64, len(data))))
    found = bytearray(data)
    for _ in range(int(generator.integers(1, 5))):
        at = places[int(generator.integers(len(places)))] + int(generator.integers(-4, 60))
        width = int(generator.choice([1, 2, 4, 4, 4, 8]))
        value = _EXTREME_BYTES[int(generator.integers(len(_EXTREME_BYTES)))]
        value = (value + value)[:width] if generator.random() < 0.5 else value[::-1][:width] * 1
        at = min(max(at, 0), max(len(found) - len(value), 0))
        found[at : at + len(value)] = value
    return bytes(found)


def _all_places(data: bytes, mark: bytes) -> list[int]:
    places, at = [], data.find(mark)
    while at >= 0 and len(places) < 50:
        places.append(at)
        at = data.find(mark, at + 1)
    return places


def _bits(data: bytes, generator: np.random.Generator) -> bytes:
    found = np.frombuffer(data, np.uint8).copy()
    for _ in range(int(generator.integers(1, 40))):
        found[generator.integers(len(found))] ^= 1 << int(generator.integers(8))
    return found.tobytes()


def _cut(data: bytes, generator: np.random.Generator) -> bytes:
    return data[: int(generator.integers(0, len(data)))]


def _beheaded(data: bytes, generator: np.random.Generator) -> bytes:
    return data[int(generator.integers(1, min(len(data), 200))) :]


def _block(data: bytes, generator: np.random.Generator) -> tuple[int, int]:
    """Where a block begins and ends."""
    size = int(generator.integers(1, max(2, len(data) // 3)))
    start = int(generator.integers(0, len(data) - size + 1))
    return start, start + size


def _zeroed(data: bytes, generator: np.random.Generator) -> bytes:
    start, end = _block(data, generator)
    filler = bytes([int(generator.choice([0, 0, 255]))])
    return data[:start] + filler * (end - start) + data[end:]


def _scrambled(data: bytes, generator: np.random.Generator) -> bytes:
    start, end = _block(data, generator)
    return data[:start] + generator.bytes(end - start) + data[end:]


def _swapped(data: bytes, generator: np.random.Generator) -> bytes:
    first, middle, last = sorted(generator.integers(0, len(data) + 1, size=3).tolist())
    return data[:first] + data[middle:last] + data[first:middle] + data[last:]


def _doubled(data: bytes, generator: np.random.Generator) -> bytes:
    start, end = _block(data, generator)
    return data[:end] + data[start:end] * int(generator.integers(1, 20)) + data[end:]


def _lost(data: bytes, generator: np.random.Generator) -> bytes:
    start, end = _block(data, generator)
    return data[:start] + data[end:]


def _header(data: bytes, generator: np.random.Generator) -> bytes:
    """Random bytes in the first 200 only."""
    found = bytearray(data)
    for _ in range(int(generator.integers(1, 12))):
        found[int(generator.integers(min(200, len(found))))] = int(generator.integers(256))
    return bytes(found)


def _magic(data: bytes, generator: np.random.Generator) -> bytes:
    return generator.bytes(int(generator.integers(1, 16))) + data[16:]


def _noise(_data: bytes, generator: np.random.Generator) -> bytes:
    return generator.bytes(int(generator.choice([0, 1, 3, 16, 200, 5000, 65_536])))


def _joined(data: bytes, other: bytes, _generator: np.random.Generator) -> bytes:
    return data + other


def _spliced(data: bytes, other: bytes, generator: np.random.Generator) -> bytes:
    """The beginning of one and the end of the other."""
    return data[: int(generator.integers(len(data)))] + other[int(generator.integers(len(other))) :]


def _renamed(data: bytes, _other: bytes, _generator: np.random.Generator) -> bytes:
    return data


_MIXES = {"joined": _joined, "spliced": _spliced, "renamed": _renamed}
_DAMAGES: dict[str, Damage] = {
    "bits": _bits,
    "cut": _cut,
    "beheaded": _beheaded,
    "zeroed": _zeroed,
    "scrambled": _scrambled,
    "swapped": _swapped,
    "doubled": _doubled,
    "lost": _lost,
    "header": _header,
    "magic": _magic,
    "noise": _noise,
}
# Fields come up four times as often as the rest: they are what readers believe.
KINDS = (
    *("fields", *_DAMAGES, "fields", *_MIXES, "fields", "crafted", "fields"),
)  # fmt: skip
