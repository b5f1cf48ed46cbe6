"""Weights of the embedded temporal network, in a file that says how large the network is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch

from ... import checkpoints
from ...contract.errors import AssetCorrupt
from .keypoint_network import Sizes, TemporalNetwork

TEMPORAL_KIND = "temporal network 1"  # raised when the same arrays would mean something else
_MOST = 1 << 14  # of any size: a damaged file shall not ask for all memory
_HINT = "Train again, or install Strip Mocap again."


def save_temporal_network(
    network: TemporalNetwork, path: Path, *, metadata: Mapping[str, str]
) -> None:
    """Writes `network` as safetensors in half precision, with its sizes and more `metadata`.

    Raises:
        DiskFull: the folder cannot be written to; an earlier file stays.
    """
    own = {"kind": TEMPORAL_KIND, "sizes": json.dumps(asdict(network.sizes))}
    checkpoints.save_network(network, path, metadata={**metadata, **own})


def load_temporal_network(path: Path) -> TemporalNetwork:
    """The network in a file of `save_temporal_network`: single precision, on the CPU, evaluating.

    Raises:
        AssetMissing: there is no such file.
        AssetCorrupt: it is another file, or its weights are not all there.
    """
    said = checkpoints.load_metadata(path)
    if said.get("kind") != TEMPORAL_KIND:
        kind = said.get("kind", "weights of an unknown kind")
        raise AssetCorrupt(f"{path} holds {kind}, not {TEMPORAL_KIND}", hint=_HINT)
    arrays = checkpoints.load_arrays(path)
    network = TemporalNetwork(_sizes(said.get("sizes", ""), path))
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    checkpoints.fill(network, tensors, name=str(path))
    return network.eval()


def _sizes(text: str, path: Path) -> Sizes:
    try:
        sizes = Sizes(**json.loads(text))
        if not all(type(each) is int and 0 < each <= _MOST for each in asdict(sizes).values()):
            raise ValueError("a size is out of bounds")
    except (TypeError, ValueError) as error:
        raise AssetCorrupt(f"{path} says {text!r} of its sizes ({error})", hint=_HINT) from error
    return sizes
