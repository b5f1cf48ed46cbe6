"""Where HuMoR's fit begins: bodies at rest before the camera, and motions from posed bodies.

Rempe et al., ICCV 2021, 4.3, and its code. Bodies stand as far away as their bones look short. A
motion begins with the latents that the posterior reads from bodies posed frame by frame.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from ...geometry.rotations import aa_to_matrix
from .canonical import Placement, TurnOf, pivot_of, turn_of
from .floor import Floor, PriorFrame
from .motion import states_of
from .motion_objective import Unknowns
from .network import MotionPrior
from .objective import Frames, Problem
from .rollout import transitions
from .state import JOINTS, State, changed

# Bones of OpenPose's 25 keypoints by which the distance is judged.
OPENPOSE_BONES = (
    *((1, 8), (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (8, 9), (9, 10), (10, 11), (8, 12)),
    *((12, 13), (13, 14), (1, 0), (0, 15), (15, 17), (0, 16), (16, 18), (14, 19), (19, 20)),
    *((14, 21), (11, 22), (22, 23), (11, 24)),
)
_FACING = (torch.pi, 0.0, 0.0)  # axis-angle of a body that stands before the camera and faces it
_LEAST_PX = 1.0  # of a mean bone


class Reading(Protocol):
    """What explains motions (N, T) of the prior's frame: latents (N, T - 1, Z)."""

    def __call__(self, prior: MotionPrior, motions: State, *, turning: TurnOf) -> Tensor:  # noqa: D102
        ...


def resting(problem: Problem, bones: tuple[tuple[int, int], ...] = OPENPOSE_BONES) -> Frames:
    """Bodies of mean shape and of the pose of latent zero, on the optical axis, facing the camera.

    Args:
        problem: N motions over T frames.
        bones: pairs of the figure's keypoints.
    """
    keypoints, priors = problem.observed.keypoints, problem.priors
    count, frames = keypoints.shape[:2]
    latents = keypoints.new_zeros(count, frames, priors.pose.sizes.latent)
    betas = keypoints.new_zeros(count, problem.figure.body.J_shapedirs.shape[-1])
    transl = keypoints.new_zeros(count, frames, 3)
    transl[..., 2] = depth(problem, bones).unsqueeze(-1)
    facing = keypoints.new_tensor(_FACING).expand(count, frames, 3)
    return Frames(transl=transl, global_orient=facing, pose_latents=latents, betas=betas)


def depth(problem: Problem, bones: tuple[tuple[int, int], ...] = OPENPOSE_BONES) -> Tensor:
    """(N,) metres at which a body's bones are as long as they are seen, in the fullest frame.

    By the published rule: bones with an unseen end count as of no length.
    """
    figure, observed = problem.figure, problem.observed
    keypoints = observed.keypoints
    body_pose = problem.priors.pose.decode(keypoints.new_zeros(problem.priors.pose.sizes.latent))
    points = figure.points(
        torch.eye(3).to(keypoints),
        body_pose,
        betas=keypoints.new_zeros(figure.body.J_shapedirs.shape[-1]),
        transl=keypoints.new_zeros(3),
    ).index_select(-2, figure.keypoints)
    start, stop = torch.tensor(bones, device=keypoints.device).T
    seen = observed.confidence > 0
    fullest = seen.sum(dim=-1).argmax(dim=1)  # (N,)
    each = torch.arange(len(keypoints), device=keypoints.device)
    pixels, seen = keypoints[each, fullest], seen[each, fullest]  # (N, K, 2), (N, K)
    lengths_px = (pixels[:, start] - pixels[:, stop]).norm(dim=-1)
    lengths_px = (lengths_px * (seen[:, start] & seen[:, stop])).mean(dim=-1)
    length = (points[start] - points[stop]).norm(dim=-1).mean()
    return observed.focal[0] * length / lengths_px.clamp(min=_LEAST_PX)


def read_at_once(prior: MotionPrior, motions: State, *, turning: TurnOf) -> Tensor:
    """The latents of every step for itself, as the published fit reads them.

    A motion that they lead strays: each step errs a little, and none knows of those before.
    """
    return prior.posterior(*transitions(motions, turning=turning)).mean


def read_in_turn(prior: MotionPrior, motions: State, *, turning: TurnOf) -> Tensor:
    """Each latent as it leads to a motion from where those before it have led.

    So errors of steps do not add up. The posterior knows such moments: its training rolls out.
    """
    now = State(motions.numbers[:, 0])
    pivot, latents = pivot_of(now), list[Tensor]()
    for step in range(1, motions.numbers.shape[1]):
        frame = Placement(turning(now.global_orient), now.transl[..., :2], pivot)
        past, following = frame.enter(now), frame.enter(State(motions.numbers[:, step]))
        latents.append(prior.posterior(past, following).mean)
        now = frame.leave(changed(past, prior.decode(past, latents[-1])))
    return torch.stack(latents, dim=1)


def begin(
    problem: Problem,
    frames: Frames,
    *,
    turning: TurnOf = turn_of,
    reading: Reading = read_at_once,
) -> Unknowns:
    """Motions of bodies posed frame by frame, with the floor where it is thought to be."""
    with torch.no_grad():
        floor = problem.observed.floor.clone()
        motion = in_prior_frame(problem, frames, floor=floor)
        latents = reading(problem.priors.motion, motion, turning=turning)
    return Unknowns(
        transl=frames.transl[:, 0],
        global_orient=frames.global_orient[:, 0],
        pose_latents=frames.pose_latents[:, 0],
        transl_vel=motion.transl_vel[:, 0],
        joints_vel=motion.joints_vel[:, 0],
        global_orient_vel=motion.global_orient_vel[:, 0],
        latents=latents,
        betas=frames.betas,
        floor=floor,
    )


def in_prior_frame(problem: Problem, frames: Frames, *, floor: Tensor) -> State:
    """(N, T) states of bodies posed frame by frame, in the motion prior's frame.

    The fit moves translations as if they were points, then all of a motion up or down until its
    first pelvis is as high above the floor as it was.
    """
    figure = problem.figure
    orient, pose = (
        aa_to_matrix(frames.global_orient),
        problem.priors.pose.decode(frames.pose_latents),
    )
    betas = frames.betas.unsqueeze(1)
    frame = PriorFrame.under(
        Floor.of(floor), transl=frames.transl[:, 0], global_orient=orient[:, 0]
    )
    moved, turned = frame.enter(frames.transl), frame.rotmat.unsqueeze(1) @ orient
    pelvis = figure.rest_pelvis(frames.betas)
    high = frame.enter((frames.transl[:, 0] + pelvis).unsqueeze(1))[..., 2]  # (N, 1)
    low = moved[:, :1, 2] + pelvis[:, 2:]
    moved = moved + (high - low).unsqueeze(-1) * moved.new_tensor([0.0, 0.0, 1.0])
    points = figure.points(turned, pose, betas=betas, transl=moved)
    return states_of(
        transl=moved,
        global_orient=turned,
        body_pose=pose,
        joints=points[..., :JOINTS, :],
    )
