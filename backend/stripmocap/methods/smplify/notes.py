"""What a fit has solved so far, written down, so that a fit that was killed goes on from there.

A fit is a row of solves, each of which follows from those before. Their answers in order are all
that has to be known.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping

import numpy as np
import torch

from ...people.journal import CHUNK_S, Journal
from .states import States

_FIELDS = ("transl", "global_rotmat", "body_pose", "betas")


class Notes:
    """Gives the answers in a journal again, then lets solve and notes the answers."""

    def __init__(
        self, journal: Journal | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._journal, self._clock = journal, clock
        chunks = journal.chunks if journal else []
        self._known = deque(each for chunk in chunks for each in _unpacked(chunk))
        self._new: list[States] = []
        self._kept_s = clock()

    def once(self, solve: Callable[[], States], *, like: States) -> States:
        """The answer of the next solve, which has the shapes of `like`."""
        if self._known:
            answer = self._known.popleft()
            if all(answer[name].shape == tuple(getattr(like, name).shape) for name in _FIELDS):
                tensors = (torch.as_tensor(answer[name]).to(like.transl) for name in _FIELDS)
                return States(*tensors)
            self._known.clear()  # of another fit; what follows is noted behind it, and of no use
            self._journal = None
        answer = solve()
        if self._journal is not None:
            self._new.append(answer)
            if self._clock() - self._kept_s >= CHUNK_S:
                self.flush()
        return answer

    def flush(self) -> None:
        """Puts what is not in the journal yet there."""
        if self._journal is not None and self._new:
            self._journal.append(_packed(self._new))
            self._new = []
        self._kept_s = self._clock()


def _packed(answers: list[States]) -> dict[str, np.ndarray]:
    return {
        f"{index}.{name}": getattr(answer, name).cpu().numpy()
        for index, answer in enumerate(answers)
        for name in _FIELDS
    }


def _unpacked(arrays: Mapping[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
    count = len(arrays) // len(_FIELDS)
    return [{name: arrays[f"{index}.{name}"] for name in _FIELDS} for index in range(count)]
