"""Solver `paper`: HuMoR's fit as it is published, three stages of L-BFGS.

Rempe et al., "HuMoR: 3D Human Motion Model for Robust Pose Estimation", ICCV 2021, 4.3, and its
code: bodies are placed, then bent, frame by frame; then a motion is rolled out from its first
moment, at first over half a second, then in full with that moment held, then with everything free.
All motions of a problem share every line search. The numbers are the published ones; what leads to
them is quicker by what `motion_objective` saves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, TypeVar

import torch
from torch import Tensor

from . import motion_objective
from .canonical import TurnOf, turn_of
from .motion_objective import SHORT, Led, Unknowns
from .objective import Energies, Frames, Problem, placing, posing, weighed
from .paper_start import Reading, begin, read_at_once

HISTORY = 100  # steps that L-BFGS remembers
_PLACING = ("transl", "global_orient")
_POSING = (*_PLACING, "pose_latents", "betas")
_FIRST_MOMENT = (
    *("transl", "global_orient", "pose_latents"),
    *("transl_vel", "joints_vel", "global_orient_vel"),
)
_LEADING = ("latents", "betas", "floor")


State = TypeVar("State", Frames, Unknowns)


@dataclass(frozen=True)
class Schedule:
    """How many steps each stage takes, each of so many iterations at most."""

    placing: int = 30
    posing: int = 80
    short: int = 30  # of the third stage: the first frames only
    held: int = 25  # then all, with the first moment as it is and no contacts
    free: int = 15  # then everything
    iterations: int = 20
    enough: float = 0.0  # a stage is done once a step lowers its energy by less than this share

    @property
    def steps(self) -> int:
        """Of all stages together."""
        return self.placing + self.posing + self.short + self.held + self.free


class Tried(NamedTuple):
    """One evaluation of an objective, by a line search."""

    stage: str  # "placing", "posing", "short", "held" or "free"
    step: int  # of the stage
    energy: float  # what the stage minimises
    energies: Energies  # before their weights


Watch = Callable[[Tried], None]  # may raise to stop


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a fit ends with, and what it went through."""

    placed: Frames
    posed: Frames
    begun: Unknowns
    unknowns: Unknowns
    led: Led  # of `unknowns`, without gradients


def solve(
    problem: Problem,
    start: Frames,
    *,
    schedule: Schedule | None = None,
    turning: TurnOf = turn_of,
    reading: Reading = read_at_once,
    watch: Watch = lambda tried: None,
) -> Fitted:
    """The motions that suit `problem` best, from `start`.

    Args:
        problem: N motions over T frames; T is 2 at least.
        start: bodies in every frame, for instance `paper_start.resting`.
        schedule: the published one by default.
        turning: `published_turn_of` for the published numbers.
        reading: how motions are read from the bodies of the second stage.
        watch: told every evaluation of an objective.

    Raises:
        Diverged: an objective became infinite or no number.
    """
    schedule = schedule or Schedule()
    placed = place(problem, start, schedule=schedule, watch=watch)
    posed = pose(problem, placed, schedule=schedule, watch=watch)
    begun = begin(problem, posed, turning=turning, reading=reading)
    unknowns = lead(problem, begun, schedule=schedule, turning=turning, watch=watch)
    with torch.no_grad():
        led = motion_objective.led(problem, unknowns, turning=turning)
    return Fitted(placed, posed, begun, unknowns, led)


class Diverged(ArithmeticError):
    """A fit went where nothing is a number."""


def place(problem: Problem, start: Frames, *, schedule: Schedule, watch: Watch) -> Frames:
    """Stage one: bodies are moved and turned."""
    descent = _Descent(start, _PLACING, problem=problem, schedule=schedule)
    descent.run(
        lambda frames: placing(problem, frames),
        watch=watch,
        stage="placing",
        steps=schedule.placing,
    )
    return descent.reached()


def pose(problem: Problem, start: Frames, *, schedule: Schedule, watch: Watch) -> Frames:
    """Stage two: they are bent and shaped as well."""
    descent = _Descent(start, _POSING, problem=problem, schedule=schedule)
    descent.run(
        lambda frames: posing(problem, frames),
        watch=watch,
        stage="posing",
        steps=schedule.posing,
    )
    return descent.reached()


def lead(
    problem: Problem, start: Unknowns, *, schedule: Schedule, turning: TurnOf, watch: Watch
) -> Unknowns:
    """Stage three: what leads from moment to moment."""
    everything = (*_FIRST_MOMENT, *_LEADING)
    short = min(SHORT, start.latents.shape[1] + 1)

    def in_short(unknowns: Unknowns) -> Energies:
        return _in_full(problem.shortened(short), unknowns.shortened(short), turning)

    def with_first_held(unknowns: Unknowns) -> Energies:
        found = motion_objective.led(problem, unknowns, turning=turning)
        moving = motion_objective.moving(problem, unknowns, found)
        return moving | motion_objective.overlapping(problem, unknowns, found)

    regimes = (
        ("short", in_short, everything, schedule.short),
        ("held", with_first_held, _LEADING, schedule.held),
        ("free", lambda unknowns: _in_full(problem, unknowns, turning), everything, schedule.free),
    )
    for stage, energies, names, steps in regimes:
        descent = _Descent(start, names, problem=problem, schedule=schedule)
        descent.run(energies, watch=watch, stage=stage, steps=steps)
        start = descent.reached()
    return start


def objective(problem: Problem, unknowns: Unknowns, *, turning: TurnOf = turn_of) -> Energies:
    """What the third stage minimises at last, before its weights; gradients pass."""
    return _in_full(problem, unknowns, turning)


def _in_full(problem: Problem, unknowns: Unknowns, turning: TurnOf) -> Energies:
    found = motion_objective.led(problem, unknowns, turning=turning)
    return {
        **motion_objective.moving(problem, unknowns, found),
        **motion_objective.touching(found),
        **motion_objective.overlapping(problem, unknowns, found),
    }


class _Descent(Generic[State]):
    """L-BFGS on some fields of a record; it remembers from step to step."""

    def __init__(
        self, start: State, names: tuple[str, ...], *, problem: Problem, schedule: Schedule
    ) -> None:
        # L-BFGS of torch flattens without copying, so that parts must be stored row by row.
        self._free: dict[str, Tensor] = {
            name: getattr(start, name).detach().clone(memory_format=torch.contiguous_format)
            for name in names
            if name not in problem.known
        }
        for each in self._free.values():
            each.requires_grad_()
        self._state = replace(start, **self._free)
        self._weights, self._enough = problem.weights, schedule.enough
        self._optimiser = torch.optim.LBFGS(
            self._free.values(),
            lr=1.0,
            max_iter=schedule.iterations,
            history_size=HISTORY,
            line_search_fn="strong_wolfe",
        )

    def run(
        self, energies: Callable[[State], Energies], *, watch: Watch, stage: str, steps: int
    ) -> None:
        """So many steps at most; each may try `energies` a few times more than it iterates."""
        for step in range(steps):
            tried: list[float] = []

            def closure(step: int = step, tried: list[float] = tried) -> Tensor:
                self._optimiser.zero_grad()
                found = energies(self._state)
                value = weighed(found, self._weights)
                value.backward()
                tried.append(float(value.detach()))
                watch(Tried(stage, step, tried[-1], {n: e.detach() for n, e in found.items()}))
                return value

            self._optimiser.step(closure)
            if not all(each.isfinite().all() for each in self._free.values()):
                raise Diverged(f"step {step} of {stage}")
            if tried[0] - min(tried) < self._enough * abs(tried[0]):
                return

    def reached(self) -> State:
        """Where it is now, without gradients."""
        return replace(self._state, **{name: value.detach() for name, value in self._free.items()})
