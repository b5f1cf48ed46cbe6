"""Frames of a span of a video, streamed in order with their presentation times.

Times are seconds of the file's own clock, which starts at the stream's first picture: the stream's
start time is subtracted, so the first frame of a whole file is at 0 s, as ffmpeg and Blender count.
Pictures are as they are meant to be seen: rotation metadata and non-square pixels are undone. One
picture is in memory at a time, however long the file is. A numbered still stands for its sequence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import av.container
import av.error
import av.stream
import cv2
import numpy as np

from ..contract.errors import VideoError
from ..contract.messages import Clip
from . import colours, formats, limits, stills

EDGE_S = 1e-6  # a span computed from frame numbers may miss a frame's time by a rounding error
SEEK_MARGIN_S = 1.0  # sought this much earlier: index times of some files are decoding times
PIXEL_ASPECT_TOLERANCE = 0.01  # pixels this close to square are left alone
MAX_ASPECT_CHANGE = 1.02  # a stream may change its size, but not its shape
_QUARTER_TURNS = {
    1: cv2.ROTATE_90_COUNTERCLOCKWISE,
    2: cv2.ROTATE_180,
    3: cv2.ROTATE_90_CLOCKWISE,
}


@dataclass(frozen=True)
class VideoInfo:
    """What a video says of itself; its first picture has been decoded."""

    path: Path
    size_px: tuple[int, int]  # width, height as shown: rotated, with square pixels
    duration_s: float | None
    frame_count: int | None  # by the container's index, else duration times rate: an estimate
    fps: Fraction | None  # average; None when the file does not say
    rotation_deg: int  # clockwise turn of the stored picture: 0, 90, 180 or 270


class Frame(NamedTuple):
    """One picture and when it is shown."""

    time_s: float  # seconds of the file's own clock
    image: np.ndarray  # (H, W, 3) uint8 RGB


def nothing() -> None:
    """A pulse that nobody feels."""


def files_of(path: str | Path) -> tuple[tuple[Path, ...], tuple[int, ...]]:
    """The files that hold the pictures of `path`, and the number of each in a sequence.

    Raises:
        VideoError: the file is missing or cannot be read.
    """
    file = _existing_file(path)
    sequence = stills.sequence_of(file)
    return ((file,), ()) if sequence is None else (sequence.files, sequence.numbers)


def probe(path: str | Path, *, pulse: Callable[[], None] = nothing) -> VideoInfo:
    """What the video at `path` says of itself.

    Args:
        path: a movie, or a file of an image sequence.
        pulse: called often while the first picture is looked for; may raise to stop.

    Raises:
        VideoError: the file is missing, is no video, or has no picture that can be decoded.
    """
    file = _existing_file(path)
    sequence = stills.sequence_of(file)
    if sequence is not None:
        image = sequence.read(0)
        return VideoInfo(
            path=file,
            size_px=(image.shape[1], image.shape[0]),
            duration_s=sequence.duration_s,
            frame_count=len(sequence.files),
            fps=sequence.fps,
            rotation_deg=0,
        )
    with _opened(file) as container:
        return _movie_info(file, container, pulse)


def read_frames(clip: Clip, *, pulse: Callable[[], None] = nothing) -> Iterator[Frame]:
    """The frames of `clip`, with strictly increasing times in [start_s, stop_s).

    A damaged or truncated file gives the frames that can be decoded.

    Args:
        clip: the file and the span.
        pulse: called often, also while pictures before the span are passed over; may raise to stop.

    Raises:
        VideoError: on the first step; as `probe`, or no picture lies in the span.
    """
    file = _existing_file(clip.path)
    sequence = stills.sequence_of(file)
    if sequence is not None:
        frames = (Frame(time_s, image) for time_s, image in sequence.timed_images(clip))
    else:
        frames = _movie_frames(file, clip, pulse)
    found = False
    for frame in frames:
        found = True
        yield frame
    if not found:
        end = "on" if math.isinf(clip.stop_s) else f"to {clip.stop_s:g} s"
        raise VideoError(
            f"{file.name} has no pictures from {clip.start_s:g} s {end}",
            hint="Choose a span inside the video.",
        )


def _existing_file(path: str | Path) -> Path:
    file = Path(path).expanduser().absolute()
    try:
        if file.is_dir():
            raise VideoError(
                f"{file} is a folder", hint="Give a movie file, or one picture of a sequence."
            )
        if not file.exists():
            raise VideoError(f"{file} does not exist", hint="Check the path for a typing mistake.")
        if not file.is_file():  # reading a pipe or device could wait for ever
            raise VideoError(f"{file} is not an ordinary file", hint="Give a movie file.")
        if file.stat().st_size == 0:
            raise VideoError(f"{file} is empty", hint="Copy or export the video again.")
    except (OSError, ValueError) as error:
        raise VideoError(f"{file} cannot be read ({error})", hint="Check the path.") from error
    return file


def _opened(file: Path) -> av.container.InputContainer:
    try:
        # "file:" keeps names such as "concat:a" or "shot%04d" from being read as anything else.
        return av.open(f"file:{file}", options=formats.MOVIE_OPTIONS | limits.OPTIONS)
    except PermissionError as error:
        raise VideoError(f"{file} may not be read", hint="Check the file's permissions.") from error
    except av.error.ArgumentError as error:  # what it was taken for is none of MOVIE_OPTIONS
        raise VideoError(f"{file} is not a video", hint="Give a movie file.") from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise VideoError(
            f"{file} is not a video that can be read ({_reason(error)})",
            hint="If it was being recorded or copied, it may be incomplete; make or copy it again.",
        ) from error


def _reason(error: Exception) -> str:
    """What ffmpeg says, without its number and the path that the message has already."""
    return str(getattr(error, "strerror", None) or error)


def _video_stream(container: av.container.InputContainer) -> av.VideoStream:
    cover_art = av.stream.Disposition.attached_pic
    for stream in container.streams.video:
        if not stream.disposition & cover_art:
            if stream.codec_context is None:
                raise VideoError(
                    f"{container.name.removeprefix('file:')} uses a codec that is not known",
                    hint="Convert it to H.264 first.",
                )
            limits.check_size(
                Path(container.name.removeprefix("file:")), stream.width, stream.height
            )
            limits.bound(stream.codec_context)
            stream.thread_type = "AUTO"
            return stream
    raise VideoError(
        f"{container.name.removeprefix('file:')} has no pictures"
        + (", only sound" if container.streams.audio else ""),
        hint="Give a movie file.",
    )


def _movie_info(
    file: Path, container: av.container.InputContainer, pulse: Callable[[], None]
) -> VideoInfo:
    stream = _video_stream(container)
    picture = next(_decoded(container, stream, pulse), None)
    if picture is None:
        raise _undecodable(file)
    turns = _quarter_turns(picture)
    image = _as_shown(picture, _pixel_aspect(stream), file)
    duration_s = None
    if stream.duration is not None and stream.time_base is not None:
        duration_s = float(stream.duration * stream.time_base)
    elif container.duration is not None:
        duration_s = container.duration / av.time_base
    fps = stream.average_rate or stream.guessed_rate
    count = stream.frames or (round(duration_s * fps) if duration_s and fps else None)
    return VideoInfo(
        path=file,
        size_px=(image.shape[1], image.shape[0]),
        duration_s=duration_s,
        frame_count=count,
        fps=Fraction(fps) if fps else None,
        rotation_deg=(-turns % 4) * 90,
    )


def _movie_frames(file: Path, clip: Clip, pulse: Callable[[], None]) -> Iterator[Frame]:
    if clip.start_s > 0:
        frames = _frames_from(file, pulse, seek_s=clip.start_s - SEEK_MARGIN_S)
        first = next(frames, None)
        # Formats without an index may land too late, or nowhere; then the file is read through.
        if first is None or first.time_s > clip.start_s + EDGE_S:
            frames = _frames_from(file, pulse)
        elif first.time_s >= clip.start_s - EDGE_S:
            yield first
    else:
        frames = _frames_from(file, pulse)
    for frame in frames:
        if frame.time_s >= clip.stop_s - EDGE_S:
            return
        if frame.time_s >= clip.start_s - EDGE_S:
            yield frame


def _frames_from(file: Path, pulse: Callable[[], None], *, seek_s: float = 0.0) -> Iterator[Frame]:
    """All frames from the key frame at or before `seek_s` on."""
    with _opened(file) as container:
        stream = _video_stream(container)
        time_base = stream.time_base or Fraction(1, av.time_base)
        start = stream.start_time
        if seek_s > 0 and start is not None:
            try:
                container.seek(int(seek_s / time_base) + start, stream=stream)
            except av.error.FFmpegError:
                return
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        aspect = _pixel_aspect(stream)
        shape = None
        last_s = -float("inf")
        for picture in _decoded(container, stream, pulse):
            stamp = picture.pts if picture.pts is not None else picture.dts
            if start is None and stamp is not None:
                start = stamp
            if stamp is None:  # bare streams carry no times
                time_s = last_s + float(1 / rate) if last_s >= 0 else 0.0
            else:
                assert start is not None  # set with the first stamp
                time_s = float((stamp - start) * time_base)
            if time_s <= last_s:
                continue
            last_s = time_s
            image = _as_shown(picture, aspect, file)
            shape = shape or image.shape
            yield Frame(time_s, _at_first_size(image, shape, file))
        if shape is None and seek_s <= 0:
            raise _undecodable(file)


def _decoded(
    container: av.container.InputContainer, stream: av.VideoStream, pulse: Callable[[], None]
) -> Iterator[av.VideoFrame]:
    """Every picture that can be decoded; damaged packets are passed over."""
    packets = container.demux(stream)
    while True:
        pulse()
        try:
            packet = next(packets, None)
        except (av.error.FFmpegError, OSError):
            packet = None
        try:
            if packet is None:  # the end, or as far as the file can be read
                yield from stream.codec_context.decode(None)
                return
            pictures = packet.decode()
        except av.error.EOFError:
            return
        except (av.error.FFmpegError, OSError, ValueError):
            if packet is None:
                return
            continue
        yield from pictures


def _pixel_aspect(stream: av.VideoStream) -> float:
    """Width of a stored pixel over its height; 1 when the file does not say."""
    aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    return float(aspect) if aspect and 0.1 < aspect < 10 else 1.0


def _as_shown(picture: av.VideoFrame, pixel_aspect: float, file: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB, turned upright and with square pixels."""
    limits.check_size(file, picture.width * max(pixel_aspect, 1), picture.height)
    image = colours.as_rgb(picture, file)
    if abs(pixel_aspect - 1) > PIXEL_ASPECT_TOLERANCE:
        width = max(1, round(image.shape[1] * pixel_aspect))
        image = cv2.resize(image, (width, image.shape[0]), interpolation=cv2.INTER_LINEAR)
    turns = _quarter_turns(picture)
    return cv2.rotate(image, _QUARTER_TURNS[turns]) if turns else image


def _quarter_turns(picture: av.VideoFrame) -> int:
    """Counter-clockwise quarter turns, 0 to 3, that make the stored picture upright."""
    return round(picture.rotation / 90) % 4


def _at_first_size(image: np.ndarray, shape: tuple[int, ...], file: Path) -> np.ndarray:
    if image.shape == shape:
        return image
    (height, width), (new_height, new_width) = shape[:2], image.shape[:2]
    change = (new_width / new_height) / (width / height)
    if not 1 / MAX_ASPECT_CHANGE <= change <= MAX_ASPECT_CHANGE:
        raise VideoError(
            f"{file} changes from {width}x{height} to {new_width}x{new_height} pixels on the way",
            hint="Cut it into parts of one size.",
        )
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def _undecodable(file: Path) -> VideoError:
    return VideoError(
        f"{file} has no picture that can be decoded",
        hint="The file may be damaged or incomplete; make or copy it again. If its pictures are "
        f"very large: {limits.HINT.lower()}",
    )
