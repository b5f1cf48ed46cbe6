"""What may be typed after `stripmocap experiment humor`. Light, as the parser is."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

CLAIMS = ("takes", "bounds", "ablations", "solvers", "video")


def add_humor_experiment(what: argparse._SubParsersAction, *, count: Callable[[str], int]) -> None:
    """Adds the experiment to those of the verb; `count` reads numbers above 0."""
    humor = what.add_parser("humor", help="refined motion against what it is refined from")
    humor.add_argument("--data", type=Path, required=True, metavar="DIR", help="clips, .npz")
    humor.add_argument(
        "--folder",
        type=Path,
        required=True,
        metavar="DIR",
        help="where people are kept who were found in films",
    )
    humor.add_argument("--videos", type=Path, metavar="DIR", help="films with truths beside them")
    humor.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="motion prior, with those that its training put beside it (default: the shipped ones)",
    )
    humor.add_argument(
        "--only", nargs="+", default=[], choices=CLAIMS, metavar="CLAIM", help=", ".join(CLAIMS)
    )
    humor.add_argument("--at-most", type=count, metavar="N", help="so many clips")
    humor.add_argument("--split", default="test", help="of the clips, default test")
    humor.add_argument("--threads", type=count, default=2)
    humor.add_argument("--markdown", type=Path, metavar="FILE", help="also write the tables, .md")
    humor.add_argument("--plots", type=Path, metavar="DIR", help="also draw them, .png")


def add_humor_benchmark(what: argparse._SubParsersAction, *, count: Callable[[str], int]) -> None:
    """Adds the benchmark to those of the verb."""
    humor = what.add_parser("humor", help="our solvers of a motion prior beside the published way")
    humor.add_argument("--data", type=Path, required=True, metavar="DIR", help="clips, .npz")
    humor.add_argument("--frames", type=count, default=60, help="of one person, default 60")
    humor.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="motion prior, with those that its training put beside it (default: the shipped ones)",
    )
    humor.add_argument("--share", type=float, default=1.0, metavar="X", help="of the paper's steps")
    humor.add_argument("--plot", type=Path, metavar="FILE", help="also draw the curves, .png")
    humor.add_argument("--threads", type=count, default=2)
    humor.add_argument("--json", type=Path, metavar="FILE", help="also write it as JSON")
