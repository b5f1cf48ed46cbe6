"""The problem of `humor_fit*.npz`: synthetic body and networks, two motions of 20 frames."""

from __future__ import annotations

import json
from dataclasses import dataclass

import torch
from stripmocap.body.official import official_template
from stripmocap.methods.humor.figure import Figure
from stripmocap.methods.humor.initial_state import InitialStatePrior
from stripmocap.methods.humor.network import MotionPrior
from stripmocap.methods.humor.objective import (
    DEFAULT_FOCAL_PX,
    Observed,
    Priors,
)
from stripmocap.methods.humor.pose_prior import PosePrior
from torch import Tensor

CENTER_PX = (960.0, 540.0)
FLOOR = (0.0, 0.5, 0.0)  # half a metre under the camera
OVERLAPS = [6]  # of the frames 0 to 20 and 14 to 34 of one motion


@dataclass(frozen=True)
class Makings:
    """What the fixtures were made with, in one precision."""

    figure: Figure
    priors: Priors
    dtype: torch.dtype

    def observed(self, keypoints: Tensor) -> Observed:
        """What a camera of the default lens saw, of (2, T, 25, 3) pixels and confidence."""
        focal, center = torch.tensor(DEFAULT_FOCAL_PX), torch.tensor(CENTER_PX)
        floor = torch.tensor(FLOOR).expand(len(keypoints), 3)
        given = (keypoints[..., :2], keypoints[..., 2], focal, center, floor)
        return Observed(*(each.to(self.dtype) for each in given))


def makings(oracles, dtype=torch.float32) -> Makings:
    """The synthetic body and networks."""
    mixture = oracles.synth.state_gmm(oracles.seed)
    initial = InitialStatePrior.from_mixture(
        mixture["means"], mixture["covariances"], weights=mixture["weights"], dtype=dtype
    )
    template = official_template(oracles.synth.body("smplh", oracles.seed), name="synthetic")
    priors = Priors(
        _filled(oracles, MotionPrior(), "humor_keys.json").to(dtype),
        _filled(oracles, PosePrior(), "vposer_v1_keys.json").to(dtype),
        initial,
    )
    return Makings(Figure.of_openpose(template, dtype=dtype), priors, dtype)


def _filled(oracles, network, keys):
    entries = json.loads((oracles.folder / keys).read_text("utf-8"))["entries"]
    shapes = {each["key"]: each["shape"] for each in entries}
    arrays = oracles.synth.fill_all(shapes, oracles.seed)
    network.load_state_dict({name: torch.as_tensor(each) for name, each in arrays.items()})
    return network.eval().requires_grad_(False)
