"""Marks by which corrections name people: where somebody is best told from everybody else.

`casting` says whom a mark names; this is the way back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from . import casting
from .casting import Line, Role, Seen, line_of, named, roles
from .corrections import WISHES, Correction, Mark
from .tracks import PersonTrack

LOOKS = 60  # frames of somebody that are weighed for a mark
_EVERYTIME = (-np.inf, np.inf)
_SAME_S = 1e-6  # of two clocks


def corrected(
    tracks: Sequence[PersonTrack], corrections: Sequence[Correction], *, size_px: tuple[int, int]
) -> tuple[PersonTrack, ...]:
    """Those who were followed as they are after corrections, kept or not.

    Args:
        tracks: as they were followed.
        corrections: in the order in which they were made.
        size_px: width and height of the picture.

    Raises:
        RequestError: as `casting.roles`.
    """
    cast = roles(tracks, corrections, size_px=size_px)
    lines = [line_of(tracks, each) for each in cast]
    marks = marks_of(lines, size_px=size_px)
    return tuple(
        _track(tracks, role, line, mark=mark)
        for role, line, mark in zip(cast, lines, marks, strict=True)
        if mark is not None
    )


def marks_of(lines: Sequence[Line], *, size_px: tuple[int, int]) -> list[Mark | None]:
    """For each of `lines` a mark that names it; None for who is seen in no frame.

    It is the middle of their box at a time when they are clear of everybody else.
    """
    return [
        _mark(line, _beside(lines, line), size_px=size_px) if (line.presence > 0).any() else None
        for line in lines
    ]


def mark_of(
    found: Sequence[Seen],
    cast: Sequence[Role],
    person: int,
    *,
    size_px: tuple[int, int],
    span_s: tuple[float, float] = _EVERYTIME,
) -> Mark | None:
    """A mark that names `person` of `cast`; None if nobody has seen them within `span_s`.

    It is the middle of their box at a time when they are clear of everybody else.
    """
    lines = {each.person: line_of(found, _between(each, *span_s)) for each in cast}
    mine = lines[person]
    if not (mine.presence > 0).any():
        return None
    return _mark(mine, _beside(list(lines.values()), mine), size_px=size_px)


def within(
    found: Sequence[Seen],
    corrections: Sequence[Correction],
    *,
    size_px: tuple[int, int],
    span_s: tuple[float, float],
) -> tuple[Correction, ...]:
    """The same corrections for a part of the clip, with marks that lie in it.

    A swap with somebody who is not seen in that part is a split there. Who is captured is told anew
    behind the rest, of the people that it makes: wishes pass on to people outside the part. All
    else that concerns nobody who is seen in that part, or a time outside it, is left out.

    Args:
        found: everybody in the whole clip.
        corrections: that can be made of them.
        size_px: width and height of the picture.
        span_s: the part, in seconds of the file; its end exclusive.

    Raises:
        RequestError: as `casting.roles`.
    """
    stages = casting.stages(found, corrections, size_px=size_px)
    moved = [
        _moved(found, cast, each, size_px=size_px, span_s=span_s)
        for each, cast in zip(corrections, stages, strict=False)  # the last is behind all
    ]
    if moved == list(corrections):
        return tuple(corrections)
    moves = (each for each in moved if each is not None and each.kind not in WISHES)
    return (*moves, *_wishes(found, corrections, size_px=size_px, span_s=span_s))


def _moved(
    found: Sequence[Seen],
    cast: Sequence[Role],
    correction: Correction,
    *,
    size_px: tuple[int, int],
    span_s: tuple[float, float],
) -> Correction | None:
    """What a correction of `cast` is within a span; None if nothing."""
    if correction.time_s is not None and not span_s[0] < correction.time_s < span_s[1]:
        return None
    if correction.kind in WISHES and not span_s[0] <= correction.who.time_s < span_s[1]:
        return None  # told anew
    who, other = (
        each and _remarked(found, cast, each, size_px=size_px, span_s=span_s)
        for each in (correction.who, correction.other)
    )
    if correction.kind == "swap" and (who is None) != (other is None):
        seen = who or other
        assert seen is not None, "one of both is"
        return Correction("split", seen, time_s=correction.time_s)
    if who is None or (other is None) != (correction.other is None):
        return None
    return replace(correction, who=who, other=other)


def _remarked(
    found: Sequence[Seen],
    cast: Sequence[Role],
    mark: Mark,
    *,
    size_px: tuple[int, int],
    span_s: tuple[float, float],
) -> Mark | None:
    """A mark of the same person within a span; None if nobody has seen them there."""
    role = named(found, cast, mark, size_px=size_px)
    there = line_of(found, _between(role, *span_s))
    if len(there.times_s) and not there.is_outside(mark.time_s):
        return mark
    return mark_of(found, cast, role.person, size_px=size_px, span_s=span_s)


def _wishes(
    found: Sequence[Seen],
    corrections: Sequence[Correction],
    *,
    size_px: tuple[int, int],
    span_s: tuple[float, float],
) -> tuple[Correction, ...]:
    """What captures of those who are seen in a span the ones that the whole clip does."""
    cast = roles(found, corrections, size_px=size_px)
    lines = [line_of(found, _between(each, *span_s)) for each in cast]
    told = list(zip(cast, marks_of(lines, size_px=size_px), strict=True))
    kept = [mark for role, mark in told if mark is not None and role.kept]
    if kept and any(each.wish == "choose" for each in cast):
        return tuple(Correction("choose", mark) for mark in kept)
    gone = (mark for role, mark in told if mark is not None and not role.kept)
    return tuple(Correction("ignore", mark) for mark in gone)


def _beside(lines: Sequence[Line], mine: Line) -> list[Line]:
    """Everybody else who is there while `mine` is."""
    first_s, last_s = mine.times_s[0], mine.times_s[-1]
    return [
        each
        for each in lines
        if each is not mine
        and len(each.times_s)
        and each.times_s[0] <= last_s
        and each.times_s[-1] >= first_s
    ]


def _mark(mine: Line, others: Sequence[Line], *, size_px: tuple[int, int]) -> Mark:
    """Where somebody who is seen is clear of others, and of these places the surest."""
    seen = np.flatnonzero(mine.presence > 0)
    looks = seen[np.unique(np.linspace(0, len(seen) - 1, LOOKS).round().astype(int))]
    middles = (mine.boxes[looks, :2] + mine.boxes[looks, 2:]) / 2  # (L, 2)
    held = np.zeros(len(looks))
    for other in others:
        held += _share_in(mine.boxes[looks], _boxes_at(other, mine.times_s[looks]))
    best = int(np.lexsort((-mine.presence[looks], held.round(2)))[0])
    x, y = (middles[best] / size_px).tolist()
    return Mark(float(mine.times_s[looks[best]]), round(x, 6), round(y, 6))


def _boxes_at(line: Line, times_s: np.ndarray) -> np.ndarray:
    """(L, 4) px of a line at times; far away where it is not."""
    if not len(line.times_s):
        return np.full((len(times_s), 4), -1e6)
    boxes = np.stack(
        [np.interp(times_s, line.times_s, line.boxes[:, side]) for side in range(4)], axis=1
    )
    absent = (times_s < line.times_s[0]) | (times_s > line.times_s[-1])
    boxes[absent] = -1e6
    return boxes


def _share_in(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(L,) what share of each box lies in the other one."""
    low, high = np.maximum(boxes[:, :2], others[:, :2]), np.minimum(boxes[:, 2:], others[:, 2:])
    area = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 1e-6), axis=1)
    return np.prod(np.maximum(high - low, 0), axis=1) / area


def _between(role: Role, start_s: float, stop_s: float) -> Role:
    return replace(
        role,
        parts=tuple(
            replace(each, start_s=max(each.start_s, start_s), stop_s=min(each.stop_s, stop_s))
            for each in role.parts
        ),
    )


def _track(tracks: Sequence[PersonTrack], role: Role, line: Line, *, mark: Mark) -> PersonTrack:
    pictures: dict[float, np.ndarray] = {}  # by when they are from
    for place in sorted({part.found for part in role.parts}):
        track = tracks[place]
        times_s = line.times_s[line.found == place]
        for time_s, picture in zip(track.pictured_s.tolist(), track.pictures, strict=True):
            is_mine = (np.abs(times_s - time_s) < _SAME_S).any()
            size = next(iter(pictures.values()), picture).shape  # of one clip all are alike
            if is_mine and picture.shape == size:
                pictures[time_s] = picture
    none = np.zeros((0, 1, 1, 3), dtype=np.uint8)
    return PersonTrack(
        person=role.person,
        times_s=line.times_s,
        boxes=line.boxes,
        presence=line.presence,
        mark=mark,
        pictured_s=np.array(sorted(pictures), dtype=np.float64),
        pictures=np.stack([pictures[each] for each in sorted(pictures)]) if pictures else none,
        kept=role.kept,
    )
