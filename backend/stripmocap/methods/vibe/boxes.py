"""Boxes about people over time, as VIBE steadies them where keypoints say where people are.

Kocabas et al., CVPR 2020: their code's boxes for 3DPW and for tracking by keypoints. A box is told
as x, y of its middle, pixels, and a scale: the one at which its person's extent, corner to corner,
measures `PERSON_PX`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.ndimage
import scipy.signal
import torch
from torch import Tensor

from ...contract.errors import RequestError

PERSON_PX = 150.0
SEEN_SCORE = 0.3  # keypoints surer than this are looked at
MEDIAN_FRAMES = 11
SIGMA_FRAMES = 8.0

# What a median sees ahead of the first and behind the last frame: VIBE's sees zeros there, which
# pull boxes to the picture's corner; the nearest frame again does not.
Beyond = Literal["nearest", "published"]


@dataclass(frozen=True, eq=False)
class Boxes:
    """A box of every frame from the first in which the person is seen to the last."""

    numbers: Tensor  # (N, 3) x px, y px, scale
    first: int  # frame
    stop: int  # frame behind the last

    @property
    def center(self) -> Tensor:
        """(N, 2) pixels."""
        return self.numbers[:, :2]

    @property
    def side(self) -> Tensor:
        """(N,) pixels, of a square as wide as the person's extent is long, corner to corner."""
        return PERSON_PX / self.numbers[:, 2]


def boxes_over_time(keypoints: Tensor) -> Boxes:
    """The boxes about keypoints (T, K, 3) x px, y px, score; straight lines over missing frames.

    A frame in which no keypoint is sure, or all that are lie at one place, is missing. What stands
    at unsure keypoints may be no number.

    Raises:
        RequestError: there is no other frame.
    """
    seen = keypoints[..., 2:] > SEEN_SCORE  # (T, K, 1); of no number this is false
    low = torch.where(seen, keypoints[..., :2], torch.inf).amin(dim=1)
    high = torch.where(seen, keypoints[..., :2], -torch.inf).amax(dim=1)
    extent = (high - low).norm(dim=-1)
    there = torch.isfinite(extent) & (extent > 0)
    if not there.any():
        raise RequestError(
            f"no keypoint is surer than {SEEN_SCORE} in any frame",
            hint="Check that the keypoints have scores from 0 to 1 in their third column.",
        )
    found = torch.cat([(low + high) / 2, PERSON_PX / extent[:, None]], dim=1)[there].double()
    at = there.nonzero().squeeze(1).cpu().numpy()
    first, stop = int(at[0]), int(at[-1]) + 1
    columns = [np.interp(np.arange(first, stop), at, each) for each in found.T.cpu().numpy()]
    return Boxes(torch.tensor(np.stack(columns, axis=1)).to(keypoints), first, stop)


def steadied(boxes: Tensor, *, beyond: Beyond = "nearest") -> Tensor:
    """(N, 3) boxes (N, 3) after a median over eleven frames and a Gaussian over eight."""
    reach = MEDIAN_FRAMES // 2
    ahead = np.pad(
        boxes.double().cpu().numpy(),
        ((reach, reach), (0, 0)),
        mode="constant" if beyond == "published" else "edge",
    )
    calm = [scipy.signal.medfilt(each, MEDIAN_FRAMES)[reach:-reach] for each in ahead.T]
    smooth = [scipy.ndimage.gaussian_filter1d(each, SIGMA_FRAMES) for each in calm]
    return torch.tensor(np.stack(smooth, axis=1)).to(boxes)
