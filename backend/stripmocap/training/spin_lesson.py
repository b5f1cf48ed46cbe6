"""SPIN's lesson as the training loop takes it: page after page, shuffled, augmented, and taught.

Whether people are seen as pixels or as keypoints is the `Pages`' matter, and by whom they are
taught the teacher's (spin.py). See `loop.Lesson`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ..methods.hmr.regressor import Regressed
from . import spin
from .augmentation import Augmentation
from .fits import Fits
from .loop import half
from .spin import PUBLISHED_WEIGHTS, Batch, School, Targets, Teacher, Weights


class Pages(Protocol):
    """N people, looked at some at a time."""

    def __len__(self) -> int: ...

    def open(self, index: Tensor, augmentation: Augmentation) -> tuple[Any, Batch]:
        """What the network is shown of people (B,), changed as told, and what is known of them."""
        ...


@dataclass(frozen=True, eq=False)
class InTurns:
    """A teacher that asks one in `every` batches of one who takes pains, and another otherwise."""

    painstaking: Teacher
    quick: Teacher
    every: int

    def __call__(self, batch: Batch, regressed: Regressed) -> Targets:
        """By chance, so that sooner or later every picture has its turn."""
        due = int(torch.randint(self.every, ())) == 0
        return (self.painstaking if due else self.quick)(batch, regressed)


class SpinLesson:
    """A network learns from `pages` what `teacher` says."""

    def __init__(
        self,
        network: nn.Module,
        pages: Pages,
        teacher: Teacher,
        *,
        school: School,
        fits: Fits | None = None,
        batch: int = 64,
        seed: int = 0,
        weights: Weights = PUBLISHED_WEIGHTS,
        judge: Callable[[nn.Module], dict[str, float]] = lambda _: {},
        changes: Callable[..., Augmentation] = Augmentation.draw,
        device: torch.device | str = "cpu",
    ) -> None:
        """A lesson from its first page.

        Args:
            network: what is taught, on `device`.
            pages: whom it sees.
            teacher: what it should say of them.
            school: what losses and teacher share.
            fits: the teacher's dictionary, which is kept with the checkpoint.
            batch: people at once.
            seed: of the pages' order and their changes.
            weights: of the losses.
            judge: scores of a network.
            changes: what is done to the pages, as `Augmentation.draw`.
            device: where all of it is.
        """
        self.network, self.pages, self.teacher, self.school = network, pages, teacher, school
        self.fits, self.batch, self.weights = fits, min(batch, len(pages)), weights
        self.judge, self.changes, self.device = judge, changes, device
        self._generator = torch.Generator().manual_seed(seed)
        self._order, self._place = torch.empty(0, dtype=torch.int64), 0
        self._told = _Told()

    def losses(self, step: int) -> dict[str, Tensor]:
        """The terms of the next batch; the dictionary may change on the way."""
        index = self._next()
        augmentation = self.changes(len(index), generator=self._generator)
        seen, batch = self.pages.open(index, augmentation)
        with half(self.device):
            regressed = self.network(seen)
        regressed = Regressed(
            regressed.rotmat.float(), regressed.betas.float(), regressed.camera.float()
        )
        with torch.no_grad():
            said = Regressed(
                regressed.rotmat.detach(), regressed.betas.detach(), regressed.camera.detach()
            )
        targets = self.teacher(batch, said)
        self._told.add(targets)
        return spin.losses(self.school, batch, regressed, targets=targets, weights=self.weights)

    def scores(self, network: nn.Module) -> dict[str, float]:
        """The judge's figures, and how the teaching went since they were last asked for."""
        return {**self.judge(network), **self._told.mean()}

    def state_dict(self) -> dict[str, Any]:
        """The place in the pages, and the dictionary."""
        fits = {} if self.fits is None else {"fits": self.fits.numbers}
        generator = self._generator.get_state()
        return {"generator": generator, "order": self._order, "place": self._place, **fits}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from `state_dict`'s answer."""
        self._generator.set_state(state["generator"])
        self._order, self._place = state["order"], int(state["place"])
        if self.fits is not None:
            self.fits.numbers.copy_(state["fits"])

    def _next(self) -> Tensor:
        """(B,) the next people; after the last, all in a new order."""
        if self._place + self.batch > len(self._order):
            self._order = torch.randperm(len(self.pages), generator=self._generator)
            self._place = 0
        index = self._order[self._place : self._place + self.batch]
        self._place += self.batch
        return index


class _Told:
    """How the teaching goes."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._batches = 0

    def add(self, targets: Targets) -> None:
        shares = {
            "valid %": 100 * targets.valid.float().mean(),
            "better %": 100 * targets.better.float().mean(),
            "fit px^2": targets.loss.nanmedian(),
        }
        for name, value in shares.items():
            if value.isfinite():
                self._sums[name] = self._sums.get(name, 0.0) + float(value)
        self._batches += 1

    def mean(self) -> dict[str, float]:
        mean = {name: value / max(self._batches, 1) for name, value in self._sums.items()}
        self._sums, self._batches = {}, 0
        return mean
