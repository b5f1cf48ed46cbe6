"""How good a motion prior is, on stretches of people whom it did not learn from.

*Explained* are motions by the posterior's latents, a moment at a time and led on by itself;
*imagined* ones are the prior's own. Errors are of the body's 22 joints in the frame of the first
moment, millimetres, at horizons in seconds. What is plausible is told by the data's own figures.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ..methods.humor.canonical import Placement
from ..methods.humor.network import Gaussian, MotionPrior
from ..methods.humor.rollout import imagine, likeliest
from ..methods.humor.state import CONTACT_JOINTS, FPS, JOINTS, State, changed
from .humor_data import FOOT_LANDMARKS, StretchBank, Stretches, flat_heights
from .humor_losses import contact_accuracy
from .humor_windows import Page, page_of, posed, walked
from .synthetic import LandmarkBody

HORIZONS_S = (0.1, 0.5, 1.0, 2.0)
MOMENTS = round(HORIZONS_S[-1] * FPS)
SAMPLES = 10  # motions that are imagined after each first moment
DEEP_M = 0.03
_FEET = slice(3, 7)  # ankles and toes among what may touch
_MM, _CM = 1000.0, 100.0


@dataclass(frozen=True)
class Plausible:
    """What is asked of motions whether anybody made them or not."""

    slide_cm_s: float  # mean speed in the plane of ankles and toes that touch
    touching: float  # share of them that do
    depth_mm: float  # mean depth of heels and toe tips below the floor
    deep: float  # share of them deeper than `DEEP_M`
    speed_m_s: float  # of the pelvis in the plane


@dataclass(frozen=True)
class JudgedPrior:
    """What a motion prior scores; tuples are by `HORIZONS_S`."""

    step_mm: float  # one moment explained, from the truth
    contacts: tuple[float, float, float]  # shares said rightly: of all, of touching, of free
    explained_mm: tuple[float, ...]  # led on by itself, drawn to the truth by the posterior
    likeliest_mm: tuple[float, ...]  # the prior's means, from the first moment alone
    imagined_mm: tuple[float, ...]  # samples, on average
    best_mm: tuple[float, ...]  # the best of `SAMPLES` over the time up to each horizon
    standing_mm: tuple[float, ...]  # the first moment held, for comparison
    diversity_mm: tuple[float, ...]  # of samples of one beginning, from one another
    imagined: Plausible
    data: Plausible


def held_out_stretches(bank: StretchBank, *, people: int, seed: int) -> Stretches:
    """Stretches of `MOMENTS` after their first, always the same; feet are known in all."""
    drawn = bank.draw(people, MOMENTS + 1, torch.Generator().manual_seed(seed))
    rows = drawn.feet
    return Stretches(
        State(drawn.states.numbers[rows]), drawn.contacts[rows], rows[rows], drawn.betas[rows]
    )


@torch.no_grad()
def judged_prior(network: MotionPrior, people: Stretches, *, body: LandmarkBody) -> JudgedPrior:
    """The scores of a network on stretches (N, `MOMENTS` + 1)."""
    generator = torch.Generator().manual_seed(0)
    page = page_of(people)
    first = State(people.states.numbers[:, 0])
    home = Placement.of(first)
    start, truth = home.enter(first), home.over_time().enter(people.states)
    truth = State(truth.numbers[:, 1:])
    change = network.decode(page.past, network.posterior(page.past, page.following).mean)
    likely = imagine(network, start, steps=MOMENTS, choose=likeliest).states
    dreams = [_imagined(network, start, generator) for _ in range(SAMPLES)]
    apart = torch.stack([_apart(states, truth) for states, _ in dreams])  # (S, N, T)
    places = torch.stack([states.joints for states, _ in dreams])
    standing = (start.joints[:, None] - truth.joints).norm(dim=-1).mean(dim=-1)
    mixed = (places - places.roll(1, dims=0)).norm(dim=-1).mean(dim=-1)
    return JudgedPrior(
        step_mm=_MM * float(_apart(changed(page.past, change), page.following).mean()),
        contacts=contact_accuracy(change.contacts, page.contacts),
        explained_mm=_at(_explained(network, page, generator)),
        likeliest_mm=_at(_apart(likely, truth)),
        imagined_mm=_at(apart.flatten(0, 1)),
        best_mm=tuple(
            _MM * float(apart[:, :, :count].mean(dim=2).amin(dim=0).mean()) for count in _counts()
        ),
        standing_mm=_at(standing),
        diversity_mm=_at(mixed.flatten(0, 1)),
        imagined=_plausible(*dreams[0], betas=people.betas, body=body),
        data=_plausible(truth, people.contacts[:, 1:], betas=people.betas, body=body),
    )


def _imagined(network: MotionPrior, start: State, generator: Generator) -> tuple[State, Tensor]:
    def choose(likely: Gaussian) -> Tensor:
        return likely.sample(generator)

    dream = imagine(network, start, steps=MOMENTS, choose=choose)
    return dream.states, (dream.contacts > 0).float()


def _explained(network: MotionPrior, page: Page, generator: Generator) -> Tensor:
    """(N, T) metres, the mean over joints; each moment in the frame of the one before."""
    past = walked(network, page, true_share=0.0, generator=generator)
    change = network.decode(past, network.posterior(past, page.following).mean)
    return _apart(changed(past, change), page.following)


def _apart(states: State, truth: State) -> Tensor:
    return (states.joints - truth.joints).norm(dim=-1).mean(dim=-1)


def _counts() -> tuple[int, ...]:
    return tuple(round(horizon * FPS) for horizon in HORIZONS_S)


def _at(apart: Tensor) -> tuple[float, ...]:
    """Means over all at each horizon, millimetres, of metres (N, T)."""
    return tuple(_MM * float(apart[:, count - 1].mean()) for count in _counts())


def _plausible(states: State, contacts: Tensor, *, betas: Tensor, body: LandmarkBody) -> Plausible:
    touching = contacts[..., _FEET]  # (N, T, 4)
    feet = states.joints[:, :, list(CONTACT_JOINTS[_FEET])]
    speed = FPS * feet[..., :2].diff(dim=1).norm(dim=-1)
    both = touching[:, 1:] * touching[:, :-1]
    shapes = betas[:, None].expand(-1, states.numbers.shape[1], -1).flatten(0, 1)
    points = posed(body, State(states.numbers.flatten(0, 1)), betas=shapes).vertices
    depth = (flat_heights() - points[:, FOOT_LANDMARKS, 2]).clamp(min=0)
    pelvis = FPS * states.joints[:, :, 0, :2].diff(dim=1).norm(dim=-1)
    assert states.joints.shape[2] == JOINTS
    return Plausible(
        slide_cm_s=_CM * float((both * speed).sum() / both.sum().clamp(min=1)),
        touching=float(touching.mean()),
        depth_mm=_MM * float(depth.mean()),
        deep=float((depth > DEEP_M).float().mean()),
        speed_m_s=float(pelvis.mean()),
    )
