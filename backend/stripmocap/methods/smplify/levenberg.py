"""Levenberg-Marquardt for many small problems at once, alone or chained through time.

A problem has N frames of D unknowns each. Frames belong to groups; each group has its own damping
and accepts or refuses its own steps, so that a frame that goes wrong stops nobody else. What a
group couples is up to the problem: nothing (every frame its own group), frames with their next two
or three (a sequence), or frames with a few shared unknowns (one shape for a person).
Moré, "The Levenberg-Marquardt Algorithm", 1978; damping is scaled by the diagonal as there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import scipy.linalg
import torch
from torch import Tensor

_LEAST_DAMPING = 1e-8
_MOST_DAMPING = 1e8
_DIAGONAL_FLOOR = 1e-6  # in units of an energy's second derivative: unseen unknowns stay put


@dataclass(frozen=True, eq=False)
class Band:
    """What couples each frame with the two or three after it."""

    next1: Tensor  # (N, D, D) H of frame t + 1 (rows) with frame t; the last is not used
    next2: Tensor  # (N, D, D) H of frame t + 2 (rows) with frame t; the last two are not used
    next3: Tensor | None = None  # (N, D, D) of frame t + 3

    @property
    def blocks(self) -> tuple[Tensor, ...]:
        """What there is, the nearest first."""
        nearest = (self.next1, self.next2)
        return nearest if self.next3 is None else (*nearest, self.next3)


@dataclass(frozen=True, eq=False)
class Shared:
    """The S unknowns that all frames of a group share."""

    gradient: Tensor  # (G, S)
    diagonal: Tensor  # (G, S, S)
    frames: Tensor  # (N, D, S) H of a frame's unknowns with its group's


@dataclass(frozen=True, eq=False)
class System:
    """The energy of each group and its quadratic model: `energy + g x + x H x / 2`."""

    energy: Tensor  # (G,)
    gradient: Tensor  # (N, D)
    diagonal: Tensor  # (N, D, D) H of a frame with itself
    band: Band | None = None
    shared: Shared | None = None


State = TypeVar("State")


class Problem(Protocol[State]):
    """What `minimise` needs to know of a problem. States are dataclasses of tensors."""

    @property
    def groups(self) -> Tensor:
        """(N,) int64, the group of each frame."""
        ...

    def linearise(self, state: State) -> System:
        """The energy at `state` and its quadratic model."""
        ...

    def moved(self, state: State, step: Tensor, shared_step: Tensor | None) -> State:
        """`state` after a step (N, D), and (G, S) of the shared unknowns."""
        ...

    def choose(self, accepted: Tensor, new: State, old: State) -> State:
        """`new` in the groups where `accepted` (G,) is true, `old` in the others."""
        ...


def minimise(
    problem: Problem[State],
    state: State,
    *,
    iterations: int,
    damping: float = 1e-3,
    tolerance: float = 1e-4,
    on_step: Callable[[], None] = lambda: None,
) -> tuple[State, Tensor]:
    """The best state found from `state`, and the energy (G,) of each group there.

    Args:
        problem: what to minimise.
        state: where to start.
        iterations: steps at the most, refused ones included.
        damping: relative to the diagonal of H, at the start.
        tolerance: a group rests once an accepted step lowers its energy by less than this share.
        on_step: called twice a step, before it is solved and before it is tried; may raise to stop.
    """
    system = problem.linearise(state)
    dampings = torch.full_like(system.energy, damping)
    active = torch.ones_like(system.energy, dtype=torch.bool)
    for _ in range(iterations):
        on_step()
        step, shared_step = _solve(system, dampings, groups=problem.groups)
        on_step()
        lost = _without(step, shared_step, groups=problem.groups, count=len(dampings))
        # They stay: their neighbours in the chain would be told of places that are no numbers.
        step = step.where(~lost[problem.groups][:, None], 0.0)
        if shared_step is not None:
            shared_step = shared_step.where(~lost[:, None], 0.0)
        trial = problem.moved(state, step, shared_step)
        trial_system = problem.linearise(trial)
        # A comparison with NaN is false: a place that is none is refused like any bad one.
        accepted = (trial_system.energy <= system.energy) & active & ~lost
        gain = 1 - trial_system.energy / system.energy.clamp(min=1e-12)
        state = problem.choose(accepted, trial, state)
        system = _choose_system(accepted, trial_system, system, groups=problem.groups)
        dampings = torch.where(accepted, dampings / 4, dampings * 8)
        dampings = dampings.clamp(_LEAST_DAMPING, _MOST_DAMPING)
        active &= ~(accepted & (gain < tolerance)) & (dampings < _MOST_DAMPING)
        if not active.any():
            break
    return state, system.energy


def _without(step: Tensor, shared_step: Tensor | None, *, groups: Tensor, count: int) -> Tensor:
    """(G,) bool, the groups that have no step (N, D), or none (G, S) of what they share."""
    wrong = (~step.isfinite().all(dim=1)).to(step)
    lost = step.new_zeros(count).index_add(0, groups, wrong) > 0
    return lost if shared_step is None else lost | ~shared_step.isfinite().all(dim=1)


def _solve(system: System, dampings: Tensor, *, groups: Tensor) -> tuple[Tensor, Tensor | None]:
    """Newton's step of the damped model: (N, D), and (G, S) where there are shared unknowns."""
    damped = _damped(system.diagonal, dampings[groups])
    columns = -system.gradient.unsqueeze(-1)  # (N, D, 1)
    shared = system.shared
    if shared is not None:
        columns = torch.cat([columns, shared.frames], dim=-1)
    if system.band is None:
        solved = _solve_blocks(damped, columns)
    else:
        solved = _solve_banded(damped, system.band, columns, groups=groups)
    if shared is None:
        return solved[..., 0], None
    # The Schur complement: what is left for the shared unknowns once every frame has answered.
    answer, influence = solved[..., 0], solved[..., 1:]  # (N, D), (N, D, S)
    coupled = shared.frames.mT  # (N, S, D)
    schur = _damped(shared.diagonal, dampings).index_add(0, groups, -(coupled @ influence))
    right = (-shared.gradient).index_add(0, groups, -(coupled @ answer[..., None])[..., 0])
    shared_step = _solve_blocks(schur, right.unsqueeze(-1))[..., 0]  # (G, S)
    return answer - (influence @ shared_step[groups].unsqueeze(-1))[..., 0], shared_step


def _damped(blocks: Tensor, dampings: Tensor) -> Tensor:
    diagonal = blocks.diagonal(dim1=-2, dim2=-1)
    return blocks + torch.diag_embed(dampings[:, None].to(blocks) * diagonal + _DIAGONAL_FLOOR)


def _solve_blocks(blocks: Tensor, columns: Tensor) -> Tensor:
    factor, info = torch.linalg.cholesky_ex(blocks)
    solved = torch.cholesky_solve(columns, factor)
    # A block that is not positive definite gives a step into nowhere, which is then refused.
    return torch.where((info == 0)[:, None, None], solved, torch.nan)


def _solve_banded(diagonal: Tensor, band: Band, columns: Tensor, *, groups: Tensor) -> Tensor:
    """(N, D, C) solution of the chained system; NaN for groups of which it cannot be solved."""
    try:
        return _solve_chain(diagonal, band, columns)
    except (np.linalg.LinAlgError, ValueError):  # not positive definite, not finite
        lengths = groups.unique_consecutive(return_counts=True)[1].tolist()
    if len(lengths) == 1:
        return torch.full_like(columns, torch.nan)
    parts = zip(
        diagonal.split(lengths),
        zip(*(each.split(lengths) for each in band.blocks), strict=True),
        columns.split(lengths),
        groups.split(lengths),
        strict=True,
    )
    return torch.cat(
        [
            _solve_banded(own, Band(*next_), right, groups=group)
            for own, next_, right, group in parts
        ]
    )


def _solve_chain(diagonal: Tensor, band: Band, columns: Tensor) -> Tensor:
    """(N, D, C) solution of the chained system, by a banded Cholesky factor in double precision."""
    count, size, _ = diagonal.shape
    right = columns.double().cpu().numpy().reshape(count * size, -1)
    factor = scipy.linalg.cholesky_banded(
        _lower_band(diagonal, band), lower=True, overwrite_ab=True
    )
    solved = scipy.linalg.cho_solve_banded((factor, True), right)
    return torch.as_tensor(solved.reshape(columns.shape)).to(columns)


def _lower_band(diagonal: Tensor, band: Band) -> np.ndarray:
    """(k D, N D) lower band of the chained system: row r holds entries [j + r, j]; k is 3 or 4."""
    count, size, _ = diagonal.shape
    tall = 1 + len(band.blocks)
    blocks = torch.zeros(count, (tall + 1) * size, size, dtype=torch.float64)  # rows of a column
    blocks[:, :size] = diagonal
    for apart, each in enumerate(band.blocks, start=1):
        blocks[:-apart, apart * size : (apart + 1) * size] = each[:-apart]
    columns = np.ascontiguousarray(blocks.transpose(1, 2).numpy())  # (N, D, (k + 1) D)
    frame, column, row = columns.strides
    # Column c of a block starts c rows further down, at its own place on the diagonal.
    skewed = np.lib.stride_tricks.as_strided(
        columns, shape=(count, size, tall * size), strides=(frame, column + row, row)
    )
    return np.ascontiguousarray(skewed.reshape(count * size, tall * size).T)


def _choose_system(accepted: Tensor, new: System, old: System, *, groups: Tensor) -> System:
    """`new` in the groups where `accepted` (G,) is true, `old` in the others."""
    frames = accepted[groups]

    def of_groups(first: Tensor, second: Tensor) -> Tensor:
        return torch.where(accepted.view(-1, *[1] * (first.ndim - 1)), first, second)

    def of_frames(first: Tensor, second: Tensor) -> Tensor:
        return torch.where(frames.view(-1, *[1] * (first.ndim - 1)), first, second)

    band = shared = None
    if new.band is not None and old.band is not None:
        pairs = zip(new.band.blocks, old.band.blocks, strict=True)
        band = Band(*(of_frames(first, second) for first, second in pairs))
    if new.shared is not None and old.shared is not None:
        shared = Shared(
            of_groups(new.shared.gradient, old.shared.gradient),
            of_groups(new.shared.diagonal, old.shared.diagonal),
            of_frames(new.shared.frames, old.shared.frames),
        )
    return System(
        energy=of_groups(new.energy, old.energy),
        gradient=of_frames(new.gradient, old.gradient),
        diagonal=of_frames(new.diagonal, old.diagonal),
        band=band,
        shared=shared,
    )
