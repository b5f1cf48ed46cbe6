from dataclasses import replace

import pytest
import torch
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.methods.humor.state import changed
from stripmocap.methods.humor.transitions import BASE, SPAN, Bodies, Transitions, errs
from torch.autograd.functional import jacobian

FRAMES = 7
STEP = 1e-6


@pytest.fixture
def bodies():
    """Somebody who moves a little at random."""
    generator = torch.Generator().manual_seed(2)

    def walk(*shape):
        steps = torch.randn(FRAMES, *shape, generator=generator, dtype=torch.float64)
        return steps.cumsum(dim=0) / 100

    def here(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    upright = aa_to_matrix(torch.tensor([torch.pi / 2, 0.3, 0.2], dtype=torch.float64))
    return Bodies(
        transl=walk(3) + here(3),
        global_orient=aa_to_matrix(walk(3)) @ upright,
        body_pose=aa_to_matrix(walk(21, 3)) @ aa_to_matrix(here(21, 3) / 2),
        joints=walk(22, 3) + here(22, 3),
    )


@pytest.fixture
def transitions(network):
    first = torch.arange(FRAMES - SPAN + 1)
    return Transitions(network, first, torch.linspace(0.5, 1.5, len(first)).double())


def test_the_gradient_is_that_of_the_energy(transitions, bodies):
    latents = transitions.likely_latents(bodies) + 0.1
    generator = torch.Generator().manual_seed(3)

    energies, by_change, by_latents = transitions.gradient(bodies, latents)

    change = torch.randn(FRAMES, BASE, generator=generator, dtype=torch.float64)
    more = torch.randn(latents.shape, generator=generator, dtype=torch.float64)
    ahead = transitions.energies(bodies.changed(STEP * change), latents + STEP * more)
    behind = transitions.energies(bodies.changed(-STEP * change), latents - STEP * more)
    expected = (ahead - behind).sum() / (2 * STEP)
    torch.testing.assert_close(energies, transitions.energies(bodies, latents))
    torch.testing.assert_close(
        (by_change * change).sum() + (by_latents * more).sum(), expected, rtol=1e-6, atol=1e-6
    )


def test_it_does_not_matter_where_on_the_floor_one_is_and_where_one_faces(transitions, bodies):
    latents = transitions.likely_latents(bodies)
    turn = aa_to_matrix(torch.tensor([0.0, 0.0, 2.0], dtype=torch.float64))
    shift = torch.tensor([3.0, -1.0, 0.0], dtype=torch.float64)
    pelvis = bodies.joints[:, 0]
    moved = Bodies(
        # SMPL's translation is from the pelvis of the body at rest, which does not turn.
        transl=bodies.transl - pelvis + pelvis @ turn.T + shift,
        global_orient=turn @ bodies.global_orient,
        body_pose=bodies.body_pose,
        joints=bodies.joints @ turn.T + shift,
    )
    fixed = replace(bodies, transl=pelvis - torch.tensor([0.0, 0.2, 0.1]).double())
    moved = replace(moved, transl=moved.joints[:, 0] - torch.tensor([0.0, 0.2, 0.1]).double())

    found = transitions.energies(moved, latents)

    torch.testing.assert_close(found, transitions.energies(fixed, latents))


def test_the_model_is_gauss_newtons_with_the_latents_worked_in(network, bodies, monkeypatch):
    monkeypatch.setattr("stripmocap.methods.humor.transitions.OUTLIER", 1e6)
    transitions = Transitions(network, torch.tensor([1]), torch.tensor([2.0]).double())
    latents = transitions.likely_latents(bodies)
    base = torch.eye(BASE, dtype=torch.float64).expand(FRAMES, -1, -1)

    model = transitions.model(bodies, latents, base=base)

    def residuals(change, latent):
        moments = transitions.moments(bodies.changed(change))
        led = changed(moments.past, network.decode(moments.past, latent))
        likely = network.prior(moments.past)
        usual = (latent - likely.mean) / network.prior(at_rest.past).variance.sqrt()
        apart = (moments.following.numbers - led.numbers) / of_states
        return 2**0.5 * torch.cat([usual, apart], dim=-1)[0]

    at_rest = transitions.moments(bodies)
    each = errs(latents)
    turns = [each[2:3].expand(9), each[4:25].repeat_interleave(9)]
    of_states = torch.cat(
        [
            *(each[:2].repeat_interleave(3), 2**0.5 * turns[0], each[3:4].expand(3)),
            *(2**0.5 * turns[1], each[25:].repeat_interleave(3)),
        ]
    )
    zero = torch.zeros(FRAMES, BASE, dtype=torch.float64)
    by_change, by_latent = jacobian(residuals, (zero, latents))
    by_change, by_latent = by_change[:, 1 : 1 + SPAN].flatten(1), by_latent[:, 0]
    across = by_latent.mT @ by_change
    answer = -torch.linalg.solve(by_latent.mT @ by_latent, across)
    hessian = by_change.mT @ by_change + across.mT @ answer
    # Turns of what turns are left out of the model: it is to be near, not the same.
    assert (model.hessian[0] - hessian).norm() < 0.15 * hessian.norm()
    assert (model.answer[0] - answer).norm() < 0.15 * answer.norm()
    squared = model.latent_factor[0] @ model.latent_factor[0].mT
    torch.testing.assert_close(squared, by_latent.mT @ by_latent, rtol=0.01, atol=0)


def test_latents_of_the_model_lower_the_energy(transitions, bodies):
    latents = transitions.likely_latents(bodies) + 0.3
    base = torch.eye(BASE, dtype=torch.float64).expand(FRAMES, -1, -1)

    model = transitions.model(bodies, latents, base=base)
    before, _, slope = transitions.gradient(bodies, latents)
    down = torch.cholesky_solve(slope[..., None], model.latent_factor)[..., 0]

    assert (transitions.energies(bodies, latents - 0.1 * down) < before).all()


def test_a_moment_that_is_no_number_spoils_no_other_model(transitions, bodies):
    latents = transitions.likely_latents(bodies)
    base = torch.eye(BASE).double()[:, :69].expand(FRAMES, BASE, 69)
    transl = bodies.transl.clone()
    transl[-1] = torch.nan  # of the last transition alone

    found = transitions.model(replace(bodies, transl=transl), latents, base=base)

    expected = transitions.model(bodies, latents, base=base)
    torch.testing.assert_close(found.hessian[:-1], expected.hessian[:-1])
    torch.testing.assert_close(found.latent_factor[:-1], expected.latent_factor[:-1])
    assert not torch.isfinite(found.hessian[-1]).all()
