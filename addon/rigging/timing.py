"""Scene frames and seconds of a video file, each from the other.

The one clock of a capture is the file's own presentation time, 0 at its first picture. A scene
counts frames at its own rate, which is never changed, so a frame of the video may fall between two
frames of the scene: scene frames here are floats. Whatever a strip does to its movie (start,
trims, playback rate, reverse) is one affine map; only retiming is not, and strips with retiming
keys are refused where they are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

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

    def scene_frames(self, times_s: np.ndarray) -> np.ndarray:
        """(...,) float scene frames of seconds of the file."""
        return self.offset + self.rate * np.asarray(times_s, dtype=np.float64)

    def times_s(self, scene_frames: np.ndarray) -> np.ndarray:
        """(...,) seconds of the file that show at scene frames; the inverse of `scene_frames`."""
        return (np.asarray(scene_frames, dtype=np.float64) - self.offset) / self.rate


@dataclass(frozen=True)
class MoviePlacement:
    """What a movie strip says of itself, in Blender's own counts."""

    start: float  # scene frame of the first frame of the content, handles aside
    length: float  # scene frames that the whole content takes, handles aside
    source_frames: int  # frames of the file
    trim_start: int  # frames of the file cut off hard at its start
    trim_end: int  # and at its end
    reverse: bool


def anchored(scene_fps: Fraction, *, start_frame: float, start_s: float = 0.0) -> StripTiming:
    """Timing in real time, with second `start_s` of the file at scene frame `start_frame`."""
    rate = float(scene_fps)
    return StripTiming(offset=start_frame - rate * start_s, rate=rate)


def of_movie(
    placement: MoviePlacement,
    *,
    scene_fps: Fraction,
    movie_fps: Fraction,
) -> StripTiming:
    """Timing of a movie strip.

    Blender shows frame `i * step` of the content, rounded, at the strip's i-th scene frame.

    Raises:
        RequestError: the movie has no rate, as when its file is missing.
    """
    if movie_fps <= 0:
        raise errors.RequestError(
            f"the strip's movie plays at {movie_fps} frames a second",
            hint="Check that the movie file of the strip is where it was.",
        )
    step = source_step(placement, scene_fps=scene_fps, movie_fps=movie_fps)
    rate = float(movie_fps) / step
    first_shown = placement.trim_start / float(movie_fps)
    if placement.reverse:
        last_frame = placement.start + placement.length - 1
        return StripTiming(offset=last_frame + rate * first_shown, rate=-rate)
    return StripTiming(offset=placement.start - rate * first_shown, rate=rate)


def source_step(placement: MoviePlacement, *, scene_fps: Fraction, movie_fps: Fraction) -> float:
    """Frames of the file for each scene frame: 1, or the ratio of the two rates.

    Blender does not tell whether a strip keeps its movie's speed, but the strip's length does: of
    the two possible steps, the one that explains it better. Where both explain it, they are the
    same to within a frame over the whole strip.
    """
    shown = placement.source_frames - placement.trim_start - placement.trim_end
    steps = (1.0, float(movie_fps / scene_fps))
    return min(steps, key=lambda step: abs(shown / step - placement.length))
