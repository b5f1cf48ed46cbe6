"""How likely a motion begins so: a mixture of Gaussians over 138 numbers of a canonical state.

Joints, their velocities, that of the translation and that of the root's orientation (Rempe et al.,
"HuMoR", ICCV 2021, 4.2 and its supplement). The likelihood is of the whole mixture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .state import State

NUMBERS = 138


@dataclass(frozen=True, eq=False)
class InitialStatePrior:
    """M Gaussians over what a motion's first moment is known by."""

    means: Tensor  # (M, 138) metres, metres and radians a second
    factors: Tensor  # (M, 138, 138) L, lower triangular, inverse covariance = L L^T
    constants: Tensor  # (M,) log of each Gaussian's weight and normalisation

    @classmethod
    def from_mixture(
        cls,
        means: np.ndarray,
        covariances: np.ndarray,
        *,
        weights: np.ndarray,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> InitialStatePrior:
        """The prior of means (M, 138), covariances (M, 138, 138) and weights (M,), in float64.

        Raises:
            numpy.linalg.LinAlgError: a covariance is none.
            ValueError: the arrays are of another shape, or not finite.
        """
        count = len(weights) if weights.ndim == 1 else 0
        shapes = (means.shape, covariances.shape)
        if not count or shapes != ((count, NUMBERS), (count, NUMBERS, NUMBERS)):
            raise ValueError(f"means {means.shape}, covariances {covariances.shape}")
        if not (np.isfinite(means).all() and (weights > 0).all()):
            raise ValueError("means or weights that are no numbers")
        factors = np.linalg.cholesky(np.linalg.inv(covariances))
        half_log_det = np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=1)
        constants = np.log(weights) + half_log_det - NUMBERS / 2 * math.log(2 * math.pi)
        if not (np.isfinite(factors).all() and np.isfinite(constants).all()):
            raise ValueError("covariances that cannot be inverted")
        means, factors, constants = (
            torch.tensor(each, dtype=dtype, device=device) for each in (means, factors, constants)
        )
        return cls(means, factors, constants)

    def energy(self, first: State) -> Tensor:
        """(...,) negative log likelihood of canonical states (...)."""
        offsets = numbers_of(first).unsqueeze(-2) - self.means  # (..., M, 138)
        residuals = torch.einsum("mij,...mi->...mj", self.factors, offsets)
        return -(self.constants - residuals.square().sum(dim=-1) / 2).logsumexp(dim=-1)


def numbers_of(state: State) -> Tensor:
    """(..., 138) what the mixture is over, in its order."""
    joints, joints_vel = state.joints.flatten(-2), state.joints_vel.flatten(-2)
    parts = (joints, joints_vel, state.transl_vel, state.global_orient_vel)
    return torch.cat(parts, dim=-1)
