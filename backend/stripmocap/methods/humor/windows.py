"""All ticks of a shot through a solver, window after window: bounded memory, and no seam.

Windows overlap, because what comes next tells of what was before; each starts from finished ticks
ahead of it, which stay. Answers can be noted, so that a killed job goes on. What a solver lost is
left as it began.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ...contract.skeleton import CONTACT_COUNT
from ..smplify.notes import Notes
from ..smplify.outcome import confidence_of
from ..smplify.states import States
from ..smplify.subject import Subject
from .fast import Shot, Solved

HELD = 4  # ticks, that a transition from moment to moment is read of
OVERLAP = 30
_FARTHEST_M = 3.0  # that anybody is moved; further off a solver has lost them
_FITS = 0.7  # of how well the start fits what is seen: what fits worse is no better motion

Report = Callable[[int, int], None]  # done, of; may raise to stop
Solve = Callable[[Shot, Report], Solved]


@dataclass(frozen=True, eq=False)
class Found:
    """What a solver made of N ticks, in the world; all fields are tensors, so that it is noted."""

    transl: Tensor  # (N, 3) metres
    global_rotmat: Tensor  # (N, 3, 3)
    body_pose: Tensor  # (N, 23, 3) axis-angle
    contacts: Tensor  # (N, 9) in [0, 1]
    is_left: Tensor  # (N,) bool: as it began, because nothing better was found

    @classmethod
    def begun(cls, states: States) -> Found:
        """Before a solver has come by."""
        count = len(states.transl)
        return cls(
            states.transl.clone(),
            states.global_rotmat.clone(),
            states.body_pose.clone(),
            contacts=states.transl.new_zeros(count, CONTACT_COUNT),
            is_left=torch.ones(count, dtype=torch.bool, device=states.transl.device),
        )

    def at(self, ticks: slice) -> Found:
        """Some of the ticks."""
        parts = (self.transl, self.global_rotmat, self.body_pose, self.contacts, self.is_left)
        return Found(*(each[ticks] for each in parts))

    def states(self, betas: Tensor) -> States:
        """The bodies, with betas (G, 10)."""
        return States(self.transl, self.global_rotmat, self.body_pose, betas)

    def note(self, ticks: slice, part: Found) -> None:
        """Puts `part` in the place of some ticks."""
        for name in ("transl", "global_rotmat", "body_pose", "contacts", "is_left"):
            getattr(self, name)[ticks] = getattr(part, name)


def solve_in_windows(
    shot: Shot,
    solve: Solve,
    *,
    window: int,
    notes: Notes,
    report: Report,
    hand_out: Callable[[Found, int], None],
) -> Found:
    """What `solve` makes of all N ticks of `shot`.

    Args:
        shot: all of it, nothing held.
        solve: the solver, for one window.
        window: ticks that are solved at once.
        notes: of an earlier run, and of this one.
        report: told ticks done, of; may raise to stop.
        hand_out: told, after windows but the last, how many ticks are finished.
    """
    found, count, begin = Found.begun(shot.start), len(shot.evidence), 0
    sequence = shot.evidence.sequence
    while begin < count:
        stop = min(begin + window, count)
        ticks = slice(max(begin - HELD, _first_of(sequence, begin)), stop)
        held = begin - ticks.start
        part = replace(_part_of(shot, ticks), held=held)
        # The others from where they began, which solvers take for something that was said.
        finished = found.at(slice(ticks.start, begin)).states(shot.start.betas)
        part = replace(part, start=part.start.with_frames(slice(held), finished))

        def inside(done: int, of: int, begin: int = begin, stop: int = stop) -> None:
            report(begin + round((stop - begin) * done / max(of, 1)), count)

        def solved(part: Shot = part, inside: Report = inside) -> Found:
            return _solved(part, solve, inside)

        answer = notes.once(solved, like=found.at(ticks))
        found.note(slice(begin, stop), answer.at(slice(held, None)))
        report(stop, count)
        if stop == count:
            return found
        # Where the next spell begins nothing is left that could be told by what follows.
        begin = max(stop - OVERLAP, _first_of(sequence, stop), begin + 1)
        hand_out(found, begin)
    return found


def _first_of(sequence: Tensor, tick: int) -> int:
    """Where the spell of a tick begins."""
    return int((sequence < sequence[tick]).sum())


def rest_pelvis(subject: Subject, betas: Tensor) -> Tensor:
    """(G, 3) metres, where the pelvis of bodies with betas (G, 10) is at rest."""
    body = subject.body
    return body.J_template[0] + torch.einsum("cl,gl->gc", body.J_shapedirs[0], betas)


def before_camera(states: States, shot: Shot) -> States:
    """`states` of the ticks of `shot`, in the axes of each tick's camera."""
    turn, shift = shot.camera_from_world[:, :3, :3], shot.camera_from_world[:, :3, 3]
    rest = rest_pelvis(shot.subject, states.betas)[shot.evidence.sequence]
    pelvis = torch.einsum("nij,nj->ni", turn, states.transl + rest) + shift
    return States(pelvis - rest, turn @ states.global_rotmat, states.body_pose, states.betas)


def _part_of(shot: Shot, ticks: slice) -> Shot:
    return replace(
        shot,
        evidence=shot.evidence.at(ticks),
        start=shot.start.at(ticks),
        camera_from_world=shot.camera_from_world[ticks],
        floor_votes=shot.floor_votes[ticks],
        rests=shot.rests[ticks],
    )


def _solved(shot: Shot, solve: Solve, report: Report) -> Found:
    """The answer of a solver, where it is one."""
    begun = Found.begun(shot.start)
    try:
        solved = solve(shot, report)
    except torch.linalg.LinAlgError:  # a model of the energy that is no valley
        return begun
    states, sequence = solved.states, shot.evidence.sequence
    parts = (states.transl, states.global_rotmat.flatten(1), states.body_pose.flatten(1))
    numbers = torch.cat([*parts, solved.contacts], dim=1)
    lost = solved.diverged.clone()
    lost[sequence[~torch.isfinite(numbers).all(dim=1)]] = True
    lost[sequence[(states.transl - shot.start.transl).norm(dim=1) > _FARTHEST_M]] = True
    for whose in sequence.unique()[~lost[sequence.unique()]].tolist():
        mine = sequence == whose
        lost[whose] = _fit(states, shot, mine) < _FITS * _fit(shot.start, shot, mine)
    kept = lost[sequence]

    def chosen(name: str, new: Tensor) -> Tensor:
        old = getattr(begun, name)
        return torch.where(kept.view(-1, *[1] * (old.ndim - 1)), old, new.to(old))

    return Found(
        transl=chosen("transl", states.transl),
        global_rotmat=chosen("global_rotmat", states.global_rotmat),
        body_pose=chosen("body_pose", states.body_pose),
        contacts=chosen("contacts", solved.contacts.clamp(0, 1)),
        is_left=kept,
    )


def _fit(states: States, shot: Shot, ticks: Tensor) -> Tensor:
    """() how well some ticks of states fit what is seen."""
    part = replace(
        shot, evidence=shot.evidence.at(ticks), camera_from_world=shot.camera_from_world[ticks]
    )
    seen = before_camera(states.at(ticks), part)
    return confidence_of(seen, part.evidence, shot.subject, window=len(seen.transl)).mean()
