"""Both solvers of the refinement from the same starts: how good, how long, and what they lower.

The paper's takes minutes a person, so that stretches are short. Every take is read as unknowns of
the paper's objective and goes down from there by the same few steps, because reading loses what
counts much in it. One part of that objective our solver lacks, the prior over first moments; so it
is the paper's that is tried without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..contract.methods import HumorOptions
from ..contract.motion import Camera
from ..evaluation.grounded import judge
from ..evaluation.truth import Truth
from ..methods.humor import refine
from ..methods.humor.fast import Settings
from ..methods.humor.figure import Figure
from ..methods.humor.objective import DEMO, Weights
from ..methods.humor.own_weights import load_own_priors
from ..methods.humor.paper import Schedule
from ..methods.humor.paper_shot import PaperSolver
from ..methods.humor.whole import Whole
from ..methods.smplify.priors import SHIPPED_PRIOR, PosePrior
from ..methods.smplify.subject import Subject
from ..methods.toolbox import Estimate, Tools
from ..people.observations import Person
from . import humor_takes
from .humor_shots import FloorShot
from .humor_takes import Bench, Chain, Tried
from .humor_video import Film, whom

Report = Callable[[str, int, int], None]

BRIEF_S = 2.0  # of a clip
FILM = "film"  # the kind of what was filmed
APART = "paper, no initial-state prior"
READ = Schedule(placing=0, posing=0, short=0, held=3, free=3)  # from takes as they are read
_FEW = 2  # shots on which that is tried
_STEP = ("humor without its first moments", HumorOptions(solver="paper"))


@dataclass(frozen=True, eq=False)
class Lowered:
    """A take, and what the paper's fit minimises, as low as it is by there."""

    tried: Tried
    objective: float


@dataclass(frozen=True, eq=False)
class _Case:
    name: str
    kind: str
    people: tuple[Person, ...]
    whom: Person
    camera: Camera
    truth: Truth
    hidden: np.ndarray  # (T, 12) bool

    @classmethod
    def of_shot(cls, shot: FloorShot) -> _Case:
        person = shot.shot.person()
        name, kind = shot.shot.name, shot.shot.kind
        return cls(name, kind, (person,), person, shot.camera, shot.truth, shot.hidden)

    @classmethod
    def of_film(cls, film: Film) -> _Case:
        return cls(
            *(film.name, FILM, film.people, whom(film)), film.camera, film.truth, film.hidden
        )


def lowered(
    base: Sequence[str],
    shots: Sequence[FloorShot],
    *,
    films: Sequence[Film],
    bench: Bench,
    report: Report,
) -> list[Lowered]:
    """The chain of methods `base`, which ends with humor, by each solver, on every shot and film.

    Raises:
        AssetMissing, AssetCorrupt: the weights of the paper's solver cannot be read.
    """
    tools = bench.tools("humor")
    usual, apart = (_solver(tools, each) for each in (DEMO, replace(DEMO, initial=0.0)))
    bench.know(_STEP, refine.estimator_of(apart, tools))
    reader = replace(usual, schedule=READ)
    subject = Subject.from_template(tools.body, PosePrior.load(SHIPPED_PRIOR))
    chains = humor_takes.solvers(base)
    without = Chain(APART, (*chains[0].steps[:-1], _STEP))
    cases = [*map(_Case.of_shot, shots), *map(_Case.of_film, films)]
    found = []
    for done, case in enumerate(cases):
        report("solvers", done, len(cases))
        made = {}
        for chain in (*chains, without) if done < min(_FEW, len(shots)) else chains:
            tried = _tried(chain, case, bench, made)
            whole = _whole(case, tried.estimate, subject)
            found.append(Lowered(tried, reader.value(whole.task().shot)))
    return found


def _solver(tools: Tools, weights: Weights) -> PaperSolver:
    pose, first = (
        tools.networks.get(name, shipped)
        for name, shipped in (
            ("humor_pose_embedded", refine.SHIPPED_POSE),
            ("humor_start_embedded", refine.SHIPPED_FIRST),
        )
    )
    priors = load_own_priors(tools.network or refine.SHIPPED_HUMOR, pose, first=first)
    figure = Figure.of_blazepose(tools.body, dtype=torch.float32)
    return PaperSolver(figure, priors, Settings(), weights=weights)


def _tried(chain: Chain, case: _Case, bench: Bench, made: humor_takes.Made) -> Tried:
    estimate, seconds = bench.made(chain.steps, case.people, case.camera, made)
    (motion,) = [each for each in estimate.motions if each.person == case.whom.person]
    found = judge(motion, estimate.camera, case.truth, body=bench.soles, hidden=case.hidden)
    return Tried(chain.name, case.name, case.kind, found, seconds, estimate)


def _whole(case: _Case, estimate: Estimate, subject: Subject) -> Whole:
    """Of the person who is judged."""
    return Whole.of([case.whom], estimate, subject=subject, window=len(case.whom.times_s))
