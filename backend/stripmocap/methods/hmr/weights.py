"""Weights of regressors: our own from safetensors, SPIN's as they are published.

A file of ours says in its metadata what network it is for and how large that is, so that a network
is built from its file alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch

from ... import checkpoints, torch_files
from ...contract.errors import AssetCorrupt
from .keypoint_network import KeypointNetwork, Sizes
from .pixel_network import PixelNetwork, spin_name

KEYPOINT_KIND = "keypoint network 1"  # raised when the same arrays would mean something else
_MARKS = {"layer4.2.conv3.weight", "fc1.weight", "decpose.weight"}  # a checkpoint of SPIN has these
_COUNT = "num_batches_tracked"
_MOST = 1 << 14  # of any size: a damaged file shall not ask for all memory


def save_keypoint_network(
    network: KeypointNetwork, path: Path, *, metadata: Mapping[str, str]
) -> None:
    """Writes `network` as safetensors in half precision, with its sizes and more `metadata`.

    Raises:
        DiskFull: the folder cannot be written to; an earlier file stays.
    """
    own = {"kind": KEYPOINT_KIND, "sizes": json.dumps(asdict(network.sizes))}
    checkpoints.save_network(network, path, metadata={**metadata, **own})


def load_keypoint_network(path: Path) -> KeypointNetwork:
    """The network in a file of `save_keypoint_network`: single precision, on the CPU, evaluating.

    Raises:
        AssetMissing: there is no such file.
        AssetCorrupt: it is another file, or its weights are not all there.
    """
    said = checkpoints.load_metadata(path)
    if said.get("kind") != KEYPOINT_KIND:
        kind = said.get("kind", "weights of an unknown kind")
        raise AssetCorrupt(f"{path} holds {kind}, not {KEYPOINT_KIND}", hint=_OWN_HINT)
    arrays = checkpoints.load_arrays(path)
    network = KeypointNetwork.of(_sizes(said.get("sizes", ""), path))
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    checkpoints.fill(network, tensors, name=str(path))
    return network.eval()


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


def _sizes(text: str, path: Path) -> Sizes:
    try:
        sizes = Sizes(**json.loads(text))
        if not all(type(each) is int and 0 <= each <= _MOST for each in asdict(sizes).values()):
            raise ValueError("a size is out of bounds")
    except (TypeError, ValueError) as error:
        raise AssetCorrupt(
            f"{path} says {text!r} of its sizes ({error})", hint=_OWN_HINT
        ) from error
    return sizes


_SPIN_HINT = "Choose model_checkpoint.pt of SPIN, as its authors give it away."
_OWN_HINT = "Train again, or install Strip Mocap again."
