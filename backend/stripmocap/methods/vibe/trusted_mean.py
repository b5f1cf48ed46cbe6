"""Features of frames averaged with their neighbours', each as far as it is trusted.

Every feature has its own learnt window over time, and every frame a learnt trust, so that what the
detector lost or mistook is told by the frames around it. Nothing fades: shares sum to one. What
comes out is brought to one scale, which features of single frames are far from.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_FIRST_SIGMA = 1.5  # frames: the windows before anything is learnt
_FIRST_SLOPE = 8.0  # of the trust's logit by the detector's own sureness
_LEAST = 1e-3  # trust, so that somebody who is never seen has features


class TrustedMean(nn.Module):
    """Features (N, T, F) to their means over `reach` frames before and after."""

    def __init__(self, features: int, *, reach: int) -> None:
        """Windows as of a Gaussian, and trust by the detector's word alone, until it is trained."""
        super().__init__()
        self.reach = reach
        self.scale = nn.Parameter(torch.ones(features))
        self.shift = nn.Parameter(torch.zeros(features))
        apart = torch.arange(-reach, reach + 1, dtype=torch.float32)
        window = -0.5 * (apart / _FIRST_SIGMA).square()
        self.window = nn.Parameter(window.repeat(features, 1))  # logits
        self.trust = nn.Linear(features + 1, 1)
        nn.init.zeros_(self.trust.weight)
        nn.init.constant_(self.trust.weight[:, -1:], _FIRST_SLOPE)
        nn.init.constant_(self.trust.bias, -_FIRST_SLOPE / 2)

    def forward(self, features: Tensor, *, sureness: Tensor) -> Tensor:
        """The means.

        Args:
            features: (N, T, F).
            sureness: (N, T) in [0, 1], of the detector.
        """
        told = torch.cat([features, sureness[..., None].to(features.dtype)], dim=-1)
        trust = self.trust(told).float().sigmoid() + _LEAST  # (N, T, 1)
        shares = self.window.softmax(dim=1)  # (F, 2 reach + 1)
        summed = nn.functional.conv1d(
            (trust * features).transpose(1, 2),
            shares[:, None],
            padding=self.reach,
            groups=len(shares),
        ).transpose(1, 2)
        beside = nn.functional.pad(trust.squeeze(-1), (self.reach, self.reach))
        mean = summed / (beside.unfold(1, shares.shape[1], 1) @ shares.mT)
        return mean * self.scale + self.shift
