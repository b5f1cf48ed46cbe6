"""A detector whose answers are written down while a video is read, so that a killed run goes on.

What people are followed by asks the detector the same questions in the same order whenever it
reads the same pictures. So its answers, kept in a journal, can be given again; the networks, which
take nearly all the time, work on from where the journal ends.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from .blazepose import Landmarks, Sighting
from .journal import CHUNK_S, Journal
from .regions import Region
from .tracking import Detector

SAMPLED = 16  # pixels apart: of these a picture is recognised
_DETECT, _LANDMARKS = 0, 1  # kinds of question

Answer = tuple[np.ndarray, "list[Sighting] | Landmarks"]  # what was asked, and what was answered


class Diverged(Exception):
    """The journal answers other questions than those asked: it is of no use."""


class Recorded:
    """A `Detector` that first gives the answers in a journal, then asks another and notes those."""

    def __init__(
        self, detector: Detector, journal: Journal, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._detector, self._journal, self._clock = detector, journal, clock
        # One after the other: as objects, the answers of an hour would fill the memory.
        self._known = (each for chunk in journal.chunks for each in _unpacked(chunk))
        self._next = next(self._known, None)
        self._new: list[Answer] = []
        self._kept_s = clock()

    def detect(self, image: np.ndarray) -> list[Sighting]:
        """As `Detector.detect`.

        Raises:
            Diverged: the journal holds the answer to another question.
        """
        asked = np.array([_DETECT, _look_of(image), *image.shape[:2], 0, 0], dtype=np.float64)
        if self._next is not None:
            answer = self._recalled(asked, self._next)
            assert isinstance(answer, list)
            return answer
        answer = self._detector.detect(image)
        self._note(asked, answer)
        return answer

    def landmarks(self, image: np.ndarray, region: Region) -> Landmarks:
        """As `Detector.landmarks`.

        Raises:
            Diverged: the journal holds the answer to another question.
        """
        asked = np.array([_LANDMARKS, _look_of(image), *_numbers(region)], dtype=np.float64)
        if self._next is not None:
            answer = self._recalled(asked, self._next)
            assert isinstance(answer, Landmarks)
            return answer
        answer = self._detector.landmarks(image, region)
        self._note(asked, answer)
        return answer

    def flush(self) -> None:
        """Puts what is not in the journal yet there."""
        if self._new:
            self._journal.append(_packed(self._new))
            self._new = []
        self._kept_s = self._clock()

    def _recalled(self, asked: np.ndarray, known: Answer) -> list[Sighting] | Landmarks:
        question, answer = known
        self._next = next(self._known, None)
        if not np.array_equal(question, asked):
            raise Diverged(f"asked {asked}, the journal has {question}")
        return answer

    def _note(self, asked: np.ndarray, answer: list[Sighting] | Landmarks) -> None:
        self._new.append((asked, answer))
        if self._clock() - self._kept_s >= CHUNK_S:
            self.flush()


def _look_of(image: np.ndarray) -> int:
    """A number that tells pictures apart, by a few of their pixels."""
    return zlib.crc32(image[::SAMPLED, ::SAMPLED].tobytes())


def _numbers(region: Region) -> tuple[float, float, float, float]:
    return (*region.center_px, region.size_px, region.angle)


def _region(numbers: np.ndarray) -> Region:
    x, y, size_px, angle = (float(each) for each in numbers)
    return Region((x, y), size_px, angle)


def _packed(answers: list[Answer]) -> dict[str, np.ndarray]:
    """`answers` as arrays; numbers keep their precision to the last bit."""
    sightings = [found for _, found in answers if isinstance(found, list)]
    flat = [each for found in sightings for each in found]
    looks = [found for _, found in answers if isinstance(found, Landmarks)]
    arrays = {
        "asked": np.stack([asked for asked, _ in answers]),
        "found": np.array([len(found) for found in sightings], dtype=np.int64),
    }
    if flat:
        arrays |= {
            "found.regions": np.array([_numbers(each.region) for each in flat]),
            "found.boxes": np.stack([each.box for each in flat]),
            "found.scores": np.array([each.score for each in flat]),
        }
    if looks:
        arrays |= {
            "keypoints": np.stack([each.keypoints for each in looks]),
            "landmarks3d": np.stack([each.landmarks3d for each in looks]),
            "presence": np.array([each.presence for each in looks]),
            "next_regions": np.array([_numbers(each.next_region) for each in looks]),
        }
    return arrays


def _unpacked(arrays: Mapping[str, np.ndarray]) -> Iterator[Answer]:
    """The answers that `_packed` was given, in order."""
    counts, sighting, look = iter(arrays["found"]), 0, 0
    for asked in arrays["asked"]:
        if asked[0] == _LANDMARKS:
            yield asked, _look(arrays, look)
            look += 1
        else:
            stop = sighting + int(next(counts))
            yield asked, [_sighting(arrays, each) for each in range(sighting, stop)]
            sighting = stop


def _look(arrays: Mapping[str, np.ndarray], index: int) -> Landmarks:
    return Landmarks(
        keypoints=arrays["keypoints"][index],
        landmarks3d=arrays["landmarks3d"][index],
        presence=float(arrays["presence"][index]),
        next_region=_region(arrays["next_regions"][index]),
    )


def _sighting(arrays: Mapping[str, np.ndarray], index: int) -> Sighting:
    return Sighting(
        region=_region(arrays["found.regions"][index]),
        box=arrays["found.boxes"][index],
        score=float(arrays["found.scores"][index]),
    )
