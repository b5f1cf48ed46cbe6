"""Regressors made ready to answer fast: the same numbers, but for rounding, in less time.

What is affine is folded: the regressor into one map (Kolotouros et al.'s has no non-linearity), a
batch norm into the convolution before it. Pictures lie channels-last in memory, and on a graphics
card the convolutions run in half precision.
"""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import nn

from ..features import resnet
from .keypoint_network import KeypointNetwork
from .pixel_network import PixelNetwork
from .regressor import Regressor, folded

Network = TypeVar("Network", KeypointNetwork, PixelNetwork)


def prepared(network: Network, *, device: torch.device) -> Network:
    """A copy of `network` on `device` that only evaluates; `network` itself stays as it is."""
    # Folding takes double precision, which some cards do not have.
    result = copy.deepcopy(network).cpu().eval().requires_grad_(False)
    if isinstance(result.regressor, Regressor) and isinstance(
        result.regressor.between, nn.Identity
    ):
        result.regressor = folded(result.regressor)
    if isinstance(result, PixelNetwork):
        result.encoder = resnet.fused(result.encoder).to(memory_format=torch.channels_last)
        if device.type == "cuda":
            result.encoder = result.encoder.half()
    return result.to(device)
