"""What the temporal network is shown of people: a view of each frame, and of frames without any.

Frames are `FPS` a second, whatever the footage had (`resampling.py`). Where nobody is seen, all
scores, places and guesses are 0; where the person's box may be is said all the same, between the
boxes before and after. Training and capture both come through here, so that they agree on it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..features.keypoints import View, boxes_of, view_in


def views_over_time(
    keypoints: Tensor, *, focal: Tensor | float, center: Tensor, landmarks3d: Tensor
) -> View:
    """The N * T views of N people over T frames, a person's frames one after another.

    `numbers.unflatten(0, (N, T))` of it is what `TemporalNetwork` reads.

    Args:
        keypoints: (N, T, 33, 3) x px, y px, score in [0, 1]; score 0 everywhere in frames where
            nobody is seen, and then nothing else of them is looked at.
        focal: (N,) pixels, or a number.
        center: (N, 2) or (2,) principal points, pixels.
        landmarks3d: (N, T, 33, 3) metres about the hips; all zero in frames without a guess.
    """
    people, frames = keypoints.shape[:2]
    there = (keypoints[..., 2] > 0).any(dim=-1)  # (N, T)
    middle, side = (
        each.unflatten(0, (people, frames)) for each in boxes_of(keypoints.flatten(0, 1))
    )
    middle, side = _between(middle, side, there)
    focals = torch.as_tensor(focal, dtype=side.dtype, device=side.device).expand(people)
    centers = center.to(middle).expand(people, 2)
    return view_in(
        keypoints.flatten(0, 1),
        box_center=middle.flatten(0, 1),
        box_side=side.flatten(),
        focal=focals.repeat_interleave(frames),
        center=centers.repeat_interleave(frames, dim=0),
        landmarks3d=(landmarks3d * there[..., None, None]).flatten(0, 1),
    )


def _between(middle: Tensor, side: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
    """Boxes (N, T, 2) and (N, T), those not `there` between their neighbours, the side by ratio."""
    frames = there.shape[1]
    index = torch.arange(frames, device=there.device).expand_as(there)
    before = torch.where(there, index, -1).cummax(dim=1).values
    after = torch.where(there, index, frames).flip(1).cummin(dim=1).values.flip(1)
    # Ahead of the first and behind the last the box stays where it is.
    first = torch.where(before >= 0, before, after).clamp(max=frames - 1)
    last = torch.where(after < frames, after, first)
    share = (index - first) / (last - first).clamp(min=1)
    share = share.clamp(0, 1).to(side.dtype)
    pairs = first[..., None].expand(-1, -1, 2), last[..., None].expand(-1, -1, 2)
    centers = torch.lerp(middle.gather(1, pairs[0]), middle.gather(1, pairs[1]), share[..., None])
    logs = side.log()
    sides = torch.lerp(logs.gather(1, first), logs.gather(1, last), share).exp()
    return torch.where(there[..., None], middle, centers), torch.where(there, side, sides)
