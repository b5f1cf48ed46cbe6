"""HuMoR's networks: a conditional variational autoencoder over what leads from moment to moment.

The prior says which latents are likely after a moment, the posterior which one explains the moment
that followed, the decoder where a latent leads (Rempe et al., "HuMoR", ICCV 2021, 3.2). Layers are
named as in HuMoR's checkpoints; a smaller network is the same class with other sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from .state import CHANGE_NUMBERS, STATE_NUMBERS, Change, State, coasting

_GROUPS = 16  # of numbers that are normalised together


@dataclass(frozen=True)
class Sizes:
    """What one network has more or less of than another; kept in its file."""

    latent: int = 48
    hidden: int = 1024  # a multiple of 32
    layers: int = 4  # hidden ones of prior and posterior
    coasting: int = 0  # 1: the decoder says how changes differ from `state.coasting`'s; ours does


class Gaussian(NamedTuple):
    """Normal distributions of independent numbers."""

    mean: Tensor  # (..., Z)
    variance: Tensor  # (..., Z)

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """(..., Z) one draw of each, which gradients pass through."""
        noise = torch.randn(self.mean.shape, generator=generator, dtype=self.mean.dtype)
        return self.mean + self.variance.sqrt() * noise.to(self.mean.device)

    def energy(self, values: Tensor) -> Tensor:
        """(...,) negative log likelihood of values (..., Z)."""
        offsets = (values - self.mean).square() / self.variance
        return (offsets + (2 * torch.pi * self.variance).log()).sum(dim=-1) / 2

    def divergence(self, other: Gaussian) -> Tensor:
        """(...,) Kullback and Leibler's of this from `other`, summed over the numbers."""
        ratio = self.variance / other.variance
        offsets = (self.mean - other.mean).square() / other.variance
        return (ratio - ratio.log() + offsets - 1).sum(dim=-1) / 2


class MotionPrior(nn.Module):
    """Prior, posterior and decoder. All take any leading dimensions, at most a batch at once."""

    def __init__(self, sizes: Sizes | None = None) -> None:
        """An untrained network; published ones have the sizes that `Sizes` begins with."""
        super().__init__()
        self.sizes = sizes = sizes or Sizes()
        hidden, answers = [sizes.hidden] * sizes.layers, 2 * sizes.latent
        self.encoder = Perceptron([2 * STATE_NUMBERS, *hidden, answers])
        self.prior_net = Perceptron([STATE_NUMBERS, *hidden, answers])
        promised = coasting() if sizes.coasting else None
        self.decoder = Decoder(sizes.latent, hidden=sizes.hidden, promised=promised)

    def prior(self, past: State) -> Gaussian:
        """Latents that are likely after canonical states (...)."""
        return _gaussian(self.prior_net(past.numbers))

    def posterior(self, past: State, following: State) -> Gaussian:
        """Latents that lead from canonical states (...) to `following` in the same frames."""
        return _gaussian(self.encoder(torch.cat([past.numbers, following.numbers], dim=-1)))

    def decode(self, past: State, latent: Tensor) -> Change:
        """Where latents (..., Z) lead from canonical states (...)."""
        return self.decoder(past, latent)


class Perceptron(nn.Module):
    """Numbers through linear layers, between them a group norm and a ReLU."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.net = nn.Sequential(*_layers(widths, more=0))

    def forward(self, numbers: Tensor) -> Tensor:
        """(..., widths[-1]) of numbers (..., widths[0])."""
        flat = self.net(numbers.reshape(-1, numbers.shape[-1]))
        return flat.view(*numbers.shape[:-1], -1)


class Decoder(nn.Module):
    """What leads from a moment to the next: every layer hears the latent anew."""

    def __init__(self, latent: int, *, hidden: int, promised: Tensor | None = None) -> None:
        """An untrained decoder.

        Args:
            latent: Z.
            hidden: a multiple of 32.
            promised: (216, 339) the part of a change that is linear in the state and not learnt.
        """
        super().__init__()
        widths = [STATE_NUMBERS, hidden, hidden, hidden // 2, CHANGE_NUMBERS]
        self.net = nn.ModuleList(_layers(widths, more=latent))
        self.promised = None if promised is None else nn.Buffer(promised, persistent=False)

    def forward(self, past: State, latent: Tensor) -> Change:
        """Changes (...) from states (...) by latents (..., Z)."""
        return self.led(past, self.heard(latent))

    def heard(self, latent: Tensor) -> tuple[Tensor, ...]:
        """What each linear layer takes from latents (..., Z), its bias in it: (..., width) each.

        It does not depend on states, so that a roll-out need not wait for it.
        """
        count = latent.shape[-1]
        return tuple(
            linear(latent, each.weight[:, -count:], each.bias)
            for each in self.net
            if isinstance(each, nn.Linear)
        )

    def led(self, past: State, heard: Sequence[Tensor]) -> Change:
        """Changes (...) from states (...), by what `heard` made of their latents."""
        numbers = past.numbers.reshape(-1, STATE_NUMBERS)
        left = iter(heard)
        for each in self.net:
            if isinstance(each, nn.Linear):
                told = next(left).reshape(len(numbers), -1)
                numbers = torch.addmm(told, numbers, each.weight[:, : numbers.shape[1]].mT)
            else:
                numbers = each(numbers)
        if self.promised is not None:
            flat = past.numbers.reshape(-1, STATE_NUMBERS)
            numbers = numbers + (flat @ self.promised.mT).to(numbers.dtype)
        return Change(numbers.view(*past.numbers.shape[:-1], -1))


def _layers(widths: Sequence[int], *, more: int) -> list[nn.Module]:
    """As HuMoR numbers them; each linear one takes `more` numbers than the one before it gives."""
    steps: list[nn.Module] = []
    for index in range(len(widths) - 1):
        steps.append(nn.Linear(widths[index] + more, widths[index + 1]))
        if index < len(widths) - 2:
            steps += [nn.GroupNorm(_GROUPS, widths[index + 1]), nn.ReLU()]
    return steps


def _gaussian(answers: Tensor) -> Gaussian:
    mean, log_variance = answers.chunk(2, dim=-1)
    return Gaussian(mean, log_variance.exp())
