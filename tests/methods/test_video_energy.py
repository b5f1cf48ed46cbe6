from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from fitscenes import CAMERA, loose_prior, walk
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.methods.smplify.chain_terms import Planted
from stripmocap.methods.smplify.evidence import CUE_BONES, Guess, gather
from stripmocap.methods.smplify.levenberg import minimise
from stripmocap.methods.smplify.states import UNKNOWNS, States
from stripmocap.methods.smplify.subject import Subject
from stripmocap.methods.smplify.video_energy import VideoEnergy, Weights
from toybody import toy_body

FRAMES = 5
STEP = 1e-5


def problem(weights: Weights, *, planted: bool = False, free_betas: bool = False) -> VideoEnergy:
    people = [
        walk(toy_body(), frames=FRAMES, fps=fps, person=k).person for k, fps in ((0, 30), (1, 12))
    ]
    evidence = gather(people, CAMERA, device=torch.device("cpu"), dtype=torch.float64)
    evidence = replace(evidence, guess=guess(len(evidence)))
    groups = evidence.sequence if free_betas else torch.zeros_like(evidence.sequence)
    ground = Planted(
        contact=torch.rand(2 * FRAMES, 4, generator=torch.Generator().manual_seed(3)).double(),
        normal=torch.tensor([0.1, -0.98, 0.05]).double(),
        offset=0.9,
        levels=torch.tensor([0.0, 0.4]).double().repeat_interleave(FRAMES),
    )
    return VideoEnergy(
        Subject.from_template(toy_body(), loose_prior(torch.float64)),
        evidence,
        weights,
        groups=groups,
        free_betas=free_betas,
        planted=ground if planted else None,
    )


def guess(count: int) -> Guess:
    generator = torch.Generator().manual_seed(4)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    sure = torch.rand(count, generator=generator, dtype=torch.float64)
    return Guess(noise(count, len(CUE_BONES), 3), 0.5 * noise(count, 23, 3), sure)


def disturbed(seed: int = 0) -> States:
    generator = torch.Generator().manual_seed(seed)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    count = 2 * FRAMES
    return States(
        transl=torch.tensor([0.0, 0.8, 4.0]).double() + 0.1 * noise(count, 3),
        global_rotmat=aa_to_matrix(torch.tensor([3.0, 0.1, 0.1]).double() + 0.1 * noise(count, 3)),
        body_pose=0.3 * noise(count, 23, 3),
        betas=0.5 * noise(2, 10),
    )


def directions(shape: torch.Size) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(4)]


def assert_slope(got: torch.Tensor, wanted: torch.Tensor, *, like: torch.Tensor) -> None:
    scale = float(like.norm())
    torch.testing.assert_close(got / scale, wanted / scale, atol=1e-6, rtol=0)


TERMS = {
    "seen": Weights(cue=0, prior=0),
    "far landmarks": Weights(cue=0, prior=0, outlier=1.0),
    "cue": Weights(cue=3.0, prior=0),
    "bones guessed": Weights(cue=0, prior=0, guess=2.0),
    "bones told twice": Weights(cue=3.0, prior=0, guess=2.0),
    "pose guessed": Weights(cue=0, prior=0, guess_pose=2.0),
    "prior": Weights(cue=0, prior=2.0),
    "steady": Weights(cue=0, prior=0, steady=1.0),
    "planted": Weights(cue=0, prior=0, steady=0.01, planted=1.0),
}


@pytest.mark.parametrize("weights", TERMS.values(), ids=TERMS.keys())
def test_the_gradient_is_that_of_the_energy(weights: Weights):
    energy = problem(weights, planted=True)
    state = disturbed()

    gradient = energy.linearise(state).gradient

    for direction in directions(gradient.shape):
        ahead = energy.linearise(state.moved(STEP * direction, None)).energy
        behind = energy.linearise(state.moved(-STEP * direction, None)).energy
        slope = (ahead - behind).sum() / (2 * STEP)
        assert_slope(slope, (gradient * direction).sum(), like=gradient)


def test_the_gradient_of_shape_is_that_of_the_energy():
    energy = problem(Weights(height_m=1.8), free_betas=True)
    state = disturbed()

    gradient = energy.linearise(state).shared.gradient

    still = torch.zeros(2 * FRAMES, UNKNOWNS).double()
    for direction in directions(gradient.shape):
        ahead = energy.linearise(state.moved(still, STEP * direction)).energy
        behind = energy.linearise(state.moved(still, -STEP * direction)).energy
        slope = (ahead - behind).sum() / (2 * STEP)
        assert_slope(slope, (gradient * direction).sum(), like=gradient)


def test_people_do_not_pull_on_each_other():
    energy = problem(Weights(steady=1.0))
    band = energy.linearise(disturbed()).band

    assert band is not None
    assert not band.next1[FRAMES - 1].any()
    assert not band.next2[FRAMES - 2 : FRAMES].any()
    assert band.next1[FRAMES - 2].any()


def test_steadiness_counts_time_and_not_frames():
    # The same path, seen at 30 and at 60 frames a second, is as unsteady.
    costs = []
    for fps in (30, 60):
        scene = walk(toy_body(), frames=fps, fps=fps)
        evidence = gather([scene.person], CAMERA, device=torch.device("cpu"), dtype=torch.float32)
        subject = Subject.from_template(toy_body(), loose_prior())
        groups = torch.zeros_like(evidence.sequence)
        with_it, without = (
            VideoEnergy(subject, evidence, Weights(steady=steady), groups=groups)
            for steady in (1.0, 0.0)
        )
        cost = with_it.linearise(scene.states).energy - without.linearise(scene.states).energy
        costs.append(float(cost))

    assert costs[1] == pytest.approx(costs[0], rel=0.1)


def test_held_frames_do_not_move():
    energy = replace(problem(Weights(steady=1.0)), held=2)
    state = disturbed()

    found, _ = minimise(energy, state, iterations=5)

    assert torch.equal(found.transl[:2], state.transl[:2])
    torch.testing.assert_close(found.global_rotmat[:2], state.global_rotmat[:2])
    assert not torch.equal(found.transl[2:], state.transl[2:])
