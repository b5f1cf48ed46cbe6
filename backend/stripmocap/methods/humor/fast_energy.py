"""The energy that solver `fast` lowers: what is seen, what is likely in motion, what touches.

A sum of negative log-likelihoods in nats, for `levenberg.minimise`. Frames tell of landmarks and
bones as in SMPLify over time, in each frame's own camera; where the start's own bones were seen
they count as told too, so that the prior speaks where nothing is seen. World axes: z up, the floor
at z = 0, metres.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ...contract.skeleton import JOINT_COUNT
from ...geometry.rotations import aa_to_matrix, left_jacobian
from ..smplify import chain_terms, frame_terms
from ..smplify.chain_terms import Chain, Links
from ..smplify.evidence import Evidence
from ..smplify.frame_terms import Squares, Told
from ..smplify.levenberg import Band, System
from ..smplify.states import (
    MOVING_JOINTS,
    ORIENT,
    POSE,
    TRANSL,
    UNKNOWNS,
    States,
    choose,
    point_jacobian,
)
from ..smplify.subject import Subject
from .state import JOINTS
from .touching import Touching, add_touching
from .transitions import BASE, SPAN, Bodies, Model, Transitions

_HOLD = 1e6  # stiffness of frames that stay as they are


@dataclass(frozen=True)
class Balance:
    """How much each term counts; 1 is what its likelihood says."""

    seen: float = 6.0  # landmarks: they err less than `KEYPOINT_SIGMA` has it for single frames
    outlier: float = 4.0  # expected errors of landmarks, where their votes begin to fade
    cue: float = 4.0  # the detector's own bones
    start: float = 4.0  # the start's bones, where they were seen
    pose: float = 0.05  # what poses are likely, each for itself
    steady: float = 0.15
    motion: float = 0.3
    touching: float = 0.2


@dataclass(frozen=True, eq=False)
class FastStates:
    """N frames in world axes, and the latents of their n transitions."""

    bodies: States
    latents: Tensor  # (n, Z)


@dataclass(frozen=True, eq=False)
class FastEnergy:
    """A problem for `levenberg.minimise`; its states are `FastStates`."""

    subject: Subject
    evidence: Evidence
    camera_from_world: Tensor  # (N, 4, 4)
    balance: Balance
    told: Told  # what the start says of bones, in each frame's camera
    transitions: Transitions
    touching: Touching
    links: Links
    model: Model | None = None  # of the transitions, at a place near
    held: int = 0

    @property
    def groups(self) -> Tensor:
        """(N,) int64: sequences accept steps by themselves."""
        return self.evidence.sequence

    def moving(self, bodies: States) -> Bodies:
        """The states as the prior reads them."""
        local = aa_to_matrix(bodies.body_pose)
        points = self.subject.body.points(
            bodies.global_rotmat,
            local,
            betas=bodies.betas[self.evidence.sequence],
            transl=bodies.transl,
        )
        return _bodies(bodies, local, points)

    def _posed(self, bodies: States) -> tuple[Tensor, Tensor, Tensor]:
        """Rotations to parents (N, 23, 3, 3), points (N, P, 3), and how these move (N, P, 3, D)."""
        local = aa_to_matrix(bodies.body_pose)
        found = self.subject.body.linearise(
            bodies.global_rotmat,
            local,
            betas=bodies.betas[self.evidence.sequence],
            transl=bodies.transl,
        )
        jacobian = point_jacobian(found.arms, found.global_rotations, bodies.body_pose)
        return local, found.points, jacobian

    def modelled(self, state: FastStates) -> FastEnergy:
        """The same energy, with the prior's model taken at `state`."""
        if not len(self.transitions.first):
            return self
        bodies = state.bodies
        local, points, jacobian = self._posed(bodies)
        model = self.transitions.model(
            _bodies(bodies, local, points),
            state.latents,
            base=_base(jacobian[:, :JOINTS], bodies.body_pose),
        )
        return replace(self, model=model)

    def linearise(self, state: FastStates) -> System:
        """The energy at `state` and its Gauss-Newton model."""
        bodies = state.bodies
        local, points, jacobian = self._posed(bodies)
        squares = self._squares(points, jacobian)
        weights = torch.cat([each.weights for each in squares], dim=1).sqrt()[..., None]
        weighted = torch.cat([each.jacobian for each in squares], dim=1) * weights
        residuals = torch.cat([each.residuals for each in squares], dim=1)[..., None] * weights
        energy = torch.stack([each.energy for each in squares]).sum(dim=0)
        gradient = (weighted.mT @ residuals)[..., 0]
        diagonal = weighted.mT @ weighted
        energy = energy + self._add_pose_terms(bodies.body_pose, gradient, diagonal)
        chain = self._chain(points, jacobian, bodies.body_pose)
        energy, gradient = energy + chain.energy, gradient + chain.gradient
        blocks = [diagonal + chain.diagonal, chain.next1, chain.next2]
        blocks.append(torch.zeros_like(chain.next1))
        if len(self.transitions.first):
            moving = _bodies(bodies, local, points)
            base = _base(jacobian[:, :JOINTS], bodies.body_pose)
            energy = energy + self._add_transitions(moving, state.latents, base, gradient, blocks)
        total = energy.new_zeros(int(self.groups.max()) + 1, dtype=torch.float64)
        total.index_add_(0, self.groups, energy.double())
        return _holding(total, gradient, blocks, held=self.held)

    def moved(self, state: FastStates, step: Tensor, shared_step: Tensor | None) -> FastStates:
        """`state` after a step of the frames; latents answer, each by what serves it best."""
        bodies = state.bodies.moved(step, shared_step)
        if not len(self.transitions.first):
            return FastStates(bodies, state.latents)
        return FastStates(bodies, self._answered(bodies, state.latents, step))

    def choose(self, accepted: Tensor, new: FastStates, old: FastStates) -> FastStates:
        """`new` in the sequences where `accepted` (G,) is true, `old` in the others."""
        mine = accepted[self.groups[self.transitions.first]][:, None]
        return FastStates(
            choose(accepted, new.bodies, old.bodies, groups=self.groups),
            torch.where(mine, new.latents, old.latents),
        )

    def _answered(self, bodies: States, latents: Tensor, step: Tensor) -> Tensor:
        assert self.model is not None
        first, moving = self.transitions.first, self.moving(bodies)
        steps = torch.cat([step[first + i] for i in range(SPAN)], dim=-1)  # (n, 4 D)
        answered = latents + (self.model.answer @ steps[..., None])[..., 0]
        energies, _, slope = self.transitions.gradient(moving, answered)
        down = torch.cholesky_solve(slope[..., None], self.model.latent_factor)[..., 0]
        choices = [answered - down, answered, latents]
        with torch.no_grad():
            tried = [
                self.transitions.energies(moving, choices[0]),
                energies,
                self.transitions.energies(moving, latents),
            ]
        best = torch.stack(tried).nan_to_num(nan=torch.inf).argmin(dim=0)
        return torch.stack(choices)[best, torch.arange(len(best), device=best.device)]

    def _squares(self, points: Tensor, jacobian: Tensor) -> list[Squares]:
        subject, evidence = self.subject, self.evidence
        turn, place = (
            self.camera_from_world[:, None, :3, :3],
            self.camera_from_world[:, None, :3, 3],
        )
        none = points.new_zeros(*points.shape, 0)
        keypoints = subject.keypoints
        seen = frame_terms.seen(
            (turn @ points[:, keypoints, :, None])[..., 0] + place,
            turn @ jacobian[:, keypoints],
            none[:, keypoints],
            evidence=evidence,
            columns=subject.columns,
            outlier=self.balance.outlier,
        )
        start, stop = subject.cue
        votes = self.balance.cue * evidence.cue_weights[:, subject.bones]
        cue = Told(evidence.cue[:, subject.bones], votes, votes.new_tensor(frame_terms.CUE_SIGMA))
        told = frame_terms.told(
            (turn @ (points[:, stop] - points[:, start])[..., None])[..., 0],
            turn @ (jacobian[:, stop] - jacobian[:, start]),
            none[:, stop],
            sayings=[cue, self.told],
        )
        return [seen, told]

    def _add_pose_terms(self, body_pose: Tensor, gradient: Tensor, diagonal: Tensor) -> Tensor:
        """(N,) nats of likely poses and limits, whose derivatives are added in place."""
        moving = body_pose[:, :MOVING_JOINTS].flatten(1)  # (N, 63)
        size, prior, weight = moving.shape[1], self.subject.prior, self.balance.pose
        likeliest, component = prior.energies(body_pose.flatten(1)).min(dim=1)
        precision = weight * prior.precisions[component]  # (N, 69, 69)
        apart = body_pose.flatten(1) - prior.means[component]
        gradient[:, POSE] += (precision @ apart[..., None])[:, :size, 0]
        diagonal[:, POSE, POSE] += precision[:, :size, :size]
        beyond, slope = frame_terms.limits(moving)
        gradient[:, POSE] += beyond * slope
        diagonal[:, POSE, POSE].diagonal(dim1=1, dim2=2).add_(slope.square())
        return weight * likeliest + 0.5 * beyond.square().sum(dim=1)

    def _chain(self, points: Tensor, jacobian: Tensor, body_pose: Tensor) -> Chain:
        chain = Chain(points)
        if len(points) > 2 and self.balance.steady > 0:
            chain_terms.add_steady(
                chain,
                points[:, :JOINT_COUNT],
                jacobian[:, :JOINT_COUNT],
                body_pose=body_pose[:, :MOVING_JOINTS].flatten(1),
                links=self.links,
                weight=self.balance.steady,
            )
        if self.balance.touching > 0:
            add_touching(
                chain,
                points[:, self.touching.points],
                jacobian[:, self.touching.points],
                touching=self.touching,
                linked=self.evidence.sequence.diff() == 0,
                weight=self.balance.touching,
            )
        return chain

    def _add_transitions(
        self,
        moving: Bodies,
        latents: Tensor,
        base: Tensor,
        gradient: Tensor,
        blocks: list[Tensor],
    ) -> Tensor:
        """(N,) nats of the transitions at their first frames; derivatives are added in place."""
        assert self.model is not None
        first = self.transitions.first
        energies, by_change, by_latents = self.transitions.gradient(moving, latents)
        gradient += (base.mT @ by_change[..., None])[..., 0]
        answered = (self.model.answer.mT @ by_latents[..., None])[..., 0]  # (n, 4 D)
        shares = answered.unflatten(1, (SPAN, UNKNOWNS))
        corners = self.model.hessian.unflatten(1, (SPAN, UNKNOWNS)).unflatten(3, (SPAN, UNKNOWNS))
        for i in range(SPAN):
            gradient[first + i] += shares[:, i]
            for j in range(i + 1):
                blocks[i - j][first + j] += corners[:, i, :, j]
        return energies.new_zeros(len(gradient)).index_copy(0, first, energies)


def _bodies(states: States, local: Tensor, points: Tensor) -> Bodies:
    return Bodies(states.transl, states.global_rotmat, local[:, : JOINTS - 1], points[:, :JOINTS])


def _base(jacobian: Tensor, body_pose: Tensor) -> Tensor:
    """(N, 135, 69) how what `Bodies.changed` changes moves with a frame's unknowns.

    Args:
        jacobian: (N, 22, 3, 69) of the joints.
        body_pose: (N, 23, 3).
    """
    count = len(jacobian)
    base = jacobian.new_zeros(count, BASE, UNKNOWNS)
    one = torch.eye(3).to(base)
    base[:, :3, TRANSL], base[:, 3:6, ORIENT] = one, one
    corner = base[:, POSE, POSE].unflatten(1, (-1, 3)).unflatten(3, (-1, 3))
    window = corner.diagonal(dim1=1, dim2=3)  # (N, 3, 3, 21)
    window += left_jacobian(body_pose[:, :MOVING_JOINTS]).permute(0, 2, 3, 1)
    base[:, POSE.stop :] = jacobian.flatten(1, 2)
    return base


def _holding(energy: Tensor, gradient: Tensor, blocks: list[Tensor], *, held: int) -> System:
    """The system with the first frames stiff and cut off, so that a step leaves them alone."""
    if held:
        gradient[:held] = 0
        blocks[0][:held] = _HOLD * torch.eye(UNKNOWNS).to(gradient)
        for each in blocks[1:]:
            each[:held] = 0
    return System(energy, gradient, blocks[0], band=Band(*blocks[1:]))
