"""VIBE's generator: features of crops over time to bodies (Kocabas et al., CVPR 2020, 3.1).

The features are those of SPIN's network, which lies in a file of its own. Layers are named as in
VIBE's checkpoints. What the published code hands out in other forms is here too, for its losses and
for comparing: the 85 numbers, and points as the crop's own camera sees them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...geometry.cameras import project, weak_perspective_to_transl
from ...geometry.rotations import matrix_to_aa
from ..features import resnet
from ..hmr.regressor import FoldedRegressor, Regressed, Regressor
from .temporal_encoder import TemporalEncoder

FOCAL_PX = 5000.0  # of the crop's camera, by which the weak one is made a pinhole
LEAST_LENGTH = 1e-6  # of the six numbers' columns that VIBE divides by


class Generator(nn.Module):
    """Features (N, T, 2048) of N people over T frames to bodies."""

    def __init__(self, *, hidden: int = 1024) -> None:
        """An untrained network; published ones have 1024 `hidden` numbers everywhere."""
        super().__init__()
        self.encoder = TemporalEncoder(resnet.FEATURES, hidden=hidden)
        self.regressor: Regressor | FoldedRegressor = Regressor(
            resnet.FEATURES, hidden=hidden, least_length=LEAST_LENGTH
        )

    def forward(self, features: Tensor, state: Tensor | None = None) -> tuple[Regressed, Tensor]:
        """The bodies (N * T), person by person, and the state after the last frame.

        Args:
            features: (N, T, 2048).
            state: what the frames before left; None: nothing was before.
        """
        features, state = self.encoder(features, state)
        return self.regressor(features.flatten(0, 1)), state


def numbers_of(bodies: Regressed) -> Tensor:
    """(B, 85) what VIBE calls theta: camera 3, axis-angles 72, betas 10."""
    return torch.cat([bodies.camera, matrix_to_aa(bodies.rotmat).flatten(1), bodies.betas], dim=1)


def seen_in_crop(points: Tensor, camera: Tensor) -> Tensor:
    """(B, P, 2) where points are seen, in half sides of the crop from its middle.

    Args:
        points: (B, P, 3) metres, crop's camera axes, before translation.
        camera: (B, 3) scale, x, y.
    """
    transl = weak_perspective_to_transl(camera, focal=FOCAL_PX, size_px=resnet.CROP_PX)
    middle = torch.zeros(2, dtype=points.dtype, device=points.device)
    pixels = project(points + transl.unsqueeze(1), focal=FOCAL_PX, center=middle)
    return pixels / (resnet.CROP_PX / 2)
