"""Who is who after an artist's corrections, told on boxes over time alone.

Panel and pipeline both ask here, so that a list of people shows what a capture will make. A person
who was found is a row of frames; after corrections a person is made of stretches of such rows.
Stretches are half open, in seconds of the file's own clock: the frame at a time to correct from
belongs to what comes after. Correcting one person renumbers nobody else; who is split off gets the
number after the highest that anybody has had.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from .corrections import Correction, Mark
from .errors import RequestError

SLACK_S = 1e-3  # of a frame's time: who says when may have had single precision
REACH_S = 0.1  # that a mark may lie before the first or behind the last frame of who it means


class Seen(Protocol):
    """Somebody who was found: a number, and T frames of boxes."""

    @property
    def person(self) -> int:
        """The number."""
        ...

    @property
    def times_s(self) -> np.ndarray:
        """(T,) seconds of the file's own clock, strictly increasing."""
        ...

    @property
    def boxes(self) -> np.ndarray:
        """(T, 4) px: x0, y0, x1, y1."""
        ...

    @property
    def presence(self) -> np.ndarray:
        """(T,) in [0, 1]; 0 where nobody was seen and the box is a guess."""
        ...


@dataclass(frozen=True)
class Part:
    """A stretch of somebody who was found."""

    found: int  # their place in what was found
    start_s: float = -math.inf  # inclusive
    stop_s: float = math.inf  # exclusive


@dataclass(frozen=True)
class Role:
    """A person after corrections."""

    person: int
    parts: tuple[Part, ...]  # where they overlap in time, the surer one counts
    wish: str = ""  # "choose", "ignore", or nothing was said
    kept: bool = True  # whether bodies are made of this person


@dataclass(frozen=True, eq=False)
class Line:
    """A role frame by frame, in the order of time, from the first sighting to the last.

    Frames that it has from nobody are left out.
    """

    found: np.ndarray  # (T,) place in what was found
    rows: np.ndarray  # (T,) frame of it
    times_s: np.ndarray  # (T,) float64 seconds of the file's own clock, strictly increasing
    boxes: np.ndarray  # (T, 4) px
    presence: np.ndarray  # (T,) in [0, 1]

    def box_at(self, time_s: float) -> np.ndarray | None:
        """(4,) px, between frames and in gaps by straight lines; None before and after."""
        times_s, last = self.times_s, len(self.times_s) - 1
        if last < 0 or not times_s[0] - REACH_S <= time_s <= times_s[-1] + REACH_S:
            return None
        after = min(int(times_s.searchsorted(time_s)), last)
        if after == 0 or times_s[after] <= time_s:
            return self.boxes[after].astype(np.float64)
        step_s = times_s[after] - times_s[after - 1]
        share = (time_s - times_s[after - 1]) / step_s
        return (1 - share) * self.boxes[after - 1] + share * self.boxes[after]

    def is_outside(self, time_s: float) -> bool:
        """Whether a time is before the first frame or behind the last."""
        first_s, last_s = self.times_s[0], self.times_s[-1]
        return not first_s - SLACK_S <= time_s <= last_s + SLACK_S

    def presence_at(self, time_s: float) -> float:
        """How sure it is that the person is there: of the frame next to it, 0 in gaps."""
        after = int(self.times_s.searchsorted(time_s))
        near = [each for each in (after - 1, after) if 0 <= each < len(self.times_s)]
        nearest = min(near, key=lambda each: abs(self.times_s[each] - time_s), default=None)
        if nearest is None or abs(self.times_s[nearest] - time_s) > REACH_S:
            return 0.0
        return float(self.presence[nearest])


def roles(
    found: Sequence[Seen], corrections: Sequence[Correction], *, size_px: tuple[int, int]
) -> tuple[Role, ...]:
    """The people that `found` are once `corrections` were made, one after the other.

    Args:
        found: everybody, each with a number of their own.
        corrections: in the order in which they were made.
        size_px: width and height of the picture, which marks are shares of.

    Raises:
        RequestError: a mark names nobody, or somebody is to be swapped with themselves.
    """
    *_, cast = stages(found, corrections, size_px=size_px)
    somebody_is_chosen = any(each.wish == "choose" for each in cast)
    return tuple(
        replace(each, kept=each.wish == "choose" if somebody_is_chosen else each.wish != "ignore")
        for each in cast
    )


def stages(
    found: Sequence[Seen], corrections: Sequence[Correction], *, size_px: tuple[int, int]
) -> Iterator[tuple[Role, ...]]:
    """The people before each correction, and last after all; who is kept is not told.

    Raises:
        RequestError: as `roles`, when it is that correction's turn.
    """
    cast = [Role(each.person, (Part(index),)) for index, each in enumerate(found)]
    used = [each.person for each in found]
    for each in corrections:
        yield tuple(cast)
        who = named(found, cast, each.who, size_px=size_px)
        other = None if each.other is None else named(found, cast, each.other, size_px=size_px)
        match each.kind:
            case "choose" | "ignore":
                cast = _with(cast, replace(who, wish=each.kind))
            case "merge":
                assert other is not None, "checked"
                cast = _merged(cast, who, other)
            case "split":
                assert each.time_s is not None, "checked"
                cast = _split(found, cast, who, at_s=each.time_s, number=max(used) + 1)
                used += [role.person for role in cast]
            case _:
                assert other is not None, "checked"
                assert each.time_s is not None, "checked"
                cast = _swapped(found, cast, who, other, from_s=each.time_s)
    yield tuple(cast)


def line_of(found: Sequence[Seen], role: Role) -> Line:
    """The frames of a role; where its parts overlap the surer one's, of two the first part's."""
    return _line(found, role, [rows_of(found, part) for part in role.parts])


def rows_of(found: Sequence[Seen], part: Part) -> np.ndarray:
    """(T,) the frames of a part, from its first sighting to its last; none without any."""
    return np.arange(*_ends(found, part))


def named(
    found: Sequence[Seen], cast: Sequence[Role], mark: Mark, *, size_px: tuple[int, int]
) -> Role:
    """Whom of `cast` a mark names: whose box holds it, of several the one whose middle is nearest.

    Who is seen there goes before who is only guessed to be there, and who is there at that very
    time before who is within reach of it: at a cut the same box is first one's, then another's.

    Raises:
        RequestError: nobody is there.
    """
    point = np.array([mark.x * size_px[0], mark.y * size_px[1]])
    candidates: list[tuple[bool, bool, float, int]] = []
    for index, role in enumerate(cast):
        line = _line_about(found, role, mark.time_s)
        box = line.box_at(mark.time_s)
        if box is None or (point < box[:2]).any() or (point > box[2:]).any():
            continue
        is_guess = line.presence_at(mark.time_s) == 0
        middle = (box[:2] + box[2:]) / 2
        distance = float(np.linalg.norm(point - middle))
        candidates.append((is_guess, line.is_outside(mark.time_s), distance, index))
    if not candidates:
        raise RequestError(
            f"nobody is at {mark.x:.0%} of the picture's width and {mark.y:.0%} of its height at"
            f" {mark.time_s:.2f} s, where a correction names somebody",
            hint="Find the people again, and take that correction back or make it anew.",
        )
    return cast[min(candidates)[-1]]


def _with(cast: Sequence[Role], *changed: Role) -> list[Role]:
    by_number = {each.person: each for each in changed}
    return [by_number.get(each.person, each) for each in cast]


def _merged(cast: Sequence[Role], who: Role, other: Role) -> list[Role]:
    if who.person == other.person:  # what finds people has become better meanwhile
        return list(cast)
    parts = _joined((*who.parts, *other.parts))
    one = replace(who, parts=parts, wish=_wish_of_both(who, other))
    return [each for each in _with(cast, one) if each.person != other.person]


def _split(
    found: Sequence[Seen], cast: Sequence[Role], who: Role, *, at_s: float, number: int
) -> list[Role]:
    before, after = _cut(who, at_s)
    if not (_is_seen(found, before) and _is_seen(found, after)):
        return list(cast)
    behind = replace(who, person=number, parts=after)
    return [*_with(cast, replace(who, parts=before)), behind]


def _swapped(
    found: Sequence[Seen], cast: Sequence[Role], who: Role, other: Role, *, from_s: float
) -> list[Role]:
    if who.person == other.person:
        raise RequestError(
            f"person {who.person} cannot be swapped with themselves",
            hint="Name two different people, at times when they are apart.",
        )
    (who_before, who_after), (other_before, other_after) = _cut(who, from_s), _cut(other, from_s)
    ones = replace(who, parts=_joined(who_before + other_after))
    others = replace(other, parts=_joined(other_before + who_after))
    if not (_is_seen(found, ones.parts) and _is_seen(found, others.parts)):  # comes to a merge
        wish = _wish_of_both(who, other)
        ones, others = replace(ones, wish=wish), replace(others, wish=wish)
    return [each for each in _with(cast, ones, others) if _is_seen(found, each.parts)]


def _wish_of_both(one: Role, other: Role) -> str:
    """What is wished for who two people are together: kept if either is."""
    wishes = {one.wish, other.wish}
    return next(each for each in ("choose", "", "ignore") if each in wishes)


def _cut(role: Role, at_s: float) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """The parts of a role before a time, and from then on."""
    at_s -= SLACK_S
    before = (replace(each, stop_s=min(each.stop_s, at_s)) for each in role.parts)
    after = (replace(each, start_s=max(each.start_s, at_s)) for each in role.parts)
    return (
        tuple(each for each in before if each.start_s < each.stop_s),
        tuple(each for each in after if each.start_s < each.stop_s),
    )


def _joined(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The same with those that touch made one, so that a cut that is undone leaves no trace."""
    whole: list[Part] = []
    for part in parts:
        touching = [each for each in whole if _touch(each, part)]
        place = whole.index(touching[0]) if touching else len(whole)
        start_s = min(each.start_s for each in (part, *touching))
        stop_s = max(each.stop_s for each in (part, *touching))
        whole = [each for each in whole if each not in touching]
        whole.insert(place, Part(part.found, start_s, stop_s))
    return tuple(whole)


def _touch(one: Part, other: Part) -> bool:
    apart = one.start_s > other.stop_s or other.start_s > one.stop_s
    return one.found == other.found and not apart


def _is_seen(found: Sequence[Seen], parts: Sequence[Part]) -> bool:
    return any(start < stop for start, stop in (_ends(found, part) for part in parts))


def _ends(found: Sequence[Seen], part: Part) -> tuple[int, int]:
    """The first frame of a part in which anybody is seen, and the one behind the last."""
    seen = found[part.found]
    start, stop = (int(each) for each in seen.times_s.searchsorted((part.start_s, part.stop_s)))
    if start < stop and not (seen.presence[start] > 0 and seen.presence[stop - 1] > 0):
        sighted = np.flatnonzero(seen.presence[start:stop] > 0) + start
        return (int(sighted[0]), int(sighted[-1]) + 1) if len(sighted) else (start, start)
    return start, stop


def _line_about(found: Sequence[Seen], role: Role, time_s: float) -> Line:
    """The frames of a role next to a time, on both sides: enough to tell where it is then."""
    rows: list[np.ndarray] = []
    for part in role.parts:
        start, stop = _ends(found, part)
        after = int(found[part.found].times_s.searchsorted(time_s))
        rows.append(
            np.arange(max(start, min(after - 1, stop - 1)), min(stop, max(after, start) + 1))
        )
    return _line(found, role, rows)


def _line(found: Sequence[Seen], role: Role, rows: Sequence[np.ndarray]) -> Line:
    """What `rows` of each part of a role make together."""
    places = np.array([part.found for part in role.parts], dtype=np.int64)
    place, row = places.repeat([len(each) for each in rows]), np.concatenate(rows)
    time_s = _gathered(found, "times_s", place, row)
    presence = _gathered(found, "presence", place, row)
    order = np.arange(len(row))
    if len(role.parts) > 1:  # by time, then the surest first, then in the order of the parts
        order = np.lexsort((order, -presence, time_s))
        _, first = np.unique(time_s[order], return_index=True)
        order = order[first]
    boxes = _gathered(found, "boxes", place[order], row[order])
    return Line(place[order], row[order], time_s[order], boxes, presence[order])


def _gathered(found: Sequence[Seen], name: str, places: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Rows of an array of those who were found, each of its own person."""
    first: np.ndarray = getattr(found[0], name)
    gathered = np.empty((len(rows), *first.shape[1:]), dtype=first.dtype)
    for place in np.unique(places):  # few of hundreds in an hour of footage
        mine, array = places == place, getattr(found[int(place)], name)
        gathered[mine] = array[rows[mine]]
    return gathered
