"""The paper's objective, minimised by second-order steps on the reduced body.

The same two stages and the same energies as in paper.py (Bogo et al., ECCV 2016; Kolotouros et al.,
ICCV 2019), by Levenberg-Marquardt in place of Adam: it knows how far to go, so that a few steps
reach lower than the paper's hundred. People are solved at once, each with a damping of their own.
A person's 85 unknowns are `transl` (3), a turn of the whole body (3) in camera axes, the 69 numbers
of `body_pose_aa` and 10 `betas`; stage one moves the first six, stage two all but `transl`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ...body.kinematics import parent_rotations
from ...body.reduced import Linearisation
from ...contract.skeleton import BETAS_COUNT
from ...geometry.cameras import MIN_DEPTH
from ...geometry.rotations import aa_to_matrix, left_jacobian, matrix_to_aa
from . import energies, paper
from .levenberg import System, minimise
from .paper import PaperProblem, PaperState, ReducedPoints

PLACE_STEPS = 20
BEND_STEPS = 40
TOLERANCE = 1e-4  # share of the energy that a step must gain to be followed by another
PLACED = slice(0, 6)  # of the unknowns: translation and orientation
BENT = slice(3, 85)  # orientation, pose and shape
POSE_NUMBERS = 69


def solve(problem: PaperProblem, start: PaperState) -> PaperState:
    """The fit that both stages reach from `start`.

    Args:
        problem: its `points` must be `ReducedPoints`, whose derivatives are known.
        start: where to begin.
    """
    return solve_counted(problem, start).state


@dataclass(frozen=True, eq=False)
class Solved:
    """A fit, and what it took."""

    state: PaperState
    steps: Tensor  # (B,) int64, steps of both stages until the person's energy fell no more


def solve_counted(
    problem: PaperProblem,
    start: PaperState,
    *,
    place_steps: int = PLACE_STEPS,
    bend_steps: int = BEND_STEPS,
) -> Solved:
    """As `solve`, with steps counted and bounded: refused ones count too, if a good one followed.

    Args:
        problem: its `points` must be `ReducedPoints`.
        start: where to begin.
        place_steps: of stage one at the most.
        bend_steps: of stage two.
    """
    assert isinstance(problem.points, ReducedPoints)
    with torch.no_grad():
        place, bend = _Place(problem, start.transl), _Bend(problem)
        state, _ = minimise(place, start, iterations=place_steps, tolerance=TOLERANCE)
        state, _ = minimise(bend, state, iterations=bend_steps, tolerance=TOLERANCE)
    return Solved(state, place.steps + bend.steps)


class _Stage:
    """What both stages share: each person is a group."""

    def __init__(self, problem: PaperProblem) -> None:
        self.problem = problem
        self.groups = torch.arange(len(problem.keypoints), device=problem.keypoints.device)
        self.tried = 0
        self.steps = torch.zeros_like(self.groups)  # the last accepted one, counted from 1

    def choose(self, accepted: Tensor, new: PaperState, old: PaperState) -> PaperState:
        """`new` for those who accepted, `old` for the others."""
        self.tried += 1
        self.steps = self.steps.masked_fill(accepted, self.tried)
        names = vars(new)
        chosen = (
            torch.where(accepted[:, None], getattr(new, name), getattr(old, name)) for name in names
        )
        return PaperState(**dict(zip(names, chosen, strict=True)))


class _Place(_Stage):
    """Stage one: translation and orientation, by the torso."""

    def __init__(self, problem: PaperProblem, first_transl: Tensor) -> None:
        super().__init__(problem)
        self.first_transl = first_transl  # (B, 3) metres

    def linearise(self, state: PaperState) -> System:
        seen = _seen(self.problem, state)
        weights = energies.torso_weights(self.problem.keypoints[..., 2]).unsqueeze(-1)
        gradient, hessian = _quadratic(seen, weights, PLACED)
        deeper = (state.transl - self.first_transl)[:, 2]
        gradient[:, 2] += 2 * paper.DEPTH_WEIGHT * deeper
        hessian[:, 2, 2] += 2 * paper.DEPTH_WEIGHT
        energy = (weights * seen.residuals.square()).sum(dim=(1, 2))
        return System(energy + paper.DEPTH_WEIGHT * deeper.square(), gradient, hessian)

    def moved(self, state: PaperState, step: Tensor, shared_step: Tensor | None) -> PaperState:
        transl, turn = step.split([3, 3], dim=-1)
        orient = _turned(state.global_orient_aa, turn)
        return replace(state, transl=state.transl + transl, global_orient_aa=orient)


class _Bend(_Stage):
    """Stage two: orientation, pose and shape, by all keypoints."""

    def __init__(self, problem: PaperProblem) -> None:
        super().__init__(problem)
        confidence = problem.keypoints[..., 2:].clone()
        confidence[:, list(paper.IGNORED)] = 0
        self.votes = confidence.square()  # (B, 49, 1)

    def linearise(self, state: PaperState) -> System:
        seen = _seen(self.problem, state)
        square = energies.SIGMA_PX**2
        # What a square still weighs where it stands: the slope of Geman-McClure in the square.
        fade = (square / (square + seen.residuals.square())).square()
        gradient, hessian = _quadratic(seen, self.votes * fade, BENT)
        self._add_priors(state, gradient=gradient[:, 3:], hessian=hessian[:, 3:, 3:])
        error = (self.votes * energies.geman_mcclure(seen.residuals)).sum(dim=(1, 2))
        prior = paper.pose_and_shape_energy(
            self.problem.prior, state.body_pose_aa, betas=state.betas
        )
        return System(error + prior, gradient, hessian)

    def moved(self, state: PaperState, step: Tensor, shared_step: Tensor | None) -> PaperState:
        turn, pose, betas = step.split([3, POSE_NUMBERS, BETAS_COUNT], dim=-1)
        return replace(
            state,
            global_orient_aa=_turned(state.global_orient_aa, turn),
            body_pose_aa=state.body_pose_aa + pose,
            betas=state.betas + betas,
        )

    def _add_priors(self, state: PaperState, *, gradient: Tensor, hessian: Tensor) -> None:
        """Adds, to the parts of pose and betas, what does not depend on the picture."""
        prior, pose = self.problem.prior, state.body_pose_aa
        likeliest = prior.energies(pose).argmin(dim=-1)
        precision = paper.POSE_WEIGHT * prior.precisions[likeliest]  # (B, 69, 69)
        offset = (pose - prior.means[likeliest]).unsqueeze(-1)
        gradient[:, :POSE_NUMBERS] += (precision @ offset).squeeze(-1)
        hessian[:, :POSE_NUMBERS, :POSE_NUMBERS] += precision
        # exp(s x)^2 has the derivatives 2 s exp(s x)^2 and 4 exp(s x)^2.
        wrong = paper.BENDING_WEIGHT * energies.bending(pose)  # (B, 4)
        entries = list(energies.BENDING)
        gradient[:, entries] += 2 * wrong * wrong.new_tensor(energies.BENDING_SIGNS)
        hessian[:, entries, entries] += 4 * wrong
        gradient[:, POSE_NUMBERS:] += 2 * paper.SHAPE_WEIGHT * state.betas
        hessian.diagonal(dim1=1, dim2=2)[:, POSE_NUMBERS:] += 2 * paper.SHAPE_WEIGHT


@dataclass(frozen=True, eq=False)
class _Seen:
    """Projected keypoints against those seen."""

    residuals: Tensor  # (B, 49, 2) pixels
    jacobian: Tensor  # (B, 49, 2, 85) pixels per unknown


def _seen(problem: PaperProblem, state: PaperState) -> _Seen:
    points = problem.points
    assert isinstance(points, ReducedPoints)
    body_pose_aa = state.body_pose_aa.unflatten(-1, (-1, 3))
    line = points.body.linearise(
        aa_to_matrix(state.global_orient_aa),
        aa_to_matrix(body_pose_aa),
        betas=state.betas,
        transl=state.transl,
    )
    spatial = _point_jacobian(line, body_pose_aa).index_select(1, points.order)
    x = line.points.index_select(1, points.order)  # (B, 49, 3)
    depth = x[..., 2:].clamp(min=MIN_DEPTH)
    slope = x[..., :2] / depth  # (B, 49, 2)
    pixels = problem.focal * slope + problem.center.unsqueeze(1)
    across = spatial[..., :2, :] - slope.unsqueeze(-1) * spatial[..., 2:, :]
    return _Seen(
        residuals=pixels - problem.keypoints[..., :2],
        jacobian=(problem.focal / depth).unsqueeze(-1) * across,
    )


def _point_jacobian(line: Linearisation, body_pose_aa: Tensor) -> Tensor:
    """(B, P, 3, 85) metres per unknown, of all points of the reduced body.

    Args:
        line: the points and how they move.
        body_pose_aa: (B, 23, 3) rad.
    """
    people, points = line.points.shape[:2]
    axes = parent_rotations(line.global_rotations)  # a step turns the pelvis in camera axes
    axes[:, 1:] = axes[:, 1:] @ left_jacobian(body_pose_aa)
    x, y, z = axes.unsqueeze(1).unbind(dim=-2)  # (B, 1, 24, 3), the last by unknown
    arm_x, arm_y, arm_z = line.arms.unsqueeze(-1).unbind(dim=-2)  # (B, P, 24, 1)
    turned = [y * arm_z - z * arm_y, z * arm_x - x * arm_z, x * arm_y - y * arm_x]
    turned = torch.stack(turned, dim=2).flatten(start_dim=3)  # (B, P, 3, 72) axis x arm
    along = torch.eye(3, dtype=turned.dtype, device=turned.device)
    along = along.expand(people, points, 3, 3)
    return torch.cat([along, turned, line.betas_jacobian], dim=-1)


def _quadratic(seen: _Seen, weights: Tensor, unknowns: slice) -> tuple[Tensor, Tensor]:
    """Gradient (B, U) and Gauss-Newton's Hessian (B, U, U) of weighted squares.

    Args:
        seen: residuals and their derivatives.
        weights: (B, 49, 1) or (B, 49, 2).
        unknowns: U of the 85.
    """
    jacobian = seen.jacobian[..., unknowns].flatten(1, 2)  # (B, 98, U)
    weights = weights.expand_as(seen.residuals).flatten(1)
    weighted = 2 * weights.unsqueeze(-1) * jacobian
    gradient = (weighted * seen.residuals.flatten(1).unsqueeze(-1)).sum(dim=1)
    return gradient, weighted.mT @ jacobian


def _turned(orient_aa: Tensor, turn: Tensor) -> Tensor:
    """(B, 3) orientation after a small turn (B, 3) in camera axes."""
    return matrix_to_aa(aa_to_matrix(turn) @ aa_to_matrix(orient_aa))
