"""Motion rolled out from its first moment by latents, moment by moment (Rempe et al., 2021, 3.2).

Only the decoder waits for the moment before: what it takes from the latents, the priors, and where
everything lies in the plane are worked out for all moments at once. Every moment is decoded in its
own canonical frame; `canonical.Placement` brings motions of the world there and back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from .canonical import Placement, TurnOf, pivot_of, turn_of
from .network import Gaussian, MotionPrior
from .state import Change, State, changed

Choose = Callable[[Gaussian], Tensor]  # a latent (N, Z) of what is likely


@dataclass(frozen=True, eq=False)
class Rollout:
    """N motions of T moments after their first."""

    states: State  # (N, T) in the canonical frame of the first moment
    contacts: Tensor  # (N, T, 9) logits of `state.CONTACT_JOINTS`
    past: State  # (N, T) what each was led to from, in its own canonical frame
    latents: Tensor  # (N, T, Z)


def roll_out(
    network: MotionPrior, start: State, *, latents: Tensor, turning: TurnOf = turn_of
) -> Rollout:
    """Where latents lead; gradients pass to both.

    Args:
        network: whose decoder leads.
        start: (N,) first moments, canonical (`Placement.enter`).
        latents: (N, T, Z).
        turning: how moments are brought into their frames.
    """
    heard = network.decoder.heard(latents)  # (N, T, width) of each layer

    def lead(past: State, step: int) -> Change:
        return network.decoder.led(past, [each[:, step] for each in heard])

    walk = _walked(start, lead, steps=latents.shape[1], turning=turning)
    return Rollout(walk.states(start), walk.contacts, walk.past, latents)


def imagine(
    network: MotionPrior, start: State, *, steps: int, choose: Choose, turning: TurnOf = turn_of
) -> Rollout:
    """Motions that the prior makes up.

    Args:
        network: whose prior and decoder lead.
        start: (N,) first moments, canonical.
        steps: T.
        choose: says which latent is taken, for instance `likeliest` or `Gaussian.sample`.
        turning: how moments are brought into their frames.
    """
    latents: list[Tensor] = []

    def lead(past: State, _step: int) -> Change:
        latents.append(choose(network.prior(past)))
        return network.decode(past, latents[-1])

    walk = _walked(start, lead, steps=steps, turning=turning)
    return Rollout(walk.states(start), walk.contacts, walk.past, torch.stack(latents, dim=1))


def likeliest(latents: Gaussian) -> Tensor:
    """(..., Z) the mean."""
    return latents.mean


def transitions(motions: State, *, turning: TurnOf = turn_of) -> tuple[State, State]:
    """Every moment but the last, and the one after it, both in the former's canonical frame.

    Args:
        motions: (N, T) in any frame with z up and the floor at 0.
        turning: how moments are brought into their frames.

    Returns:
        (N, T - 1) each: what the posterior reads.
    """
    past, following = State(motions.numbers[:, :-1]), State(motions.numbers[:, 1:])
    pivot = pivot_of(State(motions.numbers[:, :1])).expand(-1, past.numbers.shape[1], -1)
    frames = Placement(turning(past.global_orient), past.transl[..., :2], pivot)
    return frames.enter(past), frames.enter(following)


class Walk(NamedTuple):
    """Moments that were led to one after the other, each in the frame of the one before."""

    past: State  # (N, T) from which
    led: State  # (N, T)
    turns: Tensor  # (N, T, 2) of the frames of `led` in those of `past`
    contacts: Tensor  # (N, T, 9)

    def states(self, start: State) -> State:
        """(N, T) in the frame of `start` (N,)."""
        angles = torch.atan2(self.turns[..., 1], self.turns[..., 0])
        before = angles.cumsum(dim=1) - angles  # (N, T)
        cosine, sine = before.cos(), before.sin()
        x, y = self.led.transl[..., 0], self.led.transl[..., 1]
        strides = torch.stack([cosine * x + sine * y, cosine * y - sine * x], dim=-1)
        place = strides.cumsum(dim=1) - strides  # (N, T, 2)
        pivot = _pelvis(start).unsqueeze(1)
        return Placement(torch.stack([cosine, sine], dim=-1), place, pivot).leave(self.led)


def _walked(
    start: State, lead: Callable[[State, int], Change], *, steps: int, turning: TurnOf
) -> Walk:
    pivot, past = _pelvis(start), start
    entered, led, turns, contacts = [], [], [], []
    for step in range(steps):
        entered.append(past.numbers)
        change = lead(past, step)
        now = changed(past, change)
        frame = Placement(turning(now.global_orient), now.transl[..., :2], pivot)
        past = frame.enter(now)
        led.append(now.numbers)
        turns.append(frame.turn)
        contacts.append(change.contacts)
    entered, led, turns, contacts = (
        torch.stack(each, dim=1) for each in (entered, led, turns, contacts)
    )
    return Walk(State(entered), State(led), turns, contacts)


def _pelvis(start: State) -> Tensor:
    # From the origin, where the translation of a canonical state is.
    return start.joints[..., 0, :2]
