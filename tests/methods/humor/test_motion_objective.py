from dataclasses import fields, replace

import pytest
import torch
from humorscenes import drifting, exact_problem, toy_figure, toy_priors
from stripmocap.methods.humor import motion_objective
from stripmocap.methods.humor.floor import Floor
from stripmocap.methods.humor.motion_objective import SHORT, Unknowns
from stripmocap.methods.humor.objective import Overlaps, weighed
from stripmocap.methods.humor.paper_start import begin
from stripmocap.methods.humor.state import JOINTS


@pytest.fixture(scope="module")
def priors():
    return toy_priors()


@pytest.fixture(scope="module")
def truth(priors):
    return drifting(priors, motions=2)


@pytest.fixture(scope="module")
def problem(truth, priors):
    return exact_problem(truth, figure=toy_figure(), priors=priors)


@pytest.fixture(scope="module")
def unknowns(problem, truth):
    return begin(problem, truth)


def free(unknowns):
    each = (getattr(unknowns, field.name) for field in fields(Unknowns))
    return Unknowns(*(tensor.clone().requires_grad_() for tensor in each))


def test_the_first_moment_is_where_it_is_put_before_the_camera(problem, truth, unknowns):
    led = motion_objective.led(problem, unknowns)

    expected = truth.points(problem.figure, problem.priors.pose)[:, 0]
    torch.testing.assert_close(led.in_camera[:, 0], expected)


def test_heights_are_distances_from_the_floor(problem, unknowns):
    led = motion_objective.led(problem, unknowns)

    floor = Floor.of(unknowns.floor)
    heights = (led.in_camera * floor.normal[:, None, None]).sum(-1) - floor.height[:, None, None]
    torch.testing.assert_close(led.points[..., 2], heights)


def test_bodies_before_the_camera_are_those_of_the_prior_moved_as_one(problem, unknowns):
    led = motion_objective.led(problem, unknowns)
    figure = problem.figure

    orient = led.frame.rotmat.mT.unsqueeze(1) @ led.states.global_orient
    betas = unknowns.betas.unsqueeze(1)
    transl = led.in_camera[..., 0, :] - figure.rest_pelvis(betas)
    direct = figure.points(orient, led.states.body_pose, betas=betas, transl=transl)

    torch.testing.assert_close(led.in_camera, direct)


def test_a_body_begins_at_the_origin_facing_ahead(problem, unknowns):
    states = motion_objective.led(problem, unknowns).states

    assert states.transl[:, 0, :2].abs().max() < 1e-12
    right = -states.global_orient[:, 0, :, 0]
    assert right[:, 1].abs().max() < 1e-12
    assert (right[:, 0] > 0).all()


def test_contacts_of_the_first_moment_are_those_of_the_second(problem, unknowns):
    contacts = motion_objective.led(problem, unknowns).contacts

    assert contacts.shape == (2, 8, JOINTS)
    torch.testing.assert_close(contacts[:, 0], contacts[:, 1])


def test_every_unknown_feels_the_objective(problem, unknowns):
    problem = replace(problem, overlaps=Overlaps([3]))
    unknowns = free(unknowns)

    led = motion_objective.led(problem, unknowns)
    found = motion_objective.moving(problem, unknowns, led) | motion_objective.touching(led)
    found |= motion_objective.overlapping(problem, unknowns, led)
    weighed(found, problem.weights).backward()

    for field in fields(Unknowns):
        gradient = getattr(unknowns, field.name).grad
        assert gradient.isfinite().all()
        assert gradient.any()


def test_gradients_are_the_slopes_of_the_objective(problem, unknowns):
    unknowns, step = free(unknowns), 1e-6

    def energy(unknowns):
        led = motion_objective.led(problem, unknowns)
        return weighed(motion_objective.moving(problem, unknowns, led), problem.weights)

    energy(unknowns).backward()

    for name in ("transl", "global_orient", "latents", "betas", "floor"):
        tensor = getattr(unknowns, name)
        direction = torch.randn(tensor.shape, generator=torch.Generator().manual_seed(1)).double()
        with torch.no_grad():
            ahead, behind = (
                energy(replace(unknowns, **{name: tensor + sign * step * direction}))
                for sign in (1, -1)
            )
        slope = float(ahead - behind) / (2 * step)
        assert float((tensor.grad * direction).sum()) == pytest.approx(slope, rel=1e-4, abs=1e-3)


def test_a_motion_of_twice_the_short_length_counts_its_start_twice(problem, unknowns):
    longer = replace(unknowns, latents=unknowns.latents[:, :1].expand(-1, 2 * SHORT - 1, -1))
    keypoints = problem.observed.keypoints[:, :1].expand(-1, 2 * SHORT, -1, -1)
    confidence = problem.observed.confidence[:, :1].expand(-1, 2 * SHORT, -1)
    observed = replace(problem.observed, keypoints=keypoints, confidence=confidence)
    long = replace(problem, observed=observed)

    once = motion_objective.moving(problem, unknowns, motion_objective.led(problem, unknowns))
    twice = motion_objective.moving(long, longer, motion_objective.led(long, longer))

    torch.testing.assert_close(twice["initial"], 2 * once["initial"])
