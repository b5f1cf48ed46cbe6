"""People after an artist's corrections: who is who is told by `contract.casting`.

Every number that was seen stays as it is, to the last bit. Where a person is now made of several
stretches, frames in which nobody was seen are interpolated anew between the neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..contract import casting
from ..contract.casting import Line, Role
from ..contract.corrections import Correction
from .observations import Cast, Person

# Whom a person is made of: a number, and first and last frame of each of the people found.
Makeup = list[tuple[int, list[tuple[int, int, int]]]]


def corrected(
    cast: Cast, corrections: Sequence[Correction], *, size_px: tuple[int, int]
) -> tuple[tuple[Person, ...], Makeup]:
    """Those of whom bodies are made after `corrections`, and what they are made of.

    The second is the same for corrections that come to the same, and empty where they change
    nothing: with the footage, everything that the people depend on.

    Args:
        cast: everybody as followed.
        corrections: in order.
        size_px: width and height of the picture.

    Raises:
        RequestError: a correction names nobody.
    """
    roles = casting.roles(cast.people, corrections, size_px=size_px)
    lines = {each: casting.line_of(cast.people, each) for each in roles if each.kept}
    kept = [each for each, line in lines.items() if len(line.rows)]
    people = tuple(_person(cast, each.person, lines[each]) for each in kept)
    unchanged = len(people) == len(cast.people) and all(
        one is other for one, other in zip(people, cast.people, strict=True)
    )
    return people, [] if unchanged else [(each.person, _rows(cast, each)) for each in kept]


def _person(cast: Cast, number: int, line: Line) -> Person:
    """The person whose frames `line` has; the very one who was found if nothing is changed."""
    source = cast.people[line.found[0]]
    if (line.found == line.found[0]).all() and len(line.rows) == len(source.times_s):
        return source if source.person == number else replace(source, person=number)
    seen = line.presence > 0
    places, rows = line.found[seen], line.rows[seen]
    seen_s = line.times_s[seen]
    inside = (cast.times_s >= seen_s[0]) & (cast.times_s <= seen_s[-1])
    times_s = cast.times_s[inside]
    here = np.searchsorted(times_s, seen_s)

    def filled(name: str) -> np.ndarray:
        """(T, ...) of the people found, straight lines where nobody was seen."""
        known = _gathered(cast.people, name, places, rows)
        flat = known.reshape(len(known), -1)
        columns = [np.interp(times_s, seen_s, column) for column in flat.T]
        return np.stack(columns, axis=1).reshape(len(times_s), *known.shape[1:])

    presence = np.zeros(len(times_s))
    presence[here] = line.presence[seen]
    keypoints = filled("keypoints")
    keypoints[presence == 0, :, 2] = 0
    return Person(
        person=number,
        times_s=times_s,
        boxes=filled("boxes"),
        keypoints=keypoints,
        landmarks3d=filled("landmarks3d"),
        presence=presence,
    )


def _rows(cast: Cast, role: Role) -> list[tuple[int, int, int]]:
    """Place of the person found, first and last frame, of each part in which anybody is seen."""
    stretches = [(part.found, casting.rows_of(cast.people, part)) for part in role.parts]
    return [(found, int(rows[0]), int(rows[-1])) for found, rows in stretches if len(rows)]


def _gathered(
    people: Sequence[Person], name: str, places: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    arrays = {place: getattr(people[place], name) for place in np.unique(places)}
    gathered = np.empty((len(rows), *next(iter(arrays.values())).shape[1:]))
    for place, array in arrays.items():
        mine = places == place
        gathered[mine] = array[rows[mine]]
    return gathered
