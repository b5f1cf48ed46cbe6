"""Where the detector looks: the whole picture, and squares of it in turn, for small people.

The detector shrinks what it is given to 224 pixels and misses people who are small in that. Squares
of the picture's short side, and of a part of it, see them; a few are looked at in each frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .regions import Region, radius_px

STEP = 0.7  # of a square's side, at most, to the next one: who is on a border is whole in one
SMALL_SHARE = 0.6  # side of the small squares, of the picture's short side
MIN_SIDE_PX = 320  # smaller squares would be enlarged, not shrunk, for the detector
WHOLE_SHARE = 0.8  # of the body's circle: bodies are narrower than their circle
WINDOWS_PER_S = 20.0  # every square of a wide picture about twice a second
WINDOWS_PER_FRAME = 3  # at most, however slow the video


class Window(NamedTuple):
    """A part of the picture, in whole pixels."""

    left: int
    top: int
    right: int
    bottom: int


class Patrol:
    """Takes the windows of a picture in turn, so many a second."""

    def __init__(self, width: int, height: int) -> None:
        self.windows = windows(width, height)
        self._size = (width, height)
        self._next = 0
        self._owed = 0.0
        self._last_s: float | None = None

    def due(self, time_s: float, *, at_least: int = 0) -> Iterator[Window]:
        """The windows to look at in the frame at `time_s`: all of them in the first."""
        if self._last_s is None:
            self._last_s = time_s
            yield from self.windows
            return
        owed = self._owed + (time_s - self._last_s) * WINDOWS_PER_S
        self._owed = min(max(owed, at_least), WINDOWS_PER_FRAME, len(self.windows))
        self._last_s = time_s
        while self._owed >= 1:
            self._owed -= 1
            yield self.windows[self._next]
            self._next = (self._next + 1) % len(self.windows)

    def cuts(self, window: Window, region: Region) -> bool:
        """Whether the body in `region` is cut by a side of `window` inside the picture.

        The detector then takes part of a body for the whole.
        """
        reach = WHOLE_SHARE * radius_px(region)
        (x, y), (width, height) = region.center_px, self._size
        return (
            (window.left > 0 and x - reach < window.left)
            or (window.top > 0 and y - reach < window.top)
            or (window.right < width and x + reach > window.right)
            or (window.bottom < height and y + reach > window.bottom)
        )

    def around(self, region: Region) -> Window:
        """The window about `region`, twice as wide, inside the picture."""
        center, half = np.asarray(region.center_px), region.size_px
        left, top = np.clip(center - half, 0, np.subtract(self._size, 2)).astype(int)
        right, bottom = np.clip(center + half, (left + 2, top + 2), self._size).astype(int)
        return Window(int(left), int(top), int(right), int(bottom))


def windows(width: int, height: int) -> list[Window]:
    """The whole picture, then large squares, then small ones."""
    found = [Window(0, 0, width, height)]
    short = min(width, height)
    for share in (1.0, SMALL_SHARE):
        side = round(short * share)
        if side < MIN_SIDE_PX or side == max(width, height):
            continue
        found += [
            Window(left, top, left + side, top + side)
            for top in _starts(height, side)
            for left in _starts(width, side)
        ]
    return found


def _starts(length: int, side: int) -> list[int]:
    count = int(np.ceil((length - side) / (STEP * side))) + 1
    return [int(start) for start in np.linspace(0, length - side, count)]
