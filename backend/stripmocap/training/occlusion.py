"""What hides a person's landmarks: the person's own body, things and other people, the edge.

A body is taken for a few dozen balls along its bones; a thing, for a turned rectangle in the
picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ..contract.skeleton import JOINT_NAMES

SEEN, BEHIND, COVERED, OUTSIDE = 0, 1, 2, 3
STATES = ("seen", "behind the own body", "covered", "outside the picture")

# Bones, and the radius of what is around them, metres; the trunk has a row of balls a side.
_BONES = {
    ("left_hip", "left_shoulder"): 0.11,
    ("right_hip", "right_shoulder"): 0.11,
    ("spine3", "head"): 0.06,
    ("left_shoulder", "left_elbow"): 0.045,
    ("right_shoulder", "right_elbow"): 0.045,
    ("left_elbow", "left_wrist"): 0.035,
    ("right_elbow", "right_wrist"): 0.035,
    ("left_hip", "left_knee"): 0.07,
    ("right_hip", "right_knee"): 0.07,
    ("left_knee", "left_ankle"): 0.045,
    ("right_knee", "right_ankle"): 0.045,
}
_HEAD_RADIUS, _HEAD_BEYOND = 0.095, 0.5  # the skull's middle, beyond the head joint: necks' lengths
_BALLS = 5  # a bone
_IN_FRONT = 0.6  # radii nearer than the landmark, before a ball hides it

THING_SHARE = 0.22  # people before whom something stands
TABLE_SHARE = 0.06  # people whose legs something hides
THING_SIZES = (0.2, 0.9)  # sides over the person's


@dataclass(frozen=True, eq=False)
class Things:
    """A turned rectangle before each of B people."""

    middle: Tensor  # (B, 2) pixels
    half: Tensor  # (B, 2) pixels, zero where there is nothing
    angle: Tensor  # (B,) rad, clockwise in the picture

    def cover(self, places: Tensor) -> Tensor:
        """(B, K) bool, which of places (B, K, 2), pixels, are behind."""
        offset = places - self.middle[:, None]
        cos, sin = self.angle.cos()[:, None], self.angle.sin()[:, None]
        along = offset[..., 0] * cos + offset[..., 1] * sin
        across = offset[..., 1] * cos - offset[..., 0] * sin
        return (along.abs() < self.half[:, :1]) & (across.abs() < self.half[:, 1:])


def draw_things(places: Tensor, generator: Generator) -> Things:
    """Things before some of the people whose landmarks are at places (B, 33, 2), pixels."""
    count = len(places)
    low, high = places.amin(dim=1), places.amax(dim=1)
    size = (high - low).amax(dim=1, keepdim=True)  # (B, 1)
    drawn = torch.rand(count, 6, generator=generator)
    middle = low + (high - low) * drawn[:, :2]
    least, most = THING_SIZES
    half = size * (least + (most - least) * drawn[:, 2:4] ** 2) / 2
    angle = math.pi * drawn[:, 4] * (drawn[:, 5] < 0.5)
    kind = torch.rand(count, generator=generator)
    table = kind < TABLE_SHARE
    nothing = kind > TABLE_SHARE + THING_SHARE
    # A table's upper edge lies between the chest and the shins of somebody upright.
    edge = low[:, 1] + (high - low)[:, 1] * (0.35 + 0.5 * drawn[:, 1])
    table_middle = torch.stack([middle[:, 0], edge + 2 * size[:, 0]], dim=1)
    return Things(
        torch.where(table[:, None], table_middle, middle),
        torch.where(table[:, None], 2 * size.expand(-1, 2), half).masked_fill(nothing[:, None], 0),
        angle.masked_fill(table, 0.0),
    )


def behind_own_body(landmarks: Tensor, joints: Tensor) -> Tensor:
    """(B, K) bool, which landmarks the person's own body hides from the camera.

    Args:
        landmarks: (B, K, 3) metres, camera axes.
        joints: (B, 24, 3) metres, camera axes.
    """
    middles, radii = _balls(joints)  # (B, S, 3), (S,)
    distance = landmarks.norm(dim=-1).clamp(min=1e-6)  # (B, K)
    rays = landmarks / distance[..., None]
    ahead = middles @ rays.mT  # (B, S, K) how far along each ray a ball is
    # A ray meets a ball if it comes nearer to its middle than its radius: Pythagoras.
    meets = (middles.square().sum(dim=-1) - radii.square()).clamp(min=0).sqrt()  # (B, S)
    nearer = ahead < distance[:, None] - _IN_FRONT * radii[:, None]
    return ((ahead > meets[..., None]) & nearer).any(dim=1)


def state_of(*, inside: Tensor, covered: Tensor, behind: Tensor) -> Tensor:
    """(B, K) int64 of `STATES`; the later one where two hold."""
    state = torch.where(behind, BEHIND, SEEN)
    state = torch.where(covered, COVERED, state)
    return torch.where(inside, state, OUTSIDE)


def _balls(joints: Tensor) -> tuple[Tensor, Tensor]:
    """(B, S, 3) middles and (S,) radii, metres."""
    ends = torch.tensor([[JOINT_NAMES.index(name) for name in bone] for bone in _BONES])
    start, stop = joints[:, ends[:, 0]], joints[:, ends[:, 1]]  # (B, bones, 3)
    steps = (torch.arange(_BALLS, device=joints.device) + 0.5) / _BALLS
    along = start[:, :, None] + (stop - start)[:, :, None] * steps[:, None]
    neck, head = (joints[:, JOINT_NAMES.index(name)] for name in ("neck", "head"))
    skull = head + _HEAD_BEYOND * (head - neck)
    radii = [radius for radius in _BONES.values() for _ in range(_BALLS)] + [_HEAD_RADIUS]
    middles = torch.cat([along.flatten(1, 2), skull[:, None]], dim=1)
    return middles, torch.tensor(radii, dtype=joints.dtype, device=joints.device)
