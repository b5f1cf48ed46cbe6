"""SMPLify as SPIN runs it: two stages of Adam on SPIN's 49 keypoints in a 224-pixel crop.

Bogo et al., "Keep it SMPL", ECCV 2016, section 4, with the constants and the optimiser of
Kolotouros et al., "Learning to Reconstruct 3D Human Pose and Shape via Model-fitting in the Loop",
ICCV 2019. First the camera's translation and the global orientation are found from the torso, then
pose, shape and orientation from all keypoints. A batch is fitted at once; its people do not affect
each other. The body may be the full mesh, as in the paper, or the reduced one: same numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ...body.landmarks import MeshKeypoints, spin49_rows
from ...body.model import Body
from ...body.reduced import ReducedBody
from ...contract.body_file import BodyTemplate
from ...geometry.cameras import transl_from_keypoints
from ...geometry.rotations import aa_to_matrix
from . import energies
from .priors import PosePrior

FOCAL_PX = 5000.0  # of the 224-pixel crop
ITERATIONS = 100  # of each stage
STEP = 0.01  # Adam's, rad, metres and units of beta alike
DEPTH_WEIGHT = 100.0**2
POSE_WEIGHT = 4.78**2
BENDING_WEIGHT = 15.2**2
SHAPE_WEIGHT = 5.0**2
# Among SPIN's 49: OpenPose's neck and hips, and the hips of the training sets, mean other places
# than the body's own.
IGNORED = (1, 9, 12, 27, 28)

# (B, 49, 3) points from global_orient (B, 3, 3), body_pose (B, 23, 3, 3), betas (B, 10).
Points = Callable[[Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class PaperState:
    """B people, each before a camera of its own."""

    global_orient_aa: Tensor  # (B, 3) rad
    body_pose_aa: Tensor  # (B, 69) rad
    betas: Tensor  # (B, 10)
    transl: Tensor  # (B, 3) metres, camera axes


@dataclass(frozen=True, eq=False)
class PaperProblem:
    """What is fitted to what."""

    points: Points
    prior: PosePrior
    keypoints: Tensor  # (B, 49, 3) x px, y px, confidence
    center: Tensor  # (B, 2) pixels
    focal: float | Tensor = FOCAL_PX  # pixels, a number or (B, 1, 1)


def full_mesh_points(
    template: BodyTemplate,
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Points:
    """SPIN's 49 keypoints by way of the full mesh, as the paper's code finds them."""
    body = Body.from_template(template, device=device, dtype=dtype)
    reader = MeshKeypoints.from_rows(spin49_rows(template), device=device, dtype=dtype)

    def points(global_orient: Tensor, body_pose: Tensor, betas: Tensor) -> Tensor:
        rest_joints = body.rest_joints(betas)
        skeleton = body.skeleton(global_orient, body_pose, betas=betas)
        posed = body.posed(body.shaped(betas), body_pose)
        vertices = body.skinned(posed, skeleton, rest_joints=rest_joints)
        return reader.read(skeleton.positions, vertices)

    return points


@dataclass(frozen=True, eq=False)
class ReducedPoints:
    """SPIN's 49 keypoints by way of the reduced body."""

    body: ReducedBody
    order: Tensor  # (49,) int64, each keypoint's place among the body's points

    def __call__(self, global_orient: Tensor, body_pose: Tensor, betas: Tensor) -> Tensor:
        """(B, 49, 3) metres, before translation."""
        points = self.body.points(global_orient, body_pose, betas=betas)
        return points.index_select(-2, self.order)


def reduced_points(
    template: BodyTemplate,
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> ReducedPoints:
    """The same 49 keypoints as those of the full mesh, without the mesh."""
    keypoints = spin49_rows(template)
    body = ReducedBody.from_template(template, keypoints.rows, device=device, dtype=dtype)
    return ReducedPoints(body, torch.tensor(keypoints.points, device=device))


def solve(problem: PaperProblem, start: PaperState, *, iterations: int = ITERATIONS) -> PaperState:
    """The fit that both stages reach from `start`, `iterations` steps of Adam each."""
    state = _place(problem, start, iterations=iterations)
    return _bend(problem, state, iterations=iterations)


def first_camera(problem: PaperProblem, state: PaperState) -> Tensor:
    """(B, 3) metres, the translation that suits the keypoints best before any fitting."""
    return transl_from_keypoints(
        points_of(problem, state).detach(),
        problem.keypoints[..., :2],
        confidence=problem.keypoints[..., 2],
        focal=problem.focal,
        center=problem.center,
    )


def points_of(problem: PaperProblem, state: PaperState) -> Tensor:
    """(B, 49, 3) metres, before translation."""
    body_pose = aa_to_matrix(state.body_pose_aa.unflatten(-1, (-1, 3)))
    return problem.points(aa_to_matrix(state.global_orient_aa), body_pose, state.betas)


def used_confidence(problem: PaperProblem) -> Tensor:
    """(B, 49) zero for the ignored keypoints."""
    confidence = problem.keypoints[..., 2].clone()
    confidence[..., list(IGNORED)] = 0
    return confidence


def reprojection(problem: PaperProblem, state: PaperState) -> Tensor:
    """(B, 49) robust reprojection error, squared pixels; zero for the ignored keypoints."""
    return energies.reprojection(
        points_of(problem, state) + state.transl.unsqueeze(-2),
        problem.keypoints[..., :2],
        confidence=used_confidence(problem),
        focal=problem.focal,
        center=problem.center,
    )


def objective(problem: PaperProblem, state: PaperState) -> Tensor:
    """(B,) what the second stage minimises: reprojection, pose prior, wrong bends and shape."""
    return reprojection(problem, state).sum(dim=-1) + pose_and_shape_energy(
        problem.prior, state.body_pose_aa, betas=state.betas
    )


def pose_and_shape_energy(prior: PosePrior, body_pose_aa: Tensor, *, betas: Tensor) -> Tensor:
    """(...,) the part of the objective that no picture enters, of poses (..., 69)."""
    return (
        POSE_WEIGHT * prior.energy(body_pose_aa)
        + BENDING_WEIGHT * energies.bending(body_pose_aa).sum(dim=-1)
        + SHAPE_WEIGHT * energies.shape(betas)
    )


def torso_objective(problem: PaperProblem, state: PaperState, *, first_transl: Tensor) -> Tensor:
    """(B,) what the first stage minimises: the torso's pixels, and the depth it started from."""
    torso = energies.torso_reprojection(
        points_of(problem, state) + state.transl.unsqueeze(-2),
        problem.keypoints[..., :2],
        confidence=problem.keypoints[..., 2],
        focal=problem.focal,
        center=problem.center,
    )
    return torso + DEPTH_WEIGHT * (state.transl[..., 2] - first_transl[..., 2]).square()


def _place(problem: PaperProblem, start: PaperState, *, iterations: int) -> PaperState:
    """Stage one: where the person stands and which way they face."""

    def loss(state: PaperState) -> Tensor:
        return torso_objective(problem, state, first_transl=start.transl).sum()

    return _descend(loss, start, names=("global_orient_aa", "transl"), iterations=iterations)


def _bend(problem: PaperProblem, start: PaperState, *, iterations: int) -> PaperState:
    """Stage two: pose, shape and orientation, from where stage one left the camera."""

    def loss(state: PaperState) -> Tensor:
        return objective(problem, state).sum()

    names = ("body_pose_aa", "betas", "global_orient_aa")
    return _descend(loss, start, names=names, iterations=iterations)


def _descend(
    loss: Callable[[PaperState], Tensor],
    start: PaperState,
    *,
    names: tuple[str, ...],
    iterations: int,
) -> PaperState:
    """The state after steps of Adam on the parts called `names`."""
    free = {name: getattr(start, name).detach().clone().requires_grad_() for name in names}
    optimiser = torch.optim.Adam(free.values(), lr=STEP, betas=(0.9, 0.999))
    state = replace(start, **free)
    for _ in range(iterations):
        optimiser.zero_grad()
        loss(state).backward()
        optimiser.step()
    return replace(start, **{name: value.detach() for name, value in free.items()})
