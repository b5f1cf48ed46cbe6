"""Who was followed through a clip: what an artist needs to see in order to say who is who.

A capture has them as they were followed, before corrections, so that these can be changed after the
fact; `casting` tells what corrections make of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import DType, checked
from .corrections import Mark
from .errors import ResultFileError


@dataclass(frozen=True, eq=False)
class PersonTrack:
    """One person over T frames, and P small pictures."""

    person: int  # the number that takes have them under
    times_s: np.ndarray  # (T,) float64, strictly increasing, seconds of the file's own clock
    boxes: np.ndarray  # (T, 4) px: x0, y0, x1, y1
    presence: np.ndarray  # (T,) in [0, 1]; 0 where nobody was seen and the box is a guess
    mark: Mark  # by which corrections may name this person
    pictured_s: np.ndarray  # (P,) float64, strictly increasing, when the pictures are from
    pictures: np.ndarray  # (P, S, S, 3) uint8 RGB, for a list; P may be 0
    kept: bool = True  # whether bodies are made of this person

    def __post_init__(self) -> None:
        _freeze(self, "times_s", (None,), np.float64)
        frames = len(self.times_s)
        _freeze(self, "boxes", (frames, 4), np.float32)
        _freeze(self, "presence", (frames,), np.float32)
        _freeze(self, "pictured_s", (None,), np.float64)
        _freeze(self, "pictures", (len(self.pictured_s), None, None, 3), np.uint8)
        rise = all((np.diff(each) > 0).all() for each in (self.times_s, self.pictured_s))
        if frames == 0 or not rise:
            raise ResultFileError(f"the times of person {self.person} do not rise")
        if self.presence.min() < 0 or self.presence.max() > 1:
            raise ResultFileError(f"the presence of person {self.person} leaves [0, 1]")

    @property
    def picture(self) -> np.ndarray:
        """(S, S, 3) uint8 RGB, one of the pictures; a grey pixel if there are none."""
        if len(self.pictures) == 0:
            return np.full((1, 1, 3), 128, dtype=np.uint8)
        return self.pictures[len(self.pictures) // 2]


def _freeze(record: object, name: str, shape: tuple[int | None, ...], dtype: DType) -> None:
    value = checked(name, getattr(record, name), shape, dtype=dtype, error=ResultFileError)
    object.__setattr__(record, name, value)
