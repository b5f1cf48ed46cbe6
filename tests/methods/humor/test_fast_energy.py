from dataclasses import replace

import pytest
import torch
from fastscenes import problem_of, shot_of
from stripmocap.methods.humor.fast_energy import FastStates
from stripmocap.methods.smplify.levenberg import minimise
from stripmocap.methods.smplify.states import UNKNOWNS

STEP = 1e-6


@pytest.fixture
def problem(network):
    return problem_of(shot_of(frames=6, people=2, dtype=torch.float64), network)


def state_of(problem) -> FastStates:
    start = problem.start
    moving = problem.energy.moving(start)
    return FastStates(start, problem.energy.transitions.likely_latents(moving))


def test_the_gradient_is_that_of_the_energy(problem):
    state = state_of(problem)
    modelled = problem.energy.modelled(state)
    # Latents that do not answer a step: what is left is the slope by the frames alone.
    model = replace(modelled.model, answer=torch.zeros_like(modelled.model.answer))
    energy = replace(modelled, model=model)
    generator = torch.Generator().manual_seed(1)

    gradient = energy.linearise(state).gradient

    step = torch.randn(len(gradient), UNKNOWNS, generator=generator, dtype=torch.float64)
    ahead, behind = (
        energy.linearise(FastStates(state.bodies.moved(way * STEP * step, None), state.latents))
        for way in (1, -1)
    )
    slope = (ahead.energy - behind.energy).sum() / (2 * STEP)
    torch.testing.assert_close((gradient * step).sum(), slope, rtol=1e-5, atol=1e-3)


def test_people_do_not_pull_on_each_other(problem):
    state = state_of(problem)
    energy = problem.energy.modelled(state)
    band = energy.linearise(state).band

    for apart, block in enumerate(band.blocks, start=1):
        across = slice(6 - apart, 6)
        assert not block[across].any()
        assert block[: 6 - apart].any()


def test_held_frames_stay(problem):
    state = state_of(problem)
    energy = replace(problem.energy.modelled(state), held=3)

    found, _ = minimise(energy, state, iterations=2)

    assert torch.equal(found.bodies.transl[:3], state.bodies.transl[:3])
    assert torch.equal(found.bodies.body_pose[:3], state.bodies.body_pose[:3])
    assert not torch.equal(found.bodies.transl[3:], state.bodies.transl[3:])


def test_steps_never_raise_the_energy(problem):
    state = state_of(problem)
    energy = problem.energy.modelled(state)
    before = energy.linearise(state).energy

    found, after = minimise(energy, state, iterations=3)

    assert (after <= before).all()
    torch.testing.assert_close(energy.linearise(found).energy, after)
