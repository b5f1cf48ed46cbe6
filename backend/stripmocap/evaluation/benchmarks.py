"""How fast we are, and against what: measured on this machine, in this process, side by side.

`smplify` fits people of known pose by the paper's solver on the full mesh and by ours, and compares
seconds and the value that the paper's objective reaches. `capture` runs the whole way from footage
to motion. Times are of the wall clock; runs alternate, and the best of each side counts, because
whatever else the machine does only ever adds.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import metadata
from typing import Any

import torch
from torch import Tensor

from ..contract.body_file import BodyTemplate
from ..geometry.rotations import aa_to_matrix
from ..methods.smplify import paper
from ..methods.smplify.paper import PaperProblem, PaperState, Points
from ..methods.smplify.priors import PosePrior

CROP_PX = 224.0  # the picture that the paper's constants are meant for
DEPTH_M = 50.0  # where a person about fills the crop, under the paper's long lens
NOISE_PX = 2.0  # of a good detector, in the crop
UNSEEN = 0.1  # share of keypoints without confidence
FACING_SPREAD = 0.6  # rad, how far people turn from the camera
PACKAGES = ("stripmocap", "torch", "numpy", "scipy")

Solver = Callable[[PaperProblem, PaperState], PaperState]
Said = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Comparison:
    """Seconds a frame, and the mean value of the paper's objective that each side reaches."""

    baseline_s: float
    ours_s: float
    objective_baseline: float
    objective_ours: float
    objective_start: float

    def to_json(self) -> dict[str, Any]:
        """What `stripmocap benchmark smplify --json` writes, but for the machine."""
        return {
            "baseline_s": self.baseline_s,
            "ours_s": self.ours_s,
            "ratio": self.baseline_s / self.ours_s,
            "objective_baseline": self.objective_baseline,
            "objective_ours": self.objective_ours,
            "objective_start": self.objective_start,
        }


def smplify(
    template: BodyTemplate,
    prior: PosePrior,
    *,
    ours: Solver,
    batch: int,
    repeats: int,
    report: Said,
    seed: int = 0,
) -> Comparison:
    """The paper's solver on the full mesh against `ours` on the reduced body.

    Args:
        template: the body.
        prior: from which poses are drawn, and which both sides minimise.
        ours: a solver of the same problem.
        batch: people fitted at once.
        repeats: runs of each side, one after the other in turns.
        report: told after every run.
        seed: of the people.
    """
    problem = scene(paper.full_mesh_points(template), prior, batch=batch, seed=seed)
    reduced = replace(problem, points=paper.reduced_points(template))
    start = usual_start(problem)
    sides = ((paper.solve, problem), (ours, reduced))
    seconds: list[list[float]] = [[], []]
    reached = [start, start]
    for run in range(repeats):
        for side, (solver, its_problem) in enumerate(sides):
            began = time.perf_counter()
            reached[side] = solver(its_problem, start)
            seconds[side].append(time.perf_counter() - began)
            report("benchmark", 2 * run + side + 1, 2 * repeats)
    # Judged by one yardstick, the full mesh.
    values = [float(paper.objective(problem, each).mean()) for each in (*reached, start)]
    return Comparison(min(seconds[0]) / batch, min(seconds[1]) / batch, *values)


def scene(points: Points, prior: PosePrior, *, batch: int, seed: int) -> PaperProblem:
    """People in poses drawn from `prior`, as a detector with some noise would see them."""
    generator = torch.Generator().manual_seed(seed)
    truth = drawn_people(prior, batch=batch, generator=generator)
    return scene_of(truth, points, prior, generator=generator)


def scene_of(
    truth: PaperState, points: Points, prior: PosePrior, *, generator: torch.Generator
) -> PaperProblem:
    """People of known pose, about in the middle of the crop, as a detector would see them."""
    batch = len(truth.betas)
    with torch.no_grad():
        seen = points(
            aa_to_matrix(truth.global_orient_aa),
            aa_to_matrix(truth.body_pose_aa.unflatten(-1, (-1, 3))),
            truth.betas,
        )
    seen = seen - seen.mean(dim=-2, keepdim=True) + torch.tensor([0.0, 0.0, DEPTH_M])
    center = torch.full((batch, 2), CROP_PX / 2)
    pixels = paper.FOCAL_PX * seen[..., :2] / seen[..., 2:] + center.unsqueeze(-2)
    pixels = pixels + NOISE_PX * torch.randn(pixels.shape, generator=generator)
    confidence = (torch.rand(pixels.shape[:2], generator=generator) > UNSEEN).float()
    keypoints = torch.cat([pixels, confidence.unsqueeze(-1)], dim=-1)
    return PaperProblem(points=points, prior=prior, keypoints=keypoints, center=center)


def drawn_people(prior: PosePrior, *, batch: int, generator: torch.Generator) -> PaperState:
    """`batch` people who roughly face the camera, their poses and shapes drawn at random."""
    which = torch.multinomial(prior.weights, batch, replacement=True, generator=generator)
    noise = torch.randn(batch, prior.means.shape[1], 1, generator=generator)
    # precision = L L^T, so L^-T turns white noise into noise of the Gaussian's covariance.
    offsets = torch.linalg.solve_triangular(prior.factors[which].mT, noise, upper=True)
    return PaperState(
        global_orient_aa=_facing(FACING_SPREAD * torch.randn(batch, generator=generator)),
        body_pose_aa=prior.means[which] + offsets[..., 0],
        betas=torch.randn(batch, 10, generator=generator),
        transl=torch.zeros(batch, 3),
    )


def usual_start(problem: PaperProblem) -> PaperState:
    """Everybody in the prior's mean pose, facing the camera, where the torso suggests."""
    batch = len(problem.keypoints)
    mean = (problem.prior.weights[:, None] * problem.prior.means).sum(dim=0)
    state = PaperState(
        global_orient_aa=_facing(torch.zeros(batch)),
        body_pose_aa=mean.expand(batch, -1),
        betas=torch.zeros(batch, 10),
        transl=torch.zeros(batch, 3),
    )
    return replace(state, transl=paper.first_camera(problem, state))


def machine() -> dict[str, Any]:
    """What the numbers were measured on, and with which versions."""
    versions = {name: metadata.version(name) for name in PACKAGES if _installed(name)}
    return {
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "processor": _processor(),
            "processors": os.cpu_count(),
            "threads": torch.get_num_threads(),
        },
        "versions": {"python": platform.python_version(), **versions},
    }


def peak_memory_mb() -> float | None:
    """The most memory that this process has held so far, 2^20 bytes each; None on Windows."""
    if sys.platform == "win32":
        return None
    import resource  # Windows has no such module

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


class Stopwatch:
    """A report that keeps the seconds of each stage and passes everything on."""

    def __init__(self, then: Said) -> None:
        self.seconds: dict[str, float] = {}
        self._then = then
        self._last_s = time.perf_counter()

    def __call__(self, stage: str, done: int, of: int) -> None:
        """Adds the time since the last call to `stage`."""
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last_s
        self._last_s = now
        self._then(stage, done, of)


def _facing(yaw: Tensor) -> Tensor:
    """(B, 3) axis-angle of people who stand before the camera, turned by `yaw` (B,) rad."""
    # Half a turn about x takes the body's y up to the camera's y down; after a turn by yaw about y,
    # the whole is half a turn about an axis between x and z.
    half = yaw / 2
    return torch.pi * torch.stack([half.cos(), torch.zeros_like(yaw), half.sin()], dim=-1)


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if "model name" in line]
    except OSError:
        names = []
    return names[0] if names else platform.processor()


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
