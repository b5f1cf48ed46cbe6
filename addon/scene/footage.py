"""What a strip of the sequencer shows: the file, and how its pictures count on the file's clock."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import bpy

from ..contract import errors, sequences
from ..rigging import steadiness
from ..rigging.steadiness import Rhythm
from . import compat

KINDS = {"MOVIE": "movie", "IMAGE": "images", "MOVIECLIP": "clip"}  # by the type of the strip
_MISSING_HINT = "Put the file back, or give the strip its new place under Source."
_SAMPLES = 16


@dataclass(frozen=True)
class Footage:
    """The pictures of a strip's content, trimmed ones included, on the clock of their file."""

    path: Path  # absolute; the strip's first file if it is an image sequence
    kind: str  # of KINDS
    fps: Fraction  # pictures a second of the file's clock; pictures themselves carry no rate
    pictures: int  # of the content
    first_s: Fraction = Fraction(0)  # when the content's picture 0 is shown
    end_s: Fraction | None = None  # where the file ends; None: with the content
    missing: int = 0  # pictures of a sequence that are not there
    rhythm: Rhythm | None = None  # of a movie; None: not known

    @property
    def is_uneven(self) -> bool:
        """Whether its pictures are known to follow no steady rate."""
        return self.rhythm is not None and not self.rhythm.is_steady

    @property
    def mean_fps(self) -> float:
        """Pictures a second that are really there; of an uneven movie `fps` only counts time."""
        return self.rhythm.mean_fps if self.rhythm and self.is_uneven else float(self.fps)


@dataclass(frozen=True)
class Reel:
    """All pictures of a file or sequence, as Blender counts them behind a camera."""

    pictures: int
    fps: Fraction  # pictures a second of the file's clock
    first_number: int  # of the picture at second 0


def is_footage(strip: bpy.types.Strip) -> bool:
    """Whether the strip shows filmed pictures, and more than one."""
    return strip.type in KINDS and not (strip.type == "IMAGE" and len(strip.elements) < 2)


def footage_of(strip: bpy.types.Strip) -> Footage:
    """What `strip`, for which `is_footage` holds, shows.

    Raises:
        RequestError: the file is missing or cannot be counted.
    """
    match KINDS[strip.type]:
        case "movie":
            return _movie(strip)
        case "images":
            return _images(strip)
        case _:
            return _clip(strip)


def path_of(strip: bpy.types.Strip) -> Path | None:
    """The file that the strip shows, absolute, whether it is there or not; None if unknown."""
    match KINDS[strip.type]:
        case "movie":
            return movie_path(strip)
        case "images":
            return _folder(strip) / strip.elements[0].filename
        case _:
            clip = compat.clip_of(strip)
            return None if clip is None else _absolute(clip.filepath, clip.library)


def movie_path(strip: bpy.types.Strip) -> Path:
    """The file of a movie strip, absolute."""
    return _absolute(strip.filepath, strip.id_data.library)


def has_proxy(strip: bpy.types.Strip) -> bool:
    """Whether smaller pictures stand in for those of `strip` in the preview."""
    if not getattr(strip, "use_proxy", False):
        return False
    proxy, path = strip.proxy, path_of(strip)
    if proxy.use_proxy_custom_file or path is None:
        return bool(proxy.filepath)
    editor = strip.id_data.sequence_editor
    if proxy.use_proxy_custom_directory and proxy.directory:
        folder = _absolute(proxy.directory, strip.id_data.library)
    elif editor.proxy_storage == "PROJECT" and editor.proxy_dir:
        folder = _absolute(editor.proxy_dir, strip.id_data.library)
    else:
        folder = path.parent / "BL_proxy"
    return any((folder / name).is_dir() for name in (path.name, "images"))


def reel_of(path: Path) -> Reel:
    """The pictures of a movie, or of the sequence that a picture belongs to.

    Raises:
        RequestError: the file is missing, or Blender cannot read it as a movie.
    """
    if not sequences.is_picture(path):
        return Reel(*movie_length(path), first_number=1)
    _version(path)
    numbers = sequences.files_of(path)
    lowest, highest = min(numbers), max(numbers)
    return Reel(highest - lowest + 1, sequences.FPS, first_number=lowest)


def movie_length(path: Path) -> tuple[int, Fraction]:
    """Pictures of a movie file and how many it shows a second, as Blender counts them.

    Each file is opened once, until it changes.

    Raises:
        RequestError: the file is missing, or Blender cannot read it as a movie.
    """
    return _movie_length(path, *_version(path))


def rhythm_of(path: Path) -> Rhythm | None:
    """How the movie's pictures follow each other; None if that is not known."""
    return _rhythm_of(path, *_version(path))


def _movie(strip: bpy.types.Strip) -> Footage:
    if strip.stream_index:
        raise errors.RequestError(
            f"the strip {strip.name} shows video stream {strip.stream_index} of its file, and only"
            " the first can be captured",
            hint="Choose stream 0 under Source, or copy the stream to a file of its own.",
        )
    path = movie_path(strip)
    pictures, fps = movie_length(path)
    return Footage(path, "movie", fps, pictures, rhythm=rhythm_of(path))


def _images(strip: bpy.types.Strip) -> Footage:
    count = len(strip.elements)
    folder = _folder(strip)
    places = sorted({*range(0, count, max(1, count // _SAMPLES)), 1, count - 1})
    # Thousands of names would take longer than there is; those between two that fit, fit too,
    # because Blender puts them in order.
    files = [folder / strip.elements[place].filename for place in places]
    numbers = [sequences.number_of(file) for file in files]
    first, second = numbers[:2]
    stride = 0 if first is None or second is None else second - first
    if first is None or stride < 1 or numbers != [first + stride * place for place in places]:
        raise errors.RequestError(
            f"the pictures of {strip.name} are not numbered in a row",
            hint="Number them one after another and add them again as one strip.",
        )
    lowest, missing = _sequence(files[0], first, stride, count)
    return Footage(
        path=files[0],
        kind="images",
        fps=sequences.FPS / stride,
        pictures=count,
        first_s=(first - lowest) / sequences.FPS,
        missing=missing,
    )


def _clip(strip: bpy.types.Strip) -> Footage:
    clip = compat.clip_of(strip)
    if clip is None:
        raise errors.RequestError(
            f"which movie clip {strip.name} shows cannot be told",
            hint="Give the strip the name of its clip, or add the file as a movie strip.",
        )
    path = _absolute(clip.filepath, clip.library)
    _version(path)
    pictures, offset = clip.frame_duration, clip.frame_offset
    if clip.source == "MOVIE":
        fps, before, rhythm = _rate(path, clip.fps), 0, rhythm_of(path)
    else:
        number = sequences.number_of(path) or 0
        lowest, _missing = _sequence(path, number, 1, pictures)
        fps, before, rhythm = sequences.FPS, number - lowest, None
    return Footage(
        path=path,
        kind="clip",
        fps=fps,
        pictures=pictures,
        first_s=(before + offset) / fps,
        end_s=(before + pictures) / fps,
        rhythm=rhythm,
    )


def _folder(strip: bpy.types.Strip) -> Path:
    return _absolute(strip.directory, strip.id_data.library)


def _absolute(path: str, library: bpy.types.Library | None) -> Path:
    return Path(bpy.path.abspath(path, library=library))


def _version(path: Path) -> tuple[int, int]:
    """What changes when the file does."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise errors.RequestError(f"the file {path} is not there", hint=_MISSING_HINT) from error
    return status.st_mtime_ns, status.st_size


@functools.lru_cache(maxsize=256)
def _movie_length(path: Path, _changed_ns: int, _size: int) -> tuple[int, Fraction]:
    try:
        clip = bpy.data.movieclips.load(str(path), check_existing=False)
    except RuntimeError as error:
        raise errors.RequestError(
            f"the movie {path} cannot be read", hint="Convert it to H.264 in an .mp4 file."
        ) from error
    pictures, fps = clip.frame_duration, clip.fps
    bpy.data.movieclips.remove(clip)
    return pictures, _rate(path, fps)


@functools.lru_cache(maxsize=256)
def _rhythm_of(path: Path, _changed_ns: int, _size: int) -> Rhythm | None:
    return steadiness.rhythm_of(path)


def _rate(path: Path, fps: float) -> Fraction:
    if not fps > 0:
        raise errors.RequestError(
            f"the movie {path} does not say how fast it plays",
            hint="Convert it to H.264 in an .mp4 file.",
        )
    return Fraction(fps).limit_denominator(1001)


def _sequence(file: Path, first: int, stride: int, count: int) -> tuple[int, int]:
    """Lowest number of the sequence that `file` belongs to, and how many of `count` are missing."""
    _version(file)
    changed_ns, _ = _version(file.parent)
    return _sequence_in(file, first, stride, count, changed_ns)


@functools.lru_cache(maxsize=256)
def _sequence_in(
    file: Path, first: int, stride: int, count: int, _changed_ns: int
) -> tuple[int, int]:
    numbers = sequences.files_of(file)
    wanted = range(first, first + stride * count, stride)
    return min(numbers), sum(number not in numbers for number in wanted)
