"""Networks that end in a regressor, made ready to answer fast: the same numbers, in less time.

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
from .pixel_network import PixelNetwork
from .regressor import Regressor, folded

Network = TypeVar("Network", bound=nn.Module)


def prepared(network: Network, *, device: torch.device) -> Network:
    """A copy of `network` on `device` that only evaluates; `network` itself stays as it is."""
    # Folding takes double precision, which some cards do not have.
    result = copy.deepcopy(network).cpu().eval().requires_grad_(False)
    regressor = getattr(result, "regressor", None)
    if isinstance(regressor, Regressor) and isinstance(regressor.between, nn.Identity):
        result.register_module("regressor", folded(regressor))
    if isinstance(result, PixelNetwork):
        result.encoder = resnet.fused(result.encoder).to(memory_format=torch.channels_last)
        if device.type == "cuda":
            result.encoder = result.encoder.half()
    return result.to(device)
