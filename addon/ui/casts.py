"""Who was found in footage, and what an artist's corrections make of them: plain memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..contract import casting, corrections, errors, marking, messages, motion, tracks

MOST = 64  # spans of footage whose people are kept in memory
AGAIN_S = 30.0  # before people that could not be brought are asked for again; longer each time
AGAIN_AT_MOST_S = 600.0
ON_SHOW = 0.6  # of a picture's time: as far as it may be from what is on show; half, and some slack
Correction = corrections.Correction
Corrections = tuple[Correction, ...]


@dataclass(frozen=True, eq=False)
class Cast:
    """Everybody who was found in a span of a file, before corrections."""

    job_id: str
    path: Path  # of the footage, on this computer
    span_s: tuple[float, float]  # seconds of the file that were looked through
    size_px: tuple[int, int]  # of the picture the right way up
    turned_deg: int  # clockwise, as the file asks for
    tracks: tuple[tracks.PersonTrack, ...]
    captured: Corrections | None  # with which bodies were made; None: people were only looked for
    created_s: float = 0.0  # when the job was made, by its service's clock; 0: nobody knows


@dataclass(frozen=True, eq=False)
class View:
    """The people of a strip as they are after its corrections."""

    strip: str  # its name
    cast: Cast
    corrections: Corrections
    people: tuple[tracks.PersonTrack, ...]
    lines: tuple[casting.Line, ...]  # of each of them, where they are when
    problem: str = ""  # why corrections could not be made, as a sentence; then people are as found

    @property
    def kept(self) -> frozenset[int]:
        """Numbers of those of whom bodies are made."""
        return frozenset(each.person for each in self.people if each.kept)

    def person(self, number: int) -> tracks.PersonTrack:
        """The person of that number.

        Raises:
            RequestError: there is none any more.
        """
        for each in self.people:
            if each.person == number:
                return each
        raise errors.RequestError(
            f"there is no person {number} any more", hint="Select somebody in the list."
        )


class Casts:
    """What was found until now, in the order in which it came."""

    def __init__(self) -> None:
        self._kept: list[Cast] = []
        self.looked_up: set[str] = set()  # ids of jobs that were asked for their people
        self._pauses: dict[str, tuple[float, float]] = {}  # by id: until when, how long, seconds

    def may_look_up(self, job_id: str, *, now_s: float) -> bool:
        """Whether a job is to be asked for its people at a second of a steady clock."""
        until_s, _ = self._pauses.get(job_id, (now_s, 0.0))
        return job_id not in self.looked_up and now_s >= until_s

    def miss(self, job_id: str, *, now_s: float) -> None:
        """Notes that the people of a job could not be brought: it may be asked after a pause."""
        _, last_s = self._pauses.get(job_id, (now_s, AGAIN_S / 2))
        pause_s = min(2 * last_s, AGAIN_AT_MOST_S)
        self._pauses[job_id] = (now_s + pause_s, pause_s)
        self.looked_up.discard(job_id)

    def add(self, cast: Cast) -> None:
        """Keeps what was found; of a job that is known already it takes the place.

        With too many, those that came first are let go of, and may be asked for again.
        """
        others = [each for each in self._kept if each.job_id != cast.job_id]
        kept = [*others, cast]
        self._kept = kept[-MOST:]
        self.looked_up.add(cast.job_id)
        self.looked_up.difference_update(each.job_id for each in kept[:-MOST])

    def of(self, path: Path | None, span_s: tuple[float, float]) -> list[Cast]:
        """What was found in a span of a file: first where most of it was looked at, then newest.

        The newest is of the job that was made last: an old one may be looked up after it.
        """
        here = [each for each in reversed(self._kept) if each.path == path]
        here.sort(key=_newest_first)
        shares = [(round(_common_s(each.span_s, span_s), 2), each) for each in here]
        return [each for common_s, each in sorted(shares, key=_most_first) if common_s > 0]


def cast_of(
    capture: motion.Capture, *, job_id: str, path: str, created_s: float = 0.0
) -> Cast | None:
    """Who was found for a capture of the footage at `path`; None if it does not tell."""
    if not capture.tracks:
        return None
    try:
        request = messages.CaptureRequest.from_json(capture.provenance["request"])
    except (KeyError, TypeError, errors.StripMocapError):  # another version's
        return None
    return Cast(
        job_id=job_id,
        path=Path(path),
        span_s=(request.clip.start_s, request.clip.stop_s),
        size_px=capture.camera.size_px,
        turned_deg=int(capture.provenance.get("source", {}).get("rotation_deg", 0)),
        tracks=capture.tracks,
        captured=None if request.estimator is None else request.corrections,
        created_s=created_s,
    )


def best_view(strip: str, known: Sequence[Cast], made: Corrections) -> View | None:
    """The people of a strip by the first of `known` of whom `made` can be made, or the first.

    Who was found in a wider span tells of marks beyond a trim; a capture of less does not.
    """
    views = (view_of(strip, each, made) for each in known)
    first = next(views, None)
    if first is None or not first.problem:
        return first
    return next((each for each in views if not each.problem), first)


def is_overtaken(view: View, known: Sequence[Cast]) -> bool:
    """Whether the bodies that were made last, if any, were made with other corrections."""
    last = next((each for each in known if each.captured is not None), None)
    if last is None or view.problem:
        return False
    try:
        return wanted(view, last.span_s) != last.captured
    except errors.RequestError:
        return False


def view_of(strip: str, cast: Cast, made: Corrections) -> View:
    """The people of a strip after the corrections `made`, or as found if these cannot be made."""
    problem = ""
    try:
        people = marking.corrected(cast.tracks, made, size_px=cast.size_px)
    except errors.RequestError as error:
        people = marking.corrected(cast.tracks, (), size_px=cast.size_px)
        problem = f"{error.message[:1].upper()}{error.message[1:]}. {error.hint}"
    whole = casting.Role(0, (casting.Part(0),))
    lines = tuple(casting.line_of((each,), whole) for each in people)
    return View(strip, cast, made, people, lines, problem)


def wanted(view: View, span_s: tuple[float, float]) -> Corrections:
    """The corrections of a view as a capture of a span of the file is to make them.

    Raises:
        RequestError: they cannot be made.
    """
    return marking.within(
        view.cast.tracks, view.corrections, size_px=view.cast.size_px, span_s=span_s
    )


def unseen(made: Corrections, span_s: tuple[float, float]) -> Corrections:
    """The same where nobody knows who was found: those that name people within the span."""
    return tuple(
        each
        for each in made
        if all(
            span_s[0] <= mark.time_s < span_s[1]
            for mark in (each.who, each.other)
            if mark is not None
        )
    )


def picked(view: View, time_s: float, place: Sequence[float]) -> int | None:
    """The number of the person at a place, shares of the picture, at a time; None for nobody."""
    roles = [
        casting.Role(each.person, (casting.Part(index),)) for index, each in enumerate(view.people)
    ]
    mark = corrections.Mark(float(time_s), float(place[0]), float(place[1]))
    try:
        return casting.named(view.people, roles, mark, size_px=view.cast.size_px).person
    except errors.RequestError:
        return None


def first_after_cut(view: View, time_s: float, *, is_reversed: bool) -> float:
    """The time to correct from, so that what is on show at `time_s` belongs to what comes after.

    In a strip that plays backwards "after" is what the file has before. Where nobody is seen it
    is `time_s` itself: the nearest picture with somebody may be far off.
    """
    times_s = np.unique(np.concatenate([each.times_s for each in view.people]))
    shown = int(np.abs(times_s - time_s).argmin())
    if abs(times_s[shown] - time_s) > ON_SHOW * _picture_s(times_s):
        return time_s
    return float(times_s[min(shown + 1, len(times_s) - 1) if is_reversed else shown])


def ignored(view: View, numbers: Sequence[int]) -> Corrections:
    """The corrections that leave these people out too, and nobody else."""
    left = view.kept - set(numbers)
    made = view.corrections
    made += tuple(Correction("ignore", view.person(each).mark) for each in numbers)
    # Without anybody chosen all would be kept again.
    back = [each for each in view_of(view.strip, view.cast, made).people if each.kept]
    made += tuple(Correction("ignore", each.mark) for each in back if each.person not in left)
    return made


def kept(view: View, numbers: Sequence[int]) -> Corrections:
    """The corrections by which these people are kept beside those who are."""
    aim = view.kept | set(numbers)
    without = _without_ignores(view, numbers)
    if view_of(view.strip, view.cast, without).kept == aim:
        return without
    return view.corrections + _chosen(view, aim)


def kept_only(view: View, numbers: Sequence[int]) -> Corrections:
    """The corrections by which these people are kept and nobody else."""
    plain = tuple(each for each in view.corrections if each.kind not in ("choose", "ignore"))
    return plain + _chosen(view, numbers)


def merged(view: View, who: int, other: int) -> Corrections:
    """The corrections by which two people are one."""
    return _checked(view, Correction("merge", view.person(who).mark, other=view.person(other).mark))


def split(view: View, who: int, *, from_s: float) -> Corrections:
    """The corrections by which a person is somebody else from a time on.

    Raises:
        RequestError: they are not there on both sides of it.
    """
    made = _checked(view, Correction("split", view.person(who).mark, time_s=from_s))
    if len(view_of(view.strip, view.cast, made).people) == len(view.people):
        raise errors.RequestError(
            f"person {who} is not there both before and after this picture",
            hint="Put the playhead where one person goes on as another.",
        )
    return made


def swapped(view: View, who: int, other: int, *, from_s: float) -> Corrections:
    """The corrections by which two people are each other from a time on."""
    mark, other_mark = view.person(who).mark, view.person(other).mark
    return _checked(view, Correction("swap", mark, other=other_mark, time_s=from_s))


def _common_s(one_s: tuple[float, float], other_s: tuple[float, float]) -> float:
    return min(one_s[1], other_s[1]) - max(one_s[0], other_s[0])


def _picture_s(times_s: np.ndarray) -> float:
    """How long a picture is on show, from the (T,) seconds of some in order; 0 for a single one."""
    return float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0


def _most_first(share: tuple[float, Cast]) -> float:
    return -share[0]


def _newest_first(cast: Cast) -> float:
    return -cast.created_s


def _chosen(view: View, numbers: Sequence[int] | frozenset[int]) -> Corrections:
    return tuple(Correction("choose", view.person(each).mark) for each in sorted(numbers))


def _checked(view: View, correction: Correction) -> Corrections:
    """The corrections with one more, which can be made.

    Raises:
        RequestError: it cannot.
    """
    made = (*view.corrections, correction)
    casting.roles(view.cast.tracks, made, size_px=view.cast.size_px)
    return made


def _without_ignores(view: View, numbers: Sequence[int]) -> Corrections:
    """The corrections but for those that ignore one of these people."""
    found, size_px = view.cast.tracks, view.cast.size_px
    left: list[Correction] = []
    stages = casting.stages(found, view.corrections, size_px=size_px)
    for each, cast in zip(view.corrections, stages, strict=False):  # the last is behind all
        who = casting.named(found, cast, each.who, size_px=size_px)
        if each.kind != "ignore" or who.person not in numbers:
            left.append(each)
    return tuple(left)
