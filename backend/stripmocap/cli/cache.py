"""`stripmocap cache`: what is kept of earlier captures, so that the next ones are quick."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..contract.jobs import CacheStatus
from ..settings import CACHE, cache_bytes, data_folder
from ..steps import StepStore

MEANINGS = {"people": "who is seen where", "fit": "bodies fitted to that"}


def run(arguments: argparse.Namespace) -> int:
    """Shows or clears; the exit status."""
    store = store_in(arguments.data)
    if arguments.clear:
        print(f"{_megabytes(store.clear())} are free again")
    print(summary(store.status()))
    return 0


def store_in(data: Path | None) -> StepStore:
    """The kept steps in the data folder, None: the usual one."""
    folder = data.expanduser().absolute() if data else data_folder()
    return StepStore(folder / CACHE, limit_bytes=cache_bytes())


def summary(status: CacheStatus) -> str:
    """How much is kept, in lines to print."""
    lines = [
        f"{status.folder}: {_megabytes(status.size)} of at most {_megabytes(status.limit)}",
        *(
            f"  {step}: {count} kept{f', {MEANINGS[step]}' if step in MEANINGS else ''}"
            for step, count in status.entries.items()
        ),
    ]
    return "\n".join(lines)


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
