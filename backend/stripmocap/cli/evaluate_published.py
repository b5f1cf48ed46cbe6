"""`stripmocap evaluate FOLDER --published`: SPIN or VIBE on 3DPW, in the numbers of papers."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

import torch

from ..contract.errors import RequestError, TruthFileError
from ..evaluation import pages, protocol, protocol_vibe, report, threedpw
from ..evaluation.cases import spread
from ..evaluation.published import Borders, Compared, PublishedScores, Root, published_scores
from ..progress import Progress
from .evaluate_cases import as_text, write_report
from .outputs import check, write_json

HOW = {
    "spin": "SPIN's network on the dataset's own boxes, frame by frame",
    "vibe": "VIBE's networks on boxes of the dataset's keypoints, steadied, in pieces of 16 frames",
}
_MEASURED = (
    "fourteen joints by the H36M regressor. Rows differ in what is aligned, and in whether second "
    "differences cross from one sequence into the next, as in VIBE's evaluator. PVE is VIBE's: "
    "nothing aligned."
)
_ROWS: dict[str, tuple[Root, Borders]] = {
    "pelvis, as SPIN": ("pelvis", "kept"),
    "hips": ("hips", "kept"),
    "hips, across sequences, as VIBE": ("hips", "crossed"),
}


def run(arguments: argparse.Namespace) -> int:
    """Looks at every picture that counts, prints the table, writes JSON and report."""
    folder = arguments.video
    if not (folder / threedpw.SEQUENCES).is_dir():
        raise RequestError(
            f"{folder} has no {threedpw.SEQUENCES}", hint="--published is for 3DPW's layout."
        )
    if arguments.json:
        check(arguments.json, suffixes=(".json",))
    if arguments.report:
        check(arguments.report, suffixes=pages.SUFFIXES)
    files = spread(threedpw.sequence_files(folder, split=arguments.split), arguments.at_most)
    scores = _scores(_compared(files, folder / threedpw.PICTURES, whose=arguments.published))
    table = report.published_table(scores)
    print(as_text(table))
    if arguments.json:
        write_json(arguments.json, {name: each.to_json() for name, each in scores.items()})
    if arguments.report:
        words = pages.Words(f"{HOW[arguments.published]}; {_MEASURED}")
        section = pages.Section("As published", (table, words))
        write_report(arguments.report, f"{folder.name}, {arguments.split}", [section])
        print(f"Saved {arguments.report}")
    return 0


def _compared(files: list[Path], pictures: Path, *, whose: str) -> list[Compared]:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    by, compare = protocol.yardstick(), _COMPARE[whose](device)
    found: list[Compared] = []
    with Progress() as progress:
        for done, path in enumerate(files):
            progress("sequences", done, len(files))
            sequence = threedpw.read_sequence(path, pictures=pictures)
            found += compare(sequence, by)
        progress("sequences", len(files), len(files))
    if not found:
        raise TruthFileError("no frame of these sequences counts", hint="Choose another --split.")
    return found


def _spin(device: torch.device) -> _Compare:
    network = protocol.spin_network(device)
    return lambda sequence, by: protocol.compared_sequence(sequence, network, by=by, device=device)


def _vibe(device: torch.device) -> _Compare:
    networks = protocol_vibe.vibe_networks(device)
    return lambda sequence, by: protocol_vibe.compared_sequence(sequence, networks, by=by)


_Compare = Callable[[threedpw.Sequence3dpw, protocol.Yardstick], Iterable[Compared]]
_COMPARE: dict[str, Callable[[torch.device], _Compare]] = {"spin": _spin, "vibe": _vibe}


def _scores(found: list[Compared]) -> dict[str, PublishedScores]:
    return {
        name: published_scores(found, root=root, borders=borders)
        for name, (root, borders) in _ROWS.items()
    }
