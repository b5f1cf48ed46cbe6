"""Weights as arrays, from files that hold nothing else, and strictly into the networks they fit.

Our own weights are safetensors: no code can hide in them. They are written whole or not at all, in
half precision, which none of our networks notices; in memory they are single.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import safetensors
import torch
from safetensors.numpy import load_file, save_file
from torch import Tensor, nn

from .contract.errors import AssetCorrupt, AssetMissing, DiskFull
from .contract.whole_file import whole

MOST_NAMED = 5  # names in a message; a wrong file would list hundreds
MOST_SHOWN = 80  # letters of each


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file.

    Raises:
        AssetMissing: there is no such file.
        AssetCorrupt: it is no safetensors file.
    """
    _there(path)
    try:
        return load_file(path)
    except (safetensors.SafetensorError, OSError, ValueError, KeyError) as error:
        raise _unreadable(path, error) from error


def load_metadata(path: Path) -> dict[str, str]:
    """What a safetensors file says of itself; raises as `load_arrays`."""
    _there(path)
    try:
        with safetensors.safe_open(path, framework="np") as file:
            return dict(file.metadata() or {})
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def save_network(network: nn.Module, path: Path, *, metadata: Mapping[str, str]) -> None:
    """Writes the weights and buffers of `network` as safetensors, in half precision.

    Raises:
        DiskFull: the folder cannot be written to; an earlier file stays.
    """
    arrays = {name: _stored(tensor) for name, tensor in network.state_dict().items()}
    with whole(path, error=DiskFull) as partial:
        try:
            save_file(arrays, partial, metadata=dict(metadata))
        except safetensors.SafetensorError as error:
            raise OSError(str(error)) from error


def fill(network: nn.Module, tensors: Mapping[str, Tensor], *, name: str) -> None:
    """Puts `tensors` into `network`, which is not touched unless every one of them fits.

    Args:
        network: any module; it keeps its own number types.
        tensors: by the names of its state.
        name: what the tensors are from, for messages.

    Raises:
        AssetCorrupt: some are missing, unexpected, of another shape, or not finite; it names them.
    """
    wanted = network.state_dict()
    there = wanted.keys() & tensors.keys()
    fitting = {key for key in there if tensors[key].shape == wanted[key].shape}
    faults = {
        "missing": wanted.keys() - tensors.keys(),
        "unexpected": tensors.keys() - wanted.keys(),
        "of another shape": there - fitting,
        "not finite": {key for key in fitting if not torch.isfinite(tensors[key]).all()},
    }
    said = [f"{len(keys)} {fault} ({_some(keys)})" for fault, keys in faults.items() if keys]
    if said:
        raise AssetCorrupt(
            f"{name} does not hold the weights of this network: {', '.join(said)}",
            hint="Put the original file there.",
        )
    network.load_state_dict({key: tensors[key] for key in wanted})


def _there(path: Path) -> None:
    if not path.is_file():
        raise AssetMissing(f"{path} is not there", hint="Install Strip Mocap again.")


def _unreadable(path: Path, error: Exception) -> AssetCorrupt:
    return AssetCorrupt(
        f"{path} cannot be read as weights ({error})", hint="Put the original file there."
    )


def _stored(tensor: Tensor) -> np.ndarray:
    tensor = tensor.detach().cpu()
    return (tensor.half() if tensor.is_floating_point() else tensor).contiguous().numpy()


def _some(names: set[str]) -> str:
    listed = ", ".join(each[:MOST_SHOWN] for each in sorted(names)[:MOST_NAMED])
    return f"{listed}, …" if len(names) > MOST_NAMED else listed
