"""One person's shape: what many frames say together, told in the betas of the captured body.

A regressor speaks of the body that it was taught on. Another body of the same mesh gets the betas
that bring its vertices nearest to that one's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...contract.body_file import BodyTemplate
from ...contract.skeleton import BETAS_COUNT

_SIGMA = 1.0  # betas: frames that say something else by more lose their vote
_ROUNDS = 4  # of such votes
_RIDGE = 1e-5  # square metres for a beta of one: those that tell little stay small


@dataclass(frozen=True, eq=False)
class Shapes:
    """How a regressor's betas become those of a body, and how tall it is with them."""

    matrix: Tensor  # (10, 10)
    offset: Tensor  # (10,)
    height: Tensor  # () metres, of betas zero
    height_betas: Tensor  # (10,) metres per unit of beta

    @classmethod
    def from_template(
        cls, template: BodyTemplate, *, spoken: BodyTemplate | None = None, device: torch.device
    ) -> Shapes:
        """Of `template`, for a regressor that was taught on `spoken`; None: on the same."""
        top, sole = template.v_template[:, 1].argmax(), template.v_template[:, 1].argmin()
        matrix, offset = np.eye(BETAS_COUNT), np.zeros(BETAS_COUNT)
        if spoken is not None and _is_another(spoken, template):
            matrix, offset = _translation(spoken, template)

        def tensor(array: np.ndarray) -> Tensor:
            return torch.tensor(array, dtype=torch.float32, device=device)

        return cls(
            matrix=tensor(matrix),
            offset=tensor(offset),
            height=tensor(template.v_template[top, 1] - template.v_template[sole, 1]),
            height_betas=tensor(template.shapedirs[top, 1] - template.shapedirs[sole, 1]),
        )

    def agreed(self, betas: Tensor, *, sure: Tensor, height_m: float | None) -> Tensor:
        """(10,) the shape that frames tell of together.

        Args:
            betas: (T, 10) what each frame tells, in the regressor's words.
            sure: (T,) how much it counts.
            height_m: the actor's: the shape is changed as little as can be to be so tall.
        """
        shape = (sure[:, None] * betas).sum(dim=0) / sure.sum()
        for _ in range(_ROUNDS):
            votes = sure / (1 + ((betas - shape).norm(dim=1) / _SIGMA).square())
            shape = (votes[:, None] * betas).sum(dim=0) / votes.sum()
        shape = self.matrix @ shape + self.offset
        if height_m is None:
            return shape
        missing = height_m - (self.height + self.height_betas @ shape)
        return shape + missing * self.height_betas / self.height_betas.square().sum()


def _is_another(spoken: BodyTemplate, template: BodyTemplate) -> bool:
    """Whether the two are different bodies of one mesh."""
    same_mesh = len(spoken.v_template) == len(template.v_template)
    return same_mesh and spoken.name != template.name


def _translation(spoken: BodyTemplate, template: BodyTemplate) -> tuple[np.ndarray, np.ndarray]:
    """(10, 10) and (10,), the betas of `template` that are nearest to betas of `spoken`."""
    own = template.shapedirs.reshape(-1, BETAS_COUNT).astype(np.float64)
    theirs = spoken.shapedirs.reshape(-1, BETAS_COUNT).astype(np.float64)
    apart = (spoken.v_template - template.v_template).reshape(-1).astype(np.float64)
    solve = np.linalg.inv(own.T @ own + _RIDGE * np.eye(BETAS_COUNT)) @ own.T
    return solve @ theirs, solve @ apart
