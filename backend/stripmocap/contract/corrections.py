"""What an artist corrects about who is who, before bodies are made.

People are named by marks: a place in the picture at a time. So a correction means the same person
when the strip is trimmed, or when people are looked for again. Corrections apply one after the
other, each to what the ones before it made.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .errors import RequestError

# Each kind, and what it takes besides `who`.
KINDS = {
    "choose": (),  # only people who are chosen are captured, once anybody is
    "ignore": (),  # not captured
    "merge": ("other",),  # `other` is the same person
    "split": ("time_s",),  # from then on it is somebody else
    "swap": ("other", "time_s"),  # from then on each is the other
}
WISHES = ("choose", "ignore")  # the kinds that tell who is captured; others tell who is who
_WORDS = {"other": "second person", "time_s": "time"}


@dataclass(frozen=True)
class Mark:
    """Whoever is seen at a place of the picture at a time."""

    time_s: float  # seconds of the file's own clock
    x: float  # of the picture's width, from its left edge
    y: float  # of the picture's height, from its top edge

    def __post_init__(self) -> None:
        if not all(_is_number(each) for each in (self.time_s, self.x, self.y)):
            raise RequestError(
                f"a correction names nobody ({self.time_s}, {self.x}, {self.y})",
                hint="Name somebody by a time_s in seconds, and x and y as shares of the picture.",
            )


@dataclass(frozen=True)
class Correction:
    """One thing that is put right."""

    kind: str  # one of KINDS
    who: Mark
    other: Mark | None = None
    time_s: float | None = None  # seconds of the file's own clock

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise RequestError(
                f"there is no correction {self.kind!r}", hint=f"Choose one of {', '.join(KINDS)}."
            )
        for name in ("other", "time_s"):
            there, wanted = getattr(self, name) is not None, name in KINDS[self.kind]
            if there != wanted:
                amount = "a" if wanted else "no"
                raise RequestError(
                    f"{self.kind} takes {amount} {_WORDS[name]}",
                    hint=f"{'Add' if wanted else 'Leave out'} {name}.",
                )
        if self.time_s is not None and not _is_number(self.time_s):
            raise RequestError(
                f"a correction is to hold from {self.time_s} s on",
                hint="Give time_s in seconds of the file.",
            )

    def to_json(self) -> dict[str, Any]:
        """A dictionary that `json` can write."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def correction_from_json(values: Mapping[str, Any]) -> Correction:
    """The correction that `to_json` wrote; what is null counts as left out.

    Raises:
        RequestError: an entry is missing, unknown, or of the wrong type.
    """
    try:
        rest = {name: value for name, value in dict(values).items() if value is not None}
        marks = {name: Mark(**rest.pop(name)) for name in ("who", "other") if name in rest}
        return Correction(**marks, **rest)
    except (TypeError, ValueError) as error:
        raise RequestError(
            f"a correction cannot be read ({error})",
            hint="It has a kind, who is meant, and what that kind takes of other and time_s.",
        ) from error


def _is_number(value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) <= sys.float_info.max  # false for nan, and for what no float holds
