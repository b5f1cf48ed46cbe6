"""A toy body in SMPL's form (24 joints, 120 vertices) and random states of it, for tests in torch.

Its vertices cluster about the joints at random and follow them and their parents, so that nothing
about it is symmetric or round; `toybody.py` is the toy whose numbers can be worked out by hand.
"""

from __future__ import annotations

import numpy as np
import torch
from stripmocap.contract.body_file import BodyTemplate
from stripmocap.contract.skeleton import BETAS_COUNT, JOINT_COUNT, PARENTS
from stripmocap.geometry.rotations import aa_to_matrix
from torch import Tensor

LANDMARKS = ("nose", "left_heel", "right_heel", "left_index")
_LANDMARK_JOINTS = (15, 7, 8, 22)
# Metres: y up, x to the body's left, z forward, the pelvis near the origin.
_REST_JOINTS = np.array([
    *([0, 0, 0], [0.08, -0.08, 0], [-0.08, -0.08, 0], [0, 0.12, 0]),
    *([0.1, -0.48, 0.01], [-0.1, -0.48, 0.01], [0, 0.25, 0], [0.09, -0.88, -0.03]),
    *([-0.09, -0.88, -0.03], [0, 0.3, 0.02], [0.1, -0.94, 0.1], [-0.1, -0.94, 0.1]),
    *([0, 0.5, 0], [0.08, 0.42, 0], [-0.08, 0.42, 0], [0, 0.6, 0.04]),
    *([0.18, 0.44, 0], [-0.18, 0.44, 0], [0.44, 0.43, -0.02], [-0.44, 0.43, -0.02]),
    *([0.7, 0.44, -0.03], [-0.7, 0.44, -0.03], [0.79, 0.43, -0.03], [-0.79, 0.43, -0.03]),
])  # fmt: skip


def toy_template(*, vertices: int = 120, seed: int = 0, posedirs: bool = True) -> BodyTemplate:
    """The toy, as a body file would give it."""
    rng = np.random.default_rng(seed)
    each, owner = np.arange(vertices), np.arange(vertices) % JOINT_COUNT
    share = rng.uniform(0.6, 1, vertices)
    weights = np.zeros((vertices, JOINT_COUNT))
    weights[each, owner] = share
    weights[each, np.maximum(np.array(PARENTS), 0)[owner]] += 1 - share
    regressor = (owner == np.arange(JOINT_COUNT)[:, None]) * rng.uniform(0.1, 1, vertices)
    landmarks = np.zeros((len(LANDMARKS), vertices))
    for row, joint in enumerate(_LANDMARK_JOINTS):
        landmarks[row, [joint, joint + JOINT_COUNT]] = 0.7, 0.3
    return BodyTemplate(
        name="toy",
        licence="CC0-1.0",
        v_template=_REST_JOINTS[owner] + 0.04 * rng.standard_normal((vertices, 3)),
        shapedirs=0.02 * rng.standard_normal((vertices, 3, BETAS_COUNT)),
        posedirs=0.002 * rng.standard_normal((vertices, 3, 207 if posedirs else 0)),
        J_regressor=regressor / regressor.sum(axis=1, keepdims=True),
        lbs_weights=weights,
        faces=np.array([[0, 1, 2]]),
        uv=np.zeros((0, 2)),
        landmark_names=LANDMARKS,
        landmark_regressor=landmarks,
    )


def random_state(
    frames: int, *, seed: int = 0, spread: float = 0.5, dtype: torch.dtype = torch.float64
) -> dict[str, Tensor]:
    """Global orientation, body pose, betas and translation of `frames` random bodies."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

    return {
        "global_orient": aa_to_matrix(normal(frames, 3)),
        "body_pose": aa_to_matrix(spread * normal(frames, JOINT_COUNT - 1, 3)),
        "betas": normal(frames, BETAS_COUNT),
        "transl": normal(frames, 3),
    }
