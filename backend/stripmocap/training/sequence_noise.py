"""What BlazePose makes of N people over T frames each, to be taught on.

As noise.py has it over time, but of many people at once, who differ: some are louder than others,
some tremble more, of some there is no guess at depth. What the footage's frame rate does to it is
here as well: the network reads `FPS` frames a second, between frames that are further apart places
are interpolated, and of those that are nearer the tremble is averaged
(`features/resampling.py`). Rows of what comes back are a person's frames, then the next one's.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from ..methods.vibe.keypoint_network import FPS
from .noise import (
    INSIDE_OUT,
    METRIC_SHRINKAGE,
    METRIC_SPREAD,
    SHAPES,
    SLOW,
    UNGUESSED,
    Chances,
    leant,
    metric_error,
)
from .series import slow_and_fast

# Frames a second of footage, and how often; slower ones are told apart in whole frames of ours.
RATES = ((0.5, 30.0), (0.06, 12.0), (0.06, 15.0), (0.08, 24.0), (0.05, 25.0), (0.15, 60.0),
         (0.1, 120.0))  # fmt: skip
LOUDER = 1.5  # standard deviation, between people, of what `Chances.size` is
TREMBLE_SPREAD = 0.35  # of the logarithm of how much somebody's landmarks tremble
_HIPS = (23, 24)


def draw_rates(people: int, generator: Generator) -> Tensor:
    """(N,) frames a second of the footage."""
    chances = torch.tensor([share for share, _ in RATES])
    which = torch.multinomial(chances, people, replacement=True, generator=generator)
    return torch.tensor([rate for _, rate in RATES])[which]


def draw_tremble(rates: Tensor, generator: Generator) -> Tensor:
    """(N,) how much the fast part of all errors is enlarged, of footage of these rates."""
    averaged = (FPS / rates).clamp(max=1.0).sqrt()
    return averaged * (TREMBLE_SPREAD * torch.randn(len(rates), generator=generator)).exp()


def chances_over_time(frames: int, tremble: Tensor, generator: Generator) -> Chances:
    """Of N people over T frames; `tremble` is (N,)."""
    people = len(tremble)
    drawn = {
        name: _series(frames, (people, *shape), generator, slow=SLOW[name], tremble=tremble)
        for name, shape in SHAPES.items()
    }
    louder = LOUDER * torch.randn(people, 1, generator=generator)
    drawn["size"] = drawn["size"] + louder
    return Chances(**{name: each.flatten(0, 1) for name, each in drawn.items()})


def guesses_over_time(
    landmarks: Tensor, scores: Tensor, generator: Generator, *, tremble: Tensor
) -> Tensor:
    """(N * T, 33, 3) metres about the hips: BlazePose's guess; zeros of people who have none.

    Args:
        landmarks: (N * T, 33, 3) metres, seen straight at the person: the truth.
        scores: (N * T, 33) what it says of itself.
        generator: what chance is drawn from.
        tremble: (N,).
    """
    people, slow = len(tremble), SLOW["metric"]
    frames = len(landmarks) // people
    about = landmarks - landmarks[:, _HIPS].mean(dim=1, keepdim=True)
    own, limb, lean = (
        _series(frames, (people, *shape), generator, slow=slow, tremble=tremble).flatten(0, 1)
        for shape in ((33, 3), (6, 3), (2,))
    )
    louder = (METRIC_SPREAD * torch.randn(people, generator=generator)).exp()
    drawn = torch.rand(people, 2, generator=generator)
    shrinkage = torch.tensor(METRIC_SHRINKAGE).repeat(people, 1)
    shrinkage[drawn[:, 0] < INSIDE_OUT, 2] *= -1
    louder[drawn[:, 1] < UNGUESSED] = torch.nan
    error = _rows(louder, frames)[:, None, None] * metric_error(own, limb, scores)
    guess = leant(about, lean) * _rows(shrinkage, frames)[:, None] + error
    return torch.nan_to_num(guess, nan=0.0)


def seen_at(frames: int, rates: Tensor, generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Which frames of ours were filmed, of footage of `rates` (N,).

    Returns:
        (N, T) int64 the filmed frame before or at each, the one after, and (N, T) how far between
        them it is, in [0, 1].
    """
    step = (FPS / rates).clamp(min=1.0)[:, None]
    phase = torch.rand(len(rates), 1, generator=generator) * step
    index = torch.arange(frames)
    # A frame that was filmed is the nearest of ours, and the place it is seen in is that frame's.
    before = ((index - phase) / step).floor()
    nearest = [((number * step) + phase).round().long() for number in (before, before + 1)]
    # Rounded up it may lie behind: then the one before it is meant.
    late = nearest[0] > index
    previous = ((before - 1) * step + phase).round().long()
    first = torch.where(late, previous, nearest[0])
    last = torch.where(late, nearest[0], nearest[1])
    first, last = first.clamp(0, frames - 1), last.clamp(0, frames - 1)
    share = (index - first) / (last - first).clamp(min=1)
    return first, last, share.clamp(0, 1)


def between_frames(values: Tensor, seen: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """(N, T, ...) `values` where they were filmed, and between them where not."""
    first, last, share = (each.unflatten(1, (-1, *(1,) * (values.dim() - 2))) for each in seen)
    old = values.gather(1, first.expand(-1, -1, *values.shape[2:]))
    new = values.gather(1, last.expand(-1, -1, *values.shape[2:]))
    return torch.lerp(old, new, share.to(values.dtype))


def _series(
    frames: int,
    shape: tuple[int, ...],
    generator: Generator,
    *,
    slow: tuple[float, float],
    tremble: Tensor,
) -> Tensor:
    """(N, T, ...) numbers; those of who trembles as usual are standard normal."""
    share, seconds = slow
    calm, fast = slow_and_fast(frames, shape, generator, fps=FPS, seconds=seconds)
    fast = fast * tremble.view(-1, *(1,) * (len(shape) - 1))
    return (share**0.5 * calm + (1 - share) ** 0.5 * fast).transpose(0, 1)


def _rows(values: Tensor, frames: int) -> Tensor:
    return values.repeat_interleave(frames, dim=0)
