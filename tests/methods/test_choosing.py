from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from fitscenes import CAMERA, walk
from stripmocap.methods.smplify.choosing import cheapest_row, choose_row
from stripmocap.methods.smplify.evidence import Evidence, gather
from stripmocap.methods.smplify.states import States
from toybody import toy_body

FRAMES = 6


def evidence_of(*people: int) -> Evidence:
    scenes = [walk(toy_body(), frames=FRAMES, person=number) for number in people]
    seen = [each.person for each in scenes]
    return gather(seen, CAMERA, device=torch.device("cpu"), dtype=torch.float32)


def answer(frames: int, number: float) -> States:
    return States(
        transl=torch.full((frames, 3), number),
        global_rotmat=torch.eye(3).expand(frames, 3, 3),
        body_pose=torch.full((frames, 23, 3), number),
        betas=torch.zeros(2, 10),
    )


def places(*heights_m: list[float]) -> torch.Tensor:
    """(A, M, 2, 3) a pelvis, and a hand at heights (M,) over it."""
    hand = torch.tensor(heights_m)
    return torch.stack([torch.zeros_like(hand), hand], dim=2)[..., None] * torch.tensor(
        [0.0, 1.0, 0.0]
    )


@pytest.mark.parametrize("seed", range(4))
def test_no_other_row_is_cheaper(seed):
    rng = np.random.default_rng(seed)
    costs, jumps = rng.random((3, 5)), rng.random((4, 3, 3))

    row = cheapest_row(costs, jumps)

    def cost(row: tuple[int, ...]) -> float:
        seen = sum(costs[each, frame] for frame, each in enumerate(row))
        return seen + sum(jumps[t, row[t], row[t + 1]] for t in range(4))

    assert cost(tuple(row)) == pytest.approx(
        min(cost(each) for each in itertools.product(range(3), repeat=5))
    )


def test_a_frame_alone_takes_the_answer_of_less_energy():
    energies = torch.tensor([[1.0] * FRAMES, [2.0] * FRAMES])
    still = places([0.0] * FRAMES, [0.0] * FRAMES)

    chosen = choose_row(
        [answer(FRAMES, 0), answer(FRAMES, 1)], energies, still, evidence=evidence_of(0)
    )

    assert (chosen.body_pose == 0).all()


def test_a_frame_that_is_a_little_better_elsewhere_stays_with_its_neighbours():
    energies = torch.tensor([[1.0] * FRAMES, [3.0] * FRAMES])
    energies[:, 2] = torch.tensor([1.5, 1.0])
    apart = places([0.0] * FRAMES, [0.6] * FRAMES)

    chosen = choose_row(
        [answer(FRAMES, 0), answer(FRAMES, 1)], energies, apart, evidence=evidence_of(0)
    )

    assert (chosen.transl == 0).all()


def test_people_do_not_hold_each_other():
    energies = torch.tensor([[0.0] * FRAMES + [1.0] * FRAMES, [1.0] * FRAMES + [0.0] * FRAMES])
    apart = places([0.0] * 2 * FRAMES, [5.0] * 2 * FRAMES)

    chosen = choose_row(
        [answer(2 * FRAMES, 0), answer(2 * FRAMES, 1)],
        energies * 0.1,
        apart,
        evidence=evidence_of(0, 1),
    )

    assert (chosen.transl[:FRAMES] == 0).all()
    assert (chosen.transl[FRAMES:] == 1).all()


def test_an_answer_without_energy_is_not_chosen():
    energies = torch.full((2, FRAMES), 100.0)
    energies[0, 3] = torch.nan
    still = places([0.0] * FRAMES, [0.0] * FRAMES)

    chosen = choose_row(
        [answer(FRAMES, 0), answer(FRAMES, 1)], energies, still, evidence=evidence_of(0)
    )

    assert (chosen.transl[3] == 1).all()
