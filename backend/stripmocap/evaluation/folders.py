"""What a folder holds that can be evaluated: clips, a dataset in 3DPW's layout, or mocap."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..contract.messages import Clip
from ..pipeline import Workshop
from ..steps import StepStore
from . import threedpw
from .cases import Case, FilmedCase, filmed_cases, spread
from .mocap_cases import Bench, mocap_cases
from .threedpw import PICTURES, SEQUENCES

INDEX = "index.json"  # of a folder of mocap


def cases_in(
    folder: Path,
    *,
    split: str = "test",
    seed: int = 0,
    at_most: int | None = None,
    steps: StepStore | None = None,
) -> Sequence[Case]:
    """The cases in `folder`, whichever of the three it is.

    Args:
        folder: with `sequenceFiles`: 3DPW's layout; with `index.json`: mocap; else clips.
        split: of 3DPW and mocap.
        seed: of the cameras and errors that mocap is seen with.
        at_most: so many cases, spread evenly; None: all.
        steps: where people are kept that several methods start from.

    Raises:
        TruthFileError, AssetMissing, AssetCorrupt: the folder holds nothing that can be evaluated,
            or a file in it cannot be read.
    """
    if (folder / INDEX).is_file():
        return mocap_cases(folder, bench=Bench(), split=split, seed=seed, at_most=at_most)
    workshop = Workshop()
    if (folder / SEQUENCES).is_dir():
        files = spread(threedpw.sequence_files(folder, split=split), at_most)
        return [
            sequence_case(path, folder / PICTURES, workshop=workshop, steps=steps) for path in files
        ]
    return spread(filmed_cases(folder, workshop=workshop, steps=steps), at_most)


def sequence_case(
    path: Path, pictures: Path, *, workshop: Workshop, steps: StepStore | None
) -> FilmedCase:
    """A sequence of 3DPW as a case: the whole program on its pictures, with its focal length.

    The program takes the camera to stand still, which 3DPW's does not: per-frame methods do not
    mind, fits over time do.

    Raises:
        TruthFileError, AssetCorrupt: the pickle or the pictures cannot be read.
    """
    found = threedpw.read_sequence(path, pictures=pictures)
    return FilmedCase(
        name=found.name,
        kind=found.name.rpartition("_")[0] or found.name,
        truths=tuple(found.truth_of(each) for each in found.actors),
        footage=Clip(str(found.first_picture)),
        workshop=workshop,
        steps=steps,
        focal_px=found.focal_px,
    )
