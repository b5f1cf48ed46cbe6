"""Random moments, and a motion prior small enough to differentiate in double precision."""

import pytest
import torch
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.methods.humor.network import MotionPrior, Sizes
from stripmocap.methods.humor.state import State


@pytest.fixture
def draw():
    """Draws `count` random moments."""

    def states(count, *, seed=0):
        generator = torch.Generator().manual_seed(seed)

        def normal(*shape):
            return torch.randn(count, *shape, generator=generator, dtype=torch.float64)

        return State.of(
            transl=normal(3),
            transl_vel=normal(3),
            global_orient=aa_to_matrix(normal(3)),
            global_orient_vel=normal(3),
            body_pose=aa_to_matrix(normal(21, 3) / 2),
            joints=normal(22, 3),
            joints_vel=normal(22, 3),
        )

    return states


@pytest.fixture
def network():
    torch.manual_seed(0)
    return MotionPrior(Sizes(latent=6, hidden=64, layers=2)).double().eval().requires_grad_(False)
