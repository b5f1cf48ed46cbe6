"""What touches the floor stays where it is: contacts as terms of neighbouring frames.

Chances come from the motion prior (Rempe et al., "HuMoR", ICCV 2021, 4.2: contacts); here every
joint that it speaks of holds still while it touches, soles of feet that touch are at the floor, and
nothing is under it. Feet that are seen to rest hold still over no floor, too. A foot's landmarks
lie inside the foot: `Subject.feet_height` over its sole.
World axes: z up, the floor at 0, metres.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from ...contract.skeleton import CONTACT_NAMES
from ..smplify.chain_terms import Chain, differences
from ..smplify.evidence import FOOT_POINTS
from ..smplify.subject import Subject
from .state import CONTACT_JOINTS, FPS

SPEED_SIGMA = 0.04  # m/s of what touches
SPEED_OUTLIER = 5.0  # expected speeds, where a contact begins to be doubted
HEIGHT_SIGMA = 0.015  # m of soles that touch
HEIGHT_OUTLIER = 4.0
DEPTH_SIGMA = 0.01  # m under the floor
DEPTH_OUTLIER = 10.0
REST_SPEED = 0.2  # m/s of feet that may rest
REST_HEIGHT = 0.06  # m over where they rest
JOINT_HEIGHT = 0.04  # m, the least that a joint is over the floor: there is flesh about it

# Whose chance is that of a foot's points.
_TOUCHES_BY = {"heel": "ankle", "foot_index": "foot"}


@dataclass(frozen=True, eq=False)
class Touching:
    """What of N frames touches the floor, P points of the body in all: joints, then foot points."""

    points: Tensor  # (P,) int64, of the subject's points
    chances: Tensor  # (N, P) in [0, 1]
    holds: Tensor  # (N, P) in [0, 1], it stays where it is: touches, or rests over no floor
    heights: Tensor  # (P,) metres over the floor at which each rests
    soles: Tensor  # (P,) 1 where that height is known, 0 where it is the least
    floor_votes: Tensor  # (N,) in [0, 1]

    @classmethod
    def of(
        cls, subject: Subject, chances: Tensor, *, floor_votes: Tensor, rests: Tensor
    ) -> Touching:
        """Where `CONTACT_NAMES` touch by chances (N, 9), and the feet's points by theirs.

        Args:
            subject: the body.
            chances: (N, 9) in [0, 1].
            floor_votes: (N,) in [0, 1], how much the floor says.
            rests: (N, F) in [0, 1], how surely the feet's points rest, on a floor or not.
        """
        joints = torch.tensor(CONTACT_JOINTS, device=chances.device)
        feet = [CONTACT_NAMES.index(_touching_with(FOOT_POINTS[i])) for i in subject.foot_columns]
        least = chances.new_full((len(joints),), JOINT_HEIGHT)
        # Over a wrong floor the prior takes moving feet for standing ones.
        touch = floor_votes[:, None] * torch.cat([chances, chances[:, feet]], dim=1)
        # Over one that counts, it and the prior know better than a picture with hidden legs.
        unsaid = (1 - floor_votes)[:, None] * rests
        holds = torch.maximum(touch, pad(unsaid, (len(joints), 0)))
        return cls(
            points=torch.cat([joints, subject.feet]),
            chances=touch,
            holds=holds,
            heights=torch.cat([least, subject.feet_height]),
            soles=torch.cat([torch.zeros_like(least), torch.ones_like(subject.feet_height)]),
            floor_votes=floor_votes,
        )


def _touching_with(foot_point: str) -> str:
    side, _, part = foot_point.partition("_")
    return f"{side}_{_TOUCHES_BY[part]}"


def resting(subject: Subject, joints: Tensor, *, linked: Tensor) -> Tensor:
    """(N, 9) in [0, 1], how surely `CONTACT_NAMES` rest on the floor by how they move: feet alone.

    Args:
        subject: whose feet are so high over the floor as in the rest pose.
        joints: (N, 24, 3) metres.
        linked: (N - 1,) bool, whether the next frame is 1/30 s later.
    """
    body = subject.body
    still = torch.eye(3).to(joints).expand(1, len(body.J_template), 3, 3)
    betas = joints.new_zeros(body.J_shapedirs.shape[-1])
    place = body.points(still[:, 0], still[:, 1:], betas=betas)[0, :, 1]  # (24 + K,) y is up
    sole = (place[subject.feet] - subject.feet_height).mean()
    contact = torch.tensor(CONTACT_JOINTS, device=joints.device)
    moving = joints[:, contact]  # (N, 9, 3)
    step = FPS * moving.diff(dim=0).norm(dim=-1) * linked[:, None]
    speed = torch.maximum(pad(step, (0, 0, 0, 1)), pad(step, (0, 0, 1, 0)))
    over = (moving[..., 2] - (place[contact] - sole)) / REST_HEIGHT
    is_foot = torch.tensor([name.endswith(("ankle", "foot")) for name in CONTACT_NAMES])
    chances = torch.exp(-0.5 * ((speed / REST_SPEED).square() + over.square()))
    return chances * is_foot.to(chances)


def add_touching(
    chain: Chain,
    points: Tensor,
    jacobian: Tensor,
    *,
    touching: Touching,
    linked: Tensor,
    weight: float,
) -> None:
    """Adds the speed of what touches, the height of soles that do, and any depth under the floor.

    Args:
        chain: what to add to.
        points: (N, P, 3) metres, those of `touching`.
        jacobian: (N, P, 3, 69).
        touching: what touches when.
        linked: (N - 1,) bool, whether the next frame is 1/30 s later.
        weight: of the whole.
    """
    count, heights = len(points), touching.heights
    if count > 1:
        rate = FPS / SPEED_SIGMA
        coefficients = points.new_tensor([-rate, rate]).expand(count - 1, 2)
        residuals = differences(points, coefficients)  # (n, P, 3)
        votes = torch.minimum(touching.holds[:-1], touching.holds[1:])
        votes = weight * votes * linked[:, None]
        square = residuals.square().sum(dim=-1) / SPEED_OUTLIER**2
        chain.energy[:-1] += 0.5 * SPEED_OUTLIER**2 * (votes * square.log1p()).sum(dim=1)
        chain.add(
            residuals.flatten(1),
            coefficients=coefficients,
            jacobian=jacobian.flatten(1, 2),
            weights=(votes / (1 + square)).repeat_interleave(3, dim=1),
        )
    over = points[..., 2] - heights  # (N, P)
    under = over < 0
    sigma = torch.where(under, DEPTH_SIGMA, HEIGHT_SIGMA)
    outlier = torch.where(under, DEPTH_OUTLIER, HEIGHT_OUTLIER)
    votes = torch.where(under, 1.0, touching.chances * touching.soles)
    votes = weight * votes * touching.floor_votes[:, None]
    residuals = over / sigma
    square = (residuals / outlier).square()
    chain.energy += 0.5 * (votes * outlier.square() * square.log1p()).sum(dim=1)
    chain.add(
        residuals,
        coefficients=torch.ones_like(votes[:, :1]),
        jacobian=jacobian[:, :, 2] / sigma[..., None],
        weights=votes / (1 + square),
    )
