"""Solver `fast`: all moments of a shot at once, each next to what the motion prior says of it.

The paper rolls one motion out of its first moment (Rempe et al., "HuMoR", ICCV 2021, 4.1), so that
every moment waits for those before. Here every frame's pose is an unknown, and so is every
transition's latent; that a transition leads to the next pose is a soft constraint (multiple
shooting: Bock and Plitt, 1984). World axes: z up, the floor at z = 0, metres; frames are 1/30 s
apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from ..smplify.evidence import Evidence
from ..smplify.states import States
from ..smplify.subject import Subject
from .network import MotionPrior


@dataclass(frozen=True)
class Settings:
    """How much each part counts; 1 is what serves most footage."""

    prior: float = 1.0
    contacts: float = 1.0


@dataclass(frozen=True, eq=False)
class Shot:
    """N frames of G pieces of people's motion, as a start has them and as they were seen.

    Neighbours of one `evidence.sequence` are 1/30 s apart. Transitions need four frames in a row.
    """

    subject: Subject
    evidence: Evidence  # pixels, and bones in the axes of each frame's camera
    start: States  # world axes; betas (G, 10) stay as they are
    camera_from_world: Tensor  # (N, 4, 4) metres
    floor_votes: Tensor  # (N,) in [0, 1], 0 where the floor says nothing
    held: int = 0  # so many frames at the front are given, and stay: 4 of an earlier window


@dataclass(frozen=True)
class Moment:
    """Where a solver was after so many seconds."""

    seconds: float
    energy: float  # nats, of all sequences


@dataclass(frozen=True, eq=False)
class Solved:
    """Motions that were found."""

    states: States  # (N,) world axes
    contacts: Tensor  # (N, 9) in [0, 1], chances that `CONTACT_NAMES` touch something
    trace: tuple[Moment, ...]
    diverged: Tensor  # (G,) bool: sequences that came back as they started


def solve(
    shot: Shot,
    prior: MotionPrior,
    *,
    settings: Settings,
    report: Callable[[int, int], None] = lambda done, of: None,
) -> Solved:
    """The motion of `shot` that is likely and seen, with what it touches.

    Args:
        shot: on the CPU or another device, as `prior`.
        prior: evaluating.
        settings: what counts how much.
        report: told steps done, of; may raise to stop.
    """
    raise NotImplementedError
