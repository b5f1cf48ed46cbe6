"""Random numbers that follow one another in time: part of them changes slowly, part at once."""

from __future__ import annotations

import numpy as np
import scipy.signal
import torch
from torch import Generator, Tensor


def slow_series(
    frames: int,
    shape: tuple[int, ...],
    generator: Generator,
    *,
    fps: float,
    slow: tuple[float, float],
) -> Tensor:
    """(frames, *shape) standard normal numbers, of which a share changes slowly."""
    share, _ = slow
    calm, fast = slow_and_fast(frames, shape, generator, fps=fps, seconds=slow[1])
    return share**0.5 * calm + (1 - share) ** 0.5 * fast


def slow_and_fast(
    frames: int, shape: tuple[int, ...], generator: Generator, *, fps: float, seconds: float
) -> tuple[Tensor, Tensor]:
    """(frames, *shape) standard normal numbers that forget in so many seconds, and at once."""
    kept = float(np.exp(-1 / (fps * seconds)))
    steps = torch.randn(frames, *shape, generator=generator)
    steps[1:] *= (1 - kept**2) ** 0.5
    calm = scipy.signal.lfilter([1.0], [1.0, -kept], steps.numpy(), axis=0)
    fast = torch.randn(frames, *shape, generator=generator)
    return torch.tensor(calm, dtype=torch.float32), fast
