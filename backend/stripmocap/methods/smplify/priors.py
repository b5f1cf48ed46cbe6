"""How likely a body pose is: a mixture of eight Gaussians over 69 axis-angle numbers.

SMPLify's pose prior (Bogo et al., ECCV 2016, equation 5): the energy of a pose is that of the
likeliest Gaussian alone, with the mixture's constants taken relative to its tightest Gaussian.
The mixture that is shipped is our own (training/pose_prior.py); a user may bring SMPLify's
`gmm_08.pkl`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...body.pickles import read_pickle
from ...checkpoints import load_arrays
from ...contract.errors import AssetCorrupt

SHIPPED_PRIOR = Path(__file__).parents[2] / "weights" / "pose_prior.safetensors"
POSE_NUMBERS = 69


@dataclass(frozen=True, eq=False)
class PosePrior:
    """M Gaussians over body poses (69 axis-angle numbers, rad)."""

    means: Tensor  # (M, 69) rad
    precisions: Tensor  # (M, 69, 69) rad^-2, inverse covariances
    factors: Tensor  # (M, 69, 69) L, lower triangular, precision = L L^T
    weights: Tensor  # (M,) share of each Gaussian, summing to one
    constants: Tensor  # (M,) -log of weight over relative normalisation

    @classmethod
    def load(
        cls,
        path: Path = SHIPPED_PRIOR,
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> PosePrior:
        """The prior in a file: our own .safetensors, or SMPLify's .pkl.

        Raises:
            AssetMissing: there is no such file.
            AssetCorrupt: the file holds no mixture over 69 numbers.
        """
        read = read_pickle if path.suffix == ".pkl" else load_arrays
        arrays = read(path)
        if not isinstance(arrays, dict) or not {"means", "covars", "weights"} <= set(arrays):
            raise AssetCorrupt(f"{path} has no means, covars and weights")
        try:
            means, covariances, weights = (
                np.asarray(arrays[name], dtype=np.float64)
                for name in ("means", "covars", "weights")
            )
            fits = means.shape == (weights.size, POSE_NUMBERS)
            if not (fits and np.isfinite(means).all() and (weights > 0).all()):
                raise ValueError(f"means {means.shape}, weights {weights.shape}")
            return cls.from_mixture(means, covariances, weights=weights, device=device, dtype=dtype)
        except (TypeError, ValueError, np.linalg.LinAlgError) as error:
            raise AssetCorrupt(
                f"{path} is no mixture of Gaussians over {POSE_NUMBERS} numbers ({error})"
            ) from error

    @classmethod
    def from_mixture(
        cls,
        means: np.ndarray,
        covariances: np.ndarray,
        *,
        weights: np.ndarray,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> PosePrior:
        """The prior of means (M, 69), covariances (M, 69, 69) and weights (M,), in float64.

        Raises:
            numpy.linalg.LinAlgError, ValueError: the covariances are none, or of another shape.
        """
        if covariances.shape != (*means.shape, means.shape[1]):
            raise ValueError(f"covariances {covariances.shape}")
        precisions = np.linalg.inv(covariances)
        half_log_det = np.linalg.slogdet(covariances)[1] / 2
        log_norm = half_log_det - half_log_det.min() + means.shape[1] / 2 * math.log(2 * math.pi)

        def tensor(array: np.ndarray) -> Tensor:
            return torch.tensor(array, dtype=dtype, device=device)

        return cls(
            means=tensor(means),
            precisions=tensor(precisions),
            factors=tensor(np.linalg.cholesky(precisions)),
            weights=tensor(weights),
            constants=tensor(log_norm - np.log(weights)),
        )

    def residuals(self, body_pose_aa: Tensor) -> Tensor:
        """(..., M, 69) L^T (pose - mean), whose squared length is the Mahalanobis distance^2."""
        offsets = body_pose_aa.unsqueeze(-2) - self.means
        return torch.einsum("mij,...mi->...mj", self.factors, offsets)

    def energies(self, body_pose_aa: Tensor) -> Tensor:
        """(..., M) negative log likelihood of poses (..., 69) under each Gaussian, relative."""
        return self.residuals(body_pose_aa).square().sum(dim=-1) / 2 + self.constants

    def energy(self, body_pose_aa: Tensor) -> Tensor:
        """(...,) energy of poses (..., 69): that of the likeliest Gaussian."""
        return self.energies(body_pose_aa).amin(dim=-1)
