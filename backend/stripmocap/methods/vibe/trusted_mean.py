"""Poses of frames and of their neighbours, each joint as far as it is trusted there.

Every joint has its own learnt window over time, and a trust in every frame: what the detector lost
or mistook of a limb is told by the frames around it, while the rest of the body stays as it is
seen. Through what is trusted goes a straight line, so that a joint that is lost at a turn of the
window's middle goes on as it went. Windows fall off fast, but never to nothing: where frames on end
are not trusted those further off are what is left.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

_FIRST_SIGMA = 1.5  # frames: the windows before anything is learnt
_FAR, _FAR_FRAMES = 2e-3, 8.0  # of the middle's share, and over how many frames that falls
_STIFF = 1.0  # square frames: neighbours that lie closer together tell no slope
_LEAST = 1e-9


class TrustedMean(nn.Module):
    """Values (N, T, F) to what lines through them over `reach` frames before and after say."""

    group: Tensor

    def __init__(self, sizes: Sequence[int], *, reach: int) -> None:
        """Windows as of a Gaussian until they are trained.

        Args:
            sizes: how many of the F values each of G groups has; a group shares window and trust.
            reach: frames.
        """
        super().__init__()
        self.reach = reach
        apart = torch.arange(-reach, reach + 1, dtype=torch.float32)
        near = (-0.5 * (apart / _FIRST_SIGMA).square()).exp()
        window = (near + _FAR * (-apart.abs() / _FAR_FRAMES).exp()).log()
        self.window = nn.Parameter(window.repeat(len(sizes), 1))  # logits
        group = torch.tensor([index for index, size in enumerate(sizes) for _ in range(size)])
        self.register_buffer("group", group, persistent=False)

    def forward(self, values: Tensor, *, trust: Tensor) -> Tensor:
        """What the lines say of every frame, in the precision of `values`.

        Args:
            values: (N, T, F) float32.
            trust: (N, T, G) above zero.
        """
        apart = torch.arange(-self.reach, self.reach + 1, device=values.device, dtype=values.dtype)
        shares = self.window.softmax(dim=1)  # (G, 2 reach + 1)
        each = self.group
        weights = [self._over(trust, shares * power)[..., each]
                   for power in (torch.ones_like(apart), apart, apart.square())]  # fmt: skip
        trusted, wide = values * trust[..., each], shares[each]
        total = weights[0] + _LEAST
        mean = self._over(trusted, wide) / total
        middle = weights[1] / total
        spread = weights[2] / total - middle.square()
        slope = (self._over(trusted, wide * apart) / total - middle * mean) / (spread + _STIFF)
        return mean - slope * middle

    def _over(self, values: Tensor, shares: Tensor) -> Tensor:
        """(N, T, C) sums of (N, T, C) over their neighbours, by shares (C, 2 reach + 1)."""
        summed = nn.functional.conv1d(
            values.transpose(1, 2), shares[:, None], padding=self.reach, groups=len(shares)
        )
        return summed.transpose(1, 2)
