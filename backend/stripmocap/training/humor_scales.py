"""A motion prior that learns from numbers of one scale, and is shipped as one that reads them raw.

States are not normalised in HuMoR's form. Learning is quicker if they are: the scales are kept
beside the network while it learns, and folded into its first and last layers afterwards.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from ..contract.skeleton import CONTACT_COUNT
from ..geometry.rotations import matrix_to_aa
from ..methods.humor.network import Decoder, Gaussian, MotionPrior, Perceptron, Sizes
from ..methods.humor.state import (
    CHANGE_NUMBERS,
    ORIENT_VEL,
    PLACES,
    STATE_NUMBERS,
    TRANSL_VEL,
    Change,
    State,
    coasting,
)

_LEAST_SPREAD = 0.02  # of a number of a state, over which it is divided: some hardly change
_LEAST_CHANGE = 0.0005  # the same of a number of a change


class Scaled(nn.Module):
    """A motion prior that is shown numbers of one scale, and answers in the scale of changes."""

    def __init__(self, sizes: Sizes) -> None:
        """An untrained network; `standardise` tells it what is usual."""
        super().__init__()
        self.sizes = sizes
        self.inner = MotionPrior(replace(sizes, coasting=0))  # which is known of whole numbers only
        self.middle = nn.Buffer(torch.zeros(STATE_NUMBERS))
        self.spread = nn.Buffer(torch.ones(STATE_NUMBERS))
        self.step_spread = nn.Buffer(torch.ones(STATE_NUMBERS))
        self.change_spread = nn.Buffer(torch.ones(CHANGE_NUMBERS))
        promised = sizes.coasting * coasting()
        self.promised = nn.Buffer(promised, persistent=False)

    def prior(self, past: State) -> Gaussian:
        """As `MotionPrior.prior`."""
        return self.inner.prior(self._shown(past))

    def posterior(self, past: State, following: State) -> Gaussian:
        """As `MotionPrior.posterior`."""
        step = State((following.numbers - past.numbers) / self.step_spread)
        return self.inner.posterior(self._shown(past), step)

    def decode(self, past: State, latent: Tensor) -> Change:
        """As `MotionPrior.decode`."""
        said = self.inner.decode(self._shown(past), latent)
        with torch.autocast(past.numbers.device.type, enabled=False):
            promised = past.numbers @ self.promised.mT
        return Change(said.numbers * self.change_spread + promised)

    def _shown(self, past: State) -> State:
        return State((past.numbers - self.middle) / self.spread)

    def standardise(self, past: State, following: State) -> None:
        """Takes the scales from transitions (B,) that are usual."""
        now, step = past.numbers, following.numbers - past.numbers
        self.middle.copy_(now.mean(dim=0))
        self.spread.copy_(now.std(dim=0).clamp(min=_LEAST_SPREAD))
        self.step_spread.copy_(step.std(dim=0).clamp(min=_LEAST_CHANGE))
        change = _change_between(past, following) - now @ self.promised.mT
        spread = change.std(dim=0).clamp(min=_LEAST_CHANGE)
        self.change_spread[:-CONTACT_COUNT].copy_(spread[:-CONTACT_COUNT])

    @torch.no_grad()
    def plain(self) -> MotionPrior:
        """The same network with the scales inside its weights, evaluating."""
        network = MotionPrior(self.sizes)
        network.load_state_dict(self.inner.state_dict())
        for part in (network.prior_net, network.encoder, network.decoder):
            first = _first(part)
            told = first.weight[:, :STATE_NUMBERS] / self.spread
            first.bias -= told @ self.middle
            if part is network.encoder:
                step = first.weight[:, STATE_NUMBERS:] / self.step_spread
                first.weight[:, STATE_NUMBERS:] = step
                told = told - step
            first.weight[:, :STATE_NUMBERS] = told
        last = network.decoder.net[-1]
        assert isinstance(last, nn.Linear)
        last.weight *= self.change_spread[:, None]
        last.bias *= self.change_spread
        return network.eval()


def _change_between(past: State, following: State) -> Tensor:
    """(B, 216) changes between states that are near one another; contacts are zeros."""
    step = following.numbers - past.numbers
    turned = torch.cat([past.global_orient[:, None], past.body_pose], dim=1)
    turns = torch.cat([following.global_orient[:, None], following.body_pose], dim=1) @ turned.mT
    angles = matrix_to_aa(turns).flatten(-2)  # (B, 66)
    contacts = step.new_zeros(len(step), CONTACT_COUNT)
    parts = (step[:, : TRANSL_VEL.stop], angles[:, :3], step[:, ORIENT_VEL], angles[:, 3:])
    return torch.cat([*parts, step[:, PLACES.start :], contacts], dim=-1)


def _first(part: Perceptron | Decoder) -> nn.Linear:
    first = part.net[0]
    assert isinstance(first, nn.Linear)
    return first
