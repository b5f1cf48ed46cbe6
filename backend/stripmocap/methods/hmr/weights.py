"""Weights of regressors: our own from safetensors, SPIN's as they are published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from ... import checkpoints, torch_files
from ...contract.errors import AssetCorrupt
from .keypoint_network import KeypointNetwork, Sizes
from .pixel_network import PixelNetwork, spin_name

KEYPOINT_KIND = "keypoint network 1"  # raised when the same arrays would mean something else
_MARKS = {"layer4.2.conv3.weight", "fc1.weight", "decpose.weight"}  # a checkpoint of SPIN has these
_COUNT = "num_batches_tracked"
_MOST = {each.name: 1 << 14 for each in fields(Sizes)}


def save_keypoint_network(
    network: KeypointNetwork, path: Path, *, metadata: Mapping[str, str]
) -> None:
    """Writes `network` as safetensors in half precision, with its sizes and more `metadata`.

    Raises:
        DiskFull: the folder cannot be written to; an earlier file stays.
    """
    checkpoints.save_sized(
        network, path, kind=KEYPOINT_KIND, sizes=network.sizes, metadata=metadata
    )


def load_keypoint_network(path: Path) -> KeypointNetwork:
    """The network in a file of `save_keypoint_network`; see `checkpoints.load_sized`."""
    return checkpoints.load_sized(
        path,
        lambda sizes: KeypointNetwork.of(Sizes(**sizes)),
        kind=KEYPOINT_KIND,
        most=_MOST,
        least=0,
    )


def load_pixel_network(path: Path) -> PixelNetwork:
    """SPIN's network from a checkpoint as it is published: on the CPU, evaluating.

    Read are files whose entry `model` holds the network (SPIN's `model_checkpoint.pt`, VIBE's copy
    of it), and those that hold the network alone. What a trainer put beside it is left alone.

    Raises:
        AssetMissing: there is no such file.
        AssetCorrupt: it is damaged or another file, or its weights are not all there.
    """
    network = PixelNetwork().eval()
    wanted = network.state_dict()
    names = {spin_name(name): name for name in wanted}
    content = torch_files.read(path)
    state = content.get("model", content) if isinstance(content, Mapping) else {}
    if not isinstance(state, Mapping) or not _MARKS.issubset(state):
        kind = torch_files.kind_of(content)
        raise AssetCorrupt(f"{path} is {kind}, not a SPIN checkpoint", hint=_SPIN_HINT)
    # Counts of batches do nothing in evaluation, and torch before 0.4.1 did not keep them.
    tensors = {name: each for name, each in wanted.items() if name.endswith(_COUNT)}
    for name, each in state.items():
        ours = names.get(name, str(name))
        tensors[ours] = torch_files.fitting(each, wanted.get(ours))
    checkpoints.fill(network, tensors, name=str(path))
    return network


_SPIN_HINT = "Choose model_checkpoint.pt of SPIN, as its authors give it away."
