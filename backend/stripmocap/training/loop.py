"""The loop that every network here is trained by: it steps, averages, scores, and saves.

What is taught, from what, and by which losses is a `Lesson`'s matter. The loop has the optimiser
(AdamW; Loshchilov & Hutter, "Decoupled Weight Decay Regularization", ICLR 2019), its schedule, the
moving average of the weights, and the checkpoint: one file, written whole, from which the same
command goes on as if it had never been stopped.
"""

from __future__ import annotations

import copy
import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn

from ..contract.errors import Cancelled, RequestError, TrainingFailed
from . import curves, resuming
from .resuming import StopLater

Report = Callable[[str, int, int], None]

LOG_STEPS = 50  # losses are kept as means over so many
MOST_SPOILT = 20  # steps in a row whose loss is no number
_NO_STEP = -1


class Lesson(Protocol):
    """What is taught, and from what."""

    network: nn.Module

    def losses(self, step: int) -> dict[str, Tensor]:
        """The weighed terms of one batch of the lesson's own drawing: the loop takes their sum.

        More may happen on the way: a critic's own step, fits in the loop.
        """
        ...

    def scores(self, network: nn.Module) -> dict[str, float]:
        """Figures of `network`, in evaluation mode, on people it does not learn from."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """All besides the network that has to survive, as tensors, numbers, strings, lists."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from `state_dict`'s answer."""
        ...


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to learn."""

    steps: int
    learning_rate: float = 1e-3  # the highest
    warmup: int = 200  # steps over which it rises from zero
    shape: Literal["cosine", "constant"] = "cosine"  # what follows; cosine ends at zero
    weight_decay: float = 0.0
    clip: float = 1.0  # norm of the gradient
    averaging: float = 0.999  # share of the moving average that a step keeps; 0: none is kept
    gentle: tuple[str, ...] = ()  # first letters of the names of weights that learn more slowly
    gentle_share: float = 1.0  # of the learning rate, which those have; 0: they stay as they are
    score_every: int = 1000  # steps
    save_every_s: float = 180.0

    def rate(self, step: int) -> float:
        """The learning rate of a step, over the highest."""
        rising = min(1.0, (step + 1) / max(self.warmup, 1))
        if self.shape == "constant":
            return rising
        return rising * 0.5 * (1.0 + math.cos(math.pi * step / self.steps))


@dataclass
class History:
    """What the losses and scores were, by step."""

    losses: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    scores: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    seconds: float = 0.0  # of all runs of this training


@dataclass(frozen=True, eq=False)
class Trained:
    """What a training came to."""

    network: nn.Module  # the moving average, in evaluation mode
    history: History
    steps: int


def train(
    lesson: Lesson,
    schedule: Schedule,
    *,
    folder: Path,
    seed: int,
    plan: Mapping[str, Any],
    report: Report,
) -> Trained:
    """Trains to the end of `schedule`, going on from the checkpoint in `folder` if there is one.

    `folder` then holds `checkpoint.pt`, `history.json` and, where matplotlib is, `curves.png`.

    Args:
        lesson: what is taught.
        schedule: how long and how fast.
        folder: made if need be.
        seed: of torch's generators.
        plan: all else that what is learnt depends on, by name, for `resuming.identity_of`.
        report: told of each step.

    Raises:
        Cancelled: Ctrl-C; the step was finished and saved.
        RequestError: the checkpoint is of another schedule, seed, plan or network.
        AssetCorrupt: the checkpoint cannot be read.
        DiskFull: nothing can be written there; an earlier checkpoint stays whole.
        TrainingFailed: the loss has been no number for `MOST_SPOILT` steps in a row.
    """
    run = _Run(lesson, schedule, folder=folder, seed=seed, plan=plan)
    run.resume()
    with StopLater() as stopping:
        for step in range(run.step, schedule.steps):
            run.advance(step)
            report("training", step + 1, schedule.steps)
            if stopping.asked or run.due():
                run.save()
            if stopping.asked:
                raise Cancelled(
                    f"stopped after {step + 1} of {schedule.steps} steps, kept in {folder}",
                    hint="The same command goes on from there.",
                )
    run.save()
    return Trained(run.average.eval(), run.history, schedule.steps)


def half(device: torch.device | str) -> AbstractContextManager:
    """The context in which a network's layers multiply in bfloat16."""
    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16)


def _groups(network: nn.Module, schedule: Schedule) -> list[dict[str, Any]]:
    """The weights that learn, and those that do so gently, as an optimiser takes them."""
    gentle, others = [], []
    for name, each in network.named_parameters():
        if each.requires_grad:
            (gentle if name.startswith(schedule.gentle) else others).append(each)
    parts = ((others, 1.0), (gentle, schedule.gentle_share))
    return [{"params": params, "share": share} for params, share in parts if params and share]


class _Run:
    """A training under way."""

    def __init__(
        self,
        lesson: Lesson,
        schedule: Schedule,
        *,
        folder: Path,
        seed: int,
        plan: Mapping[str, Any],
    ) -> None:
        torch.manual_seed(seed)
        self.lesson, self.schedule, self.folder = lesson, schedule, folder
        learning = dataclasses.asdict(schedule)
        for free in ("score_every", "save_every_s"):  # these change nothing of what is learnt
            del learning[free]
        self.identity = resuming.identity_of({"seed": seed, **learning, **plan})
        groups = _groups(lesson.network, schedule)
        self.weights = [each for group in groups for each in group["params"]]
        self.optimizer = torch.optim.AdamW(
            groups,
            lr=schedule.learning_rate,
            weight_decay=schedule.weight_decay,
            fused=True,
        )
        self.average = copy.deepcopy(lesson.network).requires_grad_(False)
        self.history, self.step, self.spoilt = History(), 0, 0
        self.gathered: dict[str, Tensor] = {}
        self.saved_s = self.clock_s = time.monotonic()

    def advance(self, step: int) -> None:
        """One step of learning, and what is due after it."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.learning_rate * self.schedule.rate(step) * group["share"]
        self.lesson.network.train()
        terms = self.lesson.losses(step)
        total = torch.stack(list(terms.values())).sum()
        self.optimizer.zero_grad(set_to_none=True)
        if torch.isfinite(total):
            total.backward()
            norm = nn.utils.clip_grad_norm_(self.weights, self.schedule.clip)
            self._learn(step, healthy=bool(torch.isfinite(norm)))
        else:
            self._learn(step, healthy=False)
        self.step = step + 1
        self._log({**terms, "total": total}, healthy=self.spoilt == 0)
        last = self.step == self.schedule.steps
        if self.step % self.schedule.score_every == 0 or last:
            self._score()

    def _learn(self, step: int, *, healthy: bool) -> None:
        """Moves the weights and their average, unless the gradient is no number."""
        if not healthy:
            self.spoilt += 1
            if self.spoilt >= MOST_SPOILT:
                raise TrainingFailed(
                    f"the loss has been no number for {self.spoilt} steps, since step {step + 1}",
                    hint="Train again with a lower learning rate, or another seed.",
                )
            return
        self.spoilt = 0
        self.optimizer.step()
        # A young average forgets its start: over its first steps it is a plain mean.
        kept = min(self.schedule.averaging, step / (step + 10)) if self.schedule.averaging else 0.0
        with torch.no_grad():
            mine, theirs = list(self.average.parameters()), list(self.lesson.network.parameters())
            torch._foreach_lerp_(mine, [each.detach() for each in theirs], 1.0 - kept)
            for buffer, other in zip(
                self.average.buffers(), self.lesson.network.buffers(), strict=True
            ):
                buffer.copy_(other)

    def _log(self, terms: dict[str, Tensor], *, healthy: bool) -> None:
        if healthy:
            for name, value in terms.items():
                before = self.gathered.get(name)
                value = value.detach()
                self.gathered[name] = value if before is None else before + value
        if self.step % LOG_STEPS == 0 or self.step == self.schedule.steps:
            since = self.step % LOG_STEPS or LOG_STEPS
            for name, value in self.gathered.items():
                place = self.history.losses.setdefault(name, [])
                place.append((self.step, float(value) / since))
            self.gathered = {}

    def _score(self) -> None:
        self.average.eval()
        with torch.no_grad():
            found = self.lesson.scores(self.average)
        for name, value in found.items():
            self.history.scores.setdefault(name, []).append((self.step, float(value)))

    def due(self) -> bool:
        """Whether it is time to save."""
        return time.monotonic() - self.saved_s > self.schedule.save_every_s

    def save(self) -> None:
        """Writes the checkpoint, the history and its picture."""
        now = time.monotonic()
        self.history.seconds += now - self.clock_s
        self.clock_s = self.saved_s = now
        state = {
            "identity": self.identity,
            "step": self.step,
            "network": self.lesson.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "lesson": self.lesson.state_dict(),
            "random": resuming.random_state(),
            "history": dataclasses.asdict(self.history),
            "gathered": self.gathered,
        }
        resuming.write(self.folder, state)
        resuming.write_history(self.folder, self.history)
        curves.draw_if_possible(self.history, self.folder / "curves.png")

    def resume(self) -> None:
        """Goes on from the checkpoint, if there is one."""
        state = resuming.read(self.folder)
        if state is None:
            return
        resuming.check_identity(state["identity"], self.identity, folder=self.folder)
        try:
            self.lesson.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["average"])
        except RuntimeError as error:
            raise RequestError(
                f"{self.folder} holds the training of another network ({error})",
                hint=resuming.REPEAT,
            ) from error
        self.optimizer.load_state_dict(state["optimizer"])
        self.lesson.load_state_dict(state["lesson"])
        resuming.set_random_state(state["random"])
        self.history = History(**state["history"])
        self.gathered, self.step = state["gathered"], state["step"]
