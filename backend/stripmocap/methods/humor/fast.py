"""Solver `fast`: all moments of a shot at once, each next to what the motion prior says of it.

The paper rolls one motion out of its first moment (Rempe et al., "HuMoR", ICCV 2021, 4.1), so that
every moment waits for those before. Here every frame's pose is an unknown, and so is every
transition's latent; that a transition leads to the next pose is a soft constraint (multiple
shooting: Bock and Plitt, 1984). World axes: z up, the floor at z = 0, metres; frames are 1/30 s
apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter

import torch
from torch import Tensor

from ...contract.skeleton import CONTACT_COUNT
from ...geometry.rotations import aa_to_matrix
from ..smplify.chain_terms import Links
from ..smplify.evidence import Evidence, landmark_weights
from ..smplify.frame_terms import Told, guess_sigma
from ..smplify.levenberg import minimise
from ..smplify.states import States, choose
from ..smplify.subject import Subject
from .fast_energy import Balance, FastEnergy, FastStates
from .network import MotionPrior
from .touching import Touching, resting
from .transitions import SPAN, Transitions

BELIEVED = (0.0, 0.3)  # squares of confidence: less is believed the less of what is said
UNSEEN = 0.1  # how much bones of the start count, where they were not seen
DISTRUST = 10.0  # by so much more the start counts over a wrong floor
STEADIER = 3.0  # and motion is held steady by so much more: by 100, strides grow short
RESTING = 0.9  # how sure feet rest that are still and at the floor
START_SIGMA = 0.7  # of what a regressor errs by in a bone's direction: a fit errs by less
_BALANCE = Balance()
_ROUNDS = (3, 3, 3, 3)  # steps of each
_DAMPING = 1e-3
_LEAST_VOTE = 0.02


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
    rests: Tensor  # (N, F) in [0, 1], how surely foot points of the subject rest, as they are seen
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
    sequence = shot.evidence.sequence
    fit = _are_numbers(shot.start)
    lost = _any_of(~fit, sequence, count=len(shot.start.betas))
    kept = (~lost[sequence]).nonzero()[:, 0]
    contacts = shot.floor_votes.new_zeros(len(sequence), CONTACT_COUNT)
    if not len(kept):
        return Solved(shot.start, contacts, (), lost)
    with torch.no_grad():
        found = Solver(_at(shot, kept), prior, settings, report).solve()
    return Solved(
        states=shot.start.with_frames(kept, found.states),
        contacts=contacts.index_copy(0, kept, found.contacts),
        trace=found.trace,
        diverged=lost | found.diverged,
    )


class Solver:
    """One run: a few rounds, each with contacts and the prior's model as they were before it."""

    def __init__(
        self,
        shot: Shot,
        prior: MotionPrior,
        settings: Settings,
        report: Callable[[int, int], None] = lambda done, of: None,
    ) -> None:
        """Ready to `solve`; see the function of that name."""
        shot = replace(shot, evidence=_sure(shot.evidence, _trust(shot)))
        self.shot, self.report = shot, report
        self.begun, self.done = perf_counter(), 0
        balance = replace(
            _BALANCE,
            motion=_BALANCE.motion * settings.prior,
            touching=_BALANCE.touching * settings.contacts,
        )
        first = _transitions_of(shot.evidence.sequence)
        # Over a wrong floor the prior knows nothing either.
        votes = _trust(shot)[first + 1].clamp(min=_LEAST_VOTE)
        self.heard = Transitions(prior, first, votes)
        self.transitions = self.heard.counted(balance.motion)
        nothing = shot.floor_votes.new_zeros(len(shot.evidence), CONTACT_COUNT)
        self.energy = FastEnergy(
            shot.subject,
            shot.evidence,
            shot.camera_from_world,
            balance,
            told=_told(shot, weight=balance.start),
            transitions=self.transitions,
            touching=_touching(shot, nothing),
            links=_links(shot),
            held=shot.held,
        )

    def solve(self) -> Solved:
        """What `solve` answers."""
        shot, trace = self.shot, []
        moving = self.energy.moving(shot.start)
        state = FastStates(shot.start, self.transitions.likely_latents(moving))
        for steps in _ROUNDS:
            energy = self._with_contacts(state).modelled(state)
            state, energies = minimise(
                energy, state, iterations=steps, damping=_DAMPING, on_step=self._step
            )
            trace.append(Moment(perf_counter() - self.begun, float(energies.sum())))
        # Over a wrong floor the prior takes moving feet for standing ones.
        contacts = shot.floor_votes[:, None] * self._contacts(state)
        return self._sound(state, contacts, tuple(trace))

    def _step(self) -> None:
        self.report(self.done, 2 * sum(_ROUNDS))
        self.done += 1

    def _contacts(self, state: FastStates) -> Tensor:
        """(N, 9) chances by the prior, or by how feet move if that says more.

        The ends of a sequence have those of the nearest frames that the prior speaks of.
        """
        sequence, first = self.shot.evidence.sequence, self.heard.first
        chances = self.shot.floor_votes.new_zeros(len(sequence), CONTACT_COUNT)
        if not len(first):
            return chances
        moving = self.energy.moving(state.bodies)
        is_switched_off = len(state.latents) < len(first)
        latents = self.heard.likely_latents(moving) if is_switched_off else state.latents
        told = self.heard.contacts(moving, latents)
        frames = torch.arange(len(sequence), device=sequence.device)
        nearest = torch.searchsorted(first + 2, frames).clamp(max=len(first) - 1)
        mine = sequence[first[nearest]] == sequence
        nearest = torch.where(mine, nearest, (nearest - 1).clamp(min=0))
        mine = sequence[first[nearest]] == sequence
        chances = _steadied(torch.where(mine[:, None], told[nearest], 0.0), sequence)
        shot = self.shot
        rest = resting(shot.subject, moving.joints, linked=sequence.diff() == 0)
        return 1 - (1 - chances) * (1 - RESTING * shot.floor_votes[:, None] * rest)

    def _with_contacts(self, state: FastStates) -> FastEnergy:
        return replace(self.energy, touching=_touching(self.shot, self._contacts(state)))

    def _sound(self, state: FastStates, contacts: Tensor, trace: tuple[Moment, ...]) -> Solved:
        """What was found, with sequences that hold a number that is none as they started."""
        shot, bodies = self.shot, state.bodies
        sequence = shot.evidence.sequence
        sound = _are_numbers(bodies) & contacts.isfinite().all(dim=1)
        diverged = _any_of(~sound, sequence, count=len(shot.start.betas))
        states = choose(~diverged, bodies, shot.start, groups=sequence)
        contacts = torch.where(diverged[sequence][:, None], 0.0, contacts)
        return Solved(states, contacts, trace, diverged)


def _at(shot: Shot, frames: Tensor) -> Shot:
    """Some frames of `shot`, of whole sequences."""
    return replace(
        shot,
        evidence=shot.evidence.at(frames),
        start=shot.start.at(frames),
        camera_from_world=shot.camera_from_world[frames],
        floor_votes=shot.floor_votes[frames],
        rests=shot.rests[frames],
        held=int((frames < shot.held).sum()),
    )


def _are_numbers(states: States) -> Tensor:
    """(N,) bool, whether a frame holds nothing else."""
    parts = (states.transl, states.global_rotmat.flatten(1), states.body_pose.flatten(1))
    return torch.cat(parts, dim=1).isfinite().all(dim=1)


def _any_of(frames: Tensor, sequence: Tensor, *, count: int) -> Tensor:
    """(G,) bool, whether any of the frames (N,) of each of `count` sequences is among `frames`."""
    found = torch.zeros(count, device=sequence.device)
    return found.index_add(0, sequence, frames.to(found)) > 0


def _transitions_of(sequence: Tensor) -> Tensor:
    """(n,) int64, the first frames of transitions."""
    last = SPAN - 1
    row = torch.arange(max(len(sequence) - last, 0), device=sequence.device)
    return row[sequence[row] == sequence[row + last]]


def _trust(shot: Shot) -> Tensor:
    """(N,) in [0, 1], how much is refined: over a wrong floor all but the start may be wrong."""
    return shot.floor_votes.square()


def _touching(shot: Shot, chances: Tensor) -> Touching:
    return Touching.of(shot.subject, chances, floor_votes=shot.floor_votes, rests=shot.rests)


def _sure(evidence: Evidence, trust: Tensor) -> Evidence:
    """The evidence without what the detector hardly saw: the prior knows better.

    Args:
        evidence: of N frames.
        trust: (N,) of `_trust`.
    """
    full = torch.tensor(landmark_weights()).to(evidence.weights) * evidence.votes[:, None]
    share = trust.clamp(min=_LEAST_VOTE)[:, None]
    seen = share * _BALANCE.seen * _believed(evidence.weights / full.clamp(min=1e-6))
    return replace(
        evidence,
        weights=evidence.weights * seen,
        cue_weights=evidence.cue_weights * _believed(evidence.cue_weights),
    )


def _links(shot: Shot) -> Links:
    """How frames hang together, the steadier the less there is to trust."""
    links = Links.between(shot.evidence)
    votes = links.acceleration_votes * (1 + STEADIER * (1 - _trust(shot)[: len(shot.evidence) - 2]))
    return replace(links, acceleration_votes=votes)


def _believed(seen: Tensor) -> Tensor:
    low, high = BELIEVED
    return ((seen - low) / (high - low)).clamp(0, 1)


def _told(shot: Shot, *, weight: float) -> Told:
    """What the start says of bones that were seen, in each frame's camera."""
    subject, evidence, start = shot.subject, shot.evidence, shot.start
    points = subject.body.points(
        start.global_rotmat,
        aa_to_matrix(start.body_pose),
        betas=start.betas[evidence.sequence],
        transl=start.transl,
    )
    begin, end = subject.cue
    bones = (points[:, end] - points[:, begin]) @ shot.camera_from_world[:, :3, :3].mT
    distrust = 1 + DISTRUST * (1 - _trust(shot)[:, None])
    votes = weight * distrust * evidence.cue_weights[:, subject.bones].clamp(min=UNSEEN)
    return Told(bones, votes, START_SIGMA * guess_sigma().to(votes)[subject.bones])


def _steadied(chances: Tensor, sequence: Tensor) -> Tensor:
    """(N, 9) chances as means of each frame and its neighbours, so that none flickers."""
    total, count = chances.clone(), torch.ones_like(chances[:, :1])
    linked = (sequence.diff() == 0)[:, None].to(chances)
    total[1:] += linked * chances[:-1]
    total[:-1] += linked * chances[1:]
    count[1:] += linked
    count[:-1] += linked
    return total / count
