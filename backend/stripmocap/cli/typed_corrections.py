"""Corrections of who is who, as they are typed or lie in a file.

Typed, a mark is `time,x,y`: seconds of the file, and shares of the picture's width and height.
`merge 1.5,0.3,0.5 4,0.6,0.5` and `swap 1.5,0.3,0.5 1.5,0.6,0.5 at 2.4` say all that there is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..contract.corrections import KINDS, Correction, Mark, correction_from_json
from ..contract.errors import RequestError

MOST_BYTES = 2**20
HINT = (
    "Write: choose or ignore TIME,X,Y; merge MARK MARK; split MARK at TIME; swap MARK MARK at TIME."
)


def typed(texts: Sequence[str], *, file: Path | None) -> tuple[Correction, ...]:
    """The corrections in `file`, if one is given, and then those that were typed.

    Raises:
        RequestError: the file cannot be read, or something is no correction.
    """
    return (*(() if file is None else _read(file)), *(_correction(each) for each in texts))


def said(mark: Mark) -> str:
    """A mark as it is typed."""
    return f"{mark.time_s:.3f},{mark.x:.3f},{mark.y:.3f}"


def _read(file: Path) -> tuple[Correction, ...]:
    hint = "It is a list in JSON, as `corrections` in what a service is asked for."
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise RequestError(f"{file} has more than {MOST_BYTES} bytes", hint=hint)
        values: Any = json.loads(content)
    except (OSError, ValueError, RecursionError) as error:
        raise RequestError(f"{file} cannot be read ({error})", hint=hint) from error
    if not isinstance(values, list):
        raise RequestError(f"{file} is no list of corrections", hint=hint)
    return tuple(correction_from_json(each) for each in values)


def _correction(text: str) -> Correction:
    kind, *rest = text.split() or [""]
    takes = KINDS.get(kind, ())
    wanted = 1 + ("other" in takes) + 2 * ("time_s" in takes)
    if kind not in KINDS or len(rest) != wanted or ("time_s" in takes and rest[-2] != "at"):
        raise RequestError(f"{text!r} is no correction", hint=HINT)
    return Correction(
        kind,
        who=_mark(rest[0], text),
        other=_mark(rest[1], text) if "other" in takes else None,
        time_s=_number(rest[-1], text) if "time_s" in takes else None,
    )


def _mark(part: str, text: str) -> Mark:
    numbers = [_number(each, text) for each in part.split(",")]
    if len(numbers) != 3:
        raise RequestError(f"{part} in {text!r} is no mark", hint=HINT)
    return Mark(*numbers)


def _number(part: str, text: str) -> float:
    try:
        return float(part)
    except ValueError as error:
        raise RequestError(f"{part} in {text!r} is no number", hint=HINT) from error
