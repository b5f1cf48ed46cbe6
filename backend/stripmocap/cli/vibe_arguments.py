"""What may be typed after `stripmocap experiment vibe`. Light, as the parser is."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

CLAIMS = ("kinds", "windows", "spells", "speed", "discriminator")


def add_vibe_experiment(what: argparse._SubParsersAction, *, count: Callable[[str], int]) -> None:
    """Adds the experiment to those of the verb; `count` reads numbers above 0."""
    vibe = what.add_parser("vibe", help="bodies over time against bodies frame by frame")
    vibe.add_argument("--data", type=Path, required=True, metavar="DIR", help="clips, .npz")
    vibe.add_argument(
        "--folder",
        type=Path,
        required=True,
        metavar="DIR",
        help="for what is trained; the same command goes on from there",
    )
    vibe.add_argument(
        "--weights", type=Path, metavar="FILE", help="network over time (default: the shipped one)"
    )
    vibe.add_argument(
        "--single",
        type=Path,
        metavar="FILE",
        help="network of single frames, which trainings start from (default: the shipped one)",
    )
    vibe.add_argument("--video", type=Path, metavar="FILE", help="the film that speed is tried on")
    vibe.add_argument(
        "--only", nargs="+", default=[], choices=CLAIMS, metavar="CLAIM", help=", ".join(CLAIMS)
    )
    vibe.add_argument("--at-most", type=count, metavar="N", help="so many test clips")
    vibe.add_argument("--steps", type=count, default=500, help="of each training, default 500")
    vibe.add_argument(
        "--critics",
        type=float,
        nargs="+",
        default=[0.0, 0.05, 0.5],
        metavar="X",
        help="discriminator's weights to train with, default 0, 0.05 and 0.5",
    )
    vibe.add_argument("--seed", type=int, default=0)
    vibe.add_argument("--threads", type=count, default=2)
    vibe.add_argument("--markdown", type=Path, metavar="FILE", help="also write the tables, .md")
    vibe.add_argument("--plots", type=Path, metavar="DIR", help="also draw them, .png")
