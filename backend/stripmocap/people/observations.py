"""What was seen of people over time.

Pixel (0, 0) is the centre of the picture's top-left pixel. Keypoints and landmarks are BlazePose's
33, in the order of `contract.skeleton.BLAZEPOSE_NAMES`. `landmarks3d` are metres about the middle
of the hips, in camera axes: x right, y down, z forward.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..contract.arrays import DType, checked
from ..contract.skeleton import BLAZEPOSE_NAMES

KEYPOINT_COUNT = len(BLAZEPOSE_NAMES)
PICTURE_PX = 80  # side of a picture for a list
_FIELDS = ("times_s", "boxes", "keypoints", "landmarks3d", "presence")
_PICTURE = (PICTURE_PX, PICTURE_PX, 3)


@dataclass(frozen=True, eq=False)
class Person:
    """One person in every decoded frame from the first sighting to the last.

    In frames where nobody was seen, `presence` and all confidences are 0 and the rest is
    interpolated between the neighbours.
    """

    person: int
    times_s: np.ndarray  # (T,) float64 seconds of the file's own clock, strictly increasing
    boxes: np.ndarray  # (T, 4) px: x0, y0, x1, y1
    keypoints: np.ndarray  # (T, 33, 3) px and confidence in [0, 1]
    landmarks3d: np.ndarray  # (T, 33, 3) metres about the hips, camera axes
    presence: np.ndarray  # (T,) in [0, 1]: how sure it is that the person is there

    def __post_init__(self) -> None:
        _freeze(self, "times_s", (None,), np.float64)
        frames = len(self.times_s)
        _freeze(self, "boxes", (frames, 4))
        _freeze(self, "keypoints", (frames, KEYPOINT_COUNT, 3))
        _freeze(self, "landmarks3d", (frames, KEYPOINT_COUNT, 3))
        _freeze(self, "presence", (frames,))
        if frames == 0:
            raise ValueError(f"person {self.person} is in no frame")
        if (np.diff(self.times_s) <= 0).any():
            raise ValueError(f"the times of person {self.person} do not rise")
        for scores in (self.keypoints[:, :, 2], self.presence):
            if scores.min() < 0 or scores.max() > 1:
                raise ValueError(f"a confidence of person {self.person} leaves [0, 1]")


@dataclass(frozen=True, eq=False)
class Picture:
    """One person at one time, small, for a list."""

    time_s: float
    image: np.ndarray  # (PICTURE_PX, PICTURE_PX, 3) uint8 RGB

    def __post_init__(self) -> None:
        _freeze(self, "image", _PICTURE, np.uint8)


@dataclass(frozen=True, eq=False)
class Cast:
    """Everybody who was followed through a clip, the most prominent first."""

    times_s: np.ndarray  # (N,) float64, strictly increasing, of every decoded frame
    people: tuple[Person, ...]
    pictures: tuple[tuple[Picture, ...], ...]  # of each of the people, in order of time

    def __post_init__(self) -> None:
        _freeze(self, "times_s", (None,), np.float64)
        if (np.diff(self.times_s) <= 0).any():
            raise ValueError("the times of the frames do not rise")
        if len(self.pictures) != len(self.people):
            raise ValueError(f"{len(self.people)} people have {len(self.pictures)} albums")


def packed(cast: Cast) -> dict[str, np.ndarray]:
    """`cast` as arrays under names; every number keeps its last bit."""
    numbers = [each.person for each in cast.people]
    arrays = {"times_s": cast.times_s, "persons": np.array(numbers, dtype=np.int64)}
    for index, (person, album) in enumerate(zip(cast.people, cast.pictures, strict=True)):
        arrays |= {f"{index}.{name}": getattr(person, name) for name in _FIELDS}
        arrays |= {f"{index}.{name}": each for name, each in stacked(album).items()}
    return arrays


def stacked(album: Sequence[Picture]) -> dict[str, np.ndarray]:
    """`pictured_s` (P,) seconds and `pictures` (P, S, S, 3) uint8 RGB of an album of P pictures."""
    images = np.array([each.image for each in album], dtype=np.uint8)
    return {
        "pictured_s": np.array([each.time_s for each in album], dtype=np.float64),
        "pictures": images.reshape(-1, *_PICTURE),
    }


def unpacked(arrays: Mapping[str, np.ndarray]) -> Cast:
    """The people that `packed` was given.

    Raises:
        KeyError, ValueError: an array is missing, or is not what it should be.
    """
    numbers = arrays["persons"]
    people = tuple(
        Person(person=int(number), **{name: arrays[f"{index}.{name}"] for name in _FIELDS})
        for index, number in enumerate(numbers)
    )
    albums = tuple(
        tuple(
            Picture(float(time_s), image)
            for time_s, image in zip(
                arrays[f"{index}.pictured_s"], arrays[f"{index}.pictures"], strict=True
            )
        )
        for index in range(len(numbers))
    )
    return Cast(arrays["times_s"], people, albums)


def _freeze(
    record: object, name: str, shape: tuple[int | None, ...], dtype: DType = np.float32
) -> None:
    object.__setattr__(record, name, checked(name, getattr(record, name), shape, dtype=dtype))
