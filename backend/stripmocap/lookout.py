"""Who is in a clip: the step of a capture that follows people, before they are corrected."""

from __future__ import annotations

import logging
import math
from collections.abc import Generator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from .beat import Beat
from .contract import casting, marking
from .contract.corrections import Mark
from .contract.errors import NobodyFound
from .contract.messages import Clip
from .contract.tracks import PersonTrack
from .people import observations
from .people.blazepose import BlazePose
from .people.journal import Journal
from .people.observations import Cast, Person, Picture
from .people.recorded import Diverged, Recorded
from .people.tracking import Detector, Watch, follow
from .steps import Memory
from .video.frames import Frame, VideoInfo, read_frames
from .video.prefetch import ahead

PEOPLE = "people"  # what the step is kept under, and its stage

MOST_AHEAD = 2  # pictures that are decoded ahead
AHEAD_BYTES = 2**26  # that they may take; of 8K footage none is decoded ahead

log = logging.getLogger(__name__)


class Lookout:
    """Follows people; its networks stay loaded. For one thread."""

    def __init__(self) -> None:
        """A lookout that loads its networks when they are first needed."""
        self._eyes: Detector | None = None

    def cast(
        self,
        clip: Clip,
        info: VideoInfo,
        beat: Beat,
        *,
        memory: Memory,
        depends_on: Mapping[str, Any],
        watch: Watch | None = None,
    ) -> Cast:
        """Everybody who is in `clip` for long enough, the most prominent first.

        Args:
            clip: what is looked at.
            info: what the file says of it.
            beat: told of every frame.
            memory: where the step is kept, if it is.
            depends_on: everything that the step depends on but for the footage's content.
            watch: looks on while people are followed.

        Raises:
            NobodyFound: there is nobody.
        """
        cast = memory.once_with_journal(
            PEOPLE,
            depends_on,
            make=lambda journal: self._looked(clip, info, beat, journal=journal, watch=watch),
            pack=observations.packed,
            unpack=observations.unpacked,
        )
        if not cast.people:
            raise NobodyFound(
                f"nobody was found in {Path(clip.path).name}",
                hint="A person should be at least a tenth of the picture's height, mostly in view, "
                "for half a second or more.",
            )
        return cast

    def _looked(
        self,
        clip: Clip,
        info: VideoInfo,
        beat: Beat,
        *,
        journal: Journal | None,
        watch: Watch | None,
    ) -> Cast:
        self._eyes = self._eyes or BlazePose()
        if journal is None:
            return _followed(clip, info, beat, detector=self._eyes, watch=watch)
        try:
            return _noted(clip, info, beat, detector=Recorded(self._eyes, journal), watch=watch)
        except Diverged as error:
            log.warning("The work in progress of %s is not used (%s)", clip.path, error)
            journal.drop()
            return _noted(clip, info, beat, detector=Recorded(self._eyes, journal), watch=watch)


def tracks_of(cast: Cast, *, size_px: tuple[int, int]) -> tuple[PersonTrack, ...]:
    """Everybody as followed, for an artist; `size_px` is the picture's width and height."""
    roles = casting.roles(cast.people, (), size_px=size_px)
    lines = [casting.line_of(cast.people, each) for each in roles]
    marks = marking.marks_of(lines, size_px=size_px)
    return tuple(
        _track(person, album, mark)
        for person, album, mark in zip(cast.people, cast.pictures, marks, strict=True)
        if mark is not None
    )


def _track(person: Person, album: tuple[Picture, ...], mark: Mark) -> PersonTrack:
    stack = observations.stacked(album)
    return PersonTrack(
        person=person.person,
        times_s=person.times_s,
        boxes=person.boxes,
        presence=person.presence,
        mark=mark,
        pictured_s=stack["pictured_s"],
        pictures=stack["pictures"],
    )


def _followed(
    clip: Clip, info: VideoInfo, beat: Beat, *, detector: Detector, watch: Watch | None
) -> Cast:
    expected = _expected_frames(clip, info)
    beat(PEOPLE, 0, expected or 0)
    with closing(_decoded(clip, info, beat)) as frames:
        return follow(frames, detector=detector, report=beat, expected_frames=expected, watch=watch)


def _decoded(clip: Clip, info: VideoInfo, beat: Beat) -> Generator[Frame]:
    """The frames of `clip`; small ones are decoded while the last are looked at."""
    width, height = info.size_px
    depth = min(MOST_AHEAD, AHEAD_BYTES // (3 * width * height))
    if depth == 0:
        yield from read_frames(clip, pulse=beat.again)
        return
    with closing(
        ahead(lambda pulse: read_frames(clip, pulse=pulse), depth=depth, meanwhile=beat.again)
    ) as frames:
        yield from frames


def _noted(
    clip: Clip, info: VideoInfo, beat: Beat, *, detector: Recorded, watch: Watch | None
) -> Cast:
    """The same; what was found so far is kept, whatever stops the work."""
    try:
        return _followed(clip, info, beat, detector=detector, watch=watch)
    finally:
        detector.flush()


def _expected_frames(clip: Clip, info: VideoInfo) -> int | None:
    if info.duration_s is None or info.fps is None:
        return info.frame_count
    span = min(clip.stop_s, info.duration_s) - clip.start_s
    return max(1, math.ceil(span * info.fps)) if span > 0 else None
