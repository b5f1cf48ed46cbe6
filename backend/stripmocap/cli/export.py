"""`stripmocap export`: a capture for other programs."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np

from .. import bodies
from ..contract import amass, npz_file, result_file
from ..contract.bodies import gender_of
from ..contract.errors import RequestError, ResultFileError
from ..contract.motion import Capture, Motion
from . import outputs
from .overlay import chosen_take

SUFFIX = ".npz"


def run(arguments: argparse.Namespace) -> int:
    """Writes a file for each person asked for; the exit status."""
    capture = result_file.load(arguments.result)
    take = chosen_take(capture, arguments.take)
    motions = _chosen_motions(take.motions, arguments.person)
    fps = arguments.fps
    if fps is not None and not (math.isfinite(fps) and 0 < fps <= 1000):
        raise RequestError(f"--fps is {fps}", hint="Give frames a second, above 0.")
    paths = _paths(arguments.output, motions, stem=f"{arguments.result.stem}_{take.label}")
    for path in paths:
        outputs.check(path, suffixes=(SUFFIX,), sources=(arguments.result,))
    for motion, path in zip(motions, paths, strict=True):
        arrays = amass_arrays(capture, motion, fps=fps)
        npz_file.write(path, arrays, error=ResultFileError)
        print(
            f"Saved {path}: {len(arrays['poses'])} frames, {arrays['mocap_framerate']:g} a second"
        )
    return 0


def amass_arrays(capture: Capture, motion: Motion, *, fps: float | None) -> dict[str, np.ndarray]:
    """What an AMASS file of `motion` holds, at its own frame rate unless `fps` is given."""
    return amass.to_amass(
        motion,
        capture.camera,
        bodies.of_capture(capture).rest_joints(motion.betas)[0],
        fps=fps or amass.usual_fps(motion.times_s),
        gender=gender_of(capture),
    )


def _chosen_motions(motions: tuple[Motion, ...], person: int | None) -> tuple[Motion, ...]:
    if person is None:
        return motions
    chosen = tuple(each for each in motions if each.person == person)
    if not chosen:
        have = ", ".join(str(each.person) for each in motions)
        raise RequestError(f"there is no person {person}", hint=f"The capture has: {have}.")
    return chosen


def _paths(output: Path, motions: tuple[Motion, ...], *, stem: str) -> list[Path]:
    if output.suffix.lower() != SUFFIX:
        if not output.is_dir():
            raise ResultFileError(
                f"{output} is neither a folder nor an {SUFFIX} file",
                hint=f"Make the folder first, or call the file {output.name}{SUFFIX}.",
            )
        return [output / f"{stem}_person{each.person}{SUFFIX}" for each in motions]
    if len(motions) > 1:
        have = ", ".join(str(each.person) for each in motions)
        raise RequestError(
            f"{len(motions)} people do not fit into one file",
            hint=f"Give a folder, or --person with one of {have}.",
        )
    return [output]
