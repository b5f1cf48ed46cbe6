"""Trains the embedded regressor: keypoints of people who never were, from free motion capture.

Samples come from synthetic.py: captured poses, varied, before random cameras, with the noise that
BlazePose has. All of their bodies is known, so HMR's losses have every term (losses.py), and the
critic (adversarial.py) may join in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import roma
import torch
from torch import Tensor

from ..contract.skeleton import JOINT_NAMES, LIMB_JOINTS
from ..geometry.cameras import crop_to_picture_transl, project
from ..methods.features.keypoints import FARTHEST, View
from ..methods.hmr.keypoint_network import KeypointNetwork
from ..methods.hmr.regressor import Regressed
from . import losses
from .adversarial import Critic
from .loop import half
from .losses import Predicted, Truth, Weights
from .synthetic import LandmarkBody, Samples

MM = 1000.0
CRITIC_REAL = 512  # of a batch: the critic need not see all
# A joint whose place depends on a rotation that is not known.
_FEET = {"left_foot": "left_ankle", "right_foot": "right_ankle"}
_LIMBS = [JOINT_NAMES.index(name) for name in LIMB_JOINTS]
_HIPS = [JOINT_NAMES.index(name) for name in ("left_hip", "right_hip")]


class Source(Protocol):
    """Where samples come from without end: `synthetic.Sampler`."""

    def draw(self, count: int) -> Samples: ...  # noqa: D102

    def state_dict(self) -> dict[str, Any]: ...  # noqa: D102

    def load_state_dict(self, state: dict[str, Any]) -> None: ...  # noqa: D102


@dataclass(frozen=True)
class Plan:
    """What one training of the keypoint network differs in from another."""

    batch: int = 512
    weights: Weights = field(default_factory=Weights)


class KeypointLesson:
    """A keypoint network learns synthetic people; see `loop.Lesson`."""

    def __init__(
        self,
        network: KeypointNetwork,
        source: Source,
        body: LandmarkBody,
        *,
        plan: Plan,
        held_out: Samples,
        device: torch.device | str = "cpu",
    ) -> None:
        """A lesson from its first page.

        Args:
            network: what is taught.
            source: training samples.
            body: on `device`.
            plan: see `Plan`.
            held_out: samples of other people, for `scores`.
            device: where all of it is.
        """
        self.network, self.source, self.body, self.plan = network, source, body, plan
        self.held_out, self.device = held_out, device
        self.critic = Critic(device=device) if plan.weights.critic else None

    def losses(self, step: int) -> dict[str, Tensor]:
        """The terms of one batch."""
        samples = self.source.draw(self.plan.batch)
        view = samples.view()
        with half(self.device):
            regressed = self.network(view)
        regressed = Regressed(
            regressed.rotmat.float(), regressed.betas.float(), regressed.camera.float()
        )
        predicted = predicted_of(regressed, view, samples, body=self.body)
        terms = losses.by_what_is_known(
            predicted, truth_of(samples, view), weights=self.plan.weights
        )
        if self.critic is not None:
            some = slice(0, CRITIC_REAL)
            made = Regressed(regressed.rotmat[some], regressed.betas[some], regressed.camera[some])
            real = Regressed(samples.rotmat[some], samples.betas[some], regressed.camera[some])
            terms["critic"] = self.plan.weights.critic * self.critic.term(made, real=real)
        return terms

    def scores(self, network: torch.nn.Module) -> dict[str, float]:
        """Errors over the held-out samples, millimetres."""
        return {
            name: float(values.mean())
            for name, values in errors(network, self.held_out, body=self.body).items()
        }

    def state_dict(self) -> dict[str, Any]:
        """The source's place and the critic."""
        critic = self.critic.state_dict() if self.critic is not None else {}
        return {"source": self.source.state_dict(), "critic": critic}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from `state_dict`'s answer."""
        self.source.load_state_dict(state["source"])
        if self.critic is not None:
            self.critic.load_state_dict(state["critic"])


def predicted_of(
    regressed: Regressed, view: View, samples: Samples, *, body: LandmarkBody
) -> Predicted:
    """What a network says of `samples`, in the boxes that it was shown."""
    joints, landmarks = body.stand(regressed.rotmat, betas=regressed.betas)
    transl = crop_to_picture_transl(
        torch.cat([regressed.camera[:, :1].clamp(min=0.05), regressed.camera[:, 1:]], dim=1),
        box_center=view.box_center,
        box_side=view.box_side,
        focal=samples.focal,
        center=samples.center,
    )
    pixels = project(
        landmarks + transl[:, None],
        focal=samples.focal[:, None, None],
        center=samples.center[:, None],
    )
    return Predicted(regressed, joints - joints[:, :1], in_box(pixels, view))


def truth_of(samples: Samples, view: View) -> Truth:
    """All that is known of synthetic samples, as their views would have it."""
    keypoints = in_box(samples.clean, view)
    # What is far outside the box is far outside the picture: it says nothing, and loudly.
    near = (keypoints.abs().amax(dim=-1) < FARTHEST).to(keypoints.dtype)
    joints_weight = torch.ones_like(samples.known)
    for joint, before in _FEET.items():
        known = samples.known[:, JOINT_NAMES.index(before)]
        joints_weight[:, JOINT_NAMES.index(joint)] = known
    return Truth(
        keypoints=keypoints,
        keypoints_weight=near,
        joints=samples.joints - samples.joints[:, :1],
        joints_weight=joints_weight,
        rotmat=samples.rotmat,
        rotmat_weight=samples.known,
        betas=samples.betas,
    )


def in_box(pixels: Tensor, view: View) -> Tensor:
    """(B, K, 2) half sides from the box's middle, of pixels (B, K, 2)."""
    return (pixels - view.box_center[:, None]) / (view.box_side[:, None, None] / 2)


@torch.no_grad()
def errors(
    network: Callable[[View], Regressed], samples: Samples, *, body: LandmarkBody
) -> dict[str, Tensor]:
    """(B,) errors of each sample, millimetres over the twelve limb joints, by name.

    `PA-MPJPE mm` after the best similarity transform, `MPJPE mm` with the middles of the hips
    together.
    """
    view = samples.view()
    found = network(view)
    points, _ = body.stand(found.rotmat, betas=found.betas)
    truth = samples.joints
    apart = (points - points[:, _HIPS].mean(dim=1, keepdim=True)) - (
        truth - truth[:, _HIPS].mean(dim=1, keepdim=True)
    )
    mpjpe = apart[:, _LIMBS].norm(dim=-1).mean(dim=-1)
    aligned = similar(points[:, _LIMBS], truth[:, _LIMBS])
    pa_mpjpe = (aligned - truth[:, _LIMBS]).norm(dim=-1).mean(dim=-1)
    return {"PA-MPJPE mm": MM * pa_mpjpe, "MPJPE mm": MM * mpjpe}


def similar(points: Tensor, goal: Tensor) -> Tensor:
    """(B, J, 3) points turned, moved and scaled to lie nearest to `goal`, both (B, J, 3)."""
    rotation, shift, scale = roma.rigid_points_registration(points, goal, compute_scaling=True)
    turned = torch.einsum("bij,bpj->bpi", rotation, points)
    return scale[:, None, None] * turned + shift[:, None]
