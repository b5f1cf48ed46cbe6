"""The pictures of an image sequence and their times; `contract.sequences` tells which they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
import cv2
import numpy as np

from ..contract import sequences
from ..contract.errors import VideoError
from ..contract.messages import Clip
from . import colours, formats, limits


@dataclass(frozen=True)
class Sequence:
    """Pictures in order, with the number that each file name carries."""

    files: tuple[Path, ...]
    numbers: tuple[int, ...]
    fps: Fraction = sequences.FPS

    @property
    def duration_s(self) -> float:
        """From the first picture to the end of the last."""
        return float((self.numbers[-1] - self.numbers[0] + 1) / self.fps)

    def read(self, index: int) -> np.ndarray:
        """(H, W, 3) uint8 RGB of picture `index`.

        Raises:
            VideoError: the file is no picture that can be decoded.
        """
        return _read_picture(self.files[index])

    def timed_images(self, clip: Clip) -> Iterator[tuple[float, np.ndarray]]:
        """Time in seconds and picture of each one in the span of `clip`.

        Raises:
            VideoError: a picture cannot be decoded, or differs in size from the first.
        """
        shape = None
        for index, number in enumerate(self.numbers):
            time_s = float((number - self.numbers[0]) / self.fps)
            if not clip.start_s <= time_s < clip.stop_s:
                continue
            image = self.read(index)
            shape = shape or image.shape
            if image.shape != shape:
                raise VideoError(
                    f"{self.files[index]} is {image.shape[1]}x{image.shape[0]} pixels, the pictures"
                    f" before it {shape[1]}x{shape[0]}",
                    hint="Put only the pictures of one shot in the folder.",
                )
            yield time_s, image


def sequence_of(file: Path) -> Sequence | None:
    """The sequence that the picture `file` belongs to, alone if unnumbered; None for a movie."""
    if not sequences.is_picture(file):
        return None
    found = sequences.files_of(file)
    return Sequence(tuple(found.values()), tuple(found))


def _read_picture(file: Path) -> np.ndarray:
    try:
        options = formats.PICTURE_OPTIONS | limits.OPTIONS
        with av.open(f"file:{file}", options=options) as container:
            codec = container.streams.video[0].codec_context
            limits.check_size(file, codec.width, codec.height)
            limits.bound(codec)
            picture = next(container.decode(video=0))
    except (av.error.FFmpegError, OSError, ValueError, IndexError, StopIteration) as error:
        raise VideoError(
            f"{file} is not a picture that can be read"
            f" ({getattr(error, 'strerror', None) or error})",
            hint="Export it again, or take it out of the folder. If it is very large: "
            f"{limits.HINT.lower()}",
        ) from error
    limits.check_size(file, picture.width, picture.height)
    image = colours.as_rgb(picture, file)
    turns = round(picture.rotation / 90) % 4
    if turns:
        image = np.ascontiguousarray(np.rot90(image, turns))
    if picture.format.name.startswith(("gbrpf", "gbrapf", "grayf", "rgbf")):
        image = _encoded(image)
    return image


def _encoded(linear: np.ndarray) -> np.ndarray:
    """Screen bytes of scene-linear ones: float pictures hold light, not sRGB values."""
    levels = np.arange(256) / 255.0
    curve = np.where(levels <= 0.0031308, 12.92 * levels, 1.055 * levels ** (1 / 2.4) - 0.055)
    return cv2.LUT(linear, np.round(curve * 255).astype(np.uint8))
