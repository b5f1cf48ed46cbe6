"""Chances of touching something as the few keys that an artist can edit.

A stretch of contact begins where the chance has grown to `ON` and ends where it has fallen below
`OFF`, so that it does not flicker in between. Its keys hold the mean chance of the stretch.
"""

from __future__ import annotations

import numpy as np

ON, OFF = 0.6, 0.4
_DIGITS = 2  # of a chance: more are noise, and the same value at both ends shows as a bar


def stretches(chances: np.ndarray) -> list[tuple[int, int]]:
    """First and last frame of each stretch of contact, from the chances (T,) in [0, 1]."""
    found, first = list[tuple[int, int]](), None
    for frame, chance in enumerate(chances.tolist()):
        if first is None and chance >= ON:
            first = frame
        elif first is not None and chance < OFF:
            found.append((first, frame - 1))
            first = None
    return found if first is None else [*found, (first, len(chances) - 1)]


def held_keys(chances: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """(K, 2) scene frame and value of keys, each of which is held until the next.

    Args:
        chances: (T,) in [0, 1], T at least 1.
        frames: (T,) scene frames, rising.
    """
    keys: dict[int, float] = {0: 0.0}
    for first, last in stretches(chances):
        value = round(float(chances[first : last + 1].mean()), _DIGITS)
        keys |= {first: value, last: value}
        if last + 1 < len(chances):
            keys[last + 1] = 0.0
    return np.array([(frames[at], value) for at, value in keys.items()], dtype=np.float64)
