"""The dictionary of best fits: for each picture of a dataset the best body found so far.

A fit is 82 numbers, 72 of pose (axis-angles of 24 joints, camera axes) and 10 betas, of the picture
as it is: turns and mirrors of the training are undone before a fit is kept. The file is a .npy of
float32 (N, 82), as SPIN's `<dataset>_fits.npy` (Kolotouros et al., ICCV 2019).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..contract.errors import AssetCorrupt, AssetMissing, DiskFull
from ..contract.skeleton import BETAS_COUNT, JOINT_COUNT
from ..contract.whole_file import whole
from .augmentation import Augmentation

POSE_NUMBERS = 3 * JOINT_COUNT
FIT_NUMBERS = POSE_NUMBERS + BETAS_COUNT
HINT = "Give the fits of this dataset, or none to start anew."


@dataclass(frozen=True, eq=False)
class Fits:
    """The best fits so far of N pictures; they change as better ones are stored."""

    numbers: Tensor  # (N, 82) float32, on the CPU

    @classmethod
    def unknown(cls, count: int) -> Fits:
        """A dictionary without a fit: everybody is NaN, and any fit is better."""
        return cls(torch.full((count, FIT_NUMBERS), torch.nan))

    @classmethod
    def load(cls, path: Path, *, count: int) -> Fits:
        """The fits of `count` pictures in a file.

        Raises:
            AssetMissing: there is no such file.
            AssetCorrupt: it holds something else, or fits of another number of pictures.
        """
        try:
            numbers = np.load(path, allow_pickle=False)
            if not isinstance(numbers, np.ndarray) or numbers.dtype.kind != "f":
                raise ValueError("no array of numbers")
        except FileNotFoundError as error:
            raise AssetMissing(f"{path} is not there", hint=HINT) from error
        except (OSError, ValueError, EOFError) as error:
            raise AssetCorrupt(f"{path} holds no fits ({error})", hint=HINT) from error
        if numbers.shape != (count, FIT_NUMBERS):
            raise AssetCorrupt(
                f"{path} holds {numbers.shape}, not fits ({count}, {FIT_NUMBERS})", hint=HINT
            )
        return cls(torch.tensor(numbers, dtype=torch.float32))

    def save(self, path: Path) -> None:
        """Writes the file whole, or not at all.

        Raises:
            DiskFull: the folder cannot be written to; an earlier file stays.
        """
        with whole(path, error=DiskFull) as partial, partial.open("wb") as file:
            np.save(file, self.numbers.numpy(), allow_pickle=False)

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def known(self) -> Tensor:
        """(N,) bool, of which pictures there is a fit."""
        return self.numbers.isfinite().all(dim=1)

    def fetch(self, index: Tensor, augmentation: Augmentation) -> tuple[Tensor, Tensor]:
        """(B, 72) pose and (B, 10) betas of pictures (B,), as the augmented pictures show them."""
        fits = self.numbers[index.cpu()].to(index.device)
        pose, betas = fits.split((POSE_NUMBERS, BETAS_COUNT), dim=1)
        return augmentation.of(pose), betas

    def store(
        self,
        index: Tensor,
        augmentation: Augmentation,
        *,
        pose: Tensor,
        betas: Tensor,
        better: Tensor,
    ) -> None:
        """Keeps the fits of the pictures that got a better one.

        Args:
            index: (B,) the pictures.
            augmentation: what was done to them.
            pose: (B, 72) rad, of the augmented pictures.
            betas: (B, 10).
            better: (B,) bool; what is not finite is never kept.
        """
        fits = torch.cat([augmentation.undone(pose), betas], dim=1).detach()
        kept = better & fits.isfinite().all(dim=1)
        self.numbers[index[kept].cpu()] = fits[kept].float().cpu()
