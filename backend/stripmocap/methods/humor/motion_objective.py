"""What HuMoR's fit minimises in its third stage: a motion that is rolled out from its first moment.

Rempe et al., ICCV 2021, 4.2. The unknowns are the first moment in camera axes, the latents of every
transition, shape and floor; the motion prior lives in a frame on that floor, which moves with both.
What the published code works out with five bodies a frame takes one here, to the same numbers: all
of a motion goes rigidly from the prior's frame to the camera's, by what is known of its first
pelvis. The prior after each moment does not lead the roll-out, and is asked once, for all.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from ...geometry.rotations import aa_to_matrix
from ..smplify import energies as of_frames
from . import energies
from .canonical import TurnOf, turn_of
from .floor import Floor, PriorFrame
from .objective import Problem
from .quick_rollout import roll_out_fixed
from .rollout import Rollout
from .state import JOINTS, State, contact_chances

SHORT = 15  # frames of the third stage's first steps; the first moment counts more in longer ones


@dataclass(frozen=True, eq=False)
class Unknowns:
    """N motions of T frames by how they begin and what leads on."""

    transl: Tensor  # (N, 3) metres, camera axes
    global_orient: Tensor  # (N, 3) axis-angle, camera axes
    pose_latents: Tensor  # (N, Z)
    transl_vel: Tensor  # (N, 3) metres a second, axes of the prior's frame
    joints_vel: Tensor  # (N, 22, 3) metres a second, axes of the prior's frame
    global_orient_vel: Tensor  # (N, 3) radians a second, axes of the prior's frame
    latents: Tensor  # (N, T - 1, Z) of the motion prior
    betas: Tensor  # (N, L)
    floor: Tensor  # (N, 3) metres, its point nearest to the camera's centre, camera axes

    def shortened(self, frames: int) -> Unknowns:
        """The same with the latents of the first `frames` only."""
        return replace(self, latents=self.latents[:, : frames - 1])

    def detached(self) -> Unknowns:
        """The same numbers, without gradients."""
        return Unknowns(*(getattr(self, each.name).detach() for each in fields(self)))


class Led(NamedTuple):
    """Motions as they are rolled out, first moments included."""

    states: State  # (N, T) in the prior's frame
    points: Tensor  # (N, T, P, 3) of bodies in these states, metres, in the prior's frame
    in_camera: Tensor  # (N, T, P, 3) the same, camera axes
    contacts: Tensor  # (N, T, 22) chances
    frame: PriorFrame  # (N,)
    ahead: Rollout  # (N, T - 1) what follows the first


def led(problem: Problem, unknowns: Unknowns, *, turning: TurnOf = turn_of) -> Led:
    """Where the unknowns lead."""
    figure, priors = problem.figure, problem.priors
    orient, pose = aa_to_matrix(unknowns.global_orient), priors.pose.decode(unknowns.pose_latents)
    pelvis = figure.rest_pelvis(unknowns.betas)
    in_camera = unknowns.transl + pelvis  # (N, 3) the first pelvis
    frame = PriorFrame.under(Floor.of(unknowns.floor), transl=unknowns.transl, global_orient=orient)
    height = frame.enter(in_camera.unsqueeze(1))[:, 0, 2] - pelvis[:, 2]
    transl = pad(height.unsqueeze(-1), (2, 0))
    orient = frame.rotmat @ orient
    first = figure.points(orient, pose, betas=unknowns.betas, transl=transl)  # (N, P, 3)
    start = State.of(
        transl=transl,
        transl_vel=unknowns.transl_vel,
        global_orient=orient,
        global_orient_vel=unknowns.global_orient_vel,
        body_pose=pose,
        joints=first[:, :JOINTS],
        joints_vel=unknowns.joints_vel,
    )
    ahead = roll_out_fixed(priors.motion, start, latents=unknowns.latents, turning=turning)
    following = figure.points(
        ahead.states.global_orient,
        ahead.states.body_pose,
        betas=unknowns.betas.unsqueeze(1),
        transl=ahead.states.transl,
    )
    points = torch.cat([first.unsqueeze(1), following], dim=1)
    chances = contact_chances(ahead.contacts)
    # Bodies turn about pelvises, of which the first is known in both frames.
    seen = (points - points[:, :1, :1]) @ frame.rotmat.unsqueeze(1) + in_camera[:, None, None]
    return Led(
        states=State(torch.cat([start.numbers.unsqueeze(1), ahead.states.numbers], dim=1)),
        points=points,
        in_camera=seen,
        contacts=torch.cat([chances[:, :1], chances], dim=1),
        frame=frame,
        ahead=ahead,
    )


def moving(problem: Problem, unknowns: Unknowns, found: Led) -> dict[str, Tensor]:
    """The energies of the third stage but for contacts and overlaps."""
    frames = found.points.shape[1]
    told, joints = found.states.joints, found.points[..., :JOINTS, :]
    after = problem.priors.motion.prior(found.ahead.past)
    begun = problem.priors.initial.energy(State(found.states.numbers[:, 0])).sum()
    return {
        "keypoints": problem.seen(found.in_camera),
        "shape": frames * of_frames.shape(unknowns.betas).sum(),
        "motion": after.energy(found.ahead.latents).sum(),
        "initial": max(frames / SHORT, 1.0) * begun,
        "consistency": energies.inconsistency(joints, told).sum(),
        "bones": energies.stretching(told).sum(),
        "floor": frames * energies.floor_change(unknowns.floor, problem.observed.floor).sum(),
    }


def touching(found: Led) -> dict[str, Tensor]:
    """The energies of contacts: what touches neither moves nor hovers."""
    joints = found.points[..., :JOINTS, :]
    return {
        "skating": energies.skating(joints, found.contacts).sum(),
        "hovering": energies.hovering(joints, found.contacts).sum(),
    }


def overlapping(problem: Problem, unknowns: Unknowns, found: Led) -> dict[str, Tensor]:
    """The energies that hold pieces of one motion together; none without overlaps."""
    if problem.overlaps is None:
        return {}
    shared = found.in_camera.index_select(-2, problem.figure.shared)
    return problem.overlaps.energies(shared) | problem.overlaps.constants(
        unknowns.betas, unknowns.floor
    )
