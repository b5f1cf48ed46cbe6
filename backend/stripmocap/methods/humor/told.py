"""What people should know of how refining went, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...contract.skeleton import BLAZEPOSE_NAMES
from ...people.observations import Person
from .returning import Refined

_LEAST_VOTE = 0.3  # of the floor on average; with less of it somebody is not on that floor
_TOLD_M = 0.15  # of a level: nearer to the floor, it is where an estimate errs
_SEEN = 0.3  # confidence of a landmark that is in the picture
_SELDOM = 0.1  # share of the frames with the person, below which feet are hardly seen
_FEET = [
    index
    for index, name in enumerate(BLAZEPOSE_NAMES)
    if name.endswith(("ankle", "heel", "foot_index"))
]
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


def of_floor(
    person: Person, votes: np.ndarray, *, levels_m: Sequence[float], is_given: bool
) -> Iterator[str]:
    """Whether a person is on the floor.

    Args:
        person: who.
        votes: (M,) in [0, 1], how much floor or level say at their moments.
        levels_m: metres above the floor, on which each of their spells stands.
        is_given: the floor came with a solved camera; else it was found under people's feet.
    """
    level_m = max(levels_m, key=abs, default=0.0)
    is_off = abs(level_m) > _TOLD_M
    if is_off:
        side = "above" if level_m > 0 else "below"
        how = f"stands {abs(level_m):.2f} m {side} the floor"
    elif len(votes) and votes.mean() < _LEAST_VOTE:
        how = "is not on the floor"
    else:
        return
    on = "on a level of their own" if is_off else "without a floor"
    if is_given:
        yield (
            f"Person {person.person} {how} of the scene's camera, and is refined {on}. "
            "Check the height of the floor and the scale of the camera's solution."
        )
    else:
        yield f"Person {person.person} {how}, and is refined {on}."


def of_feet(person: Person) -> Iterator[str]:
    """Whether a person's feet are too seldom in the picture to know where they stand."""
    is_there = (person.keypoints[..., 2] > 0).any(axis=1)
    is_seen = (person.keypoints[:, _FEET, 2] > _SEEN).any(axis=1)
    if is_seen.sum() < _SELDOM * is_there.sum():
        yield (
            f"The feet of person {person.person} are hardly ever seen: where they stand, and when "
            "they touch the floor, is guessed from the rest of the body."
        )


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
