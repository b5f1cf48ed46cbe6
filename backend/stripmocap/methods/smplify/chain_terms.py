"""What neighbouring frames tell: joints move steadily, and planted feet stay where they are.

Terms are squares of `sum_i c_i x_(t+i)` over two or three frames, with x points or angles; they
couple a frame with the next one or two. Everything is by time: derivatives are per second and a
piece's vote is its share of time, so that 60 frames a second tell what 30 do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ...contract.skeleton import JOINT_NAMES, PARENTS
from .evidence import VOTE_S, Evidence
from .states import POSE, UNKNOWNS

STEADY_OUTLIER = 3.0  # expected accelerations, where a blow begins to be believed
TWIST_SIGMA = 40.0  # rad/s^2: holds the turns that joints' places do not show
PLANTED_SPEED_SIGMA = 0.05  # m/s of a foot at rest
PLANTED_HEIGHT_SIGMA = 0.05  # m of a sole over the ground; grounds are not quite planes
STRANGERS_S = 1.0  # frames further apart than this are not one movement

# m/s^2 against the parent joint (the pelvis: against the camera), about 1.5 times the median of
# everyday and athletic motion capture.
_STEADY_SIGMA = {"pelvis": 2.5, "hip": 1.0, "knee": 3.0, "ankle": 4.0, "foot": 2.5, "spine": 0.8}
_STEADY_SIGMA |= {"neck": 1.5, "head": 1.5, "collar": 1.0, "shoulder": 1.2, "elbow": 3.5}
_STEADY_SIGMA |= {"wrist": 4.0, "hand": 2.5}


@dataclass(frozen=True, eq=False)
class Links:
    """How N frames hang together in time. Pieces begin at frame t = 0 ... N - 2 or N - 3."""

    velocity: Tensor  # (N-1, 2) coefficients of x_t, x_(t+1), per second; 0 between strangers
    velocity_votes: Tensor  # (N-1,)
    acceleration: Tensor  # (N-2, 3) coefficients of x_t ... x_(t+2), per second squared
    acceleration_votes: Tensor  # (N-2,)

    @classmethod
    def between(cls, evidence: Evidence) -> Links:
        """The links between the frames of `evidence`."""
        gaps = evidence.times_s.diff()
        near = (evidence.sequence.diff() == 0) & (gaps < STRANGERS_S)
        gaps = torch.where(near, gaps, 1.0)
        first, second = gaps[:-1], gaps[1:]
        both = near[:-1] & near[1:]
        # The second derivative of the parabola through three unevenly spaced frames.
        outer = torch.stack([2 / (first * (first + second)), 2 / (second * (first + second))], 1)
        acceleration = torch.stack([outer[:, 0], -outer.sum(1), outer[:, 1]], 1)
        velocity = torch.stack([-1 / gaps, 1 / gaps], 1)
        dtype = evidence.keypoints.dtype
        return cls(
            velocity=(velocity * near[:, None]).to(dtype),
            velocity_votes=(near * gaps / VOTE_S).clamp(max=1).to(dtype),
            acceleration=(acceleration * both[:, None]).to(dtype),
            acceleration_votes=(both * (first + second) / (2 * VOTE_S)).clamp(max=1).to(dtype),
        )


@dataclass(frozen=True, eq=False)
class Planted:
    """Which of the feet's F points are at rest when, and the ground they rest on, or a level."""

    contact: Tensor  # (N, F) in [0, 1]
    normal: Tensor  # (3,) the ground's unit normal, camera axes, up
    offset: float  # metres: the height of a point p is normal . p + offset
    levels: Tensor  # (N,) metres above the ground, what carries the person of each frame

    def at(self, frames: slice) -> Planted:
        """Some of the frames."""
        return replace(self, contact=self.contact[frames], levels=self.levels[frames])


class Chain:
    """A quadratic model over N chained frames, summed up term by term."""

    def __init__(self, like: Tensor) -> None:
        count = len(like)
        self.energy = like.new_zeros(count)  # (N,) nats, at the first frame of each piece
        self.gradient = like.new_zeros(count, UNKNOWNS)
        self.diagonal = like.new_zeros(count, UNKNOWNS, UNKNOWNS)
        self.next1 = like.new_zeros(count, UNKNOWNS, UNKNOWNS)
        self.next2 = like.new_zeros(count, UNKNOWNS, UNKNOWNS)

    def add(
        self, residuals: Tensor, *, coefficients: Tensor, jacobian: Tensor, weights: Tensor
    ) -> None:
        """Adds weighted squares of differences over time (their energy is the caller's to add).

        Args:
            residuals: (n, M) of the n pieces.
            coefficients: (n, k) of the k frames of each piece.
            jacobian: (N, M, 69) of each frame's own share, in the residuals' units.
            weights: (n, M).
        """
        count, frames = coefficients.shape
        root = weights.sqrt()
        shares = [
            jacobian[i : i + count] * (root * coefficients[:, i, None])[..., None]
            for i in range(frames)
        ]
        weighted = (root * residuals).unsqueeze(-1)
        for i, share in enumerate(shares):
            self.gradient[i : i + count] += (share.mT @ weighted)[..., 0]
            for j in range(i + 1):
                self._band(i - j)[j : j + count] += share.mT @ shares[j]

    def add_plain(self, residuals: Tensor, *, coefficients: Tensor, weights: Tensor) -> None:
        """The same for the angles themselves (n, 63), all with one weight (n,) a piece."""
        count, frames = coefficients.shape
        self.energy[:count] += 0.5 * weights * residuals.square().sum(dim=1)
        for i in range(frames):
            scaled = (weights * coefficients[:, i])[:, None]
            self.gradient[i : i + count, POSE] += scaled * residuals
            for j in range(i + 1):
                corner = self._band(i - j)[j : j + count, POSE, POSE]
                corner.diagonal(dim1=1, dim2=2).add_(scaled * coefficients[:, j, None])

    def _band(self, apart: int) -> Tensor:
        return (self.diagonal, self.next1, self.next2)[apart]


def differences(values: Tensor, coefficients: Tensor) -> Tensor:
    """(n, ...) `sum_i c_i x_(t+i)` of values (N, ...) with coefficients (n, k)."""
    count, frames = coefficients.shape
    shape = (count, *[1] * (values.ndim - 1))
    parts = [coefficients[:, i].view(shape) * values[i : i + count] for i in range(frames)]
    return torch.stack(parts).sum(dim=0)


def add_steady(
    chain: Chain,
    joints: Tensor,
    jacobian: Tensor,
    *,
    body_pose: Tensor,
    links: Links,
    weight: float,
) -> None:
    """Adds the accelerations of joints against their parents, Cauchy on each joint.

    Args:
        chain: what to add to.
        joints: (N, 24, 3) metres.
        jacobian: (N, 24, 3, 69).
        body_pose: (N, 63) rad.
        links: how the frames hang together.
        weight: of the whole term.
    """
    sigma = steady_sigma(joints)
    coefficients = links.acceleration
    against = _against_parents(joints) / sigma[:, None]  # (N, 24, 3)
    residuals = differences(against, coefficients)  # (n, 24, 3)
    square = residuals.square().sum(dim=-1) / STEADY_OUTLIER**2
    votes = weight * links.acceleration_votes[:, None]
    chain.energy[: len(votes)] += 0.5 * STEADY_OUTLIER**2 * (votes * square.log1p()).sum(dim=1)
    chain.add(
        residuals.flatten(1),
        coefficients=coefficients,
        jacobian=(_against_parents(jacobian) / sigma[:, None, None]).flatten(1, 2),
        weights=(votes / (1 + square)).repeat_interleave(3, dim=1),
    )
    chain.add_plain(
        differences(body_pose, coefficients),
        coefficients=coefficients,
        weights=votes[:, 0] / TWIST_SIGMA**2,
    )


def add_planted(
    chain: Chain, feet: Tensor, jacobian: Tensor, *, planted: Planted, links: Links, weight: float
) -> None:
    """Adds the speed of feet at rest, their height over ground or level, and depth under ground.

    Args:
        chain: what to add to.
        feet: (N, F, 3) metres, camera axes.
        jacobian: (N, F, 3, 69).
        planted: where feet are at rest.
        links: how the frames hang together.
        weight: of the whole term.
    """
    still = torch.minimum(planted.contact[:-1], planted.contact[1:])  # (n, F)
    votes = weight * still * links.velocity_votes[:, None]
    residuals = differences(feet, links.velocity) / PLANTED_SPEED_SIGMA
    chain.energy[:-1] += 0.5 * (votes * residuals.square().sum(dim=-1)).sum(dim=1)
    chain.add(
        residuals.flatten(1),
        coefficients=links.velocity,
        jacobian=jacobian.flatten(1, 2) / PLANTED_SPEED_SIGMA,
        weights=votes.repeat_interleave(3, dim=1),
    )
    height = feet @ planted.normal + planted.offset - planted.levels[:, None]  # (N, F)
    height = height / PLANTED_HEIGHT_SIGMA
    vote = torch.cat([links.velocity_votes, links.velocity_votes[-1:]])[:, None]
    # Under a level there is the ground still, for who leaps off.
    under = (planted.levels == 0).to(vote)[:, None]
    votes = weight * vote * torch.where(height < 0, under.maximum(planted.contact), planted.contact)
    chain.energy += 0.5 * (votes * height.square()).sum(dim=1)
    chain.add(
        height,
        coefficients=torch.ones_like(vote),
        jacobian=torch.einsum("c,nfcd->nfd", planted.normal, jacobian) / PLANTED_HEIGHT_SIGMA,
        weights=votes,
    )


def steady_sigma(like: Tensor) -> Tensor:
    """(24,) expected acceleration of each joint against its parent, m/s^2."""
    parts = [name.rpartition("_")[2].rstrip("123") for name in JOINT_NAMES]
    values = [_STEADY_SIGMA[part] for part in parts]
    return torch.tensor(values, dtype=like.dtype, device=like.device)


def _against_parents(values: Tensor) -> Tensor:
    """(N, 24, ...) each joint's value minus its parent's; the pelvis' own."""
    root, others = values[:, :1], values[:, 1:]
    return torch.cat([root, others - values[:, list(PARENTS[1:])]], dim=1)
