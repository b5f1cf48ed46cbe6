"""A few small pictures of one person, spread over the time that the person is seen.

Nobody knows beforehand how long that will be. So of each spell of time the best picture is kept,
and when there are too many, every two spells become one that is twice as long.
"""

from __future__ import annotations

import cv2
import numpy as np

from .observations import PICTURE_PX, Picture

MOST = 8  # pictures of a person
FIRST_SPELL_S = 0.5
MARGIN = 0.1  # of the box's longer side, round it
BETTER = 1.1  # times as good as the picture of its spell: less is not worth the work


class Album:
    """Pictures of somebody who is still followed."""

    def __init__(self) -> None:
        self._spell_s = FIRST_SPELL_S
        self._best: dict[int, tuple[float, Picture]] = {}  # spell, score and picture; in order

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """In order of time, `MOST` at most."""
        return tuple(picture for _, picture in self._best.values())

    def show(self, time_s: float, image: np.ndarray, box: np.ndarray, *, score: float) -> None:
        """Keeps a picture of `box` (4,) px in `image` (H, W, 3) if it is better than others.

        Args:
            time_s: later than those before.
            image: uint8 RGB.
            box: x0, y0, x1, y1.
            score: how clearly the person is seen, above 0.
        """
        spell = int(time_s // self._spell_s)
        best, _ = self._best.get(spell, (0.0, None))
        if score <= BETTER * best:
            return
        found = cut_out(image, box)
        if found is None:
            return
        self._best[spell] = (score, Picture(time_s, found))
        while len(self._best) > MOST:
            self._join()

    def _join(self) -> None:
        """Makes spells twice as long; of two pictures the better one stays."""
        self._spell_s *= 2
        joined: dict[int, tuple[float, Picture]] = {}
        for spell, each in self._best.items():
            if each[0] > joined.get(spell // 2, (0.0, None))[0]:
                joined[spell // 2] = each
        self._best = joined


def cut_out(image: np.ndarray, box: np.ndarray) -> np.ndarray | None:
    """(PICTURE_PX, PICTURE_PX, 3) uint8, the square about `box`; None where it is out of `image`.

    Pixels at the border are repeated where the square leaves the picture.
    """
    low, high = np.asarray(box[:2], dtype=np.float64), np.asarray(box[2:], dtype=np.float64)
    half = max((high - low).max() * (0.5 + MARGIN), 1.0)
    size = np.array(image.shape[1::-1])
    left, top = np.floor((low + high) / 2 - half).astype(int)
    right, bottom = np.ceil((low + high) / 2 + half).astype(int)
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = np.minimum((right, bottom), size)
    if x0 >= x1 or y0 >= y1:
        return None
    # The part is made small before it is framed: how far a box leaves the picture has no bound.
    scale = PICTURE_PX / max(right - left, bottom - top)
    starts = np.round((np.array([x0, y0]) - (left, top)) * scale).astype(int)
    stops = np.round((np.array([x1, y1]) - (left, top)) * scale).astype(int)
    starts = np.clip(starts, 0, PICTURE_PX - 1)
    stops = np.clip(stops, starts + 1, PICTURE_PX)
    part = cv2.resize(image[y0:y1, x0:x1], stops - starts, interpolation=cv2.INTER_AREA)
    return cv2.copyMakeBorder(
        part,
        starts[1], PICTURE_PX - stops[1], starts[0], PICTURE_PX - stops[0],
        borderType=cv2.BORDER_REPLICATE,
    )  # fmt: skip
