"""Image sequences: which files belong to one, and the clock that their numbers keep.

`shot.0001.png` stands for every `shot.<digits>.png` beside it. A picture's time is its number's
distance from the lowest number, so a picture that is missing leaves a gap and moves nothing.
Blender and the backend count by this one rule, or an animation would land beside its pictures.
"""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

FPS = Fraction(24)  # Blender's and film's own; still pictures carry no rate
EXTENSIONS = frozenset(
    {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".exr", ".dpx", ".tga", ".jp2", ".webp"}
)
_NUMBERED = re.compile(r"^(?P<head>.*?)(?P<number>\d+)$")


def is_picture(file: Path) -> bool:
    """Whether the file's name is that of a still picture."""
    return file.suffix.lower() in EXTENSIONS


def number_of(file: Path) -> int | None:
    """The number at the end of the name, None if there is none."""
    match = _NUMBERED.match(file.stem)
    return int(match["number"]) if match else None


def files_of(file: Path) -> dict[int, Path]:
    """Every picture of the sequence that `file` belongs to, by number, the lowest first.

    Only `file` itself, as number 0, if its name bears no number.

    Raises:
        OSError: the folder cannot be read.
    """
    match = _NUMBERED.match(file.stem)
    if match is None:
        return {0: file}
    same = re.compile(re.escape(match["head"]) + r"(\d+)" + re.escape(file.suffix))
    found: dict[int, Path] = {}
    for each in file.parent.iterdir():
        number = same.fullmatch(each.name)
        if number and (len(number[1]) == len(match["number"]) or number[1][0] != "0"):
            found.setdefault(int(number[1]), each)
    found[int(match["number"])] = file
    return dict(sorted(found.items()))
