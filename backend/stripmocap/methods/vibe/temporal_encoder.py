"""The temporal encoder: features of single frames in, features that know the frames before out.

A GRU runs over time; what it says is added to the features (Kocabas et al., "VIBE: Video Inference
for Human Body Pose and Shape Estimation", CVPR 2020, 3.1). Layers are named as in VIBE's
checkpoints. Its state is handed on, so that a long shot may be read piece by piece.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class TemporalEncoder(nn.Module):
    """Features (N, T, F) of N people over T frames to features of the same form."""

    def __init__(self, features: int = 2048, *, hidden: int = 1024, layers: int = 2) -> None:
        """An untrained encoder.

        Args:
            features: F.
            hidden: numbers in the state of each layer.
            layers: of the GRU.
        """
        super().__init__()
        self.gru = nn.GRU(features, hidden, num_layers=layers, batch_first=True)
        self.linear = nn.Linear(hidden, features)

    def forward(self, features: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The features over time, and the state (layers, N, hidden) after the last frame.

        Args:
            features: (N, T, F).
            state: what the frames before left; None: nothing was before.
        """
        found, state = self.gru(features, state)
        return features + self.linear(torch.relu(found)), state
