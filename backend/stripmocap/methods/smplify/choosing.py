"""Which of several solutions of each frame belong to one movement.

A frame alone is ambiguous in depth: an arm to the front looks like one to the back. Solutions from
different starts are different answers, and neighbours tell which is right: the row of answers with
the least energy in sum, where a jump between two costs as well (Viterbi's algorithm, 1967).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .chain_terms import STRANGERS_S
from .evidence import Evidence
from .states import States

JUMP_SPEED_M_S = 1.5  # of a joint about the pelvis: what is usual costs little
JUMP_OUTLIER = 3.0  # of these, where blows begin to be believed


def choose_row(
    answers: Sequence[States], energies: Tensor, joints: Tensor, *, evidence: Evidence
) -> States:
    """For each frame one of `answers`, which share their betas.

    Args:
        answers: A solutions of the M frames.
        energies: (A, M) nats of each; NaN is never chosen where there is another.
        joints: (A, M, J, 3) metres, pelvis first.
        evidence: of the M frames.
    """
    about = (joints - joints[:, :, :1]).double().cpu().numpy()
    costs = np.nan_to_num(energies.double().cpu().numpy(), nan=1e30, posinf=1e30)
    times_s, sequence = evidence.times_s.cpu().numpy(), evidence.sequence.cpu().numpy()
    chosen = torch.tensor(cheapest_row(costs, _jumps(about, times_s, sequence)))
    row, frames = chosen.to(energies.device), torch.arange(energies.shape[1])

    def picked(name: str) -> Tensor:
        return torch.stack([getattr(each, name) for each in answers])[row, frames.to(row.device)]

    return States(picked("transl"), picked("global_rotmat"), picked("body_pose"), answers[0].betas)


def cheapest_row(costs: np.ndarray, jumps: np.ndarray) -> np.ndarray:
    """(M,) which answer of each frame: the least sum of costs (A, M) and jumps (M - 1, A, A).

    `jumps[t, a, b]` is the cost from answer a of frame t to answer b of the next.
    """
    frames = costs.shape[1]
    total, came = costs[:, 0], np.zeros((frames, len(costs)), dtype=np.int64)
    for frame in range(1, frames):
        through = total[:, None] + jumps[frame - 1]  # (A, A) from, to
        came[frame] = through.argmin(axis=0)
        total = through.min(axis=0) + costs[:, frame]
    row = np.empty(frames, dtype=np.int64)
    row[-1] = total.argmin()
    for frame in range(frames - 1, 0, -1):
        row[frame - 1] = came[frame, row[frame]]
    return row


def _jumps(joints: np.ndarray, times_s: np.ndarray, sequence: np.ndarray) -> np.ndarray:
    """(M - 1, A, A) nats of joints (A, M, J, 3) that are elsewhere in the next frame."""
    gaps = np.diff(times_s)
    near = (np.diff(sequence) == 0) & (gaps < STRANGERS_S)
    usual = JUMP_SPEED_M_S * np.where(near, gaps, 1.0)  # (M - 1,)
    way = np.linalg.norm(joints[None, :, 1:] - joints[:, None, :-1], axis=-1)  # (A, A, M - 1, J)
    square = (way / usual[:, None] / JUMP_OUTLIER) ** 2
    cost = 0.5 * JUMP_OUTLIER**2 * np.log1p(square).sum(axis=-1)
    return np.where(near, cost, 0.0).transpose(2, 0, 1)
