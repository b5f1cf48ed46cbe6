"""Weights of the embedded prior, in files that say how large their networks are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from ... import checkpoints
from ...contract.errors import AssetCorrupt
from .network import MotionPrior, Sizes
from .pose_prior import PosePrior, PoseSizes

MOTION_KIND = "motion prior 1"  # raised when the same arrays would mean something else
POSE_KIND = "pose prior by latents 1"
# Of each size: a damaged file shall not ask for all memory.
_MOST = {"latent": 1 << 10, "hidden": 1 << 12, "layers": 16}
_HINT = "Train again, or install Strip Mocap again."

Network = TypeVar("Network", bound=nn.Module)


def save_motion_prior(network: MotionPrior, path: Path, *, metadata: Mapping[str, str]) -> None:
    """Writes `network` as safetensors in half precision, with its sizes and more `metadata`.

    Raises:
        DiskFull: the folder cannot be written to; an earlier file stays.
    """
    own = {"kind": MOTION_KIND, "sizes": json.dumps(asdict(network.sizes))}
    checkpoints.save_network(network, path, metadata={**metadata, **own})


def load_own_motion_prior(path: Path) -> MotionPrior:
    """The network in a file of `save_motion_prior`: single precision, on the CPU, evaluating.

    Raises:
        AssetMissing: there is no such file.
        AssetCorrupt: it is another file, or its weights are not all there.
    """
    return _loaded(path, lambda sizes: MotionPrior(Sizes(**sizes)), kind=MOTION_KIND)


def save_pose_prior(network: PosePrior, path: Path, *, metadata: Mapping[str, str]) -> None:
    """As `save_motion_prior`."""
    own = {"kind": POSE_KIND, "sizes": json.dumps(asdict(network.sizes))}
    checkpoints.save_network(network, path, metadata={**metadata, **own})


def load_own_pose_prior(path: Path) -> PosePrior:
    """As `load_own_motion_prior`, of a file of `save_pose_prior`."""
    return _loaded(path, lambda sizes: PosePrior(PoseSizes(**sizes)), kind=POSE_KIND)


def _loaded(path: Path, build: Callable[[dict[str, int]], Network], *, kind: str) -> Network:
    said = checkpoints.load_metadata(path)
    if said.get("kind") != kind:
        other = said.get("kind", "weights of an unknown kind")
        raise AssetCorrupt(f"{path} holds {other}, not {kind}", hint=_HINT)
    arrays = checkpoints.load_arrays(path)
    text = said.get("sizes", "")
    try:
        sizes = json.loads(text)
        if not all(type(each) is int and 0 < each <= _MOST[name] for name, each in sizes.items()):
            raise ValueError("a size is out of bounds")
        network = build(sizes)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise AssetCorrupt(f"{path} says {text!r} of its sizes ({error})", hint=_HINT) from error
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    checkpoints.fill(network, tensors, name=str(path))
    return network.eval()
