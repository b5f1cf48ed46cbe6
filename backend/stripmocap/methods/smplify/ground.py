"""When the feet of a fit's evidence rest; the ground itself is every method's."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ...contract.skeleton import BLAZEPOSE_NAMES
from ..ground import FOOT_POINTS, at_rest, find_ground, world_from_camera
from .evidence import Evidence, landmark_weights

__all__ = ["find_ground", "resting_feet", "world_from_camera"]


def resting_feet(evidence: Evidence) -> Tensor:
    """(N, F) in [0, 1], how surely each foot point rests, by its speed in the picture."""
    index = [BLAZEPOSE_NAMES.index(name) for name in FOOT_POINTS]
    feet = evidence.keypoints[:, index].double().cpu().numpy()  # (N, F, 2)
    full = landmark_weights()[index] * evidence.votes.cpu().numpy()[:, None]
    seen = np.sqrt((evidence.weights[:, index].cpu().numpy() / full.clip(min=1e-6)).clip(0, 1))
    times, sequence = evidence.times_s.cpu().numpy(), evidence.sequence.cpu().numpy()
    size = evidence.size_px.cpu().numpy()
    rest = np.zeros(feet.shape[:2])
    for whose in np.unique(sequence):
        mine = np.flatnonzero(sequence == whose)
        rest[mine] = at_rest(feet[mine], times_s=times[mine], seen=seen[mine], size_px=size[mine])
    return torch.tensor(rest).to(evidence.keypoints)
