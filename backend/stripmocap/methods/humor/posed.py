"""Bodies in the world by time: out of a camera's axes and back, onto the prior's ticks and back.

A motion's translation is no point of the body, which turns about its pelvis; so bodies are moved
and read between frames by the place of the pelvis. World axes: z up, the floor at z = 0, metres.
All is in double precision and on the CPU.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.interpolate import CubicSpline, PchipInterpolator
from scipy.sparse import csr_matrix
from torch import Tensor

from ...contract.motion import Motion
from ...geometry.rotations import aa_to_matrix, matrix_to_aa, matrix_to_quat, quat_to_matrix
from ..features.resampling import FPS, shares, turned_at
from ..smplify.states import States

_FAST = 1.2  # times the ticks' rate: from here on footage has detail that ticks do not show


@dataclass(frozen=True, eq=False)
class Posed:
    """T bodies, or T changes of bodies: turns from the left, and shifts."""

    rotmat: Tensor  # (T, 24, 3, 3) the pelvis to the world, then each joint to its parent
    pelvis: Tensor  # (T, 3) metres

    def __len__(self) -> int:
        return len(self.pelvis)

    def at(self, frames: slice | np.ndarray) -> Posed:
        """Some of them."""
        return Posed(self.rotmat[frames], self.pelvis[frames])

    def moved(self, transforms: np.ndarray) -> Posed:
        """The bodies after rigid transforms (T, 4, 4)."""
        matrix = torch.tensor(transforms)
        root = matrix[:, :3, :3] @ self.rotmat[:, 0]
        pelvis = torch.einsum("tij,tj->ti", matrix[:, :3, :3], self.pelvis) + matrix[:, :3, 3]
        return Posed(torch.cat([root[:, None], self.rotmat[:, 1:]], dim=1), pelvis)


def posed_by(motion: Motion, *, rest_pelvis: Tensor) -> Posed:
    """The bodies of `motion` in camera axes.

    Args:
        motion: of T frames.
        rest_pelvis: (3,) metres, where the pelvis of the person's shaped body is at rest.
    """
    turns = np.concatenate([motion.global_orient[:, None], motion.body_pose], axis=1)
    rotmat = aa_to_matrix(torch.tensor(turns, dtype=torch.float64))
    return Posed(rotmat, torch.tensor(motion.transl, dtype=torch.float64) + rest_pelvis)


def states_of(bodies: Posed, *, rest_pelvis: Tensor, betas: Tensor) -> States:
    """The bodies as solvers have them, on the device and in the precision of betas (10,).

    Args:
        bodies: (T,).
        rest_pelvis: (3,) metres, as in `posed_by`.
        betas: the person's.
    """
    return States(
        transl=(bodies.pelvis - rest_pelvis).to(betas),
        global_rotmat=bodies.rotmat[:, 0].to(betas),
        body_pose=matrix_to_aa(bodies.rotmat[:, 1:]).to(betas),
        betas=betas[None],
    )


def on_ticks(bodies: Posed, *, times_s: np.ndarray, ticks_s: np.ndarray) -> Posed:
    """The bodies (T,) of frames on ticks (M,): between frames, or a mean of what lies about a tick.

    The mean keeps what is too fast for the ticks from looking like something slow.
    """
    if len(times_s) == 1:
        return bodies.at(np.zeros(len(ticks_s), dtype=np.int64))
    quats = _continuous(bodies.rotmat)  # (T, 24, 4)
    numbers = np.concatenate([quats.reshape(len(quats), -1), bodies.pelvis.numpy()], axis=1)
    # Of local slopes: a pause between frames makes no swing about it.
    found = PchipInterpolator(times_s, numbers)(ticks_s)
    if is_fast(times_s):
        found = _averaged(numbers, shares(ticks_s, times_s=times_s), otherwise=found)
    rotmat = quat_to_matrix(torch.tensor(found[:, :-3]).unflatten(1, quats.shape[1:]))
    return Posed(rotmat, torch.tensor(found[:, -3:]))


def from_ticks(
    found: Posed, begun: Posed, *, start: Posed, times_s: np.ndarray, ticks_s: np.ndarray
) -> Posed:
    """The bodies (T,) in frames, of those found on ticks (M,).

    Of fast footage it is the frames' own bodies with what changed on the ticks: a smooth change,
    so that what is too fast for ticks is still there.

    Args:
        found: (M,) bodies.
        begun: (M,) what `on_ticks` made of `start`.
        start: (T,) the frames' own bodies.
        times_s: (T,) seconds, within the ticks.
        ticks_s: (M,) seconds, evenly rising.
    """
    if not is_fast(times_s):
        return _between(found, times_s=times_s, ticks_s=ticks_s)
    change = change_of(begun, found)
    return changed_by(_between(change, times_s=times_s, ticks_s=ticks_s), start)


def change_of(before: Posed, after: Posed) -> Posed:
    """What leads from one to the other, frame by frame."""
    return Posed(after.rotmat @ before.rotmat.mT, after.pelvis - before.pelvis)


def changed_by(change: Posed, bodies: Posed) -> Posed:
    """The inverse of `change_of`: `changed_by(change_of(a, b), a)` is b."""
    return Posed(change.rotmat @ bodies.rotmat, bodies.pelvis + change.pelvis)


def faded(change: Posed, shares_left: np.ndarray) -> Posed:
    """So much (T,) in [0, 1] of each change."""
    share = torch.tensor(shares_left)[:, None]
    rotmat = aa_to_matrix(matrix_to_aa(change.rotmat) * share[..., None])
    return Posed(rotmat, change.pelvis * share)


def is_fast(times_s: np.ndarray) -> bool:
    """Whether frames come faster than ticks, so that they show what ticks do not."""
    return len(times_s) > 1 and bool(np.median(np.diff(times_s)) * FPS * _FAST < 1)


def _between(bodies: Posed, *, times_s: np.ndarray, ticks_s: np.ndarray) -> Posed:
    rotmat = turned_at(times_s, ticks_s=ticks_s, rotmat=bodies.rotmat)
    if len(ticks_s) == 1:
        return Posed(rotmat, bodies.pelvis.expand(len(times_s), -1))
    return Posed(rotmat, torch.tensor(CubicSpline(ticks_s, bodies.pelvis.numpy())(times_s)))


def _continuous(rotmat: Tensor) -> np.ndarray:
    """(T, 24, 4) quaternions, each on the side of the one before."""
    quats = matrix_to_quat(rotmat).numpy()
    flips = np.sign((quats[1:] * quats[:-1]).sum(axis=-1, keepdims=True) + 1e-12)
    quats[1:] *= np.cumprod(flips, axis=0)
    return quats


def _averaged(numbers: np.ndarray, parts: csr_matrix, *, otherwise: np.ndarray) -> np.ndarray:
    """(M, D) means of numbers (T, D) by parts (M, T); `otherwise` (M, D) where there are none."""
    there = np.asarray(parts.sum(axis=1)) > 0.5  # (M, 1)
    return np.where(there, parts @ numbers, otherwise)
