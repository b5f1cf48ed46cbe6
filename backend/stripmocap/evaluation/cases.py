"""What a method is tried on: footage whose truth is known, and the folders that hold it.

A folder of clips has movies and truth files (`truth.py`): `walk.mp4` belongs to `walk.truth.npz` or
`walk.gt.npz`; where one truth, `gt.npz` or `truth.npz`, is for all movies of a folder, a movie
belongs to the camera whose name its own begins with. Movies without a truth are left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

from ..body.model import Body
from ..contract import npz_file
from ..contract.errors import TruthFileError
from ..contract.messages import CaptureRequest, Clip
from ..contract.motion import Capture
from ..pipeline import Report, Workshop
from ..steps import StepStore
from . import truth
from .comparison import TakeScores, compare
from .truth import Truth

MOVIES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v"})
_OWN_ENDINGS = (".truth.npz", ".gt.npz")
_SHARED_NAMES = ("gt.npz", "truth.npz")
_Item = TypeVar("_Item")


class Case(Protocol):
    """Somebody who moves before one camera, and what really happened."""

    @property
    def name(self) -> str:
        """What a table calls it."""
        ...

    @property
    def kind(self) -> str:
        """What is done in it; cases of one kind are also averaged."""
        ...

    @property
    def truths(self) -> tuple[Truth, ...]:
        """Of everybody who is judged."""
        ...

    @property
    def footage(self) -> Clip | None:
        """The pictures, if there are any."""
        ...

    def capture(self, method: CaptureRequest, *, report: Report) -> Capture:
        """What `method` makes of it; the request's own clip is not looked at.

        Raises:
            StripMocapError: nobody was found, or a file is missing.
        """
        ...

    def compare(self, capture: Capture, truth: Truth, body: Body) -> list[TakeScores]:
        """How far a capture of it is from one of its truths.

        Raises:
            NobodyFound: the one whom the truth is about was not captured.
        """
        ...


@dataclass(frozen=True, eq=False)
class FilmedCase:
    """A span of a movie, captured all the way."""

    name: str
    kind: str
    truths: tuple[Truth, ...]
    footage: Clip
    workshop: Workshop
    steps: StepStore | None  # so that people are looked for once, however many methods follow
    focal_px: float | None = None  # where it is known and the request does not say

    def capture(self, method: CaptureRequest, *, report: Report) -> Capture:
        """What `method` makes of the footage."""
        focal_px = method.focal_px or self.focal_px
        request = replace(method, clip=self.footage, focal_px=focal_px)
        return self.workshop.capture(request, report=report, steps=self.steps)

    def compare(self, capture: Capture, truth: Truth, body: Body) -> list[TakeScores]:
        """The scores of whoever is nearest to the truth in the picture."""
        return compare(capture, truth, body)


def filmed_cases(folder: Path, *, workshop: Workshop, steps: StepStore | None) -> list[FilmedCase]:
    """Every movie with a truth in `folder` and the folders in it, by name.

    Raises:
        TruthFileError: a truth file cannot be read, has no camera for a movie of its name, or
            there is none at all.
    """
    cases: list[FilmedCase] = []
    for movie in sorted(each for each in folder.rglob("*") if each.suffix.lower() in MOVIES):
        found = truth_of(movie)
        if found is None:
            continue
        path, camera = found
        truths = tuple(truth.load(path, camera=camera, person=person) for person in _persons(path))
        name = movie.relative_to(folder).with_suffix("").as_posix()
        cases.append(FilmedCase(name, "", truths, Clip(str(movie)), workshop, steps))
    if not cases:
        raise TruthFileError(
            f"{folder} has no movie with a truth",
            hint="Beside walk.mp4 there should be walk.truth.npz; or gt.npz, with a camera "
            "called walk.",
        )
    return cases


def spread(items: Sequence[_Item], at_most: int | None) -> list[_Item]:
    """At most so many of `items`, spread evenly over them, in their order."""
    if at_most is None or at_most >= len(items):
        return list(items)
    step = len(items) / at_most
    return [items[int((number + 0.5) * step)] for number in range(at_most)]


def truth_of(movie: Path) -> tuple[Path, str | None] | None:
    """The truth file of `movie` and its camera there (None: its only one); None without a truth."""
    for ending in _OWN_ENDINGS:
        own = movie.with_name(movie.stem + ending)
        if own.is_file():
            return own, None
    for name in _SHARED_NAMES:
        shared = movie.with_name(name)
        if shared.is_file():
            fitting = [each for each in _cameras(shared) if movie.stem.startswith(each)]
            if fitting:
                return shared, max(fitting, key=len)
    return None


def _cameras(path: Path) -> Iterator[str]:
    return _names(path, "camera_names")


def _persons(path: Path) -> Iterator[str]:
    return _names(path, "person_names")


def _names(path: Path, name: str) -> Iterator[str]:
    arrays = npz_file.read(path, error=TruthFileError, names=(name,))
    if name not in arrays:
        raise TruthFileError(f"{path} has no {name}", hint="Write it again, with all its names.")
    return (str(each) for each in arrays[name])
