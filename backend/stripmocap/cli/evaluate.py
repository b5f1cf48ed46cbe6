"""`stripmocap evaluate`: how far a capture is from a ground truth."""

from __future__ import annotations

import argparse

from .. import pipeline
from ..contract import result_file
from ..contract.errors import RequestError
from ..contract.messages import CaptureRequest
from ..contract.motion import Capture
from ..evaluation import truth
from ..evaluation.bodies import body_of
from ..evaluation.comparison import TakeScores, compare
from ..progress import Progress
from . import evaluate_cases, evaluate_published
from .outputs import check, write_json
from .request_arguments import request_of

COLUMNS = (
    ("take", "{}", "label"),
    ("person", "{}", "person"),
    ("PA-MPJPE mm", "{:.1f}", "pa_mpjpe_mm"),
    ("MPJPE mm", "{:.1f}", "mpjpe_mm"),
    ("accel. error m/s^2", "{:.2f}", "accel_error_m_s2"),
    ("foot slide cm/s", "{:.1f}", "foot_slide_cm_s"),
    ("penetration mm", "{:.1f}", "penetration_mm"),
    ("jitter m/s^3", "{:.0f}", "jitter"),
    ("frames", "{}", "frames"),
)


def run(arguments: argparse.Namespace) -> int:
    """Captures unless a result is given, compares, prints; the exit status.

    Raises:
        RequestError: there is one video, and no truth about it.
    """
    if arguments.published:
        return evaluate_published.run(arguments)
    if not arguments.video.is_dir() and arguments.truth is None:
        raise RequestError(
            f"there is no truth about {arguments.video}", hint="Give --truth FILE, or a folder."
        )
    if arguments.video.is_dir() or arguments.report or arguments.also:
        return evaluate_cases.run(arguments)
    known = truth.load(arguments.truth, camera=arguments.camera, person=arguments.person)
    request = request_of(arguments)
    if arguments.json:
        check(arguments.json, suffixes=(".json",), sources=(arguments.truth, arguments.result))
    capture = _captured(arguments, request)
    found = compare(capture, known, body_of(capture)[1])
    print(table(found))
    if arguments.json:
        write_json(arguments.json, as_json(found))
    return 0


def table(found: list[TakeScores]) -> str:
    """The scores, a line a take, in columns."""
    rows = [[title for title, _, _ in COLUMNS]]
    for each in found:
        values = {"label": each.label, "person": each.person, **vars(each.scores)}
        rows.append([pattern.format(values[name]) for _, pattern, name in COLUMNS])
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )


def as_json(found: list[TakeScores]) -> dict[str, dict[str, dict[str, float | int | None]]]:
    """The scores of each take, by its label."""
    return {"takes": {each.label: each.scores.to_json() for each in found}}


def _captured(arguments: argparse.Namespace, request: CaptureRequest) -> Capture:
    if arguments.result:
        return result_file.load(arguments.result)
    with Progress() as progress:
        return pipeline.capture(request, report=progress)
