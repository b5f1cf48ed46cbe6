"""What a fit has solved so far, written down, so that a fit that was killed goes on from there.

A fit is a row of solves, each of which follows from those before. Their answers in order are all
that has to be known; an answer is a dataclass of tensors, such as `States`.
"""

from __future__ import annotations

import dataclasses
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from ...people.journal import CHUNK_S, Journal

Answer = TypeVar("Answer")


class Notes:
    """Gives the answers in a journal again, then lets solve and notes the answers."""

    def __init__(
        self, journal: Journal | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._journal, self._clock = journal, clock
        chunks = journal.chunks if journal else []
        self._known = deque(each for chunk in chunks for each in _unpacked(chunk))
        self._new: list[dict[str, np.ndarray]] = []
        self._kept_s = clock()

    def once(self, solve: Callable[[], Answer], *, like: Answer) -> Answer:
        """The answer of the next solve, which has the fields, shapes and types of `like`."""
        wanted = _tensors(like)
        if self._known:
            known = self._known.popleft()
            if {name: each.shape for name, each in known.items()} == {
                name: tuple(each.shape) for name, each in wanted.items()
            }:
                tensors = {name: torch.as_tensor(known[name]) for name in wanted}
                return type(like)(**{name: each.to(wanted[name]) for name, each in tensors.items()})
            self._known.clear()  # of another fit; what follows is noted behind it, and of no use
            self._journal = None
        answer = solve()
        if self._journal is not None:
            self._new.append({name: each.cpu().numpy() for name, each in _tensors(answer).items()})
            if self._clock() - self._kept_s >= CHUNK_S:
                self.flush()
        return answer

    def flush(self) -> None:
        """Puts what is not in the journal yet there."""
        if self._journal is not None and self._new:
            self._journal.append(_packed(self._new))
            self._new = []
        self._kept_s = self._clock()


def _tensors(answer: Any) -> dict[str, Tensor]:
    return {each.name: getattr(answer, each.name) for each in dataclasses.fields(answer)}


def _packed(answers: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {
        f"{index}.{name}": array
        for index, answer in enumerate(answers)
        for name, array in answer.items()
    }


def _unpacked(arrays: Mapping[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
    answers: dict[int, dict[str, np.ndarray]] = {}
    for key, array in arrays.items():
        index, _, name = key.partition(".")
        answers.setdefault(int(index), {})[name] = array
    return [answers[index] for index in sorted(answers)]
