"""The losses of HuMoR's training, as published (Rempe et al., "HuMoR", ICCV 2021, 3.3).

Moments of all windows stand one behind the other, B of them. Regressed are the parts of a state and
contacts; a body is posed by what was regressed, with the true betas, and its joints and mesh are
compared with those of the true pose. Every regression is a mean squared error.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from ..methods.humor.network import Gaussian
from ..methods.humor.state import CONTACT_JOINTS, State

_PARTS = (
    *("transl", "transl_vel", "global_orient", "global_orient_vel"),
    *("body_pose", "joints", "joints_vel"),
)


@dataclass(frozen=True)
class Weights:
    """How much each term counts: HuMoR's."""

    regression: float = 1.0  # of each part of a state
    places: float = 1.0  # more, of the parts that are no velocities
    contacts: float = 0.01
    contact_velocity: float = 0.01
    body_joints: float = 1.0
    mesh: float = 1.0
    consistency: float = 1.0
    divergence: float = 4e-4  # once it counts in full
    annealing_epochs: int = 50  # until then


@dataclass(frozen=True, eq=False)
class Posed:
    """What the body model makes of B states."""

    joints: Tensor  # (B, 22, 3) metres
    vertices: Tensor  # (B, V, 3) metres


@dataclass(frozen=True, eq=False)
class Moment:
    """B moments: what a network says of them, or what they were."""

    state: State  # (B,)
    contacts: Tensor  # (B, 9) logits of what was said, 0 or 1 of what was
    posed: Posed


@dataclass(frozen=True, eq=False)
class Known:
    """How far the truth of B moments is to be trusted, from 0 to 1; HuMoR's is everywhere."""

    state: State  # (B,) of each number
    contacts: Tensor  # (B, 9)
    points: Tensor  # (B, V) of each vertex, or of what stands for the mesh


def reconstruction(
    said: Moment, truth: Moment, *, weights: Weights, known: Known | None = None
) -> dict[str, Tensor]:
    """The weighed terms, scalars, of what was said of moments.

    Args:
        said: by a network, its joints and mesh posed by what it said.
        truth: the same moments.
        weights: of the terms.
        known: what of the truth counts; all of it, if not given.
    """
    terms = {}
    for name in _PARTS:
        share = None if known is None else getattr(known.state, name)
        apart = getattr(said.state, name) - getattr(truth.state, name)
        weight = weights.regression * (1.0 if name.endswith("_vel") else weights.places)
        terms[name] = weight * _mean_square(apart, share)
    joints_known = None if known is None else known.state.joints
    points_known = None if known is None else known.points.unsqueeze(-1)
    contacts = binary_cross_entropy_with_logits(
        said.contacts, truth.contacts, weight=None if known is None else known.contacts
    )
    velocity = contact_velocity(said.state, said.contacts)
    joints = _mean_square(said.posed.joints - truth.posed.joints, joints_known)
    mesh = _mean_square(said.posed.vertices - truth.posed.vertices, points_known)
    consistency = _mean_square(said.state.joints - said.posed.joints, joints_known)
    return terms | {
        "contacts": weights.contacts * contacts,
        "contact_velocity": weights.contact_velocity * velocity,
        "body_joints": weights.body_joints * joints,
        "mesh": weights.mesh * mesh,
        "consistency": weights.consistency * consistency,
    }


def divergence(posterior: Gaussian, prior: Gaussian, *, epoch: float, weights: Weights) -> Tensor:
    """() the weighed mean of how far the posterior is from the prior.

    Args:
        posterior: (B,).
        prior: (B,).
        epoch: since training began; the term comes in slowly, so that latents are learnt at all.
        weights: among them, how slowly.
    """
    share = min(1.0, epoch / weights.annealing_epochs)
    return weights.divergence * share * posterior.divergence(prior).mean()


def contact_velocity(state: State, contacts: Tensor) -> Tensor:
    """() mean squared speed of joints, each by its chance to touch something.

    Args:
        state: (B,).
        contacts: (B, 9) logits.
    """
    squared = state.joints_vel[:, list(CONTACT_JOINTS)].square().sum(dim=-1)
    return (contacts.sigmoid() * squared).mean()


def contact_accuracy(contacts: Tensor, truth: Tensor) -> tuple[float, float, float]:
    """Shares that were said rightly: of all, of those that touch, of those that do not.

    A share of none is not a number.

    Args:
        contacts: (B, 9) logits.
        truth: (B, 9) 0 or 1.
    """
    touching = truth > 0.5
    right = ((contacts > 0) == touching).float()
    return right.mean().item(), right[touching].mean().item(), right[~touching].mean().item()


def _mean_square(apart: Tensor, known: Tensor | None) -> Tensor:
    squared = apart.square()
    return squared.mean() if known is None else (known * squared).mean()
