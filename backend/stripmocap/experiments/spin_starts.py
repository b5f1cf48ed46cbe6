"""SPIN's third and fourth claims: fits from a regressor's start, and what they cost beside it.

The same people are fitted from the prior's mean pose (facing us; or also turned away, the better of
the two) and from what a regressor says, by the same solver and to the same objective. How hard a
person is, is how far the true pose is from the mean one, as nobody chose.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from ..contract import body_file
from ..geometry.rotations import matrix_to_aa
from ..methods.features.keypoints import View
from ..methods.hmr.inference import prepared
from ..methods.hmr.keypoint_network import KeypointNetwork
from ..methods.hmr.regressor import Regressed
from ..methods.smplify import newton, paper
from ..methods.smplify.paper import PaperProblem, PaperState
from ..training import spin
from .spin_arms import AT_ONCE, Report, Stage, errors_of, mean_starts

MEAN, MEAN_TWICE, REGRESSED, BEST = (
    *("mean pose", "mean pose, two headings", "the regressor", "the truth"),
)
FAILED_MM = 100.0  # PA-MPJPE of a fit from which nobody would animate
GROUPS = ("nearest quarter", "second", "third", "farthest quarter")


@dataclass
class Tried:
    """Fits of all people from one kind of start; (N,) each."""

    loss: Tensor  # squared pixels of the crop, mean over keypoints
    objective: Tensor
    error: Tensor  # mm, PA-MPJPE of the fit
    start_error: Tensor  # mm, of the start
    steps: Tensor

    @property
    def failed(self) -> Tensor:
        """(N,) bool, which fits are of no use."""
        return self.error > FAILED_MM


@dataclass
class Starts:
    """Everybody from every start."""

    tried: dict[str, Tried] = field(default_factory=dict)
    groups: Tensor = field(default_factory=lambda: torch.empty(0))  # (N,) int64 of GROUPS


def run(stage: Stage, network: KeypointNetwork, report: Report) -> Starts:
    """Everybody of the stage's held-out people, fitted from every start."""
    parts: dict[str, list[Tried]] = {}
    hardness = []
    for first in range(0, len(stage.held_out), AT_ONCE):
        some = stage.held_out[first : first + AT_ONCE]
        batch = stage.plain(some)
        view = some.view()
        with torch.no_grad():
            regressed = spin.start_of(batch, network(view))
        facing, away = mean_starts(stage.school, batch)
        pose = matrix_to_aa(some.rotmat).flatten(1)
        truth = spin.placed(stage.school, batch, pose=pose, betas=some.betas)
        problem = spin.problem_of(stage.school, batch)
        sides = [_tried(stage, some, problem=problem, start=each) for each in (facing, away)]
        found = {
            MEAN: sides[0],
            MEAN_TWICE: _better(*sides),
            REGRESSED: _tried(stage, some, problem=problem, start=regressed),
            BEST: _tried(stage, some, problem=problem, start=truth),
        }
        hardness.append(found[MEAN].start_error)
        for name, each in found.items():
            parts.setdefault(name, []).append(each)
        report("fits from each start", first + len(some), len(stage.held_out))
    whole = {name: _joined(each) for name, each in parts.items()}
    hard = torch.cat(hardness)
    edges = hard.quantile(torch.tensor([0.25, 0.5, 0.75]))
    return Starts(whole, torch.bucketize(hard, edges))


@dataclass(frozen=True)
class Cost:
    """Milliseconds a person, and how many were done together."""

    name: str
    ms: float
    together: int


def costs(stage: Stage, network: KeypointNetwork, *, repeats: int = 3) -> list[Cost]:
    """What one forward pass takes, and fits of the same people; the best of `repeats`."""
    some = stage.held_out[:64]
    batch = stage.plain(some)
    problem = spin.problem_of(stage.school, batch)
    start = mean_starts(stage.school, batch)[0]
    mesh = paper.full_mesh_points(body_file.load(body_file.EMBEDDED_BODY))
    ready = prepared(network, device=torch.device("cpu"))
    # Of a clip, all frames go through at once.
    regress = _forward(ready, stage.held_out.view())
    tasks: list[tuple[str, Callable[[], object], int]] = [
        ("one forward pass", regress, len(stage.held_out)),
        ("SMPLify, our solver", lambda: newton.solve(problem, start), len(some)),
        (
            "SMPLify, the paper's solver on the mesh, 100 + 100 steps of Adam",
            lambda: paper.solve(_on_mesh(problem, mesh), start),
            len(some),
        ),
    ]
    return [Cost(name, 1000 * _best(task, repeats) / count, count) for name, task, count in tasks]


def load(path: Path) -> KeypointNetwork:
    """The regressor in a file.

    Raises:
        AssetMissing, AssetCorrupt: there is none.
    """
    from ..methods.hmr.weights import load_keypoint_network

    return load_keypoint_network(path)


def _tried(stage: Stage, people, *, problem: PaperProblem, start: PaperState) -> Tried:
    solved = newton.solve_counted(problem, start)
    return Tried(
        loss=paper.reprojection(problem, solved.state).mean(dim=1),
        objective=paper.objective(problem, solved.state),
        error=_error(stage, people, solved.state),
        start_error=_error(stage, people, start),
        steps=solved.steps,
    )


def _error(stage: Stage, people, state: PaperState) -> Tensor:
    pose = torch.cat([state.global_orient_aa, state.body_pose_aa], dim=1)
    return errors_of(stage, people, pose=pose, betas=state.betas)


def _better(first: Tried, second: Tried) -> Tried:
    """Of each person the fit that projects nearer; it took the steps of both."""
    chosen = second.loss < first.loss
    parts = {name: torch.where(chosen, getattr(second, name), getattr(first, name))
             for name in vars(first)}  # fmt: skip
    return replace(Tried(**parts), steps=first.steps + second.steps)


def _joined(parts: list[Tried]) -> Tried:
    return Tried(**{name: torch.cat([getattr(each, name) for each in parts])
                    for name in vars(parts[0])})  # fmt: skip


def _on_mesh(problem: PaperProblem, points: Callable) -> PaperProblem:
    return replace(problem, points=points)


def _forward(network: KeypointNetwork, view: View) -> Callable[[], Regressed]:
    def regress() -> Regressed:
        with torch.inference_mode():
            return network(view)

    return regress


def _best(task: Callable[[], object], repeats: int) -> float:
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        task()
        seconds.append(time.perf_counter() - began)
    return min(seconds)
