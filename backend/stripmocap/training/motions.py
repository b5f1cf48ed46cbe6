"""Motions to learn from: pieces of free motion capture, made to go further.

As poses.py does with moments: pieces of clips, each also mirrored, slower and faster than they
were, arms and upper bodies of one with the legs of another, joints held a little otherwise, some
people seated. What is drawn for a person holds for all of the piece, so that motion stays motion.
The world has z up; joints are SMPL's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from ..contract.skeleton import JOINT_COUNT, JOINT_NAMES
from ..geometry.rotations import aa_to_quat
from .mocap import Clips, shares
from .poses import FEET, PARTS, mirror, seat, stir, within_limits

SPEEDS = (0.7, 1.4)  # of playing a piece back
# Which parts share a piece, and how often.
MIXTURES = (
    (0.60, ("one", "one", "one", "one", "one")),
    (0.20, ("one", "one", "one", "two", "two")),
    (0.12, ("one", "two", "two", "one", "one")),
    (0.08, ("one", "two", "three", "one", "one")),
)
_PIECES = {"one": 0, "two": 1, "three": 2}
_FEET_PIECE = 3


@dataclass(frozen=True, eq=False)
class Motions:
    """N people over T frames."""

    pose: Tensor  # (N, T, 24, 3) axis-angle, rad, continuous; the pelvis to the world first
    path: Tensor  # (N, T, 3) metres, the pelvis in the world


@dataclass(frozen=True, eq=False)
class MotionBank:
    """The clips end to end, and where a piece may begin."""

    quats: Tensor  # (F, 24, 4) wxyz, of one sign within a clip
    path: Tensor  # (F, 3) metres
    first: Tensor  # (C,) where each clip begins
    length: Tensor  # (C,) frames
    reached: Tensor  # (C,) the clips' weights added up, in [0, 1]
    feet_reached: Tensor  # (C,) the same of those whose feet are right

    @classmethod
    def of(cls, clips: Clips) -> MotionBank:
        """The bank of `clips`; a kind and a clip that are long weigh less than they last."""
        quats = [
            _one_sign(np.concatenate([c.global_orient[:, None], c.body_pose], 1)) for c in clips
        ]
        length = torch.tensor([len(each) for each in quats])
        weight = torch.tensor(shares(clips), dtype=torch.float64)
        right = torch.tensor([clip.feet_ok for clip in clips])
        if not right.any():
            right = torch.ones_like(right)
        return cls(
            torch.cat(quats),
            torch.tensor(np.concatenate([clip.pelvis for clip in clips]), dtype=torch.float32),
            length.cumsum(0) - length,
            length,
            _added_up(weight),
            _added_up(weight * right),
        )

    def draw(self, people: int, frames: int, generator: Generator) -> Motions:
        """Motions that somebody made, part by part, and varied."""
        least, most = SPEEDS
        speed = least + (most - least) * torch.rand(people, generator=generator)
        pieces = [self._piece(self.reached, speed, frames, generator) for _ in range(3)]
        pieces.append(self._piece(self.feet_reached, speed, frames, generator))
        part = _mixed(people, generator)  # (N, 24)
        part[:, FEET] = _FEET_PIECE
        pose = torch.zeros(people, frames, JOINT_COUNT, 3)
        for number, piece in enumerate(pieces):
            person, joint = (part == number).nonzero(as_tuple=True)
            turns = self._turns(piece, person, joint)
            pose[person, :, joint] = turns
        seat(pose, generator)
        stir(pose, generator)
        motions = _some_mirrored(Motions(pose, self._path(pieces[0])), generator)
        return Motions(within_limits(motions.pose), motions.path)

    def _piece(
        self, reached: Tensor, speed: Tensor, frames: int, generator: Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """(N, T) indices of the frames before and after, and how far between them it is."""
        people = len(speed)
        drawn = torch.rand(people, 2, generator=generator)
        clip = torch.searchsorted(reached, drawn[:, 0].contiguous()).clamp(max=len(reached) - 1)
        length = self.length[clip]
        slack = (length - 1 - speed * (frames - 1)).clamp(min=0)
        at = (drawn[:, 1] * slack)[:, None] + speed[:, None] * torch.arange(frames)
        # A clip that is too short is played to and fro.
        last = (length - 1)[:, None].float()
        at = last - (at % (2 * last).clamp(min=1) - last).abs()
        before = at.floor().clamp(min=0)
        after = torch.minimum(before + 1, last)
        first = self.first[clip][:, None]
        return first + before.long(), first + after.long(), at - before

    def _turns(self, piece: tuple[Tensor, Tensor, Tensor], person: Tensor, joint: Tensor) -> Tensor:
        """(M, T, 3) axis-angles of M joints of people."""
        before, after, share = (each[person] for each in piece)
        old, new = self.quats[before, joint[:, None]], self.quats[after, joint[:, None]]
        return _angles(torch.lerp(old, new, share[..., None]))

    def _path(self, piece: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        before, after, share = piece
        return torch.lerp(self.path[before], self.path[after], share[..., None])


def _some_mirrored(motions: Motions, generator: Generator) -> Motions:
    """Every other person in the mirror."""
    mirrored = torch.rand(len(motions.pose), generator=generator) < 0.5
    pose = torch.where(mirrored[:, None, None, None], mirror(motions.pose), motions.pose)
    across = motions.path[..., :1] * torch.where(mirrored, -1.0, 1.0)[:, None, None]
    return Motions(pose, torch.cat([across, motions.path[..., 1:]], dim=-1))


def _one_sign(poses: np.ndarray) -> Tensor:
    """(T, 24, 4) quaternions of axis-angles (T, 24, 3) that do not jump to their negatives."""
    quats = aa_to_quat(torch.tensor(poses))
    turned = torch.ones_like(quats[..., :1])
    turned[1:] = (quats[1:] * quats[:-1]).sum(dim=-1, keepdim=True).sign()
    turned[turned == 0] = 1.0
    return (quats * turned.cumprod(dim=0)).float()


def _angles(quats: Tensor) -> Tensor:
    """(..., 3) axis-angles of quaternions of any length, of up to a full turn: continuous."""
    real, imaginary = quats[..., :1], quats[..., 1:]
    length = imaginary.norm(dim=-1, keepdim=True)
    angle = 2 * torch.atan2(length, real)
    return imaginary * torch.where(length > 1e-6, angle / length.clamp(min=1e-6), 2.0)


def _added_up(weight: Tensor) -> Tensor:
    total = weight.cumsum(dim=0)
    return (total / total[-1]).float()


def _mixed(people: int, generator: Generator) -> Tensor:
    """(N, 24) int64, which piece each joint is from."""
    table = torch.zeros(len(MIXTURES), JOINT_COUNT, dtype=torch.int64)
    for row, (_, pieces) in enumerate(MIXTURES):
        for joints, piece in zip(PARTS.values(), pieces, strict=True):
            table[row, [JOINT_NAMES.index(joint) for joint in joints]] = _PIECES[piece]
    chances = torch.tensor([share for share, _ in MIXTURES])
    return table[torch.multinomial(chances, people, replacement=True, generator=generator)]
