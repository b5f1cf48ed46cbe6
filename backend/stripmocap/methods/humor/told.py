"""What people should know of how refining went, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...people.observations import Person
from .returning import Refined

_LEAST_VOTE = 0.3  # of the floor on average; with less of it somebody is not on that floor
_JOINED_S = 0.2  # between stretches that are told as one


def of_left(person: Person, refined: Sequence[Refined]) -> Iterator[str]:
    """What of a person's motion could not be refined, if anything."""
    if not refined:
        yield (
            f"The motion of person {person.person} is not refined: too little of them is seen in a "
            "row to tell how they move."
        )
        return
    for begin_s, end_s in _stretches(refined):
        yield (
            f"The motion of person {person.person} is not refined from {begin_s:.1f} s to "
            f"{end_s:.1f} s: no likely motion that fits what is seen was found."
        )


def of_floor(person: Person, votes: np.ndarray, *, is_given: bool) -> Iterator[str]:
    """Whether a person is on the floor.

    Args:
        person: who.
        votes: (M,) in [0, 1], how much the floor says at their moments.
        is_given: the floor came with a solved camera; else it was found under people's feet.
    """
    if len(votes) == 0 or votes.mean() >= _LEAST_VOTE:
        return
    number = person.person
    if is_given:
        yield (
            f"Person {number} is not on the floor of the scene's camera, and is refined without "
            "it. Check the height of the floor and the scale of the camera's solution."
        )
    else:
        yield f"Person {number} is on another level than the floor, and is refined without it."


def _stretches(refined: Sequence[Refined]) -> list[tuple[float, float]]:
    """Seconds from where to where nothing was found."""
    found: list[tuple[float, float]] = []
    for each in refined:
        for tick_s in each.spell.ticks_s[each.is_left]:
            if found and tick_s - found[-1][1] < _JOINED_S:
                found[-1] = (found[-1][0], float(tick_s))
            else:
                found.append((float(tick_s), float(tick_s)))
    return found
