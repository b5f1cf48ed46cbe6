from dataclasses import replace

import pytest
import torch
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.methods.humor.network import Gaussian
from stripmocap.methods.humor.state import CONTACT_JOINTS, State
from stripmocap.training.humor_losses import (
    Known,
    Moment,
    Posed,
    Weights,
    contact_accuracy,
    contact_velocity,
    divergence,
    reconstruction,
)


def moment(count=4, *, seed=0):
    """A moment whose joints are those of its body, and whose contacts are known for certain."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(count, *shape, generator=generator)

    joints = normal(22, 3)
    state = State.of(
        transl=normal(3),
        transl_vel=normal(3),
        global_orient=aa_to_matrix(normal(3)),
        global_orient_vel=normal(3),
        body_pose=aa_to_matrix(normal(21, 3)),
        joints=joints,
        joints_vel=normal(22, 3),
    )
    return Moment(state, (normal(9) > 0).float(), Posed(joints, normal(50, 3)))


def said(truth):
    return replace(truth, contacts=100 * (2 * truth.contacts - 1))


def test_the_truth_costs_only_what_moves_in_contact():
    truth = moment()

    terms = reconstruction(said(truth), truth, weights=Weights())

    speed = terms.pop("contact_velocity")
    assert speed > 0
    assert sum(terms.values()) < 1e-6


@pytest.mark.parametrize("name", ["body_joints", "mesh", "consistency"])
def test_a_body_elsewhere_costs_its_own_terms(name):
    truth = moment()
    posed = Posed(truth.posed.joints + 0.1, truth.posed.vertices + 0.2)

    terms = reconstruction(replace(said(truth), posed=posed), truth, weights=Weights())

    expected = {"body_joints": 0.01, "mesh": 0.04, "consistency": 0.01}[name]
    torch.testing.assert_close(terms[name].item(), expected, rtol=1e-4, atol=0)


def test_every_term_has_its_weight_and_moves_what_is_said():
    truth, other = moment(), moment(seed=1)
    numbers = other.state.numbers.clone().requires_grad_(True)
    doubled = Weights(contacts=0.02, contact_velocity=0.02)

    once = reconstruction(replace(other, state=State(numbers)), truth, weights=Weights())
    twice = reconstruction(other, truth, weights=doubled)

    assert twice["contacts"] == 2 * once["contacts"]
    assert twice["contact_velocity"] == 2 * once["contact_velocity"].detach()
    (slope,) = torch.autograd.grad(sum(once.values()), numbers)
    assert (slope.abs().sum(dim=0) > 0).all()


def test_only_joints_in_contact_are_to_stand_still():
    state = moment(1).state
    logits = torch.full((1, 9), -100.0)
    logits[0, 3] = 100.0

    speed = contact_velocity(state, logits)

    expected = state.joints_vel[0, CONTACT_JOINTS[3]].square().sum() / 9
    torch.testing.assert_close(speed, expected)


@pytest.mark.parametrize(("epoch", "share"), [(0, 0.0), (10, 0.2), (50, 1.0), (180, 1.0)])
def test_the_divergence_comes_in_slowly(epoch, share):
    prior = Gaussian(torch.zeros(3, 5), torch.ones(3, 5))
    posterior = Gaussian(torch.ones(3, 5), torch.ones(3, 5))

    term = divergence(posterior, prior, epoch=epoch, weights=Weights())

    torch.testing.assert_close(term.item(), share * 4e-4 * 2.5)


def test_contacts_are_right_or_wrong_on_either_side():
    logits = torch.tensor([[5.0, -5.0, 5.0, -5.0]])
    truth = torch.tensor([[1.0, 1.0, 1.0, 0.0]])

    everything, touching, free = contact_accuracy(logits, truth)

    assert (everything, free) == (0.75, 1.0)
    assert touching == pytest.approx(2 / 3)


def test_what_is_not_known_costs_nothing():
    truth, other = moment(), moment(seed=1)
    nothing = Known(State(torch.zeros(4, 339)), torch.zeros(4, 9), torch.zeros(4, 50))

    terms = reconstruction(other, truth, weights=Weights(contact_velocity=0.0), known=nothing)

    assert all(float(term) == 0 for term in terms.values())


def test_what_is_known_whole_costs_as_it_does():
    truth, other = moment(), moment(seed=1)
    whole = Known(State(torch.ones(4, 339)), torch.ones(4, 9), torch.ones(4, 50))

    known = reconstruction(other, truth, weights=Weights(), known=whole)

    for name, term in reconstruction(other, truth, weights=Weights()).items():
        torch.testing.assert_close(known[name], term)


def test_places_may_weigh_more_than_velocities():
    truth, other = moment(), moment(seed=1)

    once, more = (
        reconstruction(other, truth, weights=Weights(places=places)) for places in (1.0, 30.0)
    )

    torch.testing.assert_close(more["joints"], 30 * once["joints"])
    torch.testing.assert_close(more["joints_vel"], once["joints_vel"])
