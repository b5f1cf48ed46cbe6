"""Levels that people stand on who are not on the ground: beams, stages, roofs.

Depths that people are drawn at by their size err, so whoever stands 6 cm off a ground that others
have shown may be on it, or not; nothing that draws their feet there serves them, though. Heights
are metres over the ground, of soles or of landmarks that lie a little above them, at frames or at
ticks of a thirtieth of a second.
"""

from __future__ import annotations

import numpy as np

_SPREAD_M = 0.12  # about a level: further off somebody is not on it
_ON_IT = 0.5  # of the moments of rest, that are on a level
_NEARER = 0.7  # of the moments of rest, that are nearer to it than to the ground
_ENOUGH = 3  # moments of rest, that a level is told by
_CLIMBED_M = 0.2  # under the ground, where one begins that somebody climbed from
_FROM_THERE = 0.2  # of the moments of rest, that are there at least


def own_level(heights: np.ndarray, resting: np.ndarray, *, least_m: float) -> float:
    """Metres over the ground of where somebody rests, if that is one height off it; or 0.

    Who is on the ground for a good part of the time, or on many levels, has none.

    Args:
        heights: (T, F) of the feet's points.
        resting: (T, F) bool.
        least_m: metres from the ground, where a level begins.
    """
    lowest = lowest_resting(heights, resting)
    lowest = lowest[np.isfinite(lowest)]
    if len(lowest) < _ENOUGH:
        return 0.0
    level = float(np.median(lowest))
    apart = np.abs(lowest - level)
    is_level = (
        abs(level) > least_m
        and (apart < _SPREAD_M).mean() >= _ON_IT
        and (apart < np.abs(lowest)).mean() >= _NEARER
    )
    return level if is_level else 0.0


def climbed_from(heights: np.ndarray, resting: np.ndarray) -> float:
    """Metres under a ground (at most 0), where somebody stood who also stood on that ground.

    Who climbs on a stool and stays there makes it the ground; what carries the stool is lower. Of
    who is under the ground only, a wrong size says as much.

    Args:
        heights: (T, F) of the feet's points over the ground that was found.
        resting: (T, F) bool.
    """
    lowest = lowest_resting(heights, resting)
    lowest = lowest[np.isfinite(lowest)]
    below = lowest[lowest < -_CLIMBED_M]
    on_it = np.abs(lowest) < _SPREAD_M
    if on_it.sum() < _ENOUGH or len(below) < max(_ENOUGH, _FROM_THERE * len(lowest)):
        return 0.0
    level = float(np.median(below))
    is_level = (np.abs(below - level) < _SPREAD_M).mean() >= _ON_IT
    return level if is_level else 0.0


def lowest_resting(heights: np.ndarray, resting: np.ndarray) -> np.ndarray:
    """(T,) the least of heights (T, F) that rest; infinite where none does."""
    return np.where(resting, heights, np.inf).min(axis=1)
