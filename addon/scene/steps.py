"""Long work on datablocks in steps, so that Blender can draw and handle events in between.

Between two steps anything may happen to the datablocks: what was taken from them is asked for
again, and what was deleted raises `ReferenceError`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any, TypeVar

import bpy

from . import compat

Result = TypeVar("Result")
Steps = Generator[None, None, Result]


def run(steps: Steps[Result]) -> Result:
    """What comes of `steps`, all of them at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def curves(action: bpy.types.Action) -> Iterator[Any]:
    """Each f-curve of `action`, taken from it anew: curves move in memory between two steps."""
    place = 0
    while place < len(there := compat.curves(action)):
        yield there[place]
        place += 1
