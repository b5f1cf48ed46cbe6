"""A journal in memory, for tests of work that is stopped and goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Notebook:
    """What `people.journal.Journal` says."""

    chunks: list[dict[str, np.ndarray]] = field(default_factory=list)

    def append(self, arrays: Mapping[str, Any]) -> None:
        self.chunks.append({name: np.array(each) for name, each in arrays.items()})

    def drop(self) -> None:
        self.chunks = []
