"""Weights of the embedded prior, in files that say how large their networks are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ... import checkpoints
from .network import MotionPrior, Sizes
from .pose_prior import PosePrior, PoseSizes

MOTION_KIND = "motion prior 1"  # raised when the same arrays would mean something else
POSE_KIND = "pose prior by latents 1"
_MOST = {"latent": 1 << 10, "hidden": 1 << 12, "layers": 16}


def save_motion_prior(network: MotionPrior, path: Path, *, metadata: Mapping[str, str]) -> None:
    """Writes `network` as safetensors in half precision, with its sizes and more `metadata`.

    Raises:
        DiskFull: the folder cannot be written to; an earlier file stays.
    """
    checkpoints.save_sized(network, path, kind=MOTION_KIND, sizes=network.sizes, metadata=metadata)


def load_own_motion_prior(path: Path) -> MotionPrior:
    """The network in a file of `save_motion_prior`; see `checkpoints.load_sized`."""
    return checkpoints.load_sized(
        path, lambda sizes: MotionPrior(Sizes(**sizes)), kind=MOTION_KIND, most=_MOST
    )


def save_pose_prior(network: PosePrior, path: Path, *, metadata: Mapping[str, str]) -> None:
    """As `save_motion_prior`."""
    checkpoints.save_sized(network, path, kind=POSE_KIND, sizes=network.sizes, metadata=metadata)


def load_own_pose_prior(path: Path) -> PosePrior:
    """As `load_own_motion_prior`, of a file of `save_pose_prior`."""
    return checkpoints.load_sized(
        path, lambda sizes: PosePrior(PoseSizes(**sizes)), kind=POSE_KIND, most=_MOST
    )
