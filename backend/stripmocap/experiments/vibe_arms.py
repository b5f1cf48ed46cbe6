"""VIBE's claim about its motion discriminator: the same training with it and without it.

All arms begin with the same weights, see the same sequences in the same order for as long, and
differ in the weight of one term of the loss. They are small and short beside the shipped network's
training, and learn as it does (`training/vibe_run.py`). Each is kept in a folder of its own, from
which the same command goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from ..methods.vibe.keypoint_network import TemporalNetwork
from ..training import loop, resuming, vibe_run
from ..training.held_out_motion import judged_motion
from ..training.mocap import Clips
from ..training.sequences import MotionSampler
from ..training.shots import Shot
from ..training.synthetic import LandmarkBody
from ..training.vibe import MotionWeights, Plan, VibeLesson
from ..training.vibe_run import Order

Report = Callable[[str, int, int], None]

_USUAL = (16, 32)  # people and frames that tell what is usual


@dataclass(frozen=True)
class Size:
    """How large the arms are."""

    steps: int = 500
    people: int = 8  # sequences of a batch
    frames: int = 32
    memory: int = 128
    critics: tuple[float, ...] = (0.0, 0.05, 0.5)  # weights of its term, an arm each
    learning_rate: float = 1e-3
    scorings: int = 5
    seed: int = 0


@dataclass(frozen=True)
class Arm:
    """What became of one network."""

    name: str
    figures: tuple[float, ...]  # of `held_out_motion.Judged.LABELS`
    scores: dict[str, list[tuple[int, float]]]  # by step
    seconds: float


@dataclass(frozen=True, eq=False)
class Ground:
    """What both arms share."""

    size: Size
    start: Path  # weights of the network of single frames
    folder: Path
    body: LandmarkBody
    learnt: Clips
    watched: Sequence[Shot]  # while learning
    judged: Sequence[Shot]  # at the end


def named(critic: float) -> str:
    """What tables call the arm with so much weight on the discriminator."""
    return f"discriminator {critic:g}" if critic else "without a discriminator"


def run(ground: Ground, report: Report) -> list[Arm]:
    """All arms, trained one after the other, or taken from their folders if done."""
    return [_trained(ground, critic=each, report=report) for each in ground.size.critics]


def _trained(ground: Ground, *, critic: float, report: Report) -> Arm:
    size, name = ground.size, named(critic)
    torch.manual_seed(size.seed)  # before the network is made, so that arms begin alike
    network = vibe_run.begun(ground.start, memory=size.memory)
    usual = MotionSampler(ground.learnt, ground.body, seed=size.seed + 1).draw(*_USUAL)
    vibe_run.standardise(network, usual.over_time(usual.view().numbers))
    plan = Plan(size.people, size.frames, motion=MotionWeights(critic=critic))
    lesson = VibeLesson(
        network,
        MotionSampler(ground.learnt, ground.body, seed=size.seed),
        ground.body,
        plan=plan,
        held_out=tuple(ground.watched),
    )
    folder = ground.folder / name.replace(" ", "_")
    folder.mkdir(parents=True, exist_ok=True)
    order = Order(
        data=folder,
        output=folder,
        folder=folder,
        start=ground.start,
        steps=size.steps,
        learning_rate=size.learning_rate,
        averaging=0.99,
    )
    schedule = replace(
        order.schedule,
        warmup=min(order.schedule.warmup, size.steps // 4),
        score_every=max(1, size.steps // size.scorings),
    )

    def say(_: str, done: int, of: int) -> None:
        report(name, done, of)

    told = {"plan": plan, "memory": size.memory, "start": resuming.digest_of(ground.start)}
    trained = loop.train(lesson, schedule, folder=folder, seed=size.seed, plan=told, report=say)
    assert isinstance(trained.network, TemporalNetwork)
    (everything, *_) = judged_motion(trained.network, ground.judged, body=ground.body)
    history = trained.history
    return Arm(name, everything.figures, dict(history.scores), history.seconds)
