"""Where the official code's numbers are, and the recipe that made their inputs."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

FOLDER = Path(
    os.environ.get("STRIPMOCAP_ORACLES", Path(__file__).parents[2].parent / "shared" / "official")
)


@dataclass(frozen=True)
class Oracles:
    """Arrays of the official code, and the bodies and weights they were made with."""

    folder: Path
    synth: ModuleType
    seed: int

    def __call__(self, name: str) -> dict[str, np.ndarray]:
        with np.load(self.folder / f"{name}.npz", allow_pickle=False) as file:
            return {key: file[key] for key in file.files}


@pytest.fixture(scope="session")
def oracles() -> Oracles:
    recipe = FOLDER / "synth.py"
    if not recipe.is_file():
        pytest.skip(f"{recipe} is absent (set STRIPMOCAP_ORACLES)")
    spec = importlib.util.spec_from_file_location("oracle_synth", recipe)
    assert spec is not None
    assert spec.loader is not None
    synth = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(synth)
    return Oracles(FOLDER, synth, int(os.environ.get("STRIPMOCAP_ORACLES_SEED", "0")))
