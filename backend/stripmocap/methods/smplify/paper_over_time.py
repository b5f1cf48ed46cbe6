"""SMPLify over time as VIBE runs it: one person's frames at once, one shape, L-BFGS.

Kocabas et al., "VIBE: Video Inference for Human Body Pose and Shape Estimation", CVPR 2020, and its
code: the objectives of `paper.py`, summed over frames, plus the distance that keypoints go from one
frame to the next, in pixels and in metres. Time is counted in frames. Shape is that of the frame
that fits best before. The published code loses the hips' and shoulders' confidence before its first
stage, which therefore changes nothing; ours puts the torso where it is seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Literal

import torch
from torch import Tensor

from ...geometry.cameras import project
from . import paper
from .paper import PaperProblem, PaperState

ITERATIONS = 20  # at most, of L-BFGS, in each stage
PIXELS_WEIGHT = 0.01**2  # per pixel from frame to frame
METRES_WEIGHT = 1.0**2  # per metre from frame to frame

FirstStage = Literal["torso", "published"]


@dataclass(frozen=True, eq=False)
class FitOverTime:
    """Where a fit ends, and which of its frames are better than where it began."""

    state: PaperState  # T frames, the same betas in each
    loss: Tensor  # (T,) mean over keypoints of the robust squared pixels
    start_loss: Tensor  # (T,) the same, of where it began
    better: Tensor  # (T,) bool; of no number it is false

    def kept(self, start: PaperState) -> PaperState:
        """The frames of the fit that are better, those of `start` where they are not."""
        chosen = {
            each.name: torch.where(
                self.better[:, None], getattr(self.state, each.name), getattr(start, each.name)
            )
            for each in fields(PaperState)
        }
        return PaperState(**chosen)


def solve(
    problem: PaperProblem,
    start: PaperState,
    *,
    iterations: int = ITERATIONS,
    first_stage: FirstStage = "torso",
) -> FitOverTime:
    """The fit of one person's T frames from `start`.

    Args:
        problem: the frames in order of time in place of a batch.
        start: T frames; the betas of the best one are taken for all.
        iterations: of L-BFGS in each stage.
        first_stage: whether the torso is placed first, or, as published, nothing is done.
    """
    with torch.no_grad():
        start_loss = paper.reprojection(problem, start).mean(dim=-1)
    best = int(start_loss.nan_to_num(torch.inf).argmin())
    state = replace(start, betas=start.betas[best : best + 1])
    if first_stage == "torso":
        state = _place(problem, state, iterations=iterations)
    state = _bend(problem, state, iterations=iterations)
    with torch.no_grad():
        state = _every_frame(state)
        loss = paper.reprojection(problem, state).mean(dim=-1)
    return FitOverTime(state, loss, start_loss, better=loss < start_loss)


def objective(problem: PaperProblem, state: PaperState) -> Tensor:
    """() what the second stage minimises."""
    return paper.objective(problem, state).sum() + unsteadiness(problem, state)


def unsteadiness(problem: PaperProblem, state: PaperState) -> Tensor:
    """() how far the sure keypoints go from each frame to the next, in the picture and in space.

    Along the axes, by the squared confidence of the later frame.
    """
    points = paper.points_of(problem, state)
    pixels = project(
        points + state.transl.unsqueeze(-2),
        focal=problem.focal,
        center=problem.center.unsqueeze(-2),
    )
    sure = paper.used_confidence(problem)[1:].square()
    gone = PIXELS_WEIGHT * _gone(pixels) + METRES_WEIGHT * _gone(points)  # (T-1, 49)
    return (sure * gone).sum()


def _gone(places: Tensor) -> Tensor:
    """(T-1, K) of places (T, K, D), along the axes."""
    return places.diff(dim=0).abs().sum(dim=-1)


def _place(problem: PaperProblem, start: PaperState, *, iterations: int) -> PaperState:
    """Stage one: where the person stands and which way they face, frame by frame."""

    def loss(state: PaperState) -> Tensor:
        return paper.torso_objective(problem, state, first_transl=start.transl).sum()

    return _descend(loss, start, names=("global_orient_aa", "transl"), iterations=iterations)


def _bend(problem: PaperProblem, start: PaperState, *, iterations: int) -> PaperState:
    """Stage two: poses, the one shape and orientations, from where stage one left the camera."""

    def loss(state: PaperState) -> Tensor:
        return objective(problem, state)

    names = ("body_pose_aa", "betas", "global_orient_aa")
    return _descend(loss, start, names=names, iterations=iterations)


def _descend(
    loss: Callable[[PaperState], Tensor],
    start: PaperState,
    *,
    names: tuple[str, ...],
    iterations: int,
) -> PaperState:
    """The state after one run of L-BFGS on the parts called `names`, betas (1, 10) for all."""
    # L-BFGS of torch flattens without copying, so that parts must be stored row by row.
    free = {
        name: getattr(start, name).detach().clone(memory_format=torch.contiguous_format)
        for name in names
    }
    for each in free.values():
        each.requires_grad_()
    optimiser = torch.optim.LBFGS(
        free.values(), lr=1.0, max_iter=iterations, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = loss(_every_frame(replace(start, **free)))
        value.backward()
        return value

    optimiser.step(closure)
    return replace(start, **{name: value.detach() for name, value in free.items()})


def _every_frame(state: PaperState) -> PaperState:
    return replace(state, betas=state.betas.expand(len(state.transl), -1))
