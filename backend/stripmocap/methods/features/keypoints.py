"""What a regressor sees of BlazePose's keypoints: numbers in the person's box, and their features.

The box is square, from the keypoints that are seen well, as SPIN makes its crops (Kolotouros et
al., ICCV 2019). Where the box stands in the whole picture decides from which side it is seen, so
the encoder is told (Li et al., "CLIFF", ECCV 2022, 3.2). A missing keypoint has score 0. Two
dimensions do not say whether a hand is before the body or behind it: where the detector has a
guess at the third, the encoder hears it, and was taught how often that is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...contract.skeleton import BLAZEPOSE_NAMES

SEEN_SCORE = 0.3  # keypoints below are looked at, but do not set the box
BOX_SCALE = 1.2  # the box's side over the larger extent of the keypoints
LEAST_SEEN = 4  # keypoints; with fewer, all that are there set the box
FARTHEST = 2.0  # half-sides from the middle: whatever is further out is put there
SCORES = slice(2 * len(BLAZEPOSE_NAMES), 3 * len(BLAZEPOSE_NAMES))  # of a view's numbers
FLAT_NUMBERS = 3 * len(BLAZEPOSE_NAMES) + 3  # what is seen in the picture
NUMBERS = FLAT_NUMBERS + 3 * len(BLAZEPOSE_NAMES) + 1  # with the guess at 3D, and if there is one
REACH_M = 1.5  # from the hips: a guess further out is put there


@dataclass(frozen=True, eq=False)
class View:
    """B people, each in a square box of a picture."""

    numbers: Tensor  # (B, NUMBERS) what the encoder sees; the first FLAT_NUMBERS are of the picture
    box_center: Tensor  # (B, 2) pixels
    box_side: Tensor  # (B,) pixels


def view_of(
    keypoints: Tensor,
    *,
    focal: Tensor | float,
    center: Tensor,
    landmarks3d: Tensor | None = None,
) -> View:
    """What the encoder sees of people.

    Args:
        keypoints: (B, 33, 3) x px, y px, score in [0, 1]; where the score is 0 the place is not
            looked at.
        focal: (B,) pixels, or a number.
        center: (B, 2) or (2,) principal point, pixels.
        landmarks3d: (B, 33, 3) metres about the hips, as the detector guesses, seen straight at
            the person; all zero for people of whom there is no guess.
    """
    box_center, box_side = boxes_of(keypoints)
    return view_in(
        keypoints,
        box_center=box_center,
        box_side=box_side,
        focal=focal,
        center=center,
        landmarks3d=landmarks3d,
    )


def view_in(
    keypoints: Tensor,
    *,
    box_center: Tensor,
    box_side: Tensor,
    focal: Tensor | float,
    center: Tensor,
    landmarks3d: Tensor | None = None,
) -> View:
    """The same in boxes (B, 2) and (B,), pixels, that are given."""
    places, scores = keypoints[..., :2], keypoints[..., 2]
    half = (box_side / 2)[:, None, None]
    inside = ((places - box_center[:, None]) / half).clamp(-FARTHEST, FARTHEST)
    inside = torch.where(scores[..., None] > 0, inside, torch.zeros_like(inside))
    focals = torch.as_tensor(focal, dtype=places.dtype, device=places.device).expand(len(places))
    where = (box_center - center) / focals[:, None]  # the tangents of the box's direction
    size = torch.log(box_side / focals)[:, None]
    guess = _guess(torch.zeros_like(keypoints) if landmarks3d is None else landmarks3d, scores)
    numbers = torch.cat([inside.flatten(1), scores, where, size, guess], dim=1)
    return View(numbers, box_center, box_side)


def boxes_of(keypoints: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 2) middle and (B,) side, pixels, of boxes around keypoints (B, 33, 3)."""
    places, scores = keypoints[..., :2], keypoints[..., 2]
    seen = scores > SEEN_SCORE
    few = seen.sum(dim=1, keepdim=True) < LEAST_SEEN
    seen = torch.where(few, scores > 0, seen)[..., None]
    low = torch.where(seen, places, torch.inf).amin(dim=1)
    high = torch.where(seen, places, -torch.inf).amax(dim=1)
    nobody = ~torch.isfinite(low)
    low, high = low.masked_fill(nobody, 0.0), high.masked_fill(nobody, 1.0)
    return (low + high) / 2, BOX_SCALE * (high - low).amax(dim=1).clamp(min=1.0)


def _guess(landmarks3d: Tensor, scores: Tensor) -> Tensor:
    """(B, 100) metres, and whether there is a guess at all."""
    there = (landmarks3d != 0).flatten(1).any(dim=1, keepdim=True)
    near = landmarks3d.clamp(-REACH_M, REACH_M)
    near = torch.where(scores[..., None] > 0, near, torch.zeros_like(near))
    return torch.cat([near.flatten(1), there.to(near.dtype)], dim=1)


class KeypointEncoder(nn.Module):
    """Features (B, F) of views, by residual blocks of two layers."""

    def __init__(
        self,
        features: int = 1024,
        *,
        blocks: int = 2,
        dropout: float = 0.1,
        numbers: int = NUMBERS,
    ) -> None:
        """An untrained encoder.

        Args:
            features: F, and the width of every layer.
            blocks: residual blocks after the first layer.
            dropout: in each block, in training.
            numbers: how many of a view's numbers it hears: all, or the first `FLAT_NUMBERS`.
        """
        super().__init__()
        self.numbers = numbers
        self.first = nn.Sequential(nn.Linear(numbers, features), nn.ReLU())
        self.blocks = nn.ModuleList(_Block(features, dropout) for _ in range(blocks))

    def forward(self, numbers: Tensor) -> Tensor:
        """(B, F) features of `View.numbers`."""
        features = self.first(numbers[:, : self.numbers])
        for block in self.blocks:
            features = block(features)
        return features


class _Block(nn.Module):
    """A residual block in the form of Martinez et al., "A simple yet effective baseline", 2017."""

    def __init__(self, features: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(features)
        self.inner = nn.Linear(features, features)
        self.outer = nn.Linear(features, features)
        self.drop = nn.Dropout(dropout)

    def forward(self, features: Tensor) -> Tensor:
        inner = torch.relu(self.inner(self.norm(features)))
        return features + self.outer(self.drop(inner))
