"""`stripmocap evaluate` over many cases: methods side by side, as a table, JSON and a report."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..contract.errors import NobodyFound, RequestError
from ..contract.messages import CaptureRequest, Clip
from ..evaluation import pages, plots, report, truth
from ..evaluation.cases import Case, FilmedCase
from ..evaluation.folders import cases_in
from ..evaluation.trials import Missed, Trial, mean_scores, try_out
from ..pipeline import Workshop
from ..progress import Progress
from ..steps import StepStore
from .outputs import check, whole, write_json
from .request_arguments import request_of

KEPT_BYTES = 2**31  # of people, while the methods that start from them run


def run(arguments: argparse.Namespace) -> int:
    """Tries every method on every case, prints the tables, writes the report; the exit status."""
    methods = _methods(arguments)
    if arguments.json:
        check(arguments.json, suffixes=(".json",), sources=(arguments.video, arguments.truth))
    if arguments.report:
        check(arguments.report, suffixes=pages.SUFFIXES, sources=(arguments.video,))
        plots.require()
    with tempfile.TemporaryDirectory(prefix="stripmocap-") as kept:
        steps = StepStore(Path(kept), limit_bytes=KEPT_BYTES)
        cases = _cases(arguments, steps)
        with Progress() as progress:
            results = list(try_out(cases, methods, report=progress))
        trials = [each for each in results if isinstance(each, Trial)]
        if not trials:
            raise NobodyFound(
                f"nobody was found in any of {len(cases)} cases",
                hint="Check that footage and truth belong together.",
            )
        print(as_text(report.case_table(trials)))
        print(as_text(report.mean_table(trials)))
        if (together := report.identity_table(trials)) is not None:
            print(as_text(together))
        if arguments.json:
            write_json(arguments.json, as_json(results))
        if arguments.report:
            footage = {each.name: each.footage for each in cases}
            sections = report.sections_of(results, footage=footage)
            write_report(arguments.report, f"{arguments.video.name}, evaluated", sections)
            print(f"Saved {arguments.report}")
    return 0


def as_text(table: pages.Table) -> str:
    """A table in columns, the first to the left."""
    rows = [table.head, *table.rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def as_json(results: Sequence[Trial | Missed]) -> dict[str, Any]:
    """The scores of each case by method, their means, and who was missed."""
    trials = [each for each in results if isinstance(each, Trial)]
    cases: dict[str, dict[str, Any]] = {}
    for each in trials:
        cases.setdefault(each.subject, {})[each.method] = each.found.scores.to_json()
    means = {name: mean_scores(each).to_json() for name, each in report.by_method(trials).items()}
    missed = [vars(each) for each in results if isinstance(each, Missed)]
    return {"cases": cases, "means": means, "missed": missed}


def write_report(path: Path, title: str, sections: Sequence[pages.Section]) -> None:
    """Writes the page, HTML or Markdown by its ending; Markdown's pictures beside it.

    Raises:
        ResultFileError: the system refused to write.
    """
    if path.suffix.lower() == ".html":
        with whole(path) as partial:
            partial.write_text(pages.as_html(title, sections), encoding="utf-8")
        return
    folder = Path(f"{path.stem}_pictures")
    text, pictures = pages.as_markdown(title, sections, pictures=folder)
    for name, data in pictures.items():
        (path.parent / name).parent.mkdir(exist_ok=True)
        with whole(path.parent / name) as partial:
            partial.write_bytes(data)
    with whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


def _methods(arguments: argparse.Namespace) -> list[CaptureRequest]:
    names = dict.fromkeys([arguments.method, *arguments.also])
    return [request_of(argparse.Namespace(**{**vars(arguments), "method": n})) for n in names]


def _cases(arguments: argparse.Namespace, steps: StepStore) -> Sequence[Case]:
    if arguments.video.is_dir():
        if arguments.truth or arguments.result:
            raise RequestError(
                f"{arguments.video} is a folder, whose truths are in it",
                hint="Leave --truth and --result out, or give one video.",
            )
        return cases_in(
            arguments.video,
            split=arguments.split,
            seed=arguments.seed,
            at_most=arguments.at_most,
            steps=steps,
        )
    known = truth.load(arguments.truth, camera=arguments.camera, person=arguments.person)
    clip = Clip(str(arguments.video), start_s=arguments.start, stop_s=arguments.stop)
    return [FilmedCase(arguments.video.stem, "", (known,), clip, Workshop(), steps)]
