"""When the feet of a fit's evidence rest; the ground itself is every method's."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ...contract.skeleton import BLAZEPOSE_NAMES
from ..ground import FOOT_POINTS, at_rest, find_ground, world_from_camera
from ..levels import own_level
from .evidence import Evidence, landmark_weights

__all__ = ["find_ground", "levels_of", "resting_feet", "sighted_feet", "world_from_camera"]

# A ground draws those to it who are drawn a little off by their size. Nobody is this far off.
LEVEL_M = 0.3
_REST_ENOUGH = 0.5

_FEET = [BLAZEPOSE_NAMES.index(name) for name in FOOT_POINTS]


def resting_feet(evidence: Evidence) -> Tensor:
    """(N, F) in [0, 1], how surely each foot point rests, by its speed in the picture."""
    feet = evidence.keypoints[:, _FEET].double().cpu().numpy()  # (N, F, 2)
    seen = sighted_feet(evidence).cpu().numpy()
    times, sequence = evidence.times_s.cpu().numpy(), evidence.sequence.cpu().numpy()
    size = evidence.size_px.cpu().numpy()
    rest = np.zeros(feet.shape[:2])
    for whose in np.unique(sequence):
        mine = np.flatnonzero(sequence == whose)
        rest[mine] = at_rest(feet[mine], times_s=times[mine], seen=seen[mine], size_px=size[mine])
    return torch.tensor(rest).to(evidence.keypoints)


def levels_of(heights: Tensor, rest: Tensor, *, sequence: Tensor) -> Tensor:
    """(N,) metres over the ground, of the levels that people are on who are not on the ground.

    Args:
        heights: (N, F) metres, of foot points over the ground.
        rest: (N, F) in [0, 1], how surely they rest.
        sequence: (N,) int64, whose frame it is.
    """
    levels = heights.new_zeros(len(heights))
    for whose in sequence.unique():
        mine = sequence == whose
        over, rests = heights[mine].cpu().numpy(), (rest[mine] > _REST_ENOUGH).cpu().numpy()
        levels[mine] = own_level(over, rests, least_m=LEVEL_M)
    return levels


def sighted_feet(evidence: Evidence) -> Tensor:
    """(N, F) in [0, 1], how surely each foot point is seen."""
    full = torch.tensor(landmark_weights()[_FEET]).to(evidence.weights) * evidence.votes[:, None]
    return (evidence.weights[:, _FEET] / full.clamp(min=1e-6)).clamp(0, 1).sqrt()
