"""How fast one person's frames are fitted over time: VIBE's solver on the full mesh and on ours.

Both sides take the same steps (`paper_over_time.py`) and end at the same place; what differs is how
keypoints are had from a body.
"""

from __future__ import annotations

import time
from dataclasses import replace

import torch

from ..contract.body_file import BodyTemplate
from ..methods.smplify import paper, paper_over_time
from ..methods.smplify.paper import PaperProblem, PaperState
from ..methods.smplify.priors import PosePrior
from .benchmarks import Comparison, Said, drawn_people, scene_of, usual_start


def compare(
    template: BodyTemplate,
    prior: PosePrior,
    *,
    frames: int,
    repeats: int,
    report: Said,
    seed: int = 0,
) -> Comparison:
    """Seconds a frame of both sides, and the mean objective of the frames that each reaches.

    Args:
        template: the body.
        prior: from which the person's first and last poses are drawn.
        frames: of one person, fitted at once.
        repeats: runs of each side, one after the other in turns.
        report: told after every run.
        seed: of the person.
    """
    generator = torch.Generator().manual_seed(seed)
    truth = one_person(prior, frames=frames, generator=generator)
    full = scene_of(truth, paper.full_mesh_points(template), prior, generator=generator)
    sides = (full, replace(full, points=paper.reduced_points(template)))
    start = usual_start(full)
    seconds: list[list[float]] = [[], []]
    reached = [start, start]
    for run in range(repeats):
        for side, problem in enumerate(sides):
            began = time.perf_counter()
            reached[side] = paper_over_time.solve(problem, start).state
            seconds[side].append(time.perf_counter() - began)
            report("benchmark", 2 * run + side + 1, 2 * repeats)
    values = [_objective(full, each) for each in (*reached, start)]
    return Comparison(min(seconds[0]) / frames, min(seconds[1]) / frames, *values)


def one_person(prior: PosePrior, *, frames: int, generator: torch.Generator) -> PaperState:
    """(T) frames of one person who goes from a pose of `prior` to another, steadily."""
    ends = drawn_people(prior, batch=2, generator=generator)
    share = torch.linspace(0, 1, frames)[:, None]
    return PaperState(
        ends.global_orient_aa[:1].expand(frames, -1),
        torch.lerp(ends.body_pose_aa[:1], ends.body_pose_aa[1:], share),
        ends.betas[:1].expand(frames, -1),
        ends.transl[:1].expand(frames, -1),
    )


def _objective(problem: PaperProblem, state: PaperState) -> float:
    """Of one frame on average, by the yardstick of the full mesh."""
    with torch.no_grad():
        return float(paper_over_time.objective(problem, state)) / len(state.betas)
