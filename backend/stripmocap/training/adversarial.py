"""A critic that learns to tell regressed bodies from captured ones, joint by joint.

The factorised discriminator of Kanazawa et al., "End-to-end Recovery of Human Shape and Pose",
CVPR 2018, 3.3 and their code: an answer for each of the 23 joints' rotations, one for all of them
together, one for the shape; 1 is real, 0 is made up, by least squares (Mao et al., ICCV 2017).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..contract.skeleton import BETAS_COUNT, JOINT_COUNT
from ..methods.hmr.regressor import Regressed

BODY_JOINTS = JOINT_COUNT - 1  # the pelvis is left out: any heading is real
CHANNELS = 32
ANSWERS = BODY_JOINTS + 2


class Discriminator(nn.Module):
    """Bodies to 25 answers each."""

    def __init__(self, *, channels: int = CHANNELS, hidden: int = 1024) -> None:
        """An untrained critic: `channels` a joint, `hidden` in the layers that see all joints."""
        super().__init__()
        self.each = nn.Sequential(
            nn.Linear(9, channels), nn.ReLU(), nn.Linear(channels, channels), nn.ReLU()
        )
        self.joint_weight = nn.Parameter(torch.randn(BODY_JOINTS, channels) / channels**0.5)
        self.joint_bias = nn.Parameter(torch.zeros(BODY_JOINTS))
        self.all = nn.Sequential(
            *(nn.Linear(BODY_JOINTS * channels, hidden), nn.ReLU()),
            *(nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1)),
        )
        self.shape = nn.Sequential(
            nn.Linear(BETAS_COUNT, 10), nn.ReLU(), nn.Linear(10, 5), nn.ReLU(), nn.Linear(5, 1)
        )

    def forward(self, body_pose: Tensor, betas: Tensor) -> Tensor:
        """(B, 25) answers for rotations (B, 23, 3, 3), each to its parent, and shapes (B, 10)."""
        inner = self.each(body_pose.flatten(start_dim=2))  # (B, 23, C)
        each = torch.einsum("bjc,jc->bj", inner, self.joint_weight) + self.joint_bias
        return torch.cat([each, self.all(inner.flatten(start_dim=1)), self.shape(betas)], dim=1)


class Critic:
    """A discriminator with its own optimiser, one step for each of the regressor's."""

    def __init__(
        self, *, device: torch.device | str, hidden: int = 1024, learning_rate: float = 1e-3
    ) -> None:
        self.network = Discriminator(hidden=hidden).to(device)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=learning_rate, weight_decay=1e-4
        )

    def term(self, made: Regressed, *, real: Regressed) -> Tensor:
        """Steps the critic on both, then says how far `made` is from passing for real."""
        fooled = self.network(made.body_pose.detach(), made.betas.detach()).square()
        granted = (self.network(real.body_pose, real.betas) - 1.0).square()
        loss = fooled.sum(dim=1).mean() + granted.sum(dim=1).mean()
        if torch.isfinite(loss):
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
        self.network.requires_grad_(False)  # what follows teaches the regressor only
        answers = self.network(made.body_pose, made.betas)
        self.network.requires_grad_(True)
        return (answers - 1.0).square().sum(dim=1).mean()

    def state_dict(self) -> dict[str, Any]:
        """The network and its optimiser."""
        return {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from `state_dict`'s answer."""
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
