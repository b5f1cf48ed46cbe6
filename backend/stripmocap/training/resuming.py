"""What lets a training be stopped and gone on with: its checkpoint, and a Ctrl-C that waits.

A checkpoint holds tensors, numbers, strings and lists of them; it is read by torch's reader that
runs no code, and written whole or not at all.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pickle
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

import torch

from ..contract.errors import AssetCorrupt, DiskFull, RequestError
from ..contract.whole_file import whole

if TYPE_CHECKING:
    from .loop import History

_NAMED = 3  # of what two trainings differ in
CHECKPOINT, HISTORY = "checkpoint.pt", "history.json"
REPEAT = "Repeat that command to go on with it, or give another folder."
_HINT = "Make space, or give another folder; what was saved before is still whole."


def identity_of(plan: Mapping[str, Any]) -> dict[str, Any]:
    """All that `plan` says, as a checkpoint gives it back: plain values by dotted names.

    Args:
        plan: numbers, strings, None, tuples, and mappings or dataclasses of such.
    """
    told: dict[str, Any] = {}
    for name, value in plan.items():
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            value = dataclasses.asdict(value)
        if isinstance(value, Mapping):
            told |= {f"{name}.{inner}": each for inner, each in identity_of(value).items()}
        else:
            told[name] = list(value) if isinstance(value, tuple) else value
    return told


def check_identity(kept: Mapping[str, Any], asked: Mapping[str, Any], *, folder: Path) -> None:
    """Lets a training go on that is the one that is asked for; both are of `identity_of`.

    Raises:
        RequestError: it is another, or it does not tell.
    """
    untold = sorted(kept.keys() ^ asked.keys())
    if untold:
        raise RequestError(
            f"{folder} holds a training of another kind, or by another version of Strip Mocap: "
            f"only one of the two tells of {', '.join(untold[:_NAMED])}",
            hint="Give another folder, or delete this one to train from the start.",
        )
    apart = [
        f"{name} {kept[name]}, not {each}" for name, each in asked.items() if kept[name] != each
    ]
    if apart:
        raise RequestError(
            f"{folder} holds a training that was asked for otherwise: {'; '.join(apart)}",
            hint=REPEAT,
        )


def digest_of(path: Path | None) -> str | None:
    """SHA-256 of a file that a training begins with, in hexadecimal; None if it has none."""
    return None if path is None else hashlib.sha256(path.read_bytes()).hexdigest()


def write(folder: Path, state: dict[str, Any]) -> None:
    """Puts `state` into `folder`, made if need be.

    Raises:
        DiskFull: it cannot be written; an earlier checkpoint stays.
    """
    save(folder / CHECKPOINT, state)


def write_history(folder: Path, history: History) -> None:
    """Puts the losses and scores into `folder` as JSON; see `write`."""
    text = json.dumps(dataclasses.asdict(history), indent=1)
    with whole(folder / HISTORY, error=DiskFull, hint=_HINT) as partial:
        partial.write_text(text, encoding="utf-8")


def save(path: Path, state: Any) -> None:
    """Puts `state` at `path` by torch's writer, in a folder that is made if need be.

    Raises:
        DiskFull: it cannot be written; an earlier file stays.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DiskFull(f"{path.parent} cannot be made ({error})", hint=_HINT) from error
    with whole(path, error=DiskFull, hint=_HINT) as partial:
        try:
            torch.save(state, partial)
        except RuntimeError as error:  # its way to say that the disk is full
            raise OSError(str(error)) from error


def read(folder: Path) -> dict[str, Any] | None:
    """The state in `folder`, its tensors on the CPU; None if there is none.

    Raises:
        AssetCorrupt: there is one, and it cannot be read.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        return None
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise AssetCorrupt(
            f"{path} cannot be read as a checkpoint ({str(error).splitlines()[0]})",
            hint="Delete it and train from the start.",
        ) from error


def random_state() -> dict[str, Any]:
    """Where torch's generators are."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {"cpu": torch.get_rng_state(), "cuda": cuda}


def set_random_state(state: dict[str, Any]) -> None:
    """Puts torch's generators where they were; those of accelerators only on a like machine."""
    torch.set_rng_state(state["cpu"])
    if torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])


class StopLater:
    """While it is entered, Ctrl-C and a request to end only set `asked`."""

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopLater:
        # Python hands signals to the main thread only, and lets no other ask for them.
        if threading.current_thread() is threading.main_thread():
            for each in (signal.SIGINT, signal.SIGTERM):
                self._before[each] = signal.signal(each, self._ask)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
