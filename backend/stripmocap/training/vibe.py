"""Trains the embedded temporal network: sequences of people who never were, from free mocap.

Sequences come from sequences.py. Every frame is taught as HMR's are (hmr.py); over time, joints
and rotations shall move as the true ones do, a person's shape shall stay, and the whole shall pass
for captured motion (motion_discriminator.py; Kocabas et al., CVPR 2020, 3.2).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import roma
import torch
from torch import Tensor, nn

from ..contract.skeleton import JOINT_COUNT
from ..geometry.rotations import matrix_to_rot6d
from ..methods.hmr.regressor import Regressed
from ..methods.vibe.keypoint_network import FPS, TemporalNetwork
from . import losses
from .held_out_motion import LIMBS, Judged, judged_motion
from .hmr import predicted_of, truth_of
from .loop import half
from .losses import Predicted, Truth
from .motion_discriminator import MotionCritic
from .poses import FEET, HANDS, WRISTS
from .sequences import Sequences
from .shots import Shot
from .synthetic import LandmarkBody

# What a critic reads: joints that were captured, below the pelvis (any heading is real).
CRITIC_JOINTS = [joint for joint in range(1, JOINT_COUNT) if joint not in (*HANDS, *WRISTS, *FEET)]
CRITIC_NUMBERS = 6 * len(CRITIC_JOINTS)  # a rotation's first two columns each
CRITIC_HIDDEN, CRITIC_FRAMES = 128, 24  # VIBE's is shown short pieces as well
_MISSED_WEIGHT = 0.2  # of a keypoint in a frame in which nobody is found: it can only be guessed
_LEAST_SCALE = 0.1  # of a weak camera; HMR's guard would be huge for people who are lost
_SMOOTH = 1e-2  # m, m/s or m/s^2 within which a distance is rounded off


class Source(Protocol):
    """Where sequences come from without end: `sequences.MotionSampler`."""

    def draw(self, people: int, frames: int) -> Sequences: ...  # noqa: D102

    def state_dict(self) -> dict[str, Any]: ...  # noqa: D102

    def load_state_dict(self, state: dict[str, Any]) -> None: ...  # noqa: D102


@dataclass(frozen=True)
class MotionWeights:
    """How much each term over time counts; joints are in camera axes, about the pelvis."""

    velocity: float = 0.2  # per m/s
    acceleration: float = 0.01  # per m/s^2
    turning: float = 0.02  # per change of a matrix' entries a second
    shape: float = 0.05  # per squared unit from a person's mean
    camera: float = 10.0  # per squared unit of a scale below `_LEAST_SCALE`
    critic: float = 0.0  # of motion_discriminator.py


@dataclass(frozen=True)
class Plan:
    """What one training of the temporal network differs in from another."""

    people: int = 16
    frames: int = 64
    # What time tells best is gross (left for right, somebody lost): squares weigh that more.
    weights: losses.Weights = field(default_factory=lambda: losses.Weights(rotmat=15.0, camera=0.0))
    motion: MotionWeights = field(default_factory=MotionWeights)
    aligned: float = 10.0  # per metre of limb joints, after each frame's best similarity


class VibeLesson:
    """A temporal network learns synthetic people over time; see `loop.Lesson`."""

    def __init__(
        self,
        network: TemporalNetwork,
        source: Source,
        body: LandmarkBody,
        *,
        plan: Plan,
        held_out: tuple[Shot, ...],
        device: torch.device | str = "cpu",
    ) -> None:
        """A lesson from its first page.

        Args:
            network: what is taught.
            source: training sequences.
            body: on `device`.
            plan: see `Plan`.
            held_out: shots of other people, for `scores`.
            device: where all of it is.
        """
        self.network, self.source, self.body, self.plan = network, source, body, plan
        self.held_out, self.device = held_out, device
        self.critic = (
            MotionCritic(CRITIC_NUMBERS, device=device, hidden=CRITIC_HIDDEN)
            if plan.motion.critic
            else None
        )

    def losses(self, step: int) -> dict[str, Tensor]:
        """The terms of one batch."""
        sequences = self.source.draw(self.plan.people, self.plan.frames)
        view = sequences.view()
        with half(self.device):
            found = self.network(sequences.over_time(view.numbers))
        found = Regressed(found.rotmat.float(), found.betas.float(), found.camera.float())
        samples = sequences.samples
        truth = truth_of(samples, view)
        assert truth.keypoints_weight is not None
        truth.keypoints_weight[sequences.missed.flatten()] *= _MISSED_WEIGHT
        predicted = predicted_of(found, view, samples, body=self.body)
        terms = losses.by_what_is_known(predicted, truth, weights=self.plan.weights)
        terms |= motion_terms(predicted, truth, sequences, weights=self.plan.motion)
        assert truth.joints is not None
        terms["aligned"] = self.plan.aligned * aligned(predicted.joints, truth.joints)
        if self.critic is not None:
            terms["critic"] = self.plan.motion.critic * self._passing(found, sequences)
        return terms

    def scores(self, network: nn.Module) -> dict[str, float]:
        """Errors over the held-out shots."""
        assert isinstance(network, TemporalNetwork)
        found = judged_motion(network, self.held_out, body=self.body)
        return dict(zip(Judged.LABELS, found[0].figures, strict=True))

    def state_dict(self) -> dict[str, Any]:
        """The source's place and the critic."""
        critic = self.critic.state_dict() if self.critic is not None else {}
        return {"source": self.source.state_dict(), "critic": critic}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from `state_dict`'s answer."""
        self.source.load_state_dict(state["source"])
        if self.critic is not None:
            self.critic.load_state_dict(state["critic"])

    def _passing(self, found: Regressed, sequences: Sequences) -> Tensor:
        """How far pieces are from passing for true motion, after the critic's own step.

        Real are the true motions of the same people: captured, and varied no otherwise than what
        the network was shown, so that a critic finds nothing else to tell them by.
        """
        assert self.critic is not None
        slack = max(sequences.frames - CRITIC_FRAMES, 0)
        first = int(torch.randint(slack + 1, ()))
        made, real = (
            sequences.over_time(critic_numbers(each))[:, first : first + CRITIC_FRAMES]
            for each in (found.rotmat, sequences.samples.rotmat)
        )
        return self.critic.term(made, real=real)


def critic_numbers(rotmat: Tensor) -> Tensor:
    """(..., 90) what a critic reads of rotations (..., 24, 3, 3)."""
    return matrix_to_rot6d(rotmat[..., CRITIC_JOINTS, :, :]).flatten(-2)


def aligned(joints: Tensor, truth: Tensor) -> Tensor:
    """The mean distance of limb joints, both (B, 24, 3), after each frame's best similarity.

    What turns and scales best is taken as given: slopes are of the places alone.
    """
    points, goal = joints[:, LIMBS], truth[:, LIMBS]
    with torch.no_grad():
        turn, shift, scale = roma.rigid_points_registration(points, goal, compute_scaling=True)
    moved = scale[:, None, None] * torch.einsum("bij,bpj->bpi", turn, points) + shift[:, None]
    return _distance(moved - goal)


def motion_terms(
    predicted: Predicted, truth: Truth, sequences: Sequences, *, weights: MotionWeights
) -> dict[str, Tensor]:
    """The weighed terms over time, scalars."""
    assert truth.joints is not None
    assert truth.rotmat is not None
    apart = sequences.over_time(predicted.joints - truth.joints)  # (N, T, 24, 3)
    turned = sequences.over_time(predicted.regressed.rotmat - truth.rotmat)
    betas = sequences.over_time(predicted.regressed.betas)
    scale = predicted.regressed.camera[:, 0]
    velocity = FPS * apart.diff(dim=1)
    acceleration = FPS * velocity.diff(dim=1)
    turning = FPS * turned.diff(dim=1).flatten(-2)
    return {
        "velocity": weights.velocity * _distance(velocity),
        "acceleration": weights.acceleration * _distance(acceleration),
        "turning": weights.turning * _distance(turning),
        "camera": weights.camera * (_LEAST_SCALE - scale).clamp(min=0).square().mean(),
        "shape": weights.shape * (betas - betas.mean(dim=1, keepdim=True)).square().mean(),
    }


def _distance(apart: Tensor) -> Tensor:
    """The mean length of vectors (..., D)."""
    return ((apart.square().sum(dim=-1) + _SMOOTH**2).sqrt() - _SMOOTH).mean()
