"""Teaches the embedded pose prior: a variational autoencoder over body poses, of VPoser's form.

Poses are those of poses.py: free mocap, its parts combined, mirrored and stirred, so that the prior
is no narrower than people. What is minimised is the evidence bound, with errors of rotations and of
joints' places as if normal (Pavlakos et al., "Expressive Body Capture", CVPR 2019, 3.3).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Generator, Tensor, nn

from ..geometry.rotations import aa_to_matrix, matrix_to_aa
from ..methods.humor.pose_prior import BODY_JOINTS, PosePrior, PoseSizes
from .poses import WRISTS, PoseBank
from .synthetic import LandmarkBody

ROTATION_RAD, PLACE_M = 0.1, 0.03  # errors that cost half a nat each
_WRIST_SHARE = 0.1  # what their rotations count: nobody recorded forearms' twist
_LEAST_VARIANCE = 1e-6


@dataclass(frozen=True)
class PosePlan:
    """What one training of the pose prior differs in from another."""

    sizes: PoseSizes = field(default_factory=lambda: PoseSizes(hidden=256))
    people: int = 256  # a step


class PoseLesson:
    """A pose prior learns how people hold themselves; see `loop.Lesson`."""

    def __init__(
        self,
        network: PosePrior,
        bank: PoseBank,
        body: LandmarkBody,
        *,
        plan: PosePlan,
        held_out: Tensor,
        seed: int,
    ) -> None:
        """A lesson from its first page.

        Args:
            network: what is taught.
            bank: of poses to learn from.
            body: what they are turned into joints by.
            plan: see `PosePlan`.
            held_out: (B, 21, 3, 3) poses of other people, for `scores`.
            seed: the same gives the same poses.
        """
        self.network, self.bank, self.body, self.plan = network, bank, body, plan
        self.held_out = held_out
        self._generator = torch.Generator().manual_seed(seed)

    def losses(self, step: int) -> dict[str, Tensor]:
        """The terms of one batch."""
        drawn = self.bank.draw(self.plan.people, self._generator)
        truth = aa_to_matrix(drawn[:, 1 : 1 + BODY_JOINTS])
        latent = self.network.encode(matrix_to_aa(truth))
        said = self.network.decode(latent.sample())
        apart = (said - truth).square().flatten(-2).sum(dim=-1)  # (B, 21), twice the angle squared
        share = torch.ones(BODY_JOINTS)
        share[[joint - 1 for joint in WRISTS]] = _WRIST_SHARE
        places = (_joints(self.body, said) - _joints(self.body, truth)).square().sum(dim=-1)
        return {
            "rotations": (share * apart).sum(dim=-1).mean() / (4 * ROTATION_RAD**2),
            "joints": places.sum(dim=-1).mean() / (2 * PLACE_M**2),
            "divergence": _from_normal(latent.mean, latent.variance).mean(),
        }

    @torch.no_grad()
    def scores(self, network: nn.Module) -> dict[str, float]:
        """How far held-out poses are from what comes back of them."""
        assert isinstance(network, PosePrior)
        return pose_errors(network, self.held_out, body=self.body)

    def state_dict(self) -> dict[str, Any]:
        """Where in its endless row the lesson is."""
        return {"generator": self._generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from `state_dict`'s answer."""
        self._generator.set_state(state["generator"])


def pose_errors(network: PosePrior, poses: Tensor, *, body: LandmarkBody) -> dict[str, float]:
    """Means over poses (B, 21, 3, 3): what is lost through the latents, and what these weigh."""
    latent = network.encode(matrix_to_aa(poses)).mean
    apart = (_joints(body, network.decode(latent)) - _joints(body, poses)).norm(dim=-1)
    return {
        "joints mm": 1000 * float(apart[:, 1:].mean()),
        "squared length": float(latent.square().sum(dim=-1).mean()),
    }


def drawn_poses(bank: PoseBank, count: int, *, generator: Generator) -> Tensor:
    """(count, 21, 3, 3) moments of a bank as they were."""
    moments = bank.poses[torch.randint(len(bank.poses), (count,), generator=generator)]
    return aa_to_matrix(moments[:, 1 : 1 + BODY_JOINTS])


def _joints(body: LandmarkBody, body_pose: Tensor) -> Tensor:
    """(B, 24, 3) metres about the pelvis, of poses (B, 21, 3, 3) of the usual shape."""
    upright = torch.eye(3).expand(len(body_pose), 1, 3, 3)
    rotmat = torch.cat([upright, body_pose, upright, upright], dim=1)
    joints, _ = body.stand(rotmat, betas=torch.zeros(len(body_pose), 10))
    return joints - joints[:, :1]


def _from_normal(mean: Tensor, variance: Tensor) -> Tensor:
    """(B,) the divergence of latents (B, Z) from a standard normal."""
    variance = variance.clamp(min=_LEAST_VARIANCE)
    return (mean.square() + variance - variance.log() - 1).sum(dim=-1) / 2
