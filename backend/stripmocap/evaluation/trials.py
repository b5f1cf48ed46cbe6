"""Methods on cases, one after the other, and what came of each."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..body.model import Body
from ..contract.errors import NobodyFound, VideoError
from ..contract.messages import CaptureRequest
from ..contract.motion import Capture
from ..pipeline import Report
from .bodies import body_of
from .cases import Case
from .comparison import TakeScores
from .metrics import Scores
from .truth import Truth

NUMBERS = (
    "pa_mpjpe_mm",
    "mpjpe_mm",
    "accel_error_m_s2",
    "foot_slide_cm_s",
    "penetration_mm",
    "jitter",
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Trial:
    """One take of one person of one case."""

    case: str
    kind: str
    person: str
    method: str  # how the take was made: "spin", "spin+smplify"
    found: TakeScores
    capture: Capture
    truth: Truth

    @property
    def subject(self) -> str:
        """The case, and the person where the truth names several."""
        return f"{self.case} {self.person}".strip()


@dataclass(frozen=True)
class Missed:
    """A person whom a method did not find, or whose footage could not be read."""

    case: str
    person: str
    method: str
    reason: str


def method_name(request: CaptureRequest) -> str:
    """The methods of a request, as `--method` has them."""
    return "+".join(each.key for each in request.methods)


def try_out(
    cases: Sequence[Case], methods: Sequence[CaptureRequest], *, report: Report
) -> Iterator[Trial | Missed]:
    """Every method on every case.

    Several methods may make one and the same take (the first of a chain); it is given once.

    Raises:
        StripMocapError: a method cannot run at all.
    """
    of = len(cases) * len(methods)
    body_for = _Bodies()
    # Of many cases, the stages of each would say nothing.
    inner = report if of == 1 else _silent
    for index, case in enumerate(cases):
        seen: set[tuple[str, str]] = set()
        for number, method in enumerate(methods):
            if of > 1:
                report("cases", index * len(methods) + number, of)
            for each in _tried(case, method, inner, body_for):
                key = (each.person, each.method)
                if key not in seen:
                    seen.add(key)
                    yield each
    if of > 1:
        report("cases", of, of)


def mean_scores(trials: Sequence[Trial]) -> Scores:
    """The mean of each number over all frames of `trials`; NaN where none has it."""
    scores = [each.found.scores for each in trials]
    frames = np.array([each.frames for each in scores], dtype=np.float64)
    means: dict[str, float] = {}
    for name in NUMBERS:
        values = np.array([getattr(each, name) for each in scores])
        weights = np.where(np.isfinite(values), frames, 0.0)
        total = weights.sum()
        means[name] = float(weights @ np.nan_to_num(values) / total) if total else math.nan
    return Scores(**means, frames=int(frames.sum()))


def _silent(stage: str, done: int, of: int) -> None:
    pass


class _Bodies:
    """The bodies of captures, each read once."""

    def __init__(self) -> None:
        self._read: dict[str, Body] = {}

    def __call__(self, capture: Capture) -> Body:
        said = {name: capture.provenance.get(name) for name in ("body", "request")}
        key = json.dumps([said["body"], (said["request"] or {}).get("body")], default=str)
        if key not in self._read:
            self._read[key] = body_of(capture)[1]
        return self._read[key]


def _tried(
    case: Case, method: CaptureRequest, report: Report, body_for: _Bodies
) -> Iterator[Trial | Missed]:
    name = method_name(method)
    many = len(case.truths) > 1
    try:
        capture = case.capture(method, report=report)
    except (NobodyFound, VideoError) as error:
        log.warning("%s, %s: %s", case.name, name, error.message)
        for truth in case.truths:
            yield Missed(case.name, truth.person_name if many else "", name, error.message)
        return
    body = body_for(capture)
    for truth in case.truths:
        person = truth.person_name if many else ""
        try:
            found = case.compare(capture, truth, body)
        except NobodyFound as error:
            yield Missed(case.name, person, name, error.message)
            continue
        for take in found:
            yield Trial(
                case=case.name,
                kind=case.kind,
                person=person,
                method=_made_by(method, take.label),
                found=take,
                capture=capture,
                truth=truth,
            )


def _made_by(request: CaptureRequest, label: str) -> str:
    """The methods that a take of a capture went through: all up to the one that makes it."""
    keys: list[str] = []
    for each in request.methods:
        keys.append(each.key)
        if each.take == label:
            break
    return "+".join(keys)
