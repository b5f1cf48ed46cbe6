"""Windows of transitions to learn a motion prior from, and how it leads itself through them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ..methods.humor.canonical import Placement, turn_of
from ..methods.humor.network import MotionPrior
from ..methods.humor.rollout import transitions
from ..methods.humor.state import JOINTS, Change, State, changed
from .humor_data import Stretches, known_numbers
from .humor_losses import Known, Posed
from .humor_scales import Scaled
from .loop import half
from .synthetic import LandmarkBody

_UNKNOWN_LANDMARKS = slice(29, 33)  # heels and toe tips, where feet are not known


@dataclass(frozen=True, eq=False)
class Page:
    """N windows of T transitions, each in the canonical frame of its past."""

    past: State  # (N, T)
    following: State  # (N, T)
    contacts: Tensor  # (N, T, 9) of the following
    known: Known  # (N, T)
    betas: Tensor  # (N, 10)

    def __getitem__(self, rows: slice) -> Page:
        """The windows of some rows."""
        known = Known(
            State(self.known.state.numbers[rows]),
            self.known.contacts[rows],
            self.known.points[rows],
        )
        return Page(
            State(self.past.numbers[rows]),
            State(self.following.numbers[rows]),
            self.contacts[rows],
            known,
            self.betas[rows],
        )


def page_of(stretches: Stretches) -> Page:
    """The transitions of stretches (N, T + 1)."""
    past, following = transitions(stretches.states)
    moments = past.numbers.shape[1]
    state, contacts = known_numbers(stretches.feet)
    points = torch.ones(len(state), 33)
    points[~stretches.feet, _UNKNOWN_LANDMARKS] = 0.0
    known = Known(
        State(state[:, None].expand(-1, moments, -1)),
        contacts[:, None].expand(-1, moments, -1),
        points[:, None].expand(-1, moments, -1),
    )
    return Page(past, following, stretches.contacts[:, 1:], known, stretches.betas)


@torch.no_grad()
def walked(
    network: Scaled | MotionPrior,
    page: Page,
    *,
    true_share: float,
    lost_m: float = math.inf,
    generator: Generator | None = None,
) -> State:
    """(N, T) moments to be taught from, canonical: true ones, or those that were led to.

    Args:
        network: its posterior is shown where the truth goes on to, in the truth's own frame: what
            was led to is drawn back in its pose and height, not in its place or heading.
        page: the truth.
        true_share: chance of a moment to be a true one; the first ones always are. A network that
            learnt from its own moments alone would forget what true ones lead to, to a millimetre.
        lost_m: metres that joints may be off on average; whoever is further off is put back.
        generator: what chance is drawn from.
    """
    if true_share >= 1.0 or not len(page.betas):
        return page.past
    count, moments = page.past.numbers.shape[:2]
    now = State(page.past.numbers[:, 0])
    pivot = now.joints[:, 0, :2]
    entered = [now.numbers]
    for moment in range(moments - 1):
        following = State(page.following.numbers[:, moment])
        with half("cpu"):
            posterior = network.posterior(now, following)
            change = network.decode(now, posterior.sample(generator))
        led = changed(now, Change(change.numbers.float()))
        led = Placement(turn_of(led.global_orient), led.transl[:, :2], pivot).enter(led)
        truth = State(page.past.numbers[:, moment + 1])
        true = (led.joints - truth.joints).norm(dim=-1).mean(dim=-1, keepdim=True) > lost_m
        true = true | (torch.rand(count, 1, generator=generator) < true_share)
        now = State(torch.where(true, truth.numbers, led.numbers))
        entered.append(now.numbers)
    return State(torch.stack(entered, dim=1))


def posed(body: LandmarkBody, state: State, *, betas: Tensor) -> Posed:
    """What states (B,) are of people of shapes (B, 10); hands at rest."""
    count = len(state.numbers)
    hands = torch.eye(3).expand(count, 2, 3, 3)
    rotmat = torch.cat([state.global_orient[:, None], state.body_pose, hands], dim=1)
    joints, landmarks = body.stand(rotmat, betas=betas, transl=state.transl)
    return Posed(joints[:, :JOINTS], landmarks)
