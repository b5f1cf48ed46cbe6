"""People followed through a video: landmarks go from frame to frame, newcomers are detected.

In each frame every person's landmarks are looked for where the last frame's landmarks say. The
detector runs on the first frame, whenever somebody was lost, and regularly to find newcomers. Who
is found again is matched to who was lost by place, size and clothes (Hungarian method; Kuhn 1955).
Nothing is smoothed: that is the fit's work, which knows how bodies move.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np
from scipy.optimize import linear_sum_assignment

from ..video.frames import Frame
from .blazepose import Landmarks, Sighting
from .observations import Cast
from .patrol import WINDOWS_PER_FRAME, Patrol, Window
from .regions import Region, moved, radius_px
from .tracks import Seen, Track, finished, same_body, seen, share_inside

Report = Callable[[str, int, int], None]  # stage, done, of; raises Cancelled
# Told after each frame its time, and how to make the record of everybody so far.
Watch = Callable[[float, Callable[[], Cast]], None]

STAGE = "people"
MIN_PRESENCE = 0.5  # of the landmark network for somebody followed: less is nobody
MIN_PRESENCE_ROUGH, MIN_PRESENCE_NEW = 0.3, 0.75  # for a newcomer's first and second look
MAX_GAP_S = 1.0  # who is away for longer comes back as somebody new
MIN_TRACK_S = 0.5
MIN_TRACK_SHARE = 1 / 3  # of a clip too short for `MIN_TRACK_S`
SAME_PLACE = 0.5  # radii: a sighting this near to a followed person's hips is that person
MAX_INSIDE = 0.75  # of a newcomer's box, inside somebody else's
DOUBTFUL, CLEARLY = 0.5, 0.2  # mean confidence that is questioned, and lead of a better guess
MIN_SEEN_SHARE = 0.5  # of a track's frames: less is a ghost that comes and goes
MAX_STRANGENESS = 3.2  # place in radii, size and clothes together


class Detector(Protocol):
    """What finds people in a picture: `BlazePose`, or a stand-in of a test."""

    def detect(self, image: np.ndarray) -> list[Sighting]: ...  # noqa: D102
    def landmarks(self, image: np.ndarray, region: Region) -> Landmarks: ...  # noqa: D102


def follow(
    frames: Iterable[Frame],
    *,
    detector: Detector,
    report: Report,
    expected_frames: int | None,
    watch: Watch | None = None,
) -> Cast:
    """Everybody who is in `frames` for long enough, the most prominent first; perhaps nobody.

    Args:
        frames: in order of time; read once.
        detector: finds people and their landmarks.
        report: told of every frame.
        expected_frames: for the report only; None if it is not known.
        watch: may look at who is followed so far. People's numbers are their ranks, and may be
            others in the end.
    """
    times = array("d")

    def pulse() -> None:  # a crowd in one picture takes seconds
        report(STAGE, len(times), max(expected_frames or 0, len(times) + 1))

    scene = _Scene(detector, pulse)
    for frame in frames:
        pulse()
        scene.see(len(times), frame)
        times.append(frame.time_s)
        if watch is not None:
            watch(frame.time_s, lambda: _cast(scene.tracks, np.array(times)))
    report(STAGE, len(times), max(len(times), 1))
    return _cast(scene.tracks, np.array(times))


class _Scene:
    """Everybody seen so far."""

    def __init__(self, detector: Detector, pulse: Callable[[], None]) -> None:
        self.tracks: list[Track] = []
        self._detector, self._pulse = detector, pulse
        self._patrol: Patrol | None = None

    def see(self, index: int, frame: Frame) -> None:
        """Finds in `frame` those who were there before, and newcomers."""
        patrol = self._patrol = self._patrol or Patrol(*frame.image.shape[1::-1])
        near = [t for t in self.tracks if frame.time_s - t.last.time_s <= MAX_GAP_S]
        found = self._carried_on(index, frame, [t for t in near if t.last.frame == index - 1])
        lost = [track for track in near if track not in found]
        windows = [
            *patrol.due(frame.time_s, at_least=0 if found else WINDOWS_PER_FRAME),
            *(patrol.around(track.last.landmarks.next_region) for track in lost),
        ]
        known = list(found.values())
        strangers: list[Seen] = []
        for window in windows:
            regions = self._whole_people(frame, window, patrol)
            strangers += self._strangers(index, frame, regions, [*known, *strangers])
        self._recognise(strangers, lost, found)
        for track, sighting in found.items():
            track.add(sighting)
            score = _clearness(sighting, found.values())
            track.album.show(frame.time_s, frame.image, sighting.box, score=score)

    def _carried_on(self, index: int, frame: Frame, tracks: list[Track]) -> dict[Track, Seen]:
        """Who of `tracks` is where the last frame says; one track a body."""
        found: dict[Track, Seen] = {}
        for track in tracks:
            sighting = self._looked(index, frame, track.last.landmarks.next_region)
            if sighting.landmarks.presence < MIN_PRESENCE:
                continue
            rival = next((t for t, other in found.items() if _same_body(other, sighting)), None)
            if rival is None:
                found[track] = sighting
            elif _outranks(track, sighting, rival, found[rival]):
                del found[rival]
                found[track] = sighting
        return found

    def _whole_people(self, frame: Frame, window: Window, patrol: Patrol) -> list[Region]:
        """Where the detector sees people in `window` whom its sides do not cut."""
        self._pulse()
        part = frame.image[window.top : window.bottom, window.left : window.right]
        regions = [
            moved(sighting.region, window.left, window.top)
            for sighting in self._detector.detect(part)
        ]
        return [region for region in regions if not patrol.cuts(window, region)]

    def _strangers(
        self, index: int, frame: Frame, regions: list[Region], known: list[Seen]
    ) -> list[Seen]:
        """People in `regions` who are none of `known`."""
        strangers: list[Seen] = []
        for region in regions:
            others = [*known, *strangers]
            if any(_same_place(region, other) for other in others):
                continue
            newcomer = self._newcomer(index, frame, region)
            if newcomer and not any(_same_body(newcomer, other) for other in others):
                strangers.append(newcomer)
        return strangers

    def _newcomer(self, index: int, frame: Frame, region: Region) -> Seen | None:
        """Who is in the detector's rough `region`; None unless somebody clearly is."""
        first = self._looked(index, frame, region)
        if first.landmarks.presence < MIN_PRESENCE_ROUGH:
            return None
        second = self._looked(index, frame, first.landmarks.next_region)
        return second if second.landmarks.presence >= MIN_PRESENCE_NEW else None

    def _recognise(
        self, strangers: list[Seen], lost: list[Track], found: dict[Track, Seen]
    ) -> None:
        """Gives each of `strangers` to one of the `lost` or `found`, or to a new track."""
        costs = np.array([[t.strangeness(s) for t in lost] for s in strangers])
        costs = costs.reshape(len(strangers), len(lost))
        matched = zip(*linear_sum_assignment(np.minimum(costs, MAX_STRANGENESS)), strict=True)
        owner = {
            row: lost[column] for row, column in matched if costs[row, column] < MAX_STRANGENESS
        }
        followed = list(found)
        for row in sorted(range(len(strangers)), key=lambda row: -strangers[row].confidence):
            stranger = strangers[row]
            if row in owner:
                found[owner[row]] = stranger
                continue
            # One box inside another is most likely a second guess about the same body: the clearly
            # better guess stays. A true second person is found when the two part.
            doubtful = next((t for t in followed if _is_better(stranger, found[t])), None)
            if doubtful is not None:
                found[doubtful] = stranger
            elif not any(_inside(stranger, other) for other in found.values()):
                self.tracks.append(Track())
                found[self.tracks[-1]] = stranger

    def _looked(self, index: int, frame: Frame, region: Region) -> Seen:
        self._pulse()
        landmarks = self._detector.landmarks(frame.image, region)
        return seen(index, frame.time_s, frame.image, landmarks)


def _same_body(a: Seen, b: Seen) -> bool:
    return same_body(a.landmarks, b.landmarks)


def _same_place(region: Region, other: Seen) -> bool:
    apart = np.linalg.norm(np.asarray(region.center_px) - other.center_px)
    return bool(apart < SAME_PLACE * min(radius_px(region), other.radius_px))


def _inside(inner: Seen, outer: Seen) -> bool:
    return share_inside(inner.box, outer.box) > MAX_INSIDE


def _clearness(sighting: Seen, everybody: Iterable[Seen]) -> float:
    """How good a picture of somebody would be: sure, and with nobody else in it."""
    others = (share_inside(sighting.box, o.box) for o in everybody if o is not sighting)
    return sighting.landmarks.presence * sighting.confidence * (1 - 0.9 * max(others, default=0.0))


def _is_better(guess: Seen, other: Seen) -> bool:
    """Whether `guess` is about the body of `other`, which is doubtful, and much more certain."""
    return (
        (_inside(guess, other) or _inside(other, guess))
        and other.confidence < DOUBTFUL
        and guess.confidence > other.confidence + CLEARLY
    )


def _outranks(track: Track, sighting: Seen, rival: Track, rival_sighting: Seen) -> bool:
    """Whether the body that both tracks landed on is rather that of `track`, the newer one."""
    established = track.last.time_s - track.first_s >= MIN_TRACK_S
    return established and track.strangeness(sighting) < rival.strangeness(rival_sighting)


def _cast(tracks: list[Track], times_s: np.ndarray) -> Cast:
    """The records of tracks that are long enough, the largest and longest seen first."""
    if not len(times_s):
        return Cast(times_s, (), ())
    period_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0
    clip_s = times_s[-1] - times_s[0] + period_s
    shortest_s = min(MIN_TRACK_S, clip_s * MIN_TRACK_SHARE)
    kept = [
        track
        for track in tracks
        if track.last.time_s - track.first_s + period_s >= shortest_s
        and track.count >= MIN_SEEN_SHARE * track.frame_count
    ]
    kept.sort(key=lambda track: track.prominence, reverse=True)
    people = tuple(finished(track, number, times_s) for number, track in enumerate(kept))
    return Cast(times_s, people, pictures=tuple(track.album.pictures for track in kept))
