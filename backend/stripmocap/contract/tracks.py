"""Who was followed through a clip: what an artist needs to see in order to say who is who."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import DType, checked
from .corrections import Mark
from .errors import ResultFileError


@dataclass(frozen=True, eq=False)
class PersonTrack:
    """One person over T frames, after corrections."""

    person: int  # the number that takes have them under
    times_s: np.ndarray  # (T,) float64, strictly increasing, seconds of the file's own clock
    boxes: np.ndarray  # (T, 4) px: x0, y0, x1, y1
    presence: np.ndarray  # (T,) in [0, 1]; 0 where nobody was seen and the box is a guess
    mark: Mark  # by which corrections may name this person
    picture: np.ndarray  # (H, W, 3) uint8 RGB, for a list
    kept: bool = True  # whether bodies are made of this person

    def __post_init__(self) -> None:
        _freeze(self, "times_s", (None,), np.float64)
        frames = len(self.times_s)
        _freeze(self, "boxes", (frames, 4), np.float32)
        _freeze(self, "presence", (frames,), np.float32)
        _freeze(self, "picture", (None, None, 3), np.uint8)
        if frames == 0 or (np.diff(self.times_s) <= 0).any():
            raise ResultFileError(f"the times of person {self.person} do not rise")
        if self.presence.min() < 0 or self.presence.max() > 1:
            raise ResultFileError(f"the presence of person {self.person} leaves [0, 1]")


def _freeze(record: object, name: str, shape: tuple[int | None, ...], dtype: DType) -> None:
    value = checked(name, getattr(record, name), shape, dtype=dtype, error=ResultFileError)
    object.__setattr__(record, name, value)
