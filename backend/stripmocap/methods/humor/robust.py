"""Weights that leave outliers out: Tukey's bisquare, with a spread taken from the numbers."""

from __future__ import annotations

import torch
from torch import Tensor

_TUNING = 4.6851  # spreads beyond which nothing counts: 95 % efficient on normal residuals
_NORMAL_MAD = 0.67449  # median absolute deviation of a standard normal


def bisquare_weights(distances: Tensor) -> Tensor:
    """(N, P) weights of 0 to 1 of distances (N, P); where all of a row are one, all weigh 1.

    The spread of a row is its median absolute deviation, as a standard deviation; distances are
    weighed as they are, not from their median, as in HuMoR's code. No gradient passes.
    """
    distances = distances.detach()
    median = distances.median(dim=1, keepdim=True).values
    deviation = (distances - median).abs().median(dim=1, keepdim=True).values
    spread = deviation / _NORMAL_MAD * _TUNING
    share = distances / spread
    weights = (1 - share.square()).clamp(min=0).square()
    return torch.where(spread > 0, weights, 1.0)
