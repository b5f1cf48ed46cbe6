"""`stripmocap capture`: a video becomes a result file."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from .. import pipeline
from ..contract import result_file
from ..contract.errors import ResultFileError
from ..contract.motion import Capture
from ..progress import Progress
from . import overlay
from .cache import store_in
from .outputs import check
from .request_arguments import request_of


def run(arguments: argparse.Namespace) -> int:
    """Captures and saves; the exit status."""
    request = request_of(arguments)
    check(arguments.output, suffixes=(".npz",), sources=(arguments.video,))
    if arguments.overlay:
        check(arguments.overlay, suffixes=overlay.MOVIES, sources=(arguments.video,))
    steps = None if arguments.fresh else store_in(None)
    with Progress() as progress:
        capture = pipeline.capture(request, report=progress, steps=steps)
    save(capture, arguments.output)
    print(summary(capture, arguments.output))
    if arguments.overlay:
        overlay.write_movie(capture, request.clip, arguments.overlay)
    return 0


def save(capture: Capture, path: Path) -> None:
    """Writes `capture` to `path`; if that has become impossible, among the temporary files.

    Raises:
        ResultFileError: it is not at `path`; the hint says where it is, if it is anywhere.
    """
    try:
        result_file.save(capture, path)
    except ResultFileError as error:
        # The disk was good when the work began. What may have taken an hour is not thrown away.
        spare = _kept_elsewhere(capture, path.name)
        if spare is None:
            raise
        hint = f"The capture is kept in {spare}: free some space and move it."
        raise ResultFileError(error.message, hint=hint) from error


def _kept_elsewhere(capture: Capture, name: str) -> Path | None:
    """Where `capture` lies among the temporary files; None if it can be kept nowhere."""
    try:
        spare = Path(tempfile.mkdtemp(prefix="stripmocap-")) / name
        result_file.save(capture, spare)
    except (OSError, ResultFileError):
        return None
    return spare


def summary(capture: Capture, path: Path) -> str:
    """What was captured, in lines to print."""
    lines = []
    for motion in capture.best.motions:
        times_s = motion.times_s
        lines.append(
            f"Person {motion.person}: {len(times_s)} frames, {times_s[0]:.2f} s to "
            f"{times_s[-1]:.2f} s, confidence {motion.confidence.mean():.2f}"
        )
    takes = ", ".join(each.label for each in capture.takes)
    of_takes = f", with the takes {takes}" if len(capture.takes) > 1 else ""
    return "\n".join([*lines, *capture.notes, f"Saved {path}{of_takes}"])
