"""The One-Euro filter: steady at rest, prompt in motion.

Casiez et al., "1 Euro Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive
Systems", CHI 2012: what comes in passes a low-pass whose cut-off rises with its speed. `of_numbers`
is VIBE's form, number by number, which knows nothing of where axis-angles wrap and takes the speed
from what it said last. `of_rotations` turns bodies on the sphere of rotations, takes the speed from
what it hears, and so does the same at any frame rate; it runs onward and back in time, because a
filter that knows only what was before comes late.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from ...geometry.rotations import aa_to_matrix, matrix_to_aa, matrix_to_quat, quat_to_matrix

_SHORTEST_S = 1e-6  # two frames are never nearer in time than this


@dataclass(frozen=True)
class Cutoffs:
    """Below which frequency what comes in is believed, per second of the times that go with it."""

    at_rest: float
    by_speed: float  # more of it for each unit of speed
    of_speed: float  # of the low-pass that the speed itself passes


# VIBE's demo; its times are frames.
PUBLISHED = Cutoffs(at_rest=0.004, by_speed=0.7, of_speed=1.0)
# Hz, and Hz for each rad/s. Chosen on people who were not learnt from, of whom single frames were
# asked: the error of acceleration falls from 47 to 18 m/s^2 and joints get nearer (published: 35).
OF_BODIES = Cutoffs(at_rest=1.0, by_speed=1.0, of_speed=2.0)


def smoothed(rotmat: Tensor, *, times_s: np.ndarray | Tensor, strength: float) -> Tensor:
    """(T, ..., 3, 3) a body's rotations, calmer by `strength`; 0 leaves them as they are."""
    if strength <= 0:
        return rotmat
    times_s = torch.as_tensor(times_s, device=rotmat.device)
    return of_rotations(rotmat, times_s=times_s, cutoffs=at_strength(OF_BODIES, strength))


def smoothed_as_published(rotmat: Tensor, *, strength: float) -> Tensor:
    """(T, J, 3, 3) a body's rotations, each number of their axis-angles filtered by VIBE's filter.

    At strength 1 as VIBE's demo does it, joints whose axis-angles wrap included.
    """
    if strength <= 0:
        return rotmat
    frames = torch.arange(float(len(rotmat)), device=rotmat.device)
    aa = matrix_to_aa(rotmat)  # (T, J, 3)
    return aa_to_matrix(of_numbers(aa, times=frames, cutoffs=at_strength(PUBLISHED, strength)))


def at_strength(cutoffs: Cutoffs, strength: float) -> Cutoffs:
    """The cut-offs at a strength above 0: at 2 half the frequencies are believed."""
    return replace(
        cutoffs, at_rest=cutoffs.at_rest / strength, by_speed=cutoffs.by_speed / strength
    )


def of_numbers(values: Tensor, *, times: Tensor, cutoffs: Cutoffs = PUBLISHED) -> Tensor:
    """(T, ...) the same values (T, ...), each number filtered for itself, as VIBE does.

    Args:
        values: (T, ...).
        times: (T,) rising; the published cut-offs want frame numbers.
        cutoffs: per unit of `times`.
    """
    if not len(values):
        return values
    steps = times.diff().clamp(min=_SHORTEST_S)
    shares = _share(torch.full_like(steps, cutoffs.of_speed), steps)
    speed, said = torch.zeros_like(values[0]), [values[0]]
    for value, share, step in zip(values[1:], shares, steps, strict=True):
        speed = torch.lerp(speed, (value - said[-1]) / step, share)
        cutoff = cutoffs.at_rest + cutoffs.by_speed * speed.abs()
        said.append(torch.lerp(said[-1], value, _share(cutoff, step)))
    return torch.stack(said)


def of_rotations(rotmat: Tensor, *, times_s: Tensor, cutoffs: Cutoffs = OF_BODIES) -> Tensor:
    """(T, ..., 3, 3) the same rotations, each joint filtered as a whole.

    The midpoint of what the filter says onward and what it says back in time.

    Args:
        rotmat: (T, ..., 3, 3).
        times_s: (T,) seconds, rising, as far apart as they come.
        cutoffs: Hz.
    """
    if len(rotmat) < 2:
        return rotmat
    quat = matrix_to_quat(rotmat.to(torch.float64))
    steps = times_s.to(torch.float64).diff().clamp(min=_SHORTEST_S)
    both = torch.stack([quat, quat.flip(0)], dim=1), torch.stack([steps, steps.flip(0)], dim=1)
    onward, back = _turned_after(*both, cutoffs=cutoffs).unbind(dim=1)
    apart = _between(onward, back.flip(0))
    return quat_to_matrix(_turned(onward, apart / 2)).to(rotmat)


def _turned_after(quat: Tensor, steps: Tensor, *, cutoffs: Cutoffs) -> Tensor:
    """(T, S, ..., 4) the filter's answers to S streams of quaternions, steps (T-1, S) seconds."""
    steps = steps.unflatten(-1, (-1, *(1,) * (quat.ndim - 2)))  # (T-1, S, ..., 1)
    speeds = _between(quat[:-1], quat[1:]) / steps  # (T-1, S, ..., 3) rad/s
    shares = _share(torch.full_like(steps, cutoffs.of_speed), steps)
    speed, said = torch.zeros_like(speeds[0]), [quat[0]]
    for value, heard, share, step in zip(quat[1:], speeds, shares, steps, strict=True):
        speed = torch.lerp(speed, heard, share)
        cutoff = cutoffs.at_rest + cutoffs.by_speed * speed.norm(dim=-1, keepdim=True)
        said.append(_turned(said[-1], _share(cutoff, step) * _between(said[-1], value)))
    return torch.stack(said)


def _between(start: Tensor, end: Tensor) -> Tensor:
    """(..., 3) rad by which unit quaternions wxyz (..., 4) turn to others, the short way round."""
    w, x = start[..., :1], start[..., 1:]
    other_w, other_x = end[..., :1], end[..., 1:]
    real = w * other_w + (x * other_x).sum(dim=-1, keepdim=True)
    axis = w * other_x - other_w * x - torch.linalg.cross(x, other_x)
    axis = torch.where(real < 0, -axis, axis)
    length = axis.norm(dim=-1, keepdim=True)
    angle = 2 * torch.atan2(length, real.abs())
    return angle * axis / length.clamp(min=1e-12)


def _turned(quat: Tensor, by: Tensor) -> Tensor:
    """(..., 4) unit quaternions wxyz turned by rotation vectors (..., 3), rad."""
    half = by.norm(dim=-1, keepdim=True) / 2
    x = torch.sinc(half / math.pi) * by / 2
    w, own_w, own_x = half.cos(), quat[..., :1], quat[..., 1:]
    real = own_w * w - (own_x * x).sum(dim=-1, keepdim=True)
    axis = own_w * x + w * own_x + torch.linalg.cross(own_x, x)
    return normalize(torch.cat([real, axis], dim=-1), dim=-1)


def _share(cutoff: Tensor, step: Tensor) -> Tensor:
    """How much of what is new a low-pass lets in after `step`."""
    ratio = 2 * math.pi * step * cutoff
    return ratio / (ratio + 1)
