"""How the motion prior's answers move with what it is asked: derivatives of its networks.

Rows are pulled back layer by layer, for many moments at once; that is what a second-order solver
needs and what automatic differentiation would do row by row. States turn here by vectors: 207
numbers stand for the 339, each rotation by a small turn of it (3), as `R' = exp(d) R`. That is also
the order of the first 207 numbers of the decoder's answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from .network import MotionPrior
from .state import ORIENT, ORIENT_VEL, PLACES, POSE, TRANSL_VEL, State

TURNING_NUMBERS = 207  # of a state whose rotations are turned


class Slopes(NamedTuple):
    """Derivatives at N moments and latents; D is 207, Z the size of a latent."""

    likely: Tensor  # (N, Z, D) of the prior's mean by the past
    led: Tensor  # (N, D, D) of the change by the past
    led_latent: Tensor  # (N, D, Z) of the change by the latent


@torch.no_grad()
def slopes(network: MotionPrior, past: State, latents: Tensor) -> Slopes:
    """The derivatives of `network` after canonical states (N,), at latents (N, Z)."""
    count, size = latents.shape
    wanted = torch.eye(2 * size, device=latents.device, dtype=latents.dtype)[:size]
    likely, _ = _pulled_back(
        list(network.prior_net.net), past.numbers, wanted.expand(count, -1, -1)
    )
    wanted = torch.eye(216, device=latents.device, dtype=latents.dtype)[:TURNING_NUMBERS]
    led, led_latent = _pulled_back(
        list(network.decoder.net), past.numbers, wanted.expand(count, -1, -1), latents=latents
    )
    if network.decoder.promised is not None:
        led = led + network.decoder.promised[:TURNING_NUMBERS]
    return Slopes(by_turns(likely, past), by_turns(led, past), led_latent)


def by_turns(columns: Tensor, at: State) -> Tensor:
    """(N, R, 207) derivatives by turns of what are derivatives (N, R, 339) by a state's numbers.

    Args:
        columns: of R answers each.
        at: (N,) where they are taken.
    """
    orient = _turned(columns[..., ORIENT].unflatten(-1, (1, 3, 3)), at.global_orient[:, None])
    pose = _turned(columns[..., POSE].unflatten(-1, (-1, 3, 3)), at.body_pose)
    parts = (columns[..., : TRANSL_VEL.stop], orient, columns[..., ORIENT_VEL], pose)
    return torch.cat([*parts, columns[..., PLACES.start :]], dim=-1)


def _turned(columns: Tensor, rotations: Tensor) -> Tensor:
    """(N, R, 3 J) of derivatives (N, R, J, 3, 3) by the entries of rotations (N, J, 3, 3)."""
    g = columns @ rotations.mT[:, None]
    skewed = (g - g.mT).flatten(-2)[..., [7, 2, 3]]  # entries 21, 02, 10
    return skewed.flatten(-2)


def _pulled_back(
    layers: Sequence[nn.Module], numbers: Tensor, rows: Tensor, *, latents: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Derivatives of `rows` (N, R, answers) of the answers: by the numbers, and by the latents.

    Args:
        layers: linear ones, between them group norms and ReLUs; N numbers (N, D) go through them.
        numbers: (N, D).
        rows: what of the answers is asked for.
        latents: (N, Z), which every linear layer hears; without them there are none to derive by.
    """
    kept: list[Tensor] = []
    flowing = numbers
    for each in layers:
        kept.append(flowing)
        if isinstance(each, nn.Linear) and latents is not None:
            flowing = each(torch.cat([flowing, latents], dim=-1))
        else:
            flowing = each(flowing)
    heard = rows.new_zeros(*rows.shape[:2], 0 if latents is None else latents.shape[1])
    for each, given in zip(reversed(layers), reversed(kept), strict=True):
        if isinstance(each, nn.Linear):
            rows = linear(rows, each.weight.mT)
            if latents is not None:
                rows, more = rows.split([given.shape[1], latents.shape[1]], dim=-1)
                heard = heard + more
        elif isinstance(each, nn.ReLU):
            rows = rows * (given > 0)[:, None]
        else:
            assert isinstance(each, nn.GroupNorm)
            rows = _through_norm(each, given, rows)
    return rows, heard


def _through_norm(norm: nn.GroupNorm, given: Tensor, rows: Tensor) -> Tensor:
    """(N, R, W) rows pulled back through a group norm that was given (N, W)."""
    grouped = given.unflatten(1, (norm.num_groups, -1))  # (N, G, W / G)
    spread, mean = torch.var_mean(grouped, dim=-1, correction=0, keepdim=True)
    scale = (spread + norm.eps).rsqrt()[:, None]  # (N, 1, G, 1)
    standard = (grouped - mean)[:, None] * scale
    rows = (rows * norm.weight).unflatten(-1, grouped.shape[1:])
    along = (rows * standard).mean(dim=-1, keepdim=True)
    rows = scale * (rows - rows.mean(dim=-1, keepdim=True) - standard * along)
    return rows.flatten(-2)
