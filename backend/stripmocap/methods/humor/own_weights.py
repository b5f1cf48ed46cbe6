"""Weights of the embedded prior, in files that say how large their networks are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import save_file

from ... import checkpoints
from ...contract.errors import AssetCorrupt, DiskFull
from ...contract.whole_file import whole
from .initial_state import InitialStatePrior
from .network import MotionPrior, Sizes
from .objective import Priors
from .pose_prior import PosePrior, PoseSizes

MOTION_KIND = "motion prior 1"  # raised when the same arrays would mean something else
POSE_KIND = "pose prior by latents 1"
START_KIND = "mixture over first moments 1"
_MIXTURE = ("means", "covariances", "weights")
_MOST = {"latent": 1 << 10, "hidden": 1 << 12, "layers": 16, "coasting": 1}


def save_motion_prior(network: MotionPrior, path: Path, *, metadata: Mapping[str, str]) -> None:
    """Writes `network` as safetensors in half precision, with its sizes and more `metadata`.

    Raises:
        DiskFull: the folder cannot be written to; an earlier file stays.
    """
    checkpoints.save_sized(network, path, kind=MOTION_KIND, sizes=network.sizes, metadata=metadata)


def load_own_motion_prior(path: Path) -> MotionPrior:
    """The network in a file of `save_motion_prior`; see `checkpoints.load_sized`."""
    return checkpoints.load_sized(
        path, lambda sizes: MotionPrior(Sizes(**sizes)), kind=MOTION_KIND, most=_MOST, least=0
    )


def save_pose_prior(network: PosePrior, path: Path, *, metadata: Mapping[str, str]) -> None:
    """As `save_motion_prior`."""
    checkpoints.save_sized(network, path, kind=POSE_KIND, sizes=network.sizes, metadata=metadata)


def load_own_pose_prior(path: Path) -> PosePrior:
    """As `load_own_motion_prior`, of a file of `save_pose_prior`."""
    return checkpoints.load_sized(
        path, lambda sizes: PosePrior(PoseSizes(**sizes)), kind=POSE_KIND, most=_MOST
    )


def load_own_priors(motion: Path, pose: Path, *, first: Path) -> Priors:
    """All three that solver `paper` asks, on the CPU; they evaluate, and no gradient goes there.

    Raises:
        AssetMissing, AssetCorrupt: one of the files is not there, or is no such prior.
    """
    return Priors(
        load_own_motion_prior(motion).eval().requires_grad_(False),
        load_own_pose_prior(pose).eval().requires_grad_(False),
        load_own_initial_state_prior(first),
    )


def save_initial_state_prior(
    means: np.ndarray,
    covariances: np.ndarray,
    *,
    weights: np.ndarray,
    path: Path,
    metadata: Mapping[str, str],
) -> None:
    """Writes the mixture of means (M, 138), covariances (M, 138, 138) and weights (M,), as float32.

    Raises:
        DiskFull: the folder cannot be written to; an earlier file stays.
    """
    arrays = dict(zip(_MIXTURE, (means, covariances, weights), strict=True))
    stored = {name: array.astype(np.float32) for name, array in arrays.items()}
    with whole(path, error=DiskFull) as partial:
        try:
            save_file(stored, partial, metadata={**metadata, "kind": START_KIND})
        except SafetensorError as error:
            raise OSError(str(error)) from error


def load_own_initial_state_prior(path: Path) -> InitialStatePrior:
    """The mixture in a file of `save_initial_state_prior`, on the CPU.

    Raises:
        AssetMissing: there is no such file.
        AssetCorrupt: it is another file, or holds no mixture.
    """
    said = checkpoints.load_metadata(path)
    if said.get("kind") != START_KIND:
        other = said.get("kind", "weights of an unknown kind")
        raise AssetCorrupt(f"{path} holds {other}, not {START_KIND}", hint=_HINT)
    arrays = checkpoints.load_arrays(path)
    try:
        means, covariances, weights = (arrays[name].astype(np.float64) for name in _MIXTURE)
        return InitialStatePrior.from_mixture(means, covariances, weights=weights)
    except (KeyError, ValueError, np.linalg.LinAlgError) as error:
        raise AssetCorrupt(
            f"{path} is no mixture of Gaussians over first moments ({error})", hint=_HINT
        ) from error


_HINT = "Train again, or install Strip Mocap again."
