"""Teaches the embedded motion prior: a conditional variational autoencoder over transitions.

As Rempe et al., "HuMoR", ICCV 2021, 3.3 and its supplement: latents of the posterior are decoded,
their divergence from the prior comes in slowly, and windows are first taught from true moments,
then ever more from moments that the network itself was led to. No gradient passes from moment to
moment there, so all of a window is learnt from at once, after it has been walked. For the mesh
stand BlazePose's 33 landmarks.

Learning sees numbers of one scale; `Scaled.plain` folds the scales into the first and last layers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch
from torch import Generator, Tensor, nn

from ..contract.skeleton import CONTACT_COUNT
from ..geometry.rotations import matrix_to_aa
from ..methods.humor.canonical import Placement, turn_of
from ..methods.humor.network import Decoder, Gaussian, MotionPrior, Perceptron, Sizes
from ..methods.humor.rollout import transitions
from ..methods.humor.state import (
    CHANGE_NUMBERS,
    JOINTS,
    ORIENT_VEL,
    PLACES,
    STATE_NUMBERS,
    TRANSL_VEL,
    Change,
    State,
    changed,
    coasting,
)
from . import humor_losses
from .humor_data import StretchBank, Stretches, known_numbers
from .humor_losses import Known, Moment, Posed, Weights, divergence, reconstruction
from .loop import half
from .synthetic import LandmarkBody

_LEAST_SPREAD = 0.02  # of a number of a state, over which it is divided: some hardly change
_LEAST_CHANGE = 0.0005  # the same of a number of a change
_USUAL_PEOPLE = 2000  # that tell what is usual
LOST_M = 0.15  # of joints on average: whoever is further off goes on from the truth
_UNKNOWN_LANDMARKS = slice(29, 33)  # heels and toe tips, where feet are not known


# Of errors of one moment's change, places and rotations are a twentieth of velocities: with HuMoR's
# equal weights, what is led to drifts.
OWN_WEIGHTS = Weights(
    places=30.0, body_joints=30.0, mesh=30.0, consistency=30.0, contacts=0.05, divergence=2e-4
)


@dataclass(frozen=True)
class Plan:
    """What one training of the motion prior differs in from another."""

    sizes: Sizes = field(default_factory=lambda: Sizes(hidden=512, coasting=1))
    people: int = 64  # a step
    moments: int = 10  # of a window, after its first
    late_moments: int = 30  # towards the end, of fewer people
    late_from: float = 0.7  # share of all steps
    free_from: float = 0.15  # share of all steps until which only true moments are taught from
    free_at: float = 0.35  # and from which on windows that are free have only the network's own
    free_share: float = 0.6  # of windows that are free then; the others stay true, see `walked`
    annealed_at: float = 0.1  # share of all steps at which the divergence counts in full
    weights: Weights = OWN_WEIGHTS


class Source(Protocol):
    """Where stretches come from without end: `Stretcher`."""

    def draw(self, people: int, moments: int) -> Stretches: ...  # noqa: D102

    def state_dict(self) -> dict[str, Any]: ...  # noqa: D102

    def load_state_dict(self, state: dict[str, Any]) -> None: ...  # noqa: D102


class Stretcher:
    """Endless stretches of a bank."""

    def __init__(self, bank: StretchBank, *, seed: int) -> None:
        """Stretches that begin at `seed`; the same seed gives the same."""
        self._bank = bank
        self._generator = torch.Generator().manual_seed(seed)

    def draw(self, people: int, moments: int) -> Stretches:
        """The next ones."""
        return self._bank.draw(people, moments, self._generator)

    def state_dict(self) -> dict[str, Any]:
        """Where in its endless row this is."""
        return {"generator": self._generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on where `state` was taken."""
        self._generator.set_state(state["generator"])


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


class HumorLesson:
    """A motion prior learns how people move on; see `loop.Lesson`."""

    def __init__(
        self,
        network: Scaled,
        source: Source,
        body: LandmarkBody,
        *,
        plan: Plan,
        steps: int,
        held_out: Stretches,
    ) -> None:
        """A lesson from its first page.

        Args:
            network: what is taught.
            source: training stretches.
            body: what rotations are turned into joints by.
            plan: see `Plan`.
            steps: of the whole training.
            held_out: of other people, for `scores`.
        """
        self.network, self.source, self.body, self.plan = network, source, body, plan
        self.steps, self.held_out = steps, held_out

    def losses(self, step: int) -> dict[str, Tensor]:
        """The terms of one batch."""
        plan, share = self.plan, step / self.steps
        people, moments = plan.people, plan.moments
        if share >= plan.late_from:
            people, moments = people * moments // plan.late_moments, plan.late_moments
        stretches = self.source.draw(people, moments + 1)
        page = page_of(stretches)
        true_share = (plan.free_at - share) / (plan.free_at - plan.free_from)
        free = round(plan.free_share * people) if true_share < 1.0 else 0
        true_share = min(max(true_share, 0.0), 1.0)
        led = walked(self.network, page[:free], true_share=true_share, lost_m=LOST_M)
        past = State(torch.cat([led.numbers, page.past.numbers[free:]]))
        terms, posterior, prior = self._taught(past, page)
        epoch = share / plan.annealed_at * plan.weights.annealing_epochs
        apart = divergence(posterior, prior, epoch=epoch, weights=plan.weights)
        return terms | {"divergence": apart}

    @torch.no_grad()
    def scores(self, network: nn.Module) -> dict[str, float]:
        """How far it is off on the held-out stretches, led on by its own moments."""
        assert isinstance(network, Scaled)
        generator = torch.Generator().manual_seed(0)
        page = page_of(self.held_out)
        past = walked(network, page, true_share=0.0, generator=generator)
        posterior, prior = network.posterior(past, page.following), network.prior(past)
        change = network.decode(past, posterior.mean)
        led = changed(past, change)
        apart = 1000 * (led.joints - page.following.joints).norm(dim=-1)
        known = page.known.state.joints[..., 0]
        off = (apart * known).sum() / known.sum()
        right, touching, free = humor_losses.contact_accuracy(
            change.contacts[page.known.contacts > 0.5], page.contacts[page.known.contacts > 0.5]
        )
        return {
            "joints mm": float(off),
            "divergence nats": float(posterior.divergence(prior).mean()),
            "contacts %": 100 * right,
            "touching %": 100 * touching,
            "free %": 100 * free,
        }

    def state_dict(self) -> dict[str, Any]:
        """The source's place."""
        return {"source": self.source.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from `state_dict`'s answer."""
        self.source.load_state_dict(state["source"])

    def _taught(self, past: State, page: Page) -> tuple[dict[str, Tensor], Gaussian, Gaussian]:
        """The terms of transitions from moments (N, T), and both opinions on their latents."""
        past, following = (State(each.numbers.flatten(0, 1)) for each in (past, page.following))
        with half("cpu"):
            posterior, prior = self.network.posterior(past, following), self.network.prior(past)
            change = self.network.decode(past, posterior.sample())
        posterior, prior = _single(posterior), _single(prior)
        change = Change(change.numbers.float())
        led = changed(past, change)
        betas = page.betas[:, None].expand(-1, page.following.numbers.shape[1], -1).flatten(0, 1)
        said = Moment(led, change.contacts, posed(self.body, led, betas=betas))
        with torch.no_grad():
            truth_posed = posed(self.body, following, betas=betas)
        truth = Moment(following, page.contacts.flatten(0, 1), truth_posed)
        known = Known(
            State(page.known.state.numbers.flatten(0, 1)),
            page.known.contacts.flatten(0, 1),
            page.known.points.flatten(0, 1),
        )
        weights = self.plan.weights
        terms = reconstruction(said, truth, weights=weights, known=known)
        return terms, posterior, prior


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


def begun(sizes: Sizes, source: Source) -> Scaled:
    """The network that learns, as it is before the first step."""
    network = Scaled(sizes)
    page = page_of(source.draw(_USUAL_PEOPLE, 3))
    network.standardise(
        *(State(each.numbers.flatten(0, 1)) for each in (page.past, page.following))
    )
    return network


def _change_between(past: State, following: State) -> Tensor:
    """(B, 216) changes between states that are near one another; contacts are zeros."""
    step = following.numbers - past.numbers
    turned = torch.cat([past.global_orient[:, None], past.body_pose], dim=1)
    turns = torch.cat([following.global_orient[:, None], following.body_pose], dim=1) @ turned.mT
    angles = matrix_to_aa(turns).flatten(-2)  # (B, 66)
    contacts = step.new_zeros(len(step), CONTACT_COUNT)
    parts = (step[:, : TRANSL_VEL.stop], angles[:, :3], step[:, ORIENT_VEL], angles[:, 3:])
    return torch.cat([*parts, step[:, PLACES.start :], contacts], dim=-1)


def _single(gaussian: Gaussian) -> Gaussian:
    return Gaussian(gaussian.mean.float(), gaussian.variance.float())


def _first(part: Perceptron | Decoder) -> nn.Linear:
    first = part.net[0]
    assert isinstance(first, nn.Linear)
    return first
