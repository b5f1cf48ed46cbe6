"""Long work on datablocks in steps, so that Blender can draw and handle events in between.

Between two steps anything may happen to the datablocks: what was taken from them is asked for
again, and what was deleted raises `ReferenceError`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any, TypeVar

import bpy

from . import compat

_BATCH = 2  # of the hundred curves that an action has

Result = TypeVar("Result")
Steps = Generator[None, None, Result]


def run(steps: Steps[Result]) -> Result:
    """What comes of `steps`, all of them at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def batches(action: bpy.types.Action) -> Iterator[list[Any]]:
    """The f-curves of `action`, a few at a time, each few for one step.

    They are taken from it anew each time: curves move in memory between two steps.
    """
    place = 0
    while batch := compat.curves(action)[place : place + _BATCH]:
        yield batch
        place += _BATCH
