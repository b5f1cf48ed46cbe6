"""Shots for tests of solver `fast`: people who stroll over a floor, as a start has them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from fitscenes import CAMERA, loose_prior, walk
from stripmocap.methods.humor.fast import Settings, Shot, Solver
from stripmocap.methods.humor.fast_energy import FastEnergy
from stripmocap.methods.humor.network import MotionPrior
from stripmocap.methods.smplify.evidence import gather
from stripmocap.methods.smplify.states import States
from stripmocap.methods.smplify.subject import Subject
from toybody import toy_body

_UP = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])  # from camera axes


def shot_of(
    *, frames: int, people: int = 1, dtype: torch.dtype = torch.float32, noise: float = 0.0
) -> Shot:
    """Walks on the floor z = 0, by a start that is off by `noise` (m, rad) in every frame."""
    body = toy_body()
    scenes = [walk(body, frames=frames, person=k, side_m=k) for k in range(people)]
    subject = Subject.from_template(body, loose_prior(dtype))
    evidence = gather(
        [each.person for each in scenes], CAMERA, device=torch.device("cpu"), dtype=dtype
    )
    world = torch.eye(4, dtype=dtype)
    world[:3, :3] = _UP.to(dtype)
    feet = torch.cat([torch.tensor(each.points[:, subject.feet, 1]) for each in scenes])
    world[2, 3] = float(feet.max()) + float(subject.feet_height.max())
    states = [each.states for each in scenes]
    generator = torch.Generator().manual_seed(7)

    def noisy(values: torch.Tensor) -> torch.Tensor:
        return values.to(dtype) + noise * torch.randn(values.shape, generator=generator).to(dtype)

    rest = subject.body.J_template[0]
    transl = noisy(torch.cat([each.transl for each in states]))
    start = States(
        transl=(transl + rest) @ world[:3, :3].mT + world[:3, 3] - rest,
        global_rotmat=world[:3, :3] @ torch.cat([each.global_rotmat for each in states]).to(dtype),
        body_pose=noisy(torch.cat([each.body_pose for each in states])),
        betas=torch.zeros(people, 10, dtype=dtype),
    )
    return Shot(
        subject,
        evidence,
        start,
        camera_from_world=torch.linalg.inv(world).expand(len(evidence), 4, 4),
        floor_votes=torch.ones(len(evidence), dtype=dtype),
        rests=torch.zeros(len(evidence), len(subject.feet), dtype=dtype),
    )


@dataclass(frozen=True, eq=False)
class Problem:
    """What a solver lowers, and where it begins."""

    energy: FastEnergy
    start: States


def problem_of(shot: Shot, network: MotionPrior) -> Problem:
    """The energy of `shot`, with some contacts, and all terms in it."""
    solver = Solver(shot, network, Settings())
    chances = torch.rand(len(shot.evidence), 13, generator=torch.Generator().manual_seed(8))
    touching = replace(solver.energy.touching, chances=chances.to(shot.floor_votes))
    return Problem(replace(solver.energy, touching=touching), shot.start)
