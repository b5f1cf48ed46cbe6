"""HuMoR's fit by three solvers, and what each second buys: the paper's objective against time.

The published way and solver `paper` go through the same numbers, evaluation by evaluation; so the
published way is timed for one evaluation of each stage, and its curve is that of `paper` at its
own pace. Solver `fast` minimises something else from a good start; what it finds is read as the
unknowns of the paper's objective, then polished in them. Seconds are of processors, of all threads
together, because whatever else a machine does changes those of the clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..contract.motion import Camera, Motion
from ..contract.skeleton import BLAZEPOSE_NAMES
from ..geometry.rotations import aa_to_matrix
from ..methods.humor import paper, paper_start
from ..methods.humor.figure import Figure
from ..methods.humor.floor import Floor, PriorFrame
from ..methods.humor.motion import states_of
from ..methods.humor.motion_objective import SHORT, Unknowns
from ..methods.humor.objective import (
    DEFAULT_FOCAL_PX,
    Energies,
    Frames,
    Observed,
    Priors,
    Problem,
    weighed,
)
from ..methods.humor.paper import Schedule, Tried
from ..methods.humor.rollout import transitions
from ..methods.humor.state import JOINTS
from ..people.observations import Person
from . import humor_published_way as published_way
from .humor_published_way import Mesh

Report = Callable[[str, int, int], None]

STAGES: tuple[str, ...] = ("placing", "posing", "short", "held", "free")
POLISH = Schedule(placing=0, posing=0, short=0, held=0, free=40)
_BONES = tuple(
    (BLAZEPOSE_NAMES.index(one), BLAZEPOSE_NAMES.index(other))
    for side in ("left", "right")
    for one, other in (
        (f"{side}_shoulder", f"{side}_elbow"),
        (f"{side}_elbow", f"{side}_wrist"),
        (f"{side}_shoulder", f"{side}_hip"),
        (f"{side}_hip", f"{side}_knee"),
        (f"{side}_knee", f"{side}_ankle"),
    )
)
_WORTH = 0.99  # of the value of a curve's last point: less lowering is not told
_TIMES = 3  # that an evaluation is timed, the quickest counting


class Point(NamedTuple):
    """What was reached when."""

    seconds: float
    value: float  # of the paper's objective


@dataclass(frozen=True)
class Curves:
    """The objective against time by solver, and what an evaluation takes."""

    curves: Mapping[str, Sequence[Point]]
    evaluations: Mapping[str, int]  # by stage
    published_s: Mapping[str, float]  # an evaluation and its gradients, by stage
    paper_s: Mapping[str, float]  # the same with the savings
    apart: float  # largest share by which the two ways differ in the last stage's value

    def to_json(self) -> dict[str, Any]:
        """What `stripmocap benchmark humor --json` writes, but for the machine."""
        value = asdict(self)
        value["curves"] = {
            name: [list(point) for point in thinned(points)] for name, points in self.curves.items()
        }
        return value | {"to_equal_value": self.to_equal_value()}

    def to_equal_value(self) -> dict[str, float | None]:
        """Seconds until each solver first reaches what the published way ends with; None: never."""
        goal = min(point.value for point in self.curves["published"])
        return {
            name: min((each.seconds for each in points if each.value <= goal), default=None)
            for name, points in self.curves.items()
        }


def thinned(points: Sequence[Point]) -> list[Point]:
    """A curve without the points that are hardly lower than one before them, but for its last."""
    kept: list[Point] = []
    for point in points:
        if not kept or point.value < _WORTH * kept[-1].value or point.value > kept[-1].value:
            kept.append(point)
    return kept if kept[-1] == points[-1] else [*kept, points[-1]]


class Step(NamedTuple):
    """A motion on the way to the refined one, and the seconds that it took to get there."""

    motion: Motion
    seconds: float


def problem_of(person: Person, camera: Camera, *, figure: Figure, priors: Priors) -> Problem:
    """What the paper's fit is asked about one person before a camera that stands still.

    Args:
        person: at 30 frames a second.
        camera: with the floor that is expected.
        figure: seen as BlazePose's landmarks.
        priors: evaluating.
    """
    larger = DEFAULT_FOCAL_PX[0] / camera.focal_px
    pixels = (person.keypoints[..., :2] - camera.center_px) * larger
    up, height = camera.world_from_camera[2, :3], camera.world_from_camera[2, 3]
    columns = figure.columns.tolist()
    observed = Observed(
        keypoints=torch.tensor(pixels[None][:, :, columns], dtype=torch.float32),
        confidence=torch.tensor(person.keypoints[None][:, :, columns, 2], dtype=torch.float32),
        focal=torch.full((2,), DEFAULT_FOCAL_PX[0]),
        center=torch.zeros(2),
        floor=torch.tensor(-height * up, dtype=torch.float32)[None],
    )
    return Problem(figure, priors, observed)


@torch.no_grad()
def unknowns_of(problem: Problem, motion: Motion) -> Unknowns:
    """A motion as what the paper's third stage looks for: its first moment and what leads on."""
    orient = aa_to_matrix(torch.tensor(motion.global_orient))[None]
    pose_aa = torch.tensor(motion.body_pose[:, : JOINTS - 1])
    pose, transl = aa_to_matrix(pose_aa)[None], torch.tensor(motion.transl)[None]
    betas, floor = torch.tensor(motion.betas)[None], problem.observed.floor.clone()
    figure = problem.figure
    frame = PriorFrame.under(Floor.of(floor), transl=transl[:, 0], global_orient=orient[:, 0])
    turned = frame.rotmat.unsqueeze(1) @ orient
    pelvis = figure.rest_pelvis(betas).unsqueeze(1)
    # Pelvises go as points; translations lie where they put them.
    moved = frame.enter(transl + pelvis) - pelvis
    points = figure.points(turned, pose, betas=betas.unsqueeze(1), transl=moved)
    states = states_of(
        transl=moved, global_orient=turned, body_pose=pose, joints=points[..., :JOINTS, :]
    )
    return Unknowns(
        transl=transl[:, 0],
        global_orient=torch.tensor(motion.global_orient[:1]),
        pose_latents=problem.priors.pose.encode(pose_aa[:1]).mean,
        transl_vel=states.transl_vel[:, 0],
        joints_vel=states.joints_vel[:, 0],
        global_orient_vel=states.global_orient_vel[:, 0],
        latents=problem.priors.motion.posterior(*transitions(states)).mean,
        betas=betas,
        floor=floor,
    )


def compare(
    problem: Problem,
    mesh: Mesh,
    steps: Sequence[Step],
    *,
    report: Report,
    schedule: Schedule | None = None,
) -> Curves:
    """The curves of the three solvers on one problem.

    Args:
        problem: of one person.
        mesh: of the same body as the problem's figure.
        steps: on the way to what solver `fast` finds, which is the last.
        report: told of stages.
        schedule: of the paper's solver; the published one by default.
    """
    report("benchmark", 0, 3)
    start = paper_start.resting(problem, _BONES)
    run = _Run(problem, start, schedule or Schedule())
    report("benchmark", 1, 3)
    published_s, apart = _published_s(problem, mesh, run)
    report("benchmark", 2, 3)
    curves = {
        "published": run.at_pace(published_s),
        "paper": run.points,
        "fast": _fast(problem, steps),
    }
    report("benchmark", 3, 3)
    return Curves(curves, run.evaluations, published_s, run.pace, apart)


def value_of(problem: Problem, unknowns: Unknowns) -> float:
    """What the paper's fit minimises at last."""
    with torch.no_grad():
        return float(weighed(paper.objective(problem, unknowns), problem.weights))


class _Run:
    """Solver `paper` from beginning to end, stage by stage."""

    def __init__(self, problem: Problem, start: Frames, schedule: Schedule) -> None:
        self.points: list[Point] = []
        self.evaluations = dict.fromkeys(STAGES, 0)
        self._problem, self._schedule = problem, schedule
        self._tried: list[tuple[str, float, float]] = []  # of each evaluation: stage, when, value
        self._began, self._aside = time.process_time(), 0.0
        self.placed = paper.place(problem, start, schedule=schedule, watch=self._watch)
        self.posed = paper.pose(problem, self.placed, schedule=schedule, watch=self._watch)
        self.begun = unknowns = paper_start.begin(problem, self.posed)
        self._mark(unknowns)
        for stage in STAGES[2:]:
            alone = {name: getattr(schedule, name) if name == stage else 0 for name in STAGES}
            unknowns = paper.lead(
                problem,
                unknowns,
                schedule=replace(schedule, **alone),
                turning=paper.turn_of,
                watch=self._watch,
            )
            self._mark(unknowns)

    @property
    def pace(self) -> dict[str, float]:
        """Seconds of an evaluation with all that comes with it, by stage."""
        spent, before = dict.fromkeys(STAGES, 0.0), 0.0
        for stage, seconds, _ in self._tried:
            spent[stage] += seconds - before
            before = seconds
        return {name: spent[name] / max(self.evaluations[name], 1) for name in STAGES}

    def at_pace(self, pace: Mapping[str, float]) -> list[Point]:
        """The same points, had every evaluation taken as long as `pace` says by stage."""
        reached = np.cumsum([0.0, *(pace[stage] for stage, _, _ in self._tried)])
        whens = [seconds for _, seconds, _ in self._tried]
        places = np.searchsorted(whens, [each.seconds for each in self.points], side="right")
        return [
            Point(float(reached[place]), each.value)
            for place, each in zip(places, self.points, strict=True)
        ]

    def _now(self) -> float:
        return time.process_time() - self._began - self._aside

    def _watch(self, tried: Tried) -> None:
        now = self._now()
        self.evaluations[tried.stage] += 1
        self._tried.append((tried.stage, now, tried.energy))
        if tried.stage == STAGES[-1] and tried.energy < self.points[-1].value:
            self.points.append(Point(now, tried.energy))

    def _mark(self, unknowns: Unknowns) -> None:
        """Notes what the whole objective is by now, outside the time."""
        now, began = self._now(), time.process_time()
        self.points.append(Point(now, value_of(self._problem, unknowns)))
        self._aside += time.process_time() - began


def _fast(problem: Problem, steps: Sequence[Step]) -> list[Point]:
    points, spent = [], 0.0
    unknowns = None
    for motion, seconds in steps:
        spent += seconds
        unknowns = unknowns_of(problem, motion)
        points.append(Point(spent, value_of(problem, unknowns)))
    assert unknowns is not None
    began = time.process_time()

    def watch(tried: Tried) -> None:
        if tried.energy < points[-1].value:
            points.append(Point(spent + time.process_time() - began, tried.energy))

    paper.lead(problem, unknowns, schedule=POLISH, turning=paper.turn_of, watch=watch)
    return points


def _published_s(problem: Problem, mesh: Mesh, run: _Run) -> tuple[dict[str, float], float]:
    """Seconds of an evaluation the published way, by stage, and how far its last value is off."""
    count = min(SHORT, run.begun.latents.shape[1] + 1)
    short, first = problem.shortened(count), run.begun.shortened(count)

    def led(problem: Problem, unknowns: Unknowns) -> Energies:
        return published_way.leading(problem, mesh, unknowns)

    tasks: dict[str, Callable[[], tuple[Problem, Callable[[Any], Energies], Any]]] = {
        "placing": lambda: (problem, lambda x: published_way.placing(problem, mesh, x), run.placed),
        "posing": lambda: (problem, lambda x: published_way.posing(problem, mesh, x), run.posed),
        "short": lambda: (short, lambda x: led(short, x), first),
        "held": lambda: (problem, lambda x: led(problem, x), run.begun),
        "free": lambda: (problem, lambda x: led(problem, x), run.begun),
    }
    seconds = {}
    for stage, task in tasks.items():
        its_problem, energies, state = task()
        seconds[stage] = min(_timed(its_problem, energies, state) for _ in range(_TIMES))
    with torch.no_grad():
        value = float(weighed(led(problem, run.begun), problem.weights))
    ours = value_of(problem, run.begun)
    return seconds, abs(value - ours) / abs(ours)


def _timed(
    problem: Problem, energies: Callable[[Any], Energies], state: Frames | Unknowns
) -> float:
    """Seconds of one evaluation and of its gradients."""
    leaves: dict[str, Tensor] = {
        each.name: getattr(state, each.name).detach().clone().requires_grad_()
        for each in fields(state)
    }
    began = time.process_time()
    value = weighed(energies(replace(state, **leaves)), problem.weights)
    torch.autograd.grad(value, list(leaves.values()), allow_unused=True)
    return time.process_time() - began
