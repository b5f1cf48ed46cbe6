"""Weights of the embedded temporal network, in a file that says how large the network is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from ... import checkpoints
from .keypoint_network import Sizes, TemporalNetwork

TEMPORAL_KIND = "temporal network 2"  # raised when the same arrays would mean something else
_MOST = {each.name: 1 << 14 for each in fields(Sizes)}


def save_temporal_network(
    network: TemporalNetwork, path: Path, *, metadata: Mapping[str, str]
) -> None:
    """Writes `network` as safetensors in half precision, with its sizes and more `metadata`.

    Raises:
        DiskFull: the folder cannot be written to; an earlier file stays.
    """
    checkpoints.save_sized(
        network, path, kind=TEMPORAL_KIND, sizes=network.sizes, metadata=metadata
    )


def load_temporal_network(path: Path) -> TemporalNetwork:
    """The network in a file of `save_temporal_network`; see `checkpoints.load_sized`."""
    return checkpoints.load_sized(
        path, lambda sizes: TemporalNetwork(Sizes(**sizes)), kind=TEMPORAL_KIND, most=_MOST
    )
