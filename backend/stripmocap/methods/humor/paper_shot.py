"""Solver `paper` on a shot as we have it: warm, before any camera, on any body and prior.

The published fit looks at pictures of 1080 lines, whose pixels its weights are for; what was seen
is brought to its default lens. Its camera axes are here level ones a metre above the floor, still
while the camera moves. Poses, shape and floor of the start are good already: bodies are not posed
frame by frame any more, latents are read from them so that the motion does not stray, and shape
and floor stay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from time import perf_counter
from typing import NamedTuple

import torch
from torch import Tensor

from ...contract.motion import LEVEL_WORLD_FROM_CAMERA
from ...contract.skeleton import CONTACT_COUNT
from ...geometry.rotations import aa_to_matrix, matrix_to_aa
from ..smplify.evidence import Evidence
from ..smplify.states import MOVING_JOINTS, States, choose
from . import paper
from .canonical import turn_of
from .fast import Moment, Settings, Shot, Solved
from .figure import Figure
from .objective import (
    DEFAULT_FOCAL_PX,
    DEMO,
    Frames,
    Observed,
    Piece,
    Priors,
    Problem,
    Weights,
    weighed,
)
from .paper import Diverged, Schedule, Tried
from .paper_start import begin, read_in_turn
from .pieces import AT_ONCE, Motion, solve_in_pieces, split

WARM = Schedule(placing=0, posing=0, short=0, held=10, free=15, enough=1e-3)
_SHORTEST = 4  # frames: with fewer there is no motion to speak of
_ABOVE_FLOOR_M = 1.0
_KNOWN = frozenset({"betas", "floor"})


@dataclass(frozen=True, eq=False)
class PaperSolver:
    """The solver, as shots are handed to it."""

    figure: Figure
    priors: Priors
    settings: Settings
    schedule: Schedule = WARM
    weights: Weights = DEMO

    def __call__(self, shot: Shot, report: Callable[[int, int], None]) -> Solved:
        """The motion of `shot`, as `fast.solve` gives it; sequences of a few frames stay."""
        return _Run(self, shot, report).solve()

    def value(self, shot: Shot) -> float:
        """What the third stage minimises, where the schedule leads it from the start of `shot`.

        Motions are not cut into pieces; those of a few frames are left out.

        Raises:
            Diverged: it became infinite or no number.
        """
        return _Run(self, shot, lambda done, of: None).value()


class _Run:
    def __init__(self, solver: PaperSolver, shot: Shot, report: Callable[[int, int], None]) -> None:
        self.solver, self.shot, self.report = solver, shot, report
        self.level = _Level.of(shot)
        self.begun, self.trace = perf_counter(), list[Moment]()
        counts = shot.evidence.sequence.bincount()
        self.starts = [0, *counts.cumsum(0).tolist()]
        long = [int(count) for count in counts if count >= _SHORTEST]
        batches = sum(-(-len(split(count)) // AT_ONCE) for count in long)
        self.done, self.of = 0, batches * solver.schedule.steps

    def solve(self) -> Solved:
        shot, groups = self.shot, len(self.starts) - 1
        found = shot.start
        diverged = shot.floor_votes.new_zeros(groups, dtype=torch.bool)
        contacts = shot.floor_votes.new_zeros(len(shot.evidence), CONTACT_COUNT)
        for group in range(groups):
            frames = slice(self.starts[group], self.starts[group + 1])
            if frames.stop - frames.start < _SHORTEST:
                continue
            try:
                motion = self._solved(group, frames)
            except Diverged:
                diverged[group] = True
                continue
            found = found.with_frames(frames, self._states(motion, group, frames))
            contacts[frames] = motion.contacts
        if shot.held:
            found = found.with_frames(slice(shot.held), shot.start.at(slice(shot.held)))
        return self._sound(found, contacts, diverged)

    def value(self) -> float:
        total = 0.0
        for group, (first, last) in enumerate(pairwise(self.starts)):
            if last - first >= _SHORTEST:
                frames = slice(first, last)
                problem = self._problem(frames)
                unknowns = paper.lead(
                    problem,
                    begin(problem, self._start(group, frames), reading=read_in_turn),
                    schedule=self.solver.schedule,
                    turning=turn_of,
                    watch=lambda tried: None,
                )
                with torch.no_grad():
                    found = paper.objective(problem, unknowns)
                    total += float(weighed(found, problem.weights))
        return total

    def _solved(self, group: int, frames: slice) -> Motion:
        problem, start = self._problem(frames), self._start(group, frames)
        before = None
        if self.shot.held and not frames.start:
            points = start.points(problem.figure, problem.priors.pose)[0, : self.shot.held]
            shared = points.index_select(-2, problem.figure.shared)
            piece = Piece(shared, start.betas[0], problem.observed.floor[0])
            before = (self.shot.held, piece)
        return solve_in_pieces(problem, start, solve=self._fit, before=before)

    def _fit(self, problem: Problem, start: Frames) -> paper.Fitted:
        first = self.done
        seen: dict[str, int] = {}
        fitted = paper.solve(
            problem,
            start,
            schedule=self.solver.schedule,
            reading=read_in_turn,
            watch=lambda tried: self._watch(tried, first, seen),
        )
        self.done = first + self.solver.schedule.steps
        self.report(self.done, self.of)
        return fitted

    def _watch(self, tried: Tried, first: int, seen: dict[str, int]) -> None:
        self.trace.append(Moment(perf_counter() - self.begun, tried.energy))
        if seen.get(tried.stage) != tried.step:
            seen[tried.stage] = tried.step
            self.done = min(self.done + 1, first + self.solver.schedule.steps)
            self.report(self.done - 1, self.of)

    def _problem(self, frames: slice) -> Problem:
        evidence, figure = self.shot.evidence, self.solver.figure
        settings, votes = self.solver.settings, float(self.shot.floor_votes[frames].mean())
        usual = self.solver.weights
        weights = replace(
            usual,
            motion=usual.motion * settings.prior,
            initial=usual.initial * settings.prior,
            skating=usual.skating * settings.contacts,
            hovering=usual.hovering * settings.contacts * votes,
        )
        observed = _observed(evidence.at(frames), figure, self.level, frames)
        return Problem(figure, self.solver.priors, observed, weights, known=_KNOWN)

    def _start(self, group: int, frames: slice) -> Frames:
        start, figure, pose = self.shot.start, self.solver.figure, self.solver.priors.pose
        betas = _padded(start.betas[group], figure)
        rest = figure.rest_pelvis(betas)
        orient, pelvis = self.level.enter(start.global_rotmat[frames], start.transl[frames] + rest)
        with torch.no_grad():
            # What a turn by pi or more would be is no pose that the prior has seen.
            body = matrix_to_aa(aa_to_matrix(start.body_pose[frames, :MOVING_JOINTS]))
            latents = pose.encode(body).mean
        return Frames(
            transl=(pelvis - rest).unsqueeze(0),
            global_orient=matrix_to_aa(orient).unsqueeze(0),
            pose_latents=latents.unsqueeze(0),
            betas=betas.unsqueeze(0),
        )

    def _states(self, motion: Motion, group: int, frames: slice) -> States:
        start, rest = self.shot.start, self.solver.figure.rest_pelvis(motion.betas)
        orient, pelvis = self.level.leave(motion.global_orient, motion.transl + rest)
        hands = start.body_pose[frames, MOVING_JOINTS:]
        return States(
            transl=pelvis - rest,
            global_rotmat=orient,
            body_pose=torch.cat([matrix_to_aa(motion.body_pose), hands], dim=1),
            betas=start.betas,
        )

    def _sound(self, found: States, contacts: Tensor, diverged: Tensor) -> Solved:
        shot = self.shot
        sequence = shot.evidence.sequence
        numbers = torch.cat(
            [found.transl, found.global_rotmat.flatten(1), found.body_pose.flatten(1)], 1
        )
        wrong = (~numbers.isfinite()).any(dim=1) | (~contacts.isfinite()).any(dim=1)
        diverged = diverged.clone()
        diverged[sequence[wrong]] = True
        states = choose(~diverged, found, shot.start, groups=sequence)
        contacts = torch.where(diverged[sequence][:, None], 0.0, contacts)
        return Solved(states, contacts, tuple(self.trace), diverged)


class _Level(NamedTuple):
    """Axes as of a level camera (x right, y down) that stands a metre above the world's origin."""

    rotmat: Tensor  # (3, 3) world to level
    offset: Tensor  # (3,) metres
    to_cameras: Tensor  # (N, 4, 4) level to each frame's camera

    @classmethod
    def of(cls, shot: Shot) -> _Level:
        like = shot.camera_from_world
        world_from_level = torch.tensor(LEVEL_WORLD_FROM_CAMERA).to(like)
        world_from_level[2, 3] = _ABOVE_FLOOR_M
        rotmat = world_from_level[:3, :3].mT
        return cls(rotmat, -rotmat @ world_from_level[:3, 3], like @ world_from_level)

    def enter(self, orient: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 3, 3) and (N, 3) of the world, in these axes."""
        return self.rotmat @ orient, points @ self.rotmat.mT + self.offset

    def leave(self, orient: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        """The inverse of `enter`."""
        return self.rotmat.mT @ orient, (points - self.offset) @ self.rotmat


def _observed(evidence: Evidence, figure: Figure, level: _Level, frames: slice) -> Observed:
    larger = DEFAULT_FOCAL_PX[0] / evidence.focal
    pixels = (evidence.keypoints[:, figure.columns] - evidence.center) * larger
    return Observed(
        keypoints=pixels.unsqueeze(0),
        confidence=evidence.weights[:, figure.columns].sqrt().unsqueeze(0),
        focal=pixels.new_full((2,), DEFAULT_FOCAL_PX[0]),
        center=pixels.new_zeros(2),
        floor=pixels.new_tensor([[0.0, _ABOVE_FLOOR_M, 0.0]]),
        moved=level.to_cameras[frames].unsqueeze(0),
    )


def _padded(betas: Tensor, figure: Figure) -> Tensor:
    """(L,) as many as the figure has."""
    wanted = figure.body.J_shapedirs.shape[-1]
    return torch.nn.functional.pad(betas, (0, wanted - len(betas)))
