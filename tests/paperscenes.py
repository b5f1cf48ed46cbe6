"""A small problem for SMPLify as the paper poses it: three toy people before exact keypoints."""

from __future__ import annotations

from dataclasses import replace

import torch
from stripmocap.body import landmarks
from stripmocap.contract.body_file import BodyTemplate
from stripmocap.contract.skeleton import JOINT_NAMES
from stripmocap.geometry.cameras import project
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.methods.smplify import paper
from stripmocap.methods.smplify.priors import PosePrior
from torchtoys import toy_template


def spin_template() -> BodyTemplate:
    """The toy with all of SPIN's landmarks, each one vertex."""
    toy = toy_template(posedirs=False)
    names = tuple(dict.fromkeys(n for n in landmarks.SPIN_PLACES if n not in JOINT_NAMES))
    rows = torch.eye(len(toy.v_template))[: len(names)].numpy()
    return replace(toy, landmark_names=names, landmark_regressor=rows)


def exact_problem(dtype: torch.dtype = torch.float32) -> paper.PaperProblem:
    """Keypoints of three people of known pose, all seen, without noise."""
    points = paper.reduced_points(spin_template(), dtype=dtype)
    truth = _truth(dtype)
    spatial = points(
        aa_to_matrix(truth.global_orient_aa),
        aa_to_matrix(truth.body_pose_aa.unflatten(-1, (-1, 3))),
        truth.betas,
    )
    center = torch.full((3, 2), 112.0, dtype=dtype)
    pixels = project(
        spatial + truth.transl.unsqueeze(1), focal=paper.FOCAL_PX, center=center.unsqueeze(1)
    )
    keypoints = torch.cat([pixels, torch.ones_like(pixels[..., :1])], dim=-1)
    return paper.PaperProblem(points, PosePrior.load(dtype=dtype), keypoints, center)


def usual_start(problem: paper.PaperProblem) -> paper.PaperState:
    """Everybody in the rest pose, facing the camera, where least squares put them."""
    zeros = problem.center.new_zeros
    facing = problem.center.new_tensor([3.1, 0, 0]).repeat(3, 1)
    rest = paper.PaperState(facing, zeros(3, 69), zeros(3, 10), zeros(3, 3))
    return replace(rest, transl=paper.first_camera(problem, rest))


def _truth(dtype: torch.dtype) -> paper.PaperState:
    generator = torch.Generator().manual_seed(3)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

    return paper.PaperState(
        global_orient_aa=torch.tensor([3.0, 0, 0], dtype=dtype) + 0.2 * normal(3, 3),
        body_pose_aa=0.15 * normal(3, 69),
        betas=0.5 * normal(3, 10),
        transl=torch.tensor([[0.1, 0.2, 45], [-0.1, 0.3, 50], [0, 0, 40]], dtype=dtype),
    )
