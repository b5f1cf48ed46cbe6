"""Where a posed body stands: from where its landmarks are seen, and steadily over time.

A single picture hardly tells how far somebody is: a landmark off by a hundredth of the person's
size moves them by centimetres, other ones in every frame. People are heavy, so the depth of one
person is steadied over time. Sideways the pictures are followed frame by frame for bodies that are
posed so, whose tremble would else part from what is seen; for bodies posed over time, steadily too.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from scipy.linalg import solveh_banded
from torch import Tensor

from ...contract.motion import Camera
from ...geometry.cameras import project, transl_from_keypoints

USUAL_HEIGHT_M = 1.7
NEAREST_M = 0.1  # that anybody stands before a camera
_OUTLIER = 0.03  # of the person's size: landmarks that are further off lose their vote
_MISS_SIGMA = 0.05  # of the person's size: a landmark missed by this much counts 0.6
_SEEN_SIGMA = 0.03  # of the person's size: how well landmarks and pose agree
_ACCELERATION_M_S2 = 3.0  # of people towards the camera, which lasts about so long:
_LASTING_S = 0.3
_SIDE_ACCELERATION_M_S2 = 10.0  # of people across the picture, who jump and fall
_SIDE_LASTING_S = 0.1
_UNSEEN = 0.01  # of a seen frame's weight, that a place between seen ones has
_VOTE_S = 1 / 30  # frames closer than this see the same mistake twice, and share one vote
_ROUNDS = 3  # of votes
_LEAST_SPAN_S = 1e-4

Steady = Literal["depth", "all"]  # which directions are steadied over time


def find_places(
    points: Tensor,
    keypoints: Tensor,
    camera: Camera,
    *,
    weights: Tensor,
    times_s: np.ndarray,
    steady: Steady = "depth",
) -> tuple[Tensor, Tensor]:
    """Where a person stands in T frames, and how well the person then fits what is seen.

    Args:
        points: (T, K, 3) metres, camera axes, before translation.
        keypoints: (T, K, 3) pixels and scores; score 0 where nothing is seen.
        camera: that saw them.
        weights: (K,) how much a landmark tells.
        times_s: (T,) seconds, rising.
        steady: which directions are steadied over time.

    Returns:
        (T, 3) metres, in frames that see nothing between those around them; (T,) in [0, 1].
    """
    seen, full = keypoints[..., :2], weights * keypoints[..., 2].square()  # (T, K)
    center = torch.tensor(camera.center_px, dtype=points.dtype, device=points.device)
    votes, miss = full, torch.zeros_like(full)
    transl = torch.zeros_like(points[:, 0])
    for _ in range(_ROUNDS):
        found = transl_from_keypoints(
            points, seen, confidence=votes, focal=camera.focal_px, center=center
        )
        depth = _steady(found[:, 2], _sureness(seen, votes, found[:, 2], camera), times_s)
        slope = (seen - center) / camera.focal_px  # (T, K, 2)
        sideways = slope * (points[..., 2:] + depth[:, None, None]) - points[..., :2]
        aside = _mean(sideways, votes, times_s)
        if steady == "all":
            aside = _steady_aside(aside, votes, times_s)
        transl = torch.cat([aside, depth[:, None]], dim=1)
        pixels = project(points + transl[:, None], focal=camera.focal_px, center=center)
        miss = (pixels - seen).norm(dim=-1) / size_px(depth, camera)[:, None]
        votes = full / (1 + (miss / _OUTLIER).square()).square()
    fit = (full * torch.exp(-0.5 * (miss / _MISS_SIGMA).square())).sum(dim=1)
    return transl, (fit / weights.sum()).clamp(0, 1)


def size_px(depth: Tensor, camera: Camera) -> Tensor:
    """(T,) pixels: how large a person is in the picture at a depth (T,) in metres."""
    return camera.focal_px * USUAL_HEIGHT_M / depth.clamp(min=NEAREST_M)


def _sureness(seen: Tensor, votes: Tensor, depth: Tensor, camera: Camera) -> Tensor:
    """(T,) inverse variance of the logarithm of the depth: a larger figure tells more."""
    total = votes.sum(dim=1).clamp(min=1e-9)
    middle = (votes[..., None] * seen).sum(dim=1) / total[:, None]
    spread = (votes * (seen - middle[:, None]).square().sum(dim=-1)).sum(dim=1)
    sure = spread / (_SEEN_SIGMA * size_px(depth, camera)).square()
    there = torch.isfinite(depth) & (depth > NEAREST_M)
    return torch.where(there & torch.isfinite(sure), sure, 0.0)


def _steady(depth: Tensor, sure: Tensor, times_s: np.ndarray) -> Tensor:
    """(T,) metres: depths whose logarithm accelerates as people do, near those that were found.

    Args:
        depth: (T,) metres; of no meaning where it is not sure.
        sure: (T,) inverse variance of its logarithm.
        times_s: (T,) seconds.
    """
    weights = sure.double().cpu().numpy()
    if not weights.any():
        return torch.ones_like(depth)
    found = np.log(depth.double().cpu().numpy().clip(min=NEAREST_M))
    found = np.where(weights > 0, found, 0.0)
    typical = np.exp(np.average(found, weights=weights))
    weights = weights * _vote_shares(times_s)
    stiff = (typical / _ACCELERATION_M_S2) ** 2 / _LASTING_S
    steady = _smoothed(found, weights, times_s, stiff=stiff)
    for _ in range(_ROUNDS):
        off = (found - steady) ** 2 * sure.double().cpu().numpy()
        steady = _smoothed(found, weights / (1 + off / 9), times_s, stiff=stiff)
    return torch.tensor(np.exp(steady)).to(depth)


def _steady_aside(places: Tensor, votes: Tensor, times_s: np.ndarray) -> Tensor:
    """(T, 2) metres: places (T, 2) that accelerate as people do, near those that were found.

    Args:
        places: in frames without votes, what lies between those around them.
        votes: (T, K) of landmarks.
        times_s: (T,) seconds.
    """
    sure = votes.sum(dim=1).double().cpu().numpy() / (_SEEN_SIGMA * USUAL_HEIGHT_M) ** 2
    if not sure.any():
        return places
    sure = sure.clip(min=_UNSEEN * np.median(sure[sure > 0]))
    stiff = 1 / _SIDE_ACCELERATION_M_S2**2 / _SIDE_LASTING_S
    found = places.double().cpu().numpy()
    weights = sure * _vote_shares(times_s)
    steady = found
    for _ in range(_ROUNDS):
        columns = [_smoothed(each, weights, times_s, stiff=stiff) for each in found.T]
        steady = np.stack(columns, axis=1)
        off = ((found - steady) ** 2).sum(axis=1) * sure
        weights = sure * _vote_shares(times_s) / (1 + off / 9)
    return torch.tensor(steady).to(places)


def _vote_shares(times_s: np.ndarray) -> np.ndarray:
    """(T,) in (0, 1], how much of a vote each frame has; see `_VOTE_S`."""
    if len(times_s) < 2:
        return np.ones(len(times_s))
    return np.minimum(np.gradient(times_s) / _VOTE_S, 1)


def _smoothed(
    values: np.ndarray, weights: np.ndarray, times_s: np.ndarray, *, stiff: float
) -> np.ndarray:
    """(T,) the minimum of `sum w (x - v)^2 + stiff * integral x''^2`."""
    count = len(values)
    bands = np.zeros((3, count))  # upper: bands[2] the diagonal
    bands[2] = weights + 1e-6 * weights.max()
    if count > 2:
        gaps = np.diff(times_s).clip(min=_LEAST_SPAN_S)
        before, after = gaps[:-1], gaps[1:]
        half = (before + after) / 2
        rows = np.stack([1 / before, -1 / before - 1 / after, 1 / after]) / half  # (3, T - 2)
        scaled = stiff * half * rows
        for first in range(3):
            for second in range(first, 3):
                place = slice(second, count - 2 + second)
                bands[2 - (second - first), place] += scaled[first] * rows[second]
    middle = np.average(values, weights=weights)
    return middle + solveh_banded(bands, weights * (values - middle))


def _mean(places: Tensor, votes: Tensor, times_s: np.ndarray) -> Tensor:
    """(T, 2) metres, the mean of places (T, K, 2); without votes between the frames around it."""
    total = votes.sum(dim=1)
    known = (total > 1e-6).cpu().numpy()
    mean = (votes[..., None] * places).sum(dim=1) / total.clamp(min=1e-9)[:, None]
    if known.all() or not known.any():
        return mean
    filled = [np.interp(times_s, times_s[known], each[known]) for each in mean.T.cpu().numpy()]
    return torch.tensor(np.stack(filled, axis=1)).to(mean)
