"""`stripmocap experiment`: claims tried on this machine and counted."""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from ..contract.errors import RequestError
from ..experiments import faults, keypoint_plots, keypoints
from ..people.blazepose import BlazePose
from .outputs import check, whole, write_json

_TELL_S = 10.0  # between two words about one thing


def run(arguments: argparse.Namespace) -> int:
    """Tries what `arguments.what` names and prints its tables; 0 if nothing was violated."""
    match arguments.what:
        case "spin" | "vibe" | "humor" as name:
            # Imported when asked for, as verbs are.
            return importlib.import_module(f".experiment_{name}", __package__).run(arguments)
        case "keypoints":
            return _keypoints(arguments)
        case _:
            return _faults(arguments)


def _keypoints(arguments: argparse.Namespace) -> int:
    """Measures the detector's errors."""
    for path, suffixes in ((arguments.markdown, (".md",)), (arguments.plots, (".png",))):
        if path is not None:
            check(path, suffixes=suffixes)
    seen = keypoints.observe(
        arguments.data,
        split="train",
        count=arguments.scenes,
        seed=arguments.seed,
        detector=BlazePose(threads=1),
        report=_Teller().tell,
    )
    measured = keypoints.measured_of(seen)
    page = keypoints.page(measured, scenes=len(seen), of=arguments.scenes)
    print(page)
    if arguments.markdown is not None:
        with whole(arguments.markdown) as partial:
            partial.write_text(page, encoding="utf-8")
    if arguments.plots is not None:
        with whole(arguments.plots) as partial:
            keypoint_plots.draw(measured, seen, partial)
    return 0


def _faults(arguments: argparse.Namespace) -> int:
    if unknown := sorted(set(arguments.only) - set(faults.FAULTS)):
        raise RequestError(
            f"there is no fault {unknown[0]!r}", hint=f"Choose of {', '.join(faults.FAULTS)}."
        )
    if arguments.video is not None and not arguments.video.is_file():
        raise RequestError(f"{arguments.video} is no file", hint="Give a short movie.")
    for path, suffixes in ((arguments.json, (".json",)), (arguments.markdown, (".md",))):
        if path is not None:
            check(path, suffixes=suffixes, sources=(arguments.video,))
    with tempfile.TemporaryDirectory(prefix="stripmocap-faults-") as scratch:
        plan = faults.Plan(
            folder=Path(scratch),
            kills=arguments.kills,
            seed=arguments.seed,
            video=arguments.video,
            report=_Teller().tell,
        )
        outcomes = faults.run(plan, only=tuple(arguments.only))
    page = faults.page(outcomes)
    print(page)
    if arguments.json is not None:
        write_json(arguments.json, {"outcomes": [asdict(each) for each in outcomes]})
    if arguments.markdown is not None:
        with whole(arguments.markdown) as partial:
            partial.write_text(page, encoding="utf-8")
    return 1 if any(each.violations for each in outcomes) else 0


class _Teller:
    """Says now and then how far the campaign is."""

    def __init__(self) -> None:
        self._what, self._told_s = "", 0.0

    def tell(self, what: str, done: int, of: int) -> None:
        now = time.monotonic()
        if what == self._what and now - self._told_s < _TELL_S and done < of:
            return
        self._what, self._told_s = what, now
        print(f"{time.strftime('%H:%M:%S')} {what} {done}/{of}", file=sys.stderr, flush=True)
