"""Teaches the embedded motion prior: a conditional variational autoencoder over transitions.

As Rempe et al., "HuMoR", ICCV 2021, 3.3 and its supplement: latents of the posterior are decoded,
their divergence from the prior comes in slowly, and windows are first taught from true moments,
then ever more from moments that the network itself was led to. No gradient passes from moment to
moment there, so all of a window is learnt from at once, after it has been walked. For the mesh
stand BlazePose's 33 landmarks.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ..methods.humor.network import Gaussian, Sizes
from ..methods.humor.state import Change, State, changed
from . import humor_losses
from .humor_data import StretchBank, Stretches
from .humor_losses import Known, Moment, Weights, divergence, reconstruction
from .humor_scales import Scaled
from .humor_windows import Page, page_of, posed, walked
from .loop import half
from .synthetic import LandmarkBody

_USUAL_PEOPLE = 2000  # that tell what is usual
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
    lost_m: float = 0.15  # of joints on average: whoever is further off goes on from the truth
    annealed_at: float = 0.1  # share of all steps at which the divergence counts in full
    weights: Weights = OWN_WEIGHTS


def led_further(plan: Plan) -> Plan:
    """The plan of what a network of `plan` learns afterwards: to find back from further off.

    Long windows, most of them its own from the first step on. Without this, the joints of a state
    leave its pose in a second or two: whoever was lost was put back and never shown the way.
    """
    return replace(
        plan,
        people=max(1, plan.people * plan.moments // plan.late_moments),
        moments=plan.late_moments,
        free_from=-1.0,
        free_at=0.0,
        free_share=0.7,
        lost_m=0.4,
        annealed_at=1e-6,
    )


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
        led = walked(self.network, page[:free], true_share=true_share, lost_m=plan.lost_m)
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


def begun(sizes: Sizes, source: Source) -> Scaled:
    """The network that learns, as it is before the first step."""
    network = Scaled(sizes)
    page = page_of(source.draw(_USUAL_PEOPLE, 3))
    network.standardise(
        *(State(each.numbers.flatten(0, 1)) for each in (page.past, page.following))
    )
    return network


def _single(gaussian: Gaussian) -> Gaussian:
    return Gaussian(gaussian.mean.float(), gaussian.variance.float())
