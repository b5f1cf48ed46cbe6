"""Weights as arrays, from files that hold nothing else.

Our own weights are safetensors: no code can hide in them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import safetensors
from safetensors.numpy import load_file

from .contract.errors import AssetCorrupt, AssetMissing


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file.

    Raises:
        AssetMissing: there is no such file.
        AssetCorrupt: it is no safetensors file.
    """
    if not path.is_file():
        raise AssetMissing(f"{path} is not there", hint="Install Strip Mocap again.")
    try:
        return load_file(path)
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise AssetCorrupt(
            f"{path} cannot be read as weights ({error})", hint="Put the original file there."
        ) from error
