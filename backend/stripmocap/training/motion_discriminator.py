"""A critic that learns to tell regressed motion from captured motion, sequence by sequence.

The motion discriminator of Kocabas et al., "VIBE: Video Inference for Human Body Pose and Shape
Estimation", CVPR 2020, 3.2: a GRU reads the poses, self-attention weighs its moments, one answer
comes of it; 1 is real, 0 is made up, by least squares (equations 6 and 7). Layers are named as in
VIBE's checkpoints. Sequences are read by index: both sorts must come at the same frame rate.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

POSE_NUMBERS = 69  # axis-angles of the 23 joints below the pelvis: any heading is real
_ATTENTION_RANGE = 0.1  # VIBE's first weights of the attention
_ATTENTION_BIAS = 0.01


class MotionDiscriminator(nn.Module):
    """Motions (N, T, P) to answers (N, 1)."""

    def __init__(
        self,
        numbers: int = POSE_NUMBERS,
        *,
        hidden: int = 1024,
        layers: int = 2,
        dropout: float = 0.2,
    ) -> None:
        """An untrained critic.

        Args:
            numbers: P, by which the pose of one frame is told.
            hidden: numbers in the state of each layer of the GRU, and in the attention.
            layers: of the GRU.
            dropout: of the attention.
        """
        super().__init__()
        self.gru = nn.GRU(numbers, hidden, num_layers=layers, batch_first=True)
        self.attention = SelfAttention(hidden, dropout=dropout)
        self.fc = nn.Linear(hidden, 1)

    def forward(self, motion: Tensor) -> Tensor:
        """(N, 1) answers: near 1 what passes for real."""
        found, _ = self.gru(motion)
        return self.fc(self.attention(found))


class SelfAttention(nn.Module):
    """What was found over time, weighed by how much each moment tells."""

    def __init__(self, features: int, *, dropout: float = 0.2) -> None:
        super().__init__()
        widths = ((features, features), (features, features), (features, 1))
        layers = [nn.Linear(*each) for each in widths]
        for layer in layers:
            nn.init.uniform_(layer.weight, -_ATTENTION_RANGE, _ATTENTION_RANGE)
            nn.init.constant_(layer.bias, _ATTENTION_BIAS)
        steps = [each for layer in layers for each in (layer, nn.Tanh(), nn.Dropout(dropout))]
        self.attention = nn.Sequential(*steps)

    def forward(self, found: Tensor) -> Tensor:
        """(N, F) the mean of (N, T, F) over time by `weights`."""
        return torch.einsum("nt,ntf->nf", self.weights(found), found)

    def weights(self, found: Tensor) -> Tensor:
        """(N, T) shares of the moments of (N, T, F), each row summing to one."""
        return self.attention(found).squeeze(-1).softmax(dim=1)


def fooling_loss(made: Tensor) -> Tensor:
    """() how far answers (N, 1) to made-up motion are from passing for real: what a maker pays."""
    return (made.float() - 1.0).square().mean()


def telling_loss(made: Tensor, *, real: Tensor) -> Tensor:
    """() how badly answers tell made-up (N, 1) from real (M, 1) motion: what the critic pays."""
    return (real.float() - 1.0).square().mean() + made.float().square().mean()


class MotionCritic:
    """A discriminator with its own optimiser, one step for each of the maker's."""

    def __init__(
        self,
        numbers: int = POSE_NUMBERS,
        *,
        device: torch.device | str,
        hidden: int = 1024,
        learning_rate: float = 1e-4,
    ) -> None:
        """An untrained critic of poses of `numbers` numbers; rate and decay are VIBE's."""
        self.network = MotionDiscriminator(numbers, hidden=hidden).to(device)
        self.optimizer = torch.optim.Adam(
            self.network.parameters(), lr=learning_rate, weight_decay=1e-4
        )

    def term(self, made: Tensor, *, real: Tensor) -> Tensor:
        """Steps the critic on both, then says how far `made` is from passing for real.

        Args:
            made: (N, T, P) with the graph of what made it.
            real: (M, S, P); M and S may differ from N and T.
        """
        loss = telling_loss(self.network(made.detach()), real=self.network(real))
        if torch.isfinite(loss):
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
        self.network.requires_grad_(False)  # what follows teaches the maker only
        answers = self.network(made)
        self.network.requires_grad_(True)
        return fooling_loss(answers)

    def state_dict(self) -> dict[str, Any]:
        """The network and its optimiser."""
        return {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from `state_dict`'s answer."""
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
