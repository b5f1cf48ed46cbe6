"""SPIN's first two claims: networks taught in different ways, and what their starts do to fits.

Everybody is synthetic, so that the truth is known to the judge; of most people it is kept from the
teachers. All arms see the same people in the same order for as long, with the same weights of the
losses (training/spin.py); they differ in the teacher alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from ..contract import body_file
from ..contract.skeleton import JOINT_NAMES, LIMB_JOINTS
from ..geometry.rotations import aa_to_matrix
from ..methods.features.keypoints import FLAT_NUMBERS
from ..methods.hmr.keypoint_network import KeypointNetwork
from ..methods.smplify import newton, paper
from ..methods.smplify.paper import PaperProblem, PaperState
from ..methods.smplify.priors import PosePrior
from ..training import hmr, loop, spin
from ..training.augmentation import Augmentation
from ..training.fits import Fits
from ..training.mocap import load_clips
from ..training.spin import Batch, School, Teacher
from ..training.spin_keypoints import KeypointPages
from ..training.spin_lesson import InTurns, SpinLesson
from ..training.synthetic import LandmarkBody, Sampler, Samples

Report = Callable[[str, int, int], None]

TWO_D, ONE_OFF, IN_THE_LOOP, TRUTH = (
    *("2D keypoints only", "one-off fits", "fits in the loop"),
    "full truth",
)
_LIMBS = [JOINT_NAMES.index(name) for name in LIMB_JOINTS]
UPRIGHT = math.cos(math.radians(35))
WHOLE = 0.75  # share of the landmarks that are in the picture and not hidden
AT_ONCE = 256  # people fitted together


@dataclass(frozen=True)
class Plan:
    """How large the experiment is."""

    data: Path  # clips
    folder: Path  # where arms keep their checkpoints
    people: int = 4_000
    informed: float = 0.05  # share of people whose bodies the teachers may know
    held_out: int = 1_000
    probed: int = 128  # held-out people who are fitted again and again
    epochs: int = 30
    batch: int = 128
    rate: float = 1e-3
    width: int = 384
    pose: float = 1.0  # weight of the rotations in the loss; as published
    every: int = 6  # one batch in so many is fitted in the loop
    scorings: int = 8
    seed: int = 0
    arms: tuple[str, ...] = (TWO_D, ONE_OFF, IN_THE_LOOP, TRUTH)

    @property
    def steps(self) -> int:
        """Of each arm's training."""
        return self.epochs * self.people // self.batch

    def told(self) -> dict[str, float]:
        """What else than schedule and seed tells an arm's training from others."""
        names = ("people", "informed", "batch", "width", "pose", "every")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, eq=False)
class Stage:
    """What all arms share."""

    plan: Plan
    school: School
    body: LandmarkBody
    people: Samples
    held_out: Samples
    informed: Tensor  # (N,) bool

    @classmethod
    def build(cls, plan: Plan) -> Stage:
        """The people of `plan`, drawn."""
        template = body_file.load(body_file.EMBEDDED_BODY)
        body = LandmarkBody.from_template(template)
        points = paper.reduced_points(template)
        people, held_out = (
            draw_upright(Sampler(load_clips(plan.data, split), body, seed=plan.seed), count)
            for split, count in (("train", plan.people), ("val", plan.held_out))
        )
        generator = torch.Generator().manual_seed(plan.seed)
        informed = torch.rand(plan.people, generator=generator) < plan.informed
        school = School(points, PosePrior.load(), spin.DETECTED)
        return cls(plan, school, body, people, held_out, informed)

    def pages(self, samples: Samples, *, informed: Tensor) -> KeypointPages:
        """Pages of `samples`."""
        return KeypointPages(samples, self.school.points, informed=informed)

    def plain(self, samples: Samples) -> Batch:
        """All of `samples` as they are, nothing known."""
        count = len(samples)
        nobody = torch.zeros(count, dtype=torch.bool)
        return self.pages(samples, informed=nobody).open(
            torch.arange(count), Augmentation.none(count)
        )[1]


def draw_upright(sampler: Sampler, count: int) -> Samples:
    """`count` people as the pictures of SPIN's datasets mostly show them: upright, and whole.

    What lies, hangs or leaves the picture is passed over: a small network learns the rest in
    minutes, which is what an experiment with many arms has.
    """
    parts, found = [], 0
    while found < count:
        some = sampler.draw(2 * count)
        up = -some.rotmat[:, 0, 1, 1]  # of the body's up, along the camera's
        parts.append(some[(up > UPRIGHT) & (some.visible.float().mean(dim=1) > WHOLE)])
        found += len(parts[-1])
    names = vars(parts[0])
    joined = {name: torch.cat([getattr(each, name) for each in parts]) for name in names}
    return Samples(**joined)[:count]


@dataclass
class Arm:
    """What became of one network."""

    name: str
    scores: dict[str, list[tuple[int, float]]] = field(default_factory=dict)  # by step
    errors: dict[str, float] = field(default_factory=dict)  # held-out people, mm, at the end
    seconds: float = 0.0


def run(stage: Stage, report: Report) -> list[Arm]:
    """All arms of the plan, trained one after the other, or taken from their folders if done."""
    one_off: Fits | None = None
    if set(stage.plan.arms) & {ONE_OFF, IN_THE_LOOP}:
        one_off = one_off_fits(stage, report)
    return [run_arm(stage, name, one_off=one_off, report=report) for name in stage.plan.arms]


def run_arm(stage: Stage, name: str, *, one_off: Fits | None, report: Report) -> Arm:
    """One arm, trained and judged."""
    plan = stage.plan
    # The same weights to begin with, whatever was drawn before.
    torch.manual_seed(plan.seed)
    network = KeypointNetwork(plan.width, hidden=plan.width // 2, numbers=FLAT_NUMBERS)
    informed = torch.ones_like(stage.informed) if name == TRUTH else stage.informed
    fits = Fits(one_off.numbers.clone()) if one_off is not None else None
    lesson = SpinLesson(
        network,
        stage.pages(stage.people, informed=informed),
        _teacher(name, stage, fits),
        school=stage.school,
        fits=fits,
        batch=plan.batch,
        seed=plan.seed,
        weights=spin.Weights(pose=plan.pose),
        changes=Augmentation.draw_mirrored,
        judge=Judge(stage, fits if name in {ONE_OFF, IN_THE_LOOP} else None, fitted=name),
    )
    schedule = loop.Schedule(
        plan.steps,
        learning_rate=plan.rate,
        averaging=0.99,
        score_every=max(plan.steps // plan.scorings, 1),
    )
    folder = plan.folder / name.replace(" ", "_")
    folder.mkdir(parents=True, exist_ok=True)

    def say(_: str, done: int, of: int) -> None:
        report(name, done, of)

    trained = loop.train(
        lesson, schedule, folder=folder, seed=plan.seed, plan=plan.told(), report=say
    )
    errors = hmr.errors(trained.network, stage.held_out, body=stage.body)
    means = {key: float(each.mean()) for key, each in errors.items()}
    return Arm(name, trained.history.scores, means, trained.history.seconds)


def one_off_fits(stage: Stage, report: Report) -> Fits:
    """Everybody of the training fitted once from the mean pose, facing us or turned away."""
    path = stage.plan.folder / "one_off_fits.npy"
    if path.is_file():
        return Fits.load(path, count=len(stage.people))
    fits = Fits.unknown(len(stage.people))
    pages = stage.pages(stage.people, informed=stage.informed)
    for first in range(0, len(pages), AT_ONCE):
        index = torch.arange(first, min(first + AT_ONCE, len(pages)))
        plain = Augmentation.none(len(index))
        batch = pages.open(index, plain)[1]
        state = best_of(stage.school, batch, starts=mean_starts(stage.school, batch))
        pose = torch.cat([state.global_orient_aa, state.body_pose_aa], dim=1)
        better = torch.ones(len(index), dtype=torch.bool)
        fits.store(index, plain, pose=pose, betas=state.betas, better=better)
        report("one-off fits", int(index[-1]) + 1, len(pages))
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.save(path)
    return fits


def mean_starts(school: School, batch: Batch) -> list[PaperState]:
    """The prior's mean pose, facing the camera and turned away, where the keypoints suggest."""
    mean = (school.prior.weights[:, None] * school.prior.means).sum(dim=0)
    starts = []
    for yaw in (0.0, math.pi):
        # Half a turn about x takes y up to the camera's y down; see evaluation/benchmarks.py.
        orient = math.pi * torch.tensor([math.cos(yaw / 2), 0.0, math.sin(yaw / 2)])
        pose = torch.cat([orient, mean]).expand(len(batch), -1)
        starts.append(spin.placed(school, batch, pose=pose, betas=torch.zeros_like(batch.betas)))
    return starts


def best_of(school: School, batch: Batch, *, starts: Sequence[PaperState]) -> PaperState:
    """For each person the fit, of those from all `starts`, that projects nearest."""
    problem = spin.problem_of(school, batch)
    fits = [quick_solve(problem, start) for start in starts]
    losses = torch.stack([paper.reprojection(problem, fit).mean(dim=1) for fit in fits])
    best = losses.argmin(dim=0)
    parts = {
        name: torch.stack([getattr(fit, name) for fit in fits])[best, torch.arange(len(batch))]
        for name in vars(fits[0])
    }
    return PaperState(**parts)


def quick_solve(problem: PaperProblem, start: PaperState) -> PaperState:
    """The fit from `start`, cut off where most people's energies have stopped to fall."""
    return newton.solve_counted(problem, start, place_steps=10, bend_steps=15).state


def errors_of(stage: Stage, samples: Samples, *, pose: Tensor, betas: Tensor) -> Tensor:
    """(B,) PA-MPJPE of bodies (B, 72), (B, 10) against the truth of `samples`, millimetres."""
    joints, _ = stage.body.stand(aa_to_matrix(pose.unflatten(1, (-1, 3))), betas=betas)
    found, truth = joints[:, _LIMBS], samples.joints[:, _LIMBS]
    return hmr.MM * (hmr.similar(found, truth) - truth).norm(dim=-1).mean(dim=-1)


class Judge:
    """Scores of a network, and of the fits that its teacher has or that it starts itself."""

    def __init__(self, stage: Stage, fits: Fits | None, *, fitted: str) -> None:
        self._stage, self._fits = stage, fits
        self._probes = fitted == IN_THE_LOOP
        self._some = stage.held_out[: stage.plan.probed]
        self._batch = stage.plain(self._some)

    def __call__(self, network: nn.Module) -> dict[str, float]:
        """Means over held-out people; of stored fits over some that are learned from."""
        errors = hmr.errors(network, self._stage.held_out, body=self._stage.body)
        scores = {name: float(values.mean()) for name, values in errors.items()}
        if self._fits is not None:
            some = slice(0, 1000)
            pose, betas = self._fits.numbers[some].split((72, 10), dim=1)
            stored = errors_of(self._stage, self._stage.people[some], pose=pose, betas=betas)
            scores["stored fits PA-MPJPE mm"] = float(stored.nanmean())
        return {**scores, **(self._probe(network) if self._probes else {})}

    def _probe(self, network: nn.Module) -> dict[str, float]:
        """What fits come to that start where `network` says."""
        batch = self._batch
        view = self._stage.pages(self._some, informed=self._batch.has_body).open(
            batch.index, batch.augmentation
        )[0]
        with torch.no_grad():
            start = spin.start_of(batch, network(view))
        return fit_figures(self._stage, self._some, batch=batch, start=start)


def fit_figures(
    stage: Stage, samples: Samples, *, batch: Batch, start: PaperState
) -> dict[str, float]:
    """What fits from `start` come to: steps, energy, error."""
    problem = spin.problem_of(stage.school, batch)
    solved = newton.solve_counted(problem, start)
    pose = torch.cat([solved.state.global_orient_aa, solved.state.body_pose_aa], dim=1)
    error = errors_of(stage, samples, pose=pose, betas=solved.state.betas)
    return {
        "fit steps": float(solved.steps.double().mean()),
        "fit objective": float(paper.objective(problem, solved.state).median()),
        "fit reprojection px^2": float(paper.reprojection(problem, solved.state).mean()),
        "fit PA-MPJPE mm": float(error.mean()),
    }


def _teacher(name: str, stage: Stage, fits: Fits | None) -> Teacher:
    if fits is None or name in {TWO_D, TRUTH}:
        return spin.only_truth
    stored = spin.StoredFits(stage.school, fits)
    if name == ONE_OFF:
        return stored
    return InTurns(spin.FitsInTheLoop(stage.school, fits), stored, every=stage.plan.every)
