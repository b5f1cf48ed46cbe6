"""HuMoR's fit as its code works it out, for comparing times: the same numbers, the long way.

Each evaluation of the third stage poses five whole meshes for every frame (three of them for one
frame that is repeated), asks the prior at every step of the roll-out, and turns every step into the
world as it comes. Rempe et al., "HuMoR", ICCV 2021; what is minimised is in `methods/humor`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..body.landmarks import MeshKeypoints, blazepose_rows
from ..body.model import Body
from ..contract.body_file import BodyTemplate
from ..geometry.rotations import aa_to_matrix
from ..methods.humor import energies
from ..methods.humor.canonical import Placement, TurnOf, turn_of
from ..methods.humor.floor import Floor, PriorFrame
from ..methods.humor.motion_objective import SHORT, Unknowns
from ..methods.humor.network import Gaussian
from ..methods.humor.objective import Energies, Frames, Problem
from ..methods.humor.pose_prior import latent_energy
from ..methods.humor.state import JOINTS, State, changed, contact_chances
from ..methods.smplify import energies as of_frames

_HANDS = 2  # joints behind the wrists, which rest


@dataclass(frozen=True, eq=False)
class Mesh:
    """A whole body, seen as BlazePose's landmarks."""

    body: Body
    reader: MeshKeypoints

    @classmethod
    def from_template(cls, template: BodyTemplate) -> Mesh:
        """The body of `template`, which has 24 joints."""
        rows = blazepose_rows(template)
        return cls(Body.from_template(template), MeshKeypoints.from_rows(rows))

    def posed(
        self, orient: Tensor, pose: Tensor, *, betas: Tensor, transl: Tensor
    ) -> tuple[Tensor, Tensor]:
        """(..., 22, 3) joints and (..., K, 3) landmarks, metres, of poses (..., 21, 3, 3)."""
        rest = torch.eye(3).expand(*pose.shape[:-3], _HANDS, 3, 3)
        pose = torch.cat([pose, rest], dim=-3)
        vertices = self.body.vertices(orient, pose, betas=betas, transl=transl)
        joints = self.body.joints(orient, pose, betas=betas, transl=transl)
        return joints[..., :JOINTS, :], self.reader.read(joints, vertices)


def placing(problem: Problem, mesh: Mesh, frames: Frames) -> Energies:
    """The energies of the first stage."""
    return {"keypoints": _seen(problem, _posed(problem, mesh, frames)[1])}


def posing(problem: Problem, mesh: Mesh, frames: Frames) -> Energies:
    """The energies of the second stage."""
    joints, landmarks = _posed(problem, mesh, frames)
    return {
        "keypoints": _seen(problem, landmarks),
        "pose": latent_energy(frames.pose_latents).sum(),
        "shape": joints.shape[1] * of_frames.shape(frames.betas).sum(),
        "smooth": energies.unsteadiness(joints).sum(),
    }


def leading(
    problem: Problem, mesh: Mesh, unknowns: Unknowns, *, turning: TurnOf = turn_of
) -> Energies:
    """The energies of the third stage, as `paper.objective` gives them."""
    count = unknowns.latents.shape[1] + 1
    orient, pose = (
        aa_to_matrix(unknowns.global_orient),
        problem.priors.pose.decode(unknowns.pose_latents),
    )
    betas = unknowns.betas.unsqueeze(1)

    def repeated(orient: Tensor, transl: Tensor) -> tuple[Tensor, Tensor]:
        """One frame's body, posed for every frame."""
        joints, landmarks = mesh.posed(
            orient.unsqueeze(1).expand(-1, count, -1, -1),
            pose.unsqueeze(1).expand(-1, count, -1, -1, -1),
            betas=betas,
            transl=transl.unsqueeze(1).expand(-1, count, -1),
        )
        return joints[:, 0], landmarks[:, 0]

    in_camera, _ = repeated(orient, unknowns.transl)
    frame = PriorFrame.under(Floor.of(unknowns.floor), transl=unknowns.transl, global_orient=orient)
    turned = frame.rotmat @ orient
    on_floor = frame.enter(unknowns.transl.unsqueeze(1))[:, 0]
    before, _ = repeated(turned, on_floor)
    lift = frame.enter(in_camera[:, :1])[:, 0, 2] - before[:, 0, 2]
    transl = on_floor + torch.nn.functional.pad(lift.unsqueeze(-1), (2, 0))
    joints, _ = repeated(turned, transl)
    start = State.of(
        transl=transl,
        transl_vel=unknowns.transl_vel,
        global_orient=turned,
        global_orient_vel=unknowns.global_orient_vel,
        body_pose=pose,
        joints=joints,
        joints_vel=unknowns.joints_vel,
    )
    states, priors, contacts = _rolled_out(problem, start, unknowns.latents, turning)
    return _energies(problem, mesh, unknowns, states, priors=priors, contacts=contacts, frame=frame)


def _energies(
    problem: Problem,
    mesh: Mesh,
    unknowns: Unknowns,
    states: State,
    *,
    priors: Gaussian,
    contacts: Tensor,
    frame: PriorFrame,
) -> Energies:
    count, betas = states.numbers.shape[1], unknowns.betas.unsqueeze(1)
    posed = {"betas": betas, "transl": states.transl}
    joints, _ = mesh.posed(states.global_orient, states.body_pose, **posed)
    pelvis = mesh.body.rest_joints(betas)[..., 0, :]
    # Bodies turn about their pelvis, so that it is what goes from frame to frame as a point.
    there = frame.leave(states.transl + pelvis) - pelvis
    back = frame.rotmat.mT.unsqueeze(1)
    _, landmarks = mesh.posed(
        back @ states.global_orient, states.body_pose, betas=betas, transl=there
    )
    return {
        "keypoints": _seen(problem, landmarks),
        "shape": count * of_frames.shape(unknowns.betas).sum(),
        "motion": priors.energy(unknowns.latents).sum(),
        "initial": max(count / SHORT, 1.0)
        * problem.priors.initial.energy(State(states.numbers[:, 0])).sum(),
        "consistency": energies.inconsistency(joints, states.joints).sum(),
        "bones": energies.stretching(states.joints).sum(),
        "floor": count * energies.floor_change(unknowns.floor, problem.observed.floor).sum(),
        "skating": energies.skating(joints, contacts).sum(),
        "hovering": energies.hovering(joints, contacts).sum(),
    }


def _rolled_out(
    problem: Problem, start: State, latents: Tensor, turning: TurnOf
) -> tuple[State, Gaussian, Tensor]:
    """(N, T) states in the frame of `start`, priors before each but the first, and contacts."""
    network, past = problem.priors.motion, start
    pivot = start.joints[..., 0, :2]
    place, turn = torch.zeros_like(pivot), torch.zeros_like(pivot[..., 0])  # of `past` in the world
    found, means, variances, chances = [start.numbers], [], [], []
    for step in range(latents.shape[1]):
        prior = network.prior(past)
        change = network.decode(past, latents[:, step])
        now = changed(past, change)
        into = torch.stack([turn.cos(), turn.sin()], dim=-1)
        world = Placement(into, place, pivot).leave(now)
        frame = Placement(turning(now.global_orient), now.transl[..., :2], pivot)
        past, place = frame.enter(now), world.transl[..., :2]
        turn = turn + torch.atan2(frame.turn[..., 1], frame.turn[..., 0])
        found.append(world.numbers)
        means.append(prior.mean)
        variances.append(prior.variance)
        chances.append(contact_chances(change.contacts))
    priors = Gaussian(torch.stack(means, dim=1), torch.stack(variances, dim=1))
    return State(torch.stack(found, dim=1)), priors, torch.stack([chances[0], *chances], dim=1)


def _posed(problem: Problem, mesh: Mesh, frames: Frames) -> tuple[Tensor, Tensor]:
    return mesh.posed(
        aa_to_matrix(frames.global_orient),
        problem.priors.pose.decode(frames.pose_latents),
        betas=frames.betas.unsqueeze(1),
        transl=frames.transl,
    )


def _seen(problem: Problem, landmarks: Tensor) -> Tensor:
    observed = problem.observed
    return of_frames.reprojection(
        landmarks,
        observed.keypoints,
        confidence=observed.confidence * problem.figure.counted,
        focal=observed.focal,
        center=observed.center,
    ).sum()
