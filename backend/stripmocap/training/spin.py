"""SPIN's lesson: what a regressor is taught of people of whom only 2D keypoints are known.

A body is fitted to each person's keypoints by SMPLify, started from what the network says; the
best fit of each picture is kept, and the network learns from it (Kolotouros et al., "Learning to
Reconstruct 3D Human Pose and Shape via Model-fitting in the Loop", ICCV 2019, section 3). What is
known for certain is used in place of fits. Everything happens in crops of 224 pixels, each with a
camera of its own; a `Teacher` answers what the network should have said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..contract.skeleton import SPIN_NAMES
from ..geometry.cameras import crop_to_picture_transl, project, transl_from_keypoints
from ..geometry.rotations import aa_to_matrix, matrix_to_aa
from ..methods.hmr.regressor import Regressed
from ..methods.smplify import newton, paper
from ..methods.smplify.paper import PaperProblem, PaperState, ReducedPoints
from ..methods.smplify.priors import PosePrior
from . import spin_losses
from .augmentation import OPENPOSE_COUNT, Augmentation
from .fits import Fits

CROP_PX = 224.0
WORST_FIT_PX2 = 100.0  # of the mean over keypoints: a fit that is worse teaches nothing
LEAST_SCALE = 0.05  # of a weak camera: an untrained network may put people behind it
MOST_BETA = 3.0  # of a fit: beyond, its shape is not believed
Solver = Callable[[PaperProblem, PaperState], PaperState]
SOLVERS: dict[str, Solver] = {"fast": newton.solve, "paper": paper.solve}


@dataclass(frozen=True)
class Rules:
    """Which of the 49 keypoints serve what."""

    camera: tuple[int, ...]  # place the fits before the camera
    unseen: tuple[int, ...]  # that the fit does not even start its camera from
    openpose_weight: float  # of the first 25, in the loss of projected keypoints
    training_weight: float  # of the other 24


_EVERY = tuple(range(len(SPIN_NAMES)))
# As published: there the five ignored keypoints are lost before the fit begins, so that its first
# stage always goes by the training sets' hips and shoulders.
PUBLISHED = Rules(_EVERY[OPENPOSE_COUNT:], paper.IGNORED, 0.0, 1.0)
# Of a detector that fills OpenPose's half only.
DETECTED = Rules(_EVERY, (), 1.0, 0.0)


@dataclass(frozen=True)
class Weights:
    """Of the terms, as published."""

    keypoints: float = 5.0
    joints: float = 5.0
    pose: float = 1.0
    betas: float = 0.001
    camera: float = 1.0
    all: float = 60.0


PUBLISHED_WEIGHTS = Weights()


@dataclass(frozen=True, eq=False)
class Batch:
    """B people in crops of 224 pixels, and what is known of them."""

    keypoints: Tensor  # (B, 49, 3) px, px, confidence
    focal: Tensor  # (B,) pixels of the crop
    center: Tensor  # (B, 2) principal point, pixels of the crop
    joints: Tensor  # (B, 24, 4) metres, camera axes, and confidence: those of the training sets
    has_joints: Tensor  # (B,) bool
    pose: Tensor  # (B, 72) rad, camera axes
    betas: Tensor  # (B, 10)
    has_body: Tensor  # (B,) bool, of whom pose and betas are known
    known: Tensor  # (B, 24) weight of each joint's rotation, where the body is known
    index: Tensor  # (B,) int64, place in the dictionary
    augmentation: Augmentation

    def __len__(self) -> int:
        return len(self.keypoints)

    def to(self, device: torch.device | str) -> Batch:
        """The same on another device."""
        return Batch(**{name: each.to(device) for name, each in vars(self).items()})


@dataclass(frozen=True, eq=False)
class Targets:
    """What the network should have said of B people."""

    pose: Tensor  # (B, 72) rad
    betas: Tensor  # (B, 10)
    valid: Tensor  # (B,) bool
    known: Tensor  # (B, 24) weight of each joint's rotation, zero where not valid
    loss: Tensor  # (B,) squared pixels, mean reprojection error of the fit; NaN without one
    better: Tensor  # (B,) bool, whose stored fit was replaced


Teacher = Callable[[Batch, Regressed], Targets]


@dataclass(frozen=True, eq=False)
class School:
    """What all teachers need."""

    points: ReducedPoints  # SPIN's 49 on the body
    prior: PosePrior
    rules: Rules = PUBLISHED


def only_truth(batch: Batch, regressed: Regressed) -> Targets:
    """Nothing is taught of those whose body is not known: they have their 2D keypoints alone."""
    nothing = torch.full_like(batch.focal, torch.nan)
    return _targets(batch, batch.pose, betas=batch.betas, loss=nothing)


@dataclass(frozen=True, eq=False)
class StoredFits:
    """A teacher that knows the fits of the dictionary and never makes another."""

    school: School
    fits: Fits

    def __call__(self, batch: Batch, regressed: Regressed) -> Targets:
        """The stored fits, and what is known in their place."""
        state, loss = stored(self.school, batch, fits=self.fits)
        return _targets(batch, _pose(state), betas=state.betas, loss=loss)


@dataclass(frozen=True, eq=False)
class FitsInTheLoop:
    """A teacher that fits everybody from where the network puts them, and keeps the better fits."""

    school: School
    fits: Fits
    solver: Solver = newton.solve

    def __call__(self, batch: Batch, regressed: Regressed) -> Targets:
        """The best fits so far, and what is known in their place. Changes the dictionary."""
        state, loss = stored(self.school, batch, fits=self.fits)
        problem = problem_of(self.school, batch)
        new = self.solver(problem, start_of(batch, regressed))
        with torch.no_grad():
            new_loss = paper.reprojection(problem, new).mean(dim=1)
        # Without a stored fit its loss is NaN, and any number is better.
        better = (new_loss < loss) | (loss.isnan() & new_loss.isfinite())
        state = _choose(better, new, state)
        self.fits.store(
            batch.index, batch.augmentation, pose=_pose(state), betas=state.betas, better=better
        )
        loss = torch.where(better, new_loss, loss)
        return _targets(batch, _pose(state), betas=state.betas, loss=loss, better=better)


def stored(school: School, batch: Batch, *, fits: Fits) -> tuple[PaperState, Tensor]:
    """The stored fits of a batch, placed before its cameras, and their loss (B,), px^2.

    Where nothing is stored, the body is at rest and the loss NaN.
    """
    pose, betas = fits.fetch(batch.index, batch.augmentation)
    unknown = ~(pose.isfinite().all(dim=1) & betas.isfinite().all(dim=1))
    pose, betas = pose.masked_fill(unknown[:, None], 0), betas.masked_fill(unknown[:, None], 0)
    state = placed(school, batch, pose=pose, betas=betas)
    with torch.no_grad():
        loss = paper.reprojection(problem_of(school, batch), state).mean(dim=1)
    return state, loss.masked_fill(unknown, torch.nan)


def placed(school: School, batch: Batch, *, pose: Tensor, betas: Tensor) -> PaperState:
    """Bodies (B, 72), (B, 10) where their keypoints suggest: SPIN's least squares."""
    columns = list(school.rules.camera)
    rotmat = aa_to_matrix(pose.unflatten(1, (-1, 3)))
    with torch.no_grad():
        transl = transl_from_keypoints(
            school.points(rotmat[:, 0], rotmat[:, 1:], betas)[:, columns],
            batch.keypoints[:, columns, :2],
            confidence=batch.keypoints[:, columns, 2],
            focal=batch.focal[:, None, None],
            center=batch.center,
        )
    return PaperState(pose[:, :3], pose[:, 3:], betas, transl)


def start_of(batch: Batch, regressed: Regressed) -> PaperState:
    """Where the network puts everybody, for a fit to begin; NaN becomes zero."""
    with torch.no_grad():
        pose = matrix_to_aa(regressed.rotmat.float()).flatten(1).nan_to_num(0.0)
        transl = transl_of(batch, regressed).float().nan_to_num(0.0)
        betas = regressed.betas.float().nan_to_num(0.0)
    return PaperState(pose[:, :3], pose[:, 3:], betas, transl)


def transl_of(batch: Batch, regressed: Regressed) -> Tensor:
    """(B, 3) metres, camera axes, of the weak cameras of the crops, none of them beyond reason."""
    side = torch.full_like(batch.focal, CROP_PX)
    scale, place = regressed.camera[:, :1], regressed.camera[:, 1:]
    return crop_to_picture_transl(
        torch.cat([scale.clamp(min=LEAST_SCALE), place], dim=1),
        box_center=(side / 2)[:, None].expand(-1, 2),
        box_side=side,
        focal=batch.focal,
        center=batch.center,
    )


def problem_of(school: School, batch: Batch) -> PaperProblem:
    """What SMPLify fits."""
    keypoints = batch.keypoints.clone()
    keypoints[:, list(school.rules.unseen), 2] = 0
    focal = batch.focal[:, None, None]
    return PaperProblem(school.points, school.prior, keypoints, batch.center, focal)


def losses(
    school: School,
    batch: Batch,
    regressed: Regressed,
    *,
    targets: Targets,
    weights: Weights = PUBLISHED_WEIGHTS,
) -> dict[str, Tensor]:
    """The weighed terms, each a number: their sum is what the network has to lessen."""
    points = school.points(regressed.global_orient, regressed.body_pose, regressed.betas)
    pixels = project(
        points + transl_of(batch, regressed)[:, None],
        focal=batch.focal[:, None, None],
        center=batch.center[:, None],
    )
    half = CROP_PX / 2
    seen = torch.cat([batch.keypoints[..., :2] / half - 1, batch.keypoints[..., 2:]], dim=-1)
    terms = {
        "keypoints": spin_losses.keypoint_loss(
            pixels / half - 1,
            seen,
            openpose_weight=school.rules.openpose_weight,
            training_weight=school.rules.training_weight,
        ),
        "joints": spin_losses.joint_loss(points, batch.joints, has=batch.has_joints),
        "pose": spin_losses.pose_loss(
            regressed.rotmat, aa_to_matrix(targets.pose.unflatten(1, (-1, 3))), known=targets.known
        ),
        "betas": spin_losses.betas_loss(regressed.betas, targets.betas, valid=targets.valid),
        "camera": spin_losses.camera_loss(regressed.camera),
    }
    return {name: weights.all * getattr(weights, name) * term for name, term in terms.items()}


def _targets(
    batch: Batch,
    pose: Tensor,
    *,
    betas: Tensor,
    loss: Tensor,
    better: Tensor | None = None,
) -> Targets:
    """What is known, else the fits, as far as they can be believed."""
    betas = betas.masked_fill((betas.abs() > MOST_BETA).any(dim=1, keepdim=True), 0.0)
    truth = batch.has_body
    valid = truth | (loss < WORST_FIT_PX2)
    known = torch.where(truth[:, None], batch.known, torch.ones_like(batch.known))
    return Targets(
        pose=torch.where(truth[:, None], batch.pose, pose),
        betas=torch.where(truth[:, None], batch.betas, betas),
        valid=valid,
        known=known * valid[:, None],
        loss=loss,
        better=torch.zeros_like(truth) if better is None else better,
    )


def _pose(state: PaperState) -> Tensor:
    return torch.cat([state.global_orient_aa, state.body_pose_aa], dim=1)


def _choose(chosen: Tensor, new: PaperState, old: PaperState) -> PaperState:
    """`new` of the people `chosen` (B,), `old` of the others."""
    names = vars(new)
    parts = {
        name: torch.where(chosen[:, None], getattr(new, name), getattr(old, name)) for name in names
    }
    return replace(new, **parts)
