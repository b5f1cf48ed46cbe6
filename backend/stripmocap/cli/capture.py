"""`stripmocap capture`: a video becomes a result file."""

from __future__ import annotations

import argparse
from pathlib import Path

from .. import pipeline
from ..contract import result_file
from ..contract.motion import Capture
from ..progress import Progress
from . import overlay
from .outputs import check
from .parser import request_of


def run(arguments: argparse.Namespace) -> int:
    """Captures and saves; the exit status."""
    request = request_of(arguments)
    check(arguments.output, suffixes=(".npz",), sources=(arguments.video,))
    if arguments.overlay:
        check(arguments.overlay, suffixes=overlay.MOVIES, sources=(arguments.video,))
    with Progress() as progress:
        capture = pipeline.capture(request, report=progress)
        result_file.save(capture, arguments.output)
    print(summary(capture, arguments.output))
    if arguments.overlay:
        overlay.write_movie(capture, request.clip, arguments.overlay)
    return 0


def summary(capture: Capture, path: Path) -> str:
    """What was captured, in lines to print."""
    lines = []
    for motion in capture.takes[-1].motions:
        times_s = motion.times_s
        lines.append(
            f"Person {motion.person}: {len(times_s)} frames, {times_s[0]:.2f} s to "
            f"{times_s[-1]:.2f} s, confidence {motion.confidence.mean():.2f}"
        )
    return "\n".join([*lines, f"Saved {path}"])
