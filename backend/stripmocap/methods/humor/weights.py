"""HuMoR's weights as they are published: the motion prior, how motions begin, and the pose prior.

Trainers put optimisers and scores beside the networks, and `module.` before every name where they
trained on several graphics cards; neither is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from torch import nn

from ... import checkpoints, torch_files
from ...contract import npz_file
from ...contract.errors import AssetCorrupt, AssetMissing
from .initial_state import InitialStatePrior
from .network import MotionPrior
from .pose_prior import PosePrior

_PARALLEL = "module."
_MOTION_MARKS = {"prior_net.net.0.weight", "decoder.net.0.weight"}
_POSE_MARKS = {"bodyprior_enc_fc1.weight", "bodyprior_dec_fc1.weight"}
_MIXTURE = ("weights", "means", "covariances")

Network = TypeVar("Network", bound=nn.Module)


def load_motion_prior(path: Path) -> MotionPrior:
    """HuMoR's network from a checkpoint as it is published: on the CPU, evaluating.

    Read are files whose entry `model` holds it (`best_model.pth`), and those that hold it alone.

    Raises:
        AssetMissing: there is no such file.
        AssetCorrupt: it is damaged or another file, or its weights are not all there.
    """
    content = torch_files.read(path)
    state = content.get("model", content) if isinstance(content, Mapping) else {}
    state = _unparalleled(state)
    if not _MOTION_MARKS.issubset(state):
        kind = torch_files.kind_of(content)
        raise AssetCorrupt(f"{path} is {kind}, not HuMoR's network", hint=_MOTION_HINT)
    return _filled(MotionPrior(), state, path)


def load_pose_prior(path: Path) -> PosePrior:
    """VPoser's first version from one of its snapshots (`.pt`): on the CPU, evaluating.

    Raises:
        AssetMissing: there is no such file.
        AssetCorrupt: it is damaged or another file, or its weights are not all there.
    """
    content = torch_files.read(path)
    state = _unparalleled(content)
    if not _POSE_MARKS.issubset(state):
        kind = torch_files.kind_of(content)
        raise AssetCorrupt(f"{path} is {kind}, not VPoser's first version", hint=_POSE_HINT)
    return _filled(PosePrior(), state, path)


def load_initial_state_prior(path: Path) -> InitialStatePrior:
    """HuMoR's mixture over first moments (`prior_gmm.npz`), on the CPU.

    Raises:
        AssetMissing: there is no such file.
        AssetCorrupt: it is damaged, or holds no mixture over 138 numbers.
    """
    if not path.is_file():
        raise AssetMissing(f"{path} is not there", hint=_MIXTURE_HINT)
    arrays = npz_file.read(path, error=AssetCorrupt, hint=_MIXTURE_HINT, names=_MIXTURE)
    missing = [name for name in _MIXTURE if name not in arrays]
    if missing:
        raise AssetCorrupt(f"{path} has no {', '.join(missing)}", hint=_MIXTURE_HINT)
    try:
        weights, means, covariances = (
            np.asarray(arrays[name], dtype=np.float64) for name in _MIXTURE
        )
        return InitialStatePrior.from_mixture(means, covariances, weights=weights)
    except (TypeError, ValueError, np.linalg.LinAlgError) as error:
        raise AssetCorrupt(
            f"{path} is no mixture of Gaussians over first moments ({error})", hint=_MIXTURE_HINT
        ) from error


def _unparalleled(state: Any) -> dict[str, Any]:
    if not isinstance(state, Mapping):
        return {}
    return {str(name).removeprefix(_PARALLEL): each for name, each in state.items()}


def _filled(network: Network, state: Mapping[str, Any], path: Path) -> Network:
    wanted = network.state_dict()
    tensors = {name: torch_files.fitting(each, wanted.get(name)) for name, each in state.items()}
    checkpoints.fill(network, tensors, name=str(path))
    return network.eval()


_MOTION_HINT = "Choose best_model.pth of HuMoR, as its authors give it away."
_POSE_HINT = "Choose a .pt file from the folder snapshots of vposer_v1_0."
_MIXTURE_HINT = "Choose prior_gmm.npz of HuMoR, as its authors give it away."
