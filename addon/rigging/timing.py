"""Scene frames and seconds of a video file, each from the other.

The one clock of a capture is the file's own presentation time, 0 at its first picture. A scene
counts frames at its own rate, which is never changed, so a picture of the video may fall between
two frames of the scene: scene frames here are floats. Whatever a strip does to its footage (start,
trims, playback rate, reverse, one speed for all of it) is one affine map; changing speeds are not,
and strips with them are refused where they are read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from ..contract import errors


@dataclass(frozen=True)
class StripTiming:
    """scene_frame = offset + rate * time_s."""

    offset: float  # scene frame at which the file's second 0 is shown
    rate: float  # scene frames for a second of the file; negative when it plays backwards

    def __post_init__(self) -> None:
        if not (np.isfinite(self.offset) and np.isfinite(self.rate) and self.rate):
            raise errors.RequestError(
                f"a strip cannot start at {self.offset} and run at {self.rate}"
            )

    def scene_frames(self, times_s: ArrayLike) -> np.ndarray:
        """(...,) float scene frames of seconds of the file."""
        return self.offset + self.rate * np.asarray(times_s, dtype=np.float64)

    def times_s(self, scene_frames: ArrayLike) -> np.ndarray:
        """(...,) seconds of the file that show at scene frames; the inverse of `scene_frames`."""
        return (np.asarray(scene_frames, dtype=np.float64) - self.offset) / self.rate

    def through(self, frames: FrameMap) -> StripTiming:
        """The same once `frames` has moved every scene frame."""
        return StripTiming(float(frames(self.offset)), frames.scale * self.rate)


@dataclass(frozen=True)
class FrameMap:
    """new scene frame = offset + scale * old scene frame; a negative scale turns time round."""

    offset: float
    scale: float

    def __call__(self, scene_frames: ArrayLike) -> np.ndarray:
        """(...,) where keys at these scene frames belong now."""
        return self.offset + self.scale * np.asarray(scene_frames, dtype=np.float64)

    def inverse(self, scene_frames: ArrayLike) -> np.ndarray:
        """(...,) where keys that are at these scene frames now were."""
        return (np.asarray(scene_frames, dtype=np.float64) - self.offset) / self.scale

    def then(self, after: FrameMap) -> FrameMap:
        """First this, then `after`."""
        return FrameMap(offset=float(after(self.offset)), scale=after.scale * self.scale)

    def is_identity(self, *, within: float = 1e-6) -> bool:
        """Whether it moves no key in the first million frames by more than `within` frames."""
        return abs(self.offset) <= within and abs(self.scale - 1) * 1e6 <= within


STILL = FrameMap(offset=0.0, scale=1.0)


@dataclass(frozen=True)
class Content:
    """What a strip says of its footage, in Blender's own counts."""

    start: float  # scene frame of the first frame of the content, handles aside
    length: float  # scene frames that the whole content takes, handles aside
    pictures: int  # pictures of the footage, those trimmed off included
    trim_start: int  # pictures cut off hard at its start
    trim_end: int  # and at its end
    reverse: bool
    step: float  # pictures for each scene frame

    def picture_at(self, scene_frame: float) -> int:
        """Number of the picture that Blender shows, from 0; held at either end of the content."""
        passed = scene_frame - self.start
        if self.reverse:
            passed = self.length - 1 - passed
        index = max(passed, 0.0) * self.step
        last = self.pictures - self.trim_start - self.trim_end - 1
        return self.trim_start + math.floor(min(index, last) + 0.5)


def anchored(scene_fps: Fraction, *, start_frame: float, start_s: float = 0.0) -> StripTiming:
    """Timing in real time, with second `start_s` of the file at scene frame `start_frame`."""
    rate = float(scene_fps)
    return StripTiming(offset=start_frame - rate * start_s, rate=rate)


def of_content(content: Content, *, fps: Fraction, first_s: float = 0.0) -> StripTiming:
    """Timing of a strip whose picture 0 is at second `first_s` of the file's clock.

    Blender shows picture `i * step` of the content, rounded, at the strip's i-th scene frame.
    `fps` is pictures a second of that clock, above 0.
    """
    rate = float(fps) / content.step
    first_shown_s = first_s + content.trim_start / float(fps)
    forwards = StripTiming(offset=content.start - rate * first_shown_s, rate=rate)
    if content.reverse:
        return forwards.through(backwards(content.start, content.length))
    return forwards


def backwards(start: float, length: float) -> FrameMap:
    """Where frames go when the `length` frames from `start` on are shown the other way round."""
    return FrameMap(offset=2 * start + length - 1, scale=-1.0)


def unretimed_step(
    shown: int, *, length: float, scene_fps: Fraction, fps: Fraction
) -> float | None:
    """Pictures for each scene frame: the ratio of the two rates, or 1; None if neither fits.

    Blender does not tell whether a strip keeps its movie's speed, but `length`, the whole scene
    frames that `shown` pictures take, does. Both may explain it; then they are the same to within
    a frame over the whole strip, and the artist's own menu keeps the speed.
    """
    keeping = float(fps / scene_fps)
    cut_off = shown / keeping - length  # by Blender, to whole frames, in single precision
    slack = 0.01 + 1e-6 * length
    if -slack < cut_off < 1 + slack:
        return keeping
    return 1.0 if abs(shown - length) < 0.5 else None


def shifted(old: StripTiming, new: StripTiming) -> FrameMap:
    """Where key frames made under `old` belong under `new`, after a move, slip, trim or split."""
    scale = new.rate / old.rate
    return FrameMap(offset=new.offset - scale * old.offset, scale=scale)


def uncovered(
    captured: tuple[float, float], wanted: tuple[float, float], *, least_s: float = 1e-3
) -> list[tuple[float, float]]:
    """Spans of `wanted` outside `captured`, all in seconds; none empty or below `least_s`."""
    before = (wanted[0], min(wanted[1], captured[0]))
    after = (max(wanted[0], captured[1]), wanted[1])
    least_s = max(least_s, 1e-6)  # so long are rounding errors at most
    return [(start, stop) for start, stop in (before, after) if stop - start >= least_s]
