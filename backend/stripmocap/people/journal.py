"""Where long work writes down what it has so far; who keeps it is another's business."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

CHUNK_S = 3.0  # of work at the most that a killed process loses


class Journal(Protocol):
    """Chunks of arrays, each kept whole or not at all."""

    chunks: list[dict[str, np.ndarray]]  # of an earlier run, in order

    def append(self, arrays: Mapping[str, Any]) -> None: ...  # noqa: D102
    def drop(self) -> None: ...  # noqa: D102
