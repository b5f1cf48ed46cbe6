"""Cameras to learn from: all lenses, heights and tilts, people anywhere in the picture.

A person is whole, cut by the picture's edge, or shown in part on purpose. Camera axes are OpenCV's;
the world has z up. Pixels are of pictures about 1920 long.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ..contract.skeleton import BLAZEPOSE_NAMES
from ..geometry.cameras import project
from ..geometry.rotations import aa_to_matrix

SIZES_PX = ((1920, 1080), (1080, 1920), (1440, 1080), (1080, 1440), (1200, 1200))
SIZE_SHARES = (0.5, 0.25, 0.1, 0.1, 0.05)
# Focal length over the picture's diagonal (a full frame's is 43 mm): median, spread of its log.
LENSES = ((0.70, (0.68, 0.15)), (0.20, (1.3, 0.4)), (0.10, (0.45, 0.15)))
LEAST_LENS = 0.3
BELIEVED_LENS = 0.85  # what the program takes if nobody tells it (pipeline.USUAL_FOCAL)
TOLD_SHARE, TOLD_SPREAD = 0.25, 0.05  # cameras whose focal length somebody gave, and how well
PITCHES = ((0.75, (6.0, 9.0)), (0.20, (12.0, 28.0)), (0.05, (10.0, 60.0)))  # degrees down
ROLLS = ((0.85, (0.0, 3.0)), (0.15, (0.0, 20.0)))  # degrees
ANYHOW_SHARE = 0.05  # people turned in any way: lying, upside down, from above and below
WHOLE = 0
FRAMINGS = ("whole", "to the knees", "to the hips", "head and chest")
FRAMING_SHARES = (0.75, 0.11, 0.10, 0.04)
WHOLE_SIZE, PART_SIZE = (0.15, 0.92), (0.45, 0.98)  # share of the picture
CUT_SHARE = 0.15  # of whole figures that stand anywhere, so that the edge may cut them
NEAREST_M = 0.4  # from the camera to the nearest landmark
FARTHEST_M = 60.0
# A level camera that looks along the world's +y.
_LEVEL = ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0))


@dataclass(frozen=True, eq=False)
class Cameras:
    """B cameras."""

    size: Tensor  # (B, 2) pixels, width and height
    focal: Tensor  # (B,) pixels, the truth
    believed: Tensor  # (B,) pixels, what the program would take

    @property
    def center(self) -> Tensor:
        """(B, 2) pixels."""
        return (self.size - 1) / 2


def draw_cameras(count: int, generator: Generator) -> Cameras:
    """Lenses and pictures."""
    shape = torch.multinomial(
        torch.tensor(SIZE_SHARES), count, replacement=True, generator=generator
    )
    size = torch.tensor(SIZES_PX, dtype=torch.float32)[shape]
    diagonal = size.norm(dim=1)
    middles = tuple((share, (math.log(middle), spread)) for share, (middle, spread) in LENSES)
    lens = _mixture(middles, count, generator).exp().clamp(min=LEAST_LENS)
    focal = lens * diagonal
    told = torch.rand(count, generator=generator) < TOLD_SHARE
    guess = focal * (TOLD_SPREAD * torch.randn(count, generator=generator)).exp()
    return Cameras(size, focal, torch.where(told, guess, BELIEVED_LENS * diagonal))


def draw_turns(count: int, generator: Generator) -> Tensor:
    """(count, 3, 3) world to camera."""
    zero = torch.zeros(count)
    heading = 2 * math.pi * torch.rand(count, generator=generator)
    pitch = _mixture(PITCHES, count, generator).deg2rad()
    roll = _mixture(ROLLS, count, generator).deg2rad()
    around = aa_to_matrix(torch.stack([zero, zero, heading], dim=1))
    # Looking down lifts what lies ahead: a turn about the camera's right.
    down = aa_to_matrix(torch.stack([pitch, zero, zero], dim=1))
    askew = aa_to_matrix(torch.stack([zero, zero, roll], dim=1))
    turn = askew @ down @ torch.tensor(_LEVEL) @ around
    anyhow = torch.rand(count, generator=generator) < ANYHOW_SHARE
    return torch.where(anyhow[:, None, None], _any_turn(count, generator), turn)


def draw_places(landmarks: Tensor, cameras: Cameras, generator: Generator) -> Tensor:
    """(B, 3) metres, translations that put people into their pictures.

    Args:
        landmarks: (B, 33, 3) metres in camera axes, about anywhere.
        cameras: one a person.
        generator: what chance is drawn from.
    """
    count = len(landmarks)
    framing = torch.multinomial(
        torch.tensor(FRAMING_SHARES), count, replacement=True, generator=generator
    )
    shown = _shown()[framing][..., None]  # (B, 33, 1)
    low = torch.where(shown, landmarks, torch.inf).amin(dim=1)
    high = torch.where(shown, landmarks, -torch.inf).amax(dim=1)
    extent = (high - low)[:, :2].clamp(min=0.2)
    whole = framing == WHOLE
    drawn = torch.rand(count, generator=generator)
    share = torch.where(whole, _between(drawn, WHOLE_SIZE), _between(drawn, PART_SIZE))
    depth = cameras.focal * (extent / cameras.size).amax(dim=1) / share
    nearest = NEAREST_M + ((low + high) / 2 - landmarks.amin(dim=1))[:, 2]
    depth = torch.maximum(depth.clamp(max=FARTHEST_M), nearest)
    # Where the middle of what is shown lies, in the picture: anywhere that leaves it whole.
    slack = (1 - extent * (cameras.focal / depth)[:, None] / cameras.size).clamp(min=0.02)
    cut = whole & (torch.rand(count, generator=generator) < CUT_SHARE)
    slack = torch.where(cut[:, None], 1.0, slack)
    place = (torch.rand(count, 2, generator=generator) - 0.5) * slack * cameras.size
    middle = torch.cat([place / cameras.focal[:, None], torch.ones(count, 1)], dim=1)
    return middle * depth[:, None] - (low + high) / 2


def seen_by(landmarks: Tensor, cameras: Cameras) -> tuple[Tensor, Tensor]:
    """(B, ..., 2) pixels of points (B, ..., 3), and (B, ...) whether they lie in the picture."""
    shape = (len(landmarks), *(1,) * (landmarks.dim() - 2))
    focal = cameras.focal.view(*shape, 1)
    places = project(landmarks, focal=focal, center=cameras.center.view(*shape, 2))
    size = cameras.size.view(*shape, 2)
    inside = (places >= -0.5) & (places <= size - 0.5)
    return places, inside.all(dim=-1) & (landmarks[..., 2] > 0)


def _mixture(parts: tuple, count: int, generator: Generator) -> Tensor:
    """(count,) numbers of a mixture of Gaussians: (share, (mean, standard deviation)) each."""
    chances = torch.tensor([share for share, _ in parts])
    which = torch.multinomial(chances, count, replacement=True, generator=generator)
    numbers = torch.tensor([part for _, part in parts])[which]
    return numbers[:, 0] + numbers[:, 1] * torch.randn(count, generator=generator)


def _between(drawn: Tensor, bounds: tuple[float, float]) -> Tensor:
    """Numbers of which the logarithm is even between bounds."""
    least, most = bounds
    return least * (most / least) ** drawn


def _any_turn(count: int, generator: Generator) -> Tensor:
    square, upper = torch.linalg.qr(torch.randn(count, 3, 3, generator=generator))
    even = square * upper.diagonal(dim1=1, dim2=2).sign()[:, None]
    return even * torch.linalg.det(even)[:, None, None]


def _shown() -> Tensor:
    """(4, 33) bool, the landmarks that each of `FRAMINGS` wants in the picture."""
    head = [index < BLAZEPOSE_NAMES.index("left_shoulder") for index in range(33)]
    chest = ["shoulder" in name for name in BLAZEPOSE_NAMES]
    hips = ["hip" in name for name in BLAZEPOSE_NAMES]
    knees = ["knee" in name for name in BLAZEPOSE_NAMES]
    bust = torch.tensor(head) | torch.tensor(chest)
    waist = bust | torch.tensor(hips)
    legs = waist | torch.tensor(knees)
    return torch.stack([torch.ones(33, dtype=torch.bool), legs, waist, bust])
