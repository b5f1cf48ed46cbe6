"""What the temporal network is shown of people: a view of each frame, and of frames without any.

Frames are `FPS` a second, whatever the footage had (`features/resampling.py`). Where nobody is
seen, the person is shown between the frames before and after, and half as sure: what a network
makes of that is a motion from one to the other at least, and it need learn only what is better.
Training and capture both come through here, so that they agree on it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..features.keypoints import View, boxes_of, view_in

LOST_SHARE = 0.5  # of their neighbours' scores, for keypoints that are made up


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
    middle, side = boxes_of(keypoints.flatten(0, 1))
    boxes = torch.cat([middle, side.log()[:, None]], dim=1).unflatten(0, (people, frames))
    boxes = _between(boxes, there).flatten(0, 1)
    middles, sides = boxes[:, :2], boxes[:, 2].exp()
    made_up = torch.where(there, 1.0, LOST_SHARE)[..., None]
    shown = _between(keypoints, there)
    shown = torch.cat([shown[..., :2], shown[..., 2:] * made_up[..., None]], dim=-1)
    focals = torch.as_tensor(focal, dtype=sides.dtype, device=sides.device).expand(people)
    centers = center.to(middles).expand(people, 2)
    return view_in(
        shown.flatten(0, 1),
        box_center=middles,
        box_side=sides,
        focal=focals.repeat_interleave(frames),
        center=centers.repeat_interleave(frames, dim=0),
        landmarks3d=_between(landmarks3d, there).flatten(0, 1),
    )


def _between(values: Tensor, there: Tensor) -> Tensor:
    """(N, T, ...) `values`, those not `there` on a line between their neighbours."""
    frames = there.shape[1]
    index = torch.arange(frames, device=there.device).expand_as(there)
    before = torch.where(there, index, -1).cummax(dim=1).values
    after = torch.where(there, index, frames).flip(1).cummin(dim=1).values.flip(1)
    # Ahead of the first and behind the last they stay as they are.
    first = torch.where(before >= 0, before, after).clamp(max=frames - 1)
    last = torch.where(after < frames, after, first)
    share = ((index - first) / (last - first).clamp(min=1)).clamp(0, 1).to(values.dtype)
    one, other = (_taken(values, each) for each in (first, last))
    return torch.lerp(one, other, share.unflatten(1, (-1, *(1,) * (values.dim() - 2))))


def _taken(values: Tensor, index: Tensor) -> Tensor:
    """(N, T, ...) of `values` at frames (N, T)."""
    spread = index.unflatten(1, (-1, *(1,) * (values.dim() - 2)))
    return values.gather(1, spread.expand(-1, -1, *values.shape[2:]))
