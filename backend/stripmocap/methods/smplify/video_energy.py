"""The energy of bodies over time: what is seen, what is likely, what is steady.

A sum of negative log-likelihoods in nats (frame_terms.py, chain_terms.py), a pose prior as in
SMPLify (Bogo et al., ECCV 2016: a Gaussian mixture, the likeliest component) and a unit Gaussian
over betas. One Gauss-Newton model serves all of it, so that levenberg.py can minimise it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ...contract.skeleton import JOINT_COUNT
from ...geometry.rotations import aa_to_matrix
from . import chain_terms, frame_terms
from .chain_terms import Chain, Links, Planted
from .evidence import Evidence
from .frame_terms import Squares, Told
from .levenberg import Band, Shared, System
from .states import MOVING_JOINTS, POSE, UNKNOWNS, States, choose, point_jacobian
from .subject import Subject

_HOLD = 1e6  # stiffness of frames that stay as they are


@dataclass(frozen=True)
class Weights:
    """How much each term counts; 1 is what its likelihood says."""

    outlier: float = frame_terms.SEEN_OUTLIER
    cue: float = 1.0
    guess: float = 0.0  # what a regressor says of where bones point
    guess_pose: float = 0.0  # and of how joints are turned
    prior: float = 1.0
    steady: float = 0.0  # 0: every frame stands alone
    planted: float = 0.0
    height_m: float | None = None  # the actor's, where it is known


@dataclass(frozen=True, eq=False)
class VideoEnergy:
    """A problem for `levenberg.minimise`; its states are `States`."""

    subject: Subject
    evidence: Evidence
    weights: Weights
    groups: Tensor  # (N,) which frames accept a step together
    free_betas: bool = False  # then groups are people
    planted: Planted | None = None
    held: int = 0  # so many frames at the front are given, and stay

    def linearise(self, state: States) -> System:
        """The energy at `state` and its Gauss-Newton model."""
        body, count = self.subject.body, len(self.evidence)
        lin = body.linearise(
            state.global_rotmat,
            aa_to_matrix(state.body_pose),
            betas=state.betas[self.evidence.sequence],
            transl=state.transl,
        )
        jacobian = point_jacobian(lin.arms, lin.global_rotations, state.body_pose)
        squares = self._squares(lin.points, jacobian, lin.betas_jacobian)
        weighted = torch.cat([each.jacobian for each in squares], 1)  # (N, M, 69)
        root = torch.cat([each.weights for each in squares], 1).sqrt()[..., None]
        weighted = weighted * root
        residuals = torch.cat([each.residuals for each in squares], 1)[..., None] * root
        energy = torch.stack([each.energy for each in squares]).sum(dim=0)  # (N,)
        diagonal = weighted.mT @ weighted
        gradient = (weighted.mT @ residuals)[..., 0]
        energy = energy + self._add_pose_terms(state.body_pose, gradient, diagonal)
        band = shared = None
        if self.weights.steady > 0 and count > 2:
            chain = self._chain(lin.points, jacobian, state.body_pose)
            energy, gradient = energy + chain.energy, gradient + chain.gradient
            diagonal, band = diagonal + chain.diagonal, Band(chain.next1, chain.next2)
        total = energy.new_zeros(int(self.groups.max()) + 1, dtype=torch.float64)
        total.index_add_(0, self.groups, energy.double())
        if self.free_betas:
            moved = torch.cat([each.betas_jacobian for each in squares], 1) * root
            shape_energy, shared = self._shared(state.betas, moved, weighted, residuals)
            total = total + shape_energy
        system = System(total, gradient, diagonal, band=band, shared=shared)
        return _holding(system, self.held) if self.held else system

    def moved(self, state: States, step: Tensor, shared_step: Tensor | None) -> States:
        """`state` after a step of the frames and of the betas."""
        return state.moved(step, shared_step)

    def choose(self, accepted: Tensor, new: States, old: States) -> States:
        """`new` in the groups where `accepted` (G,) is true, `old` in the others."""
        return choose(accepted, new, old, groups=self.groups)

    def _squares(self, points: Tensor, jacobian: Tensor, betas: Tensor) -> list[Squares]:
        subject, weights = self.subject, self.weights
        keypoints = subject.keypoints
        terms = [
            frame_terms.seen(
                points[:, keypoints],
                jacobian[:, keypoints],
                betas[:, keypoints],
                evidence=self.evidence,
                columns=subject.columns,
                outlier=weights.outlier,
            )
        ]
        if sayings := self._sayings():
            start, stop = subject.cue
            terms.append(
                frame_terms.told(
                    points[:, stop] - points[:, start],
                    jacobian[:, stop] - jacobian[:, start],
                    betas[:, stop] - betas[:, start],
                    sayings=sayings,
                )
            )
        return terms

    def _sayings(self) -> list[Told]:
        """What the detector and a regressor say of bones."""
        evidence, weights, guess = self.evidence, self.weights, self.evidence.guess
        found = []
        if weights.cue > 0:
            bones = self.subject.bones
            votes = weights.cue * evidence.cue_weights[:, bones]
            sigma = votes.new_tensor(frame_terms.CUE_SIGMA)
            found.append(Told(evidence.cue[:, bones], votes, sigma))
        if guess is not None and weights.guess > 0:
            votes = weights.guess * self._guess_votes()[:, None]
            votes = votes.expand(guess.bones.shape[:2])
            sigma = frame_terms.guess_sigma().to(votes)[self.subject.bones]
            found.append(Told(guess.bones, votes, sigma))
        return found

    def _guess_votes(self) -> Tensor:
        """(N,) how much a regressor's word on each frame counts."""
        guess = self.evidence.guess
        assert guess is not None
        return guess.sure * self.evidence.votes

    def _add_pose_terms(self, body_pose: Tensor, gradient: Tensor, diagonal: Tensor) -> Tensor:
        """(N,) nats of the prior and the limits, whose derivatives are added in place."""
        moving = body_pose[:, :MOVING_JOINTS].flatten(1)  # (N, 63)
        size = moving.shape[1]
        prior = self.subject.prior
        energies = prior.energies(body_pose.flatten(1))  # (N, 8)
        likeliest, component = energies.min(dim=1)
        weight = self.weights.prior * self.evidence.votes  # (N,)
        precision = weight[:, None, None] * prior.precisions[component]  # (N, 69, 69)
        apart = body_pose.flatten(1) - prior.means[component]
        energy = weight * likeliest
        gradient[:, POSE] += (precision @ apart[..., None])[:, :size, 0]
        diagonal[:, POSE, POSE] += precision[:, :size, :size]
        if self.evidence.guess is not None and self.weights.guess_pose > 0:
            energy = energy + self._add_guessed_pose(body_pose, gradient, diagonal)
        beyond, slope = frame_terms.limits(moving)
        gradient[:, POSE] += beyond * slope
        diagonal[:, POSE, POSE].diagonal(dim1=1, dim2=2).add_(slope.square())
        return energy + 0.5 * beyond.square().sum(dim=1)

    def _add_guessed_pose(self, body_pose: Tensor, gradient: Tensor, diagonal: Tensor) -> Tensor:
        """(N,) nats of joints turned from where a regressor has them; derivatives in place."""
        guess = self.evidence.guess
        assert guess is not None
        energy, slope, blocks = frame_terms.posed(
            body_pose[:, :MOVING_JOINTS], guess.body_pose[:, :MOVING_JOINTS]
        )
        weight = self.weights.guess_pose * self._guess_votes()
        gradient[:, POSE] += weight[:, None] * slope
        # (N, 3, 3, 21) windows on the blocks about the diagonal
        corner = diagonal[:, POSE, POSE].unflatten(1, (-1, 3)).unflatten(-1, (-1, 3))
        window = corner.diagonal(dim1=1, dim2=3)
        window += (weight[:, None, None, None] * blocks).permute(0, 2, 3, 1)
        return weight * energy

    @cached_property
    def _links(self) -> Links:
        return Links.between(self.evidence)

    def _chain(self, points: Tensor, jacobian: Tensor, body_pose: Tensor) -> Chain:
        chain, links = Chain(points), self._links
        chain_terms.add_steady(
            chain,
            points[:, :JOINT_COUNT],
            jacobian[:, :JOINT_COUNT],
            body_pose=body_pose[:, :MOVING_JOINTS].flatten(1),
            links=links,
            weight=self.weights.steady,
        )
        if self.planted is not None and self.weights.planted > 0:
            chain_terms.add_planted(
                chain,
                points[:, self.subject.feet],
                jacobian[:, self.subject.feet],
                planted=self.planted,
                links=links,
                weight=self.weights.planted,
            )
        return chain

    def _shared(
        self, betas: Tensor, moved: Tensor, weighted: Tensor, residuals: Tensor
    ) -> tuple[Tensor, Shared]:
        """The energy (G,) of the shapes, and what the frames share of the model."""
        subject, height_m = self.subject, self.weights.height_m
        gradient, identity = betas.clone(), torch.eye(betas.shape[1]).to(betas)
        diagonal = identity.expand(len(betas), -1, -1).clone()
        energy = 0.5 * betas.square().sum(dim=1)
        if height_m is not None:
            slope = subject.height_betas / frame_terms.HEIGHT_SIGMA_M
            miss = betas @ slope + (subject.height - height_m) / frame_terms.HEIGHT_SIGMA_M
            energy = energy + 0.5 * miss.square()
            gradient = gradient + miss[:, None] * slope
            diagonal = diagonal + torch.outer(slope, slope)
        return energy, Shared(
            gradient=gradient.index_add(0, self.groups, (moved.mT @ residuals)[..., 0]),
            diagonal=diagonal.index_add(0, self.groups, moved.mT @ moved),
            frames=weighted.mT @ moved,
        )


def _holding(system: System, held: int) -> System:
    """`system` with the first frames stiff and cut off, so that a step leaves them alone."""
    gradient, diagonal = system.gradient.clone(), system.diagonal.clone()
    gradient[:held] = 0
    diagonal[:held] = _HOLD * torch.eye(UNKNOWNS).to(diagonal)
    band = system.band
    if band is not None:
        next1, next2 = band.next1.clone(), band.next2.clone()
        next1[:held], next2[:held] = 0, 0
        band = Band(next1, next2)
    return System(system.energy, gradient, diagonal, band=band, shared=system.shared)
