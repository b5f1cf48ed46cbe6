"""How a picture of a person is changed before it is learned from, and what that does to the body.

A picture is turned in its plane, scaled, mirrored and coloured; in this order, as SPIN has it
(Kolotouros et al., ICCV 2019). A body in axis-angles of 24 joints follows the turn and the mirror,
and can be led back. Axes are the camera's, OpenCV's.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..contract.skeleton import JOINT_NAMES, SPIN_NAMES, mirrored
from ..geometry.rotations import aa_to_matrix, matrix_to_aa

MIRRORED_SHARE = 0.5
UPRIGHT_SHARE = 0.6  # that is not turned at all
TURN_DEG, MOST_TURN_DEG = 30.0, 60.0  # standard deviation, and where it is cut off
SCALE_SPREAD, MOST_SCALE = 0.25, 0.25
COLOUR_SPREAD = 0.4  # of each channel's factor about one

OPENPOSE_COUNT = 25  # of SPIN's 49; the others are those of the training sets
_JOINT_PARTNERS = [JOINT_NAMES.index(mirrored(name)) for name in JOINT_NAMES]
_MIRRORED_AA = (1.0, -1.0, -1.0)


@dataclass(frozen=True, eq=False)
class Augmentation:
    """What is done to B pictures."""

    turn_rad: Tensor  # (B,) counter-clockwise as one looks at the picture
    scale: Tensor  # (B,) of the box: above one, the person becomes smaller
    mirrored: Tensor  # (B,) bool
    colour: Tensor  # (B, 3) factors of red, green, blue

    @classmethod
    def none(cls, count: int, *, device: torch.device | str = "cpu") -> Augmentation:
        """Pictures as they are."""
        ones = torch.ones(count, device=device)
        return cls(0 * ones, ones, ones < 0, ones[:, None].expand(-1, 3))

    @classmethod
    def draw(cls, count: int, *, generator: torch.Generator) -> Augmentation:
        """Changes drawn as SPIN draws them, on the generator's device."""
        device = generator.device

        def normal() -> Tensor:
            return torch.randn(count, generator=generator, device=device)

        def uniform(*shape: int) -> Tensor:
            return torch.rand(*shape, generator=generator, device=device)

        turn = (TURN_DEG * normal()).clamp(-MOST_TURN_DEG, MOST_TURN_DEG)
        upright = uniform(count) < UPRIGHT_SHARE
        return cls(
            turn_rad=turn.masked_fill(upright, 0.0).deg2rad(),
            scale=1 + (SCALE_SPREAD * normal()).clamp(-MOST_SCALE, MOST_SCALE),
            mirrored=uniform(count) < MIRRORED_SHARE,
            colour=1 + COLOUR_SPREAD * (2 * uniform(count, 3) - 1),
        )

    @classmethod
    def draw_mirrored(cls, count: int, *, generator: torch.Generator) -> Augmentation:
        """Pictures as they are, half of them mirrored."""
        plain = cls.none(count, device=generator.device)
        chosen = torch.rand(count, generator=generator, device=generator.device) < MIRRORED_SHARE
        return cls(plain.turn_rad, plain.scale, chosen, plain.colour)

    def to(self, device: torch.device | str) -> Augmentation:
        """The same on another device."""
        return Augmentation(**{name: each.to(device) for name, each in vars(self).items()})

    def of(self, body: Tensor) -> Tensor:
        """(B, 72) the bodies in the changed pictures, of those (B, 72) in the plain ones."""
        return mirror_where(self.mirrored, turned(body, self.turn_rad))

    def of_points(self, points: Tensor) -> Tensor:
        """(B, K, 4) SPIN's 49 or 24 points, metres and confidence, as the changed pictures have."""
        turned = points[..., :3] @ in_plane(self.turn_rad).mT
        turned = torch.cat([turned, points[..., 3:]], dim=-1)
        return torch.where(self.mirrored[:, None, None], mirrored_points(turned), turned)

    def undone(self, body: Tensor) -> Tensor:
        """(B, 72) the bodies in the plain pictures, of those (B, 72) in the changed ones."""
        return turned(mirror_where(self.mirrored, body), -self.turn_rad)


def turned(body: Tensor, turn_rad: Tensor) -> Tensor:
    """(B, 72) bodies of axis-angles in a picture that was turned by (B,) radians."""
    root = matrix_to_aa(in_plane(turn_rad) @ aa_to_matrix(body[:, :3]))
    # Nothing is lost by a matrix and back where nothing turns.
    root = torch.where((turn_rad != 0)[:, None], root, body[:, :3])
    return torch.cat([root, body[:, 3:]], dim=1)


def in_plane(turn_rad: Tensor) -> Tensor:
    """(B, 3, 3) what a turn (B,) of the picture does to directions in camera axes."""
    axis = torch.zeros(len(turn_rad), 3, dtype=turn_rad.dtype, device=turn_rad.device)
    axis[:, 2] = -turn_rad  # the picture's y is down
    return aa_to_matrix(axis)


def mirror_where(chosen: Tensor, body: Tensor) -> Tensor:
    """(B, 72) bodies, those `chosen` (B,) with left and right exchanged."""
    other = body.unflatten(1, (-1, 3))[:, _JOINT_PARTNERS] * body.new_tensor(_MIRRORED_AA)
    return torch.where(chosen[:, None], other.flatten(1), body)


def mirrored_points(points: Tensor) -> Tensor:
    """(..., 49, C) or (..., 24, C) SPIN's keypoints in the mirror: names exchanged, first negated.

    Args:
        points: all 49, or the 24 of the training sets; x is measured from the mirror.
    """
    missing = len(SPIN_NAMES) - points.shape[-2]
    partners = keypoint_partners()[missing:] - missing
    exchanged = points.index_select(-2, partners.to(points.device))
    return torch.cat([-exchanged[..., :1], exchanged[..., 1:]], dim=-1)


def keypoint_partners() -> Tensor:
    """(49,) int64, the place of each of SPIN's keypoints on the other side of the body."""
    return torch.tensor([SPIN_NAMES.index(_partner(name)) for name in SPIN_NAMES])


def _partner(name: str) -> str:
    prefix, bare = ("OP ", name[3:]) if name.startswith("OP ") else ("", name)
    sides = {"R": "L", "L": "R"}
    # RAnkle, LBigToe: a side's letter, then a capital.
    if bare[0] in sides and bare[1].isupper():
        bare = sides[bare[0]] + bare[1:]
    return prefix + bare
