"""Weights as arrays, from files that hold nothing else, and strictly into the networks they fit.

Our own weights are safetensors: no code can hide in them. They are written whole or not at all, in
half precision, which none of our networks notices; in memory they are single. A file says what
network it is for and how large that is, so that a network is built from its file alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import safetensors
import torch
from safetensors.numpy import load_file, save_file
from torch import Tensor, nn

from .contract.errors import AssetCorrupt, AssetMissing, DiskFull
from .contract.whole_file import whole

MOST_NAMED = 5  # names in a message; a wrong file would list hundreds
MOST_SHOWN = 80  # letters of each
_OWN_HINT = "Train again, or install Strip Mocap again."

Network = TypeVar("Network", bound=nn.Module)


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


def save_sized(
    network: nn.Module, path: Path, *, kind: str, sizes: Any, metadata: Mapping[str, str]
) -> None:
    """Writes `network` as `save_network` does, with its kind, its `sizes` and more `metadata`.

    Args:
        network: one of ours.
        path: the file.
        kind: what kind of network it is; another name once the same arrays mean something else.
        sizes: a dataclass of whole numbers, from which the network can be built.
        metadata: whatever else is to be known of it.

    Raises:
        DiskFull: the folder cannot be written to; an earlier file stays.
    """
    own = {"kind": kind, "sizes": json.dumps(asdict(sizes))}
    save_network(network, path, metadata={**metadata, **own})


def load_sized(
    path: Path,
    build: Callable[[dict[str, int]], Network],
    *,
    kind: str,
    most: Mapping[str, int],
    least: int = 1,
) -> Network:
    """The network in a file of `save_sized`: single precision, on the CPU, evaluating.

    Args:
        path: the file.
        build: makes the network of sizes.
        kind: that the file has to be of.
        most: of each size, by name: a damaged file shall not ask for all memory.
        least: of every size.

    Raises:
        AssetMissing: there is no such file.
        AssetCorrupt: it is another file, or its weights are not all there.
    """
    said = load_metadata(path)
    if said.get("kind") != kind:
        other = said.get("kind", "weights of an unknown kind")
        raise AssetCorrupt(f"{path} holds {other}, not {kind}", hint=_OWN_HINT)
    arrays = load_arrays(path)
    text = said.get("sizes", "")
    try:
        sizes = json.loads(text)
        for name, size in sizes.items():
            if type(size) is not int or not least <= size <= most[name]:
                raise ValueError("a size is out of bounds")
        with torch.device("meta"):  # takes no memory: a file may claim sizes that it does not have
            claimed = build(sizes)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise AssetCorrupt(
            f"{path} says {text!r} of its sizes ({error})", hint=_OWN_HINT
        ) from error
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    _check_fit(claimed, tensors, name=str(path))
    network = build(sizes)
    fill(network, tensors, name=str(path))
    return network.eval()


def fill(network: nn.Module, tensors: Mapping[str, Tensor], *, name: str) -> None:
    """Puts `tensors` into `network`, which is not touched unless every one of them fits.

    Args:
        network: any module; it keeps its own number types.
        tensors: by the names of its state.
        name: what the tensors are from, for messages.

    Raises:
        AssetCorrupt: some are missing, unexpected, of another shape, or not finite; it names them.
    """
    _check_fit(network, tensors, name=name)
    network.load_state_dict({key: tensors[key] for key in network.state_dict()})


def _check_fit(network: nn.Module, tensors: Mapping[str, Tensor], *, name: str) -> None:
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
