"""What HuMoR's fit minimises in its first two stages: bodies frame by frame, in camera axes.

Rempe et al., "HuMoR: 3D Human Motion Model for Robust Pose Estimation", ICCV 2021, 4.3, as its code
does it for video: 2D keypoints, a pose prior, shape, and steadiness. N motions of T frames are
fitted together; they may be pieces of one longer motion, held together where they overlap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from ...geometry.rotations import aa_to_matrix
from ..smplify import energies as of_frames
from . import energies
from .figure import Figure
from .initial_state import InitialStatePrior
from .network import MotionPrior
from .pose_prior import PosePrior, latent_energy
from .state import JOINTS

Energies = Mapping[str, Tensor]  # () each, all motions together, before their weights

DEFAULT_FOCAL_PX = (1060.5318, 1060.3857)  # along x and y, where the published fit knows no better


@dataclass(frozen=True)
class Weights:
    """How much each energy counts; as HuMoR's demo on video has them."""

    keypoints: float = 0.001
    pose: float = 0.04  # in the second stage
    shape: float = 0.05
    smooth: float = 100.0  # in the second stage
    motion: float = 0.075
    initial: float = 0.075
    consistency: float = 100.0
    bones: float = 2000.0
    skating: float = 100.0
    hovering: float = 10.0
    floor: float = 0.167
    overlap: float = 200.0


DEMO = Weights()
PROX_VIDEO = replace(DEMO, motion=0.05, initial=0.05)
I3DB = replace(DEMO, skating=0.0)


@dataclass(frozen=True, eq=False)
class Priors:
    """What is known of bodies that move; none of it is fitted, so no gradient goes there."""

    motion: MotionPrior
    pose: PosePrior
    initial: InitialStatePrior


@dataclass(frozen=True, eq=False)
class Observed:
    """What a camera saw of N motions over T frames, and where the floor is thought to be."""

    keypoints: Tensor  # (N, T, K, 2) pixels, those that the figure has
    confidence: Tensor  # (N, T, K), 0 where nothing was seen
    focal: Tensor  # (2,) pixels, along x and y
    center: Tensor  # (2,) pixels
    floor: Tensor  # (N, 3) metres, its point nearest to the camera's centre, camera axes
    moved: Tensor | None = None  # (N, T, 4, 4) from these axes to a moving camera's in each frame

    def at(self, motions: slice, frames: slice) -> Observed:
        """Some frames of some of the motions."""
        return replace(
            self,
            keypoints=self.keypoints[motions, frames],
            confidence=self.confidence[motions, frames],
            floor=self.floor[motions],
            moved=None if self.moved is None else self.moved[motions, frames],
        )


@dataclass(frozen=True, eq=False)
class Piece:
    """The end of a motion, already fitted, that the first of N motions goes on from."""

    points: Tensor  # (T, S, 3) metres, the figure's shared points, camera axes
    betas: Tensor  # (L,)
    floor: Tensor  # (3,) metres


@dataclass(frozen=True, eq=False)
class Overlaps:
    """How many frames each motion shares with the one before it; the first, with `before`."""

    frames: Sequence[int]  # (N,), or (N - 1,) without `before`
    before: Piece | None = None

    def energies(self, points: Tensor) -> dict[str, Tensor]:
        """How far pieces part, of their shared points (N, T, S, 3)."""
        pieces = list(points) if self.before is None else [self.before.points, *points]
        pairs = list(zip(pairwise(pieces), self.frames, strict=True))
        ends = [before[len(before) - count :] for (before, _), count in pairs]
        starts = [after[:count] for (_, after), count in pairs]
        ending, following = torch.cat(ends), torch.cat(starts)  # (sum of frames, S, 3)
        within = torch.ones(len(ending) - 1, device=points.device)
        for last in torch.tensor(self.frames).cumsum(0)[:-1].tolist():
            within[last - 1] = 0  # from one pair's last frame to the next pair's first
        parting_by = (ending - following).diff(dim=0).square().sum(dim=(1, 2)) / 2
        return {
            "overlap_places": energies.parting(ending, following).sum(),
            "overlap_speeds": (within * parting_by).sum(),
        }

    def constants(self, betas: Tensor, floor: Tensor | None = None) -> dict[str, Tensor]:
        """How far the shapes (N, L) of pieces part, and their floors (N, 3)."""
        found = {"overlap_shapes": self._parting(betas, "betas")}
        return found if floor is None else found | {"overlap_floors": self._parting(floor, "floor")}

    def _parting(self, numbers: Tensor, name: str) -> Tensor:
        if self.before is not None:
            numbers = torch.cat([getattr(self.before, name).unsqueeze(0), numbers])
        return energies.parting(numbers[:-1], numbers[1:]).sum()


@dataclass(frozen=True, eq=False)
class Problem:
    """What is fitted to what."""

    figure: Figure
    priors: Priors
    observed: Observed
    weights: Weights = DEMO
    overlaps: Overlaps | None = None
    known: frozenset[str] = frozenset()  # fields of the unknowns that stay as they start

    def shortened(self, frames: int) -> Problem:
        """The first `frames` of every motion, each for itself."""
        observed = self.observed.at(slice(None), slice(frames))
        return replace(self, observed=observed, overlaps=None)

    def seen(self, points: Tensor) -> Tensor:
        """() energy of the keypoints, of the figure's points (N, T, P, 3), camera axes."""
        observed, seen = self.observed, points.index_select(-2, self.figure.keypoints)
        if observed.moved is not None:
            seen = seen @ observed.moved[..., :3, :3].mT + observed.moved[..., None, :3, 3]
        each = of_frames.reprojection(
            seen,
            observed.keypoints,
            confidence=observed.confidence * self.figure.counted,
            focal=observed.focal,
            center=observed.center,
        )
        return each.sum()


@dataclass(frozen=True, eq=False)
class Frames:
    """Bodies (N, T) frame by frame, camera axes: the unknowns of the first two stages."""

    transl: Tensor  # (N, T, 3) metres
    global_orient: Tensor  # (N, T, 3) axis-angle
    pose_latents: Tensor  # (N, T, Z)
    betas: Tensor  # (N, L)

    def at(self, motions: slice, frames: slice) -> Frames:
        """Some frames of some of the motions."""
        return Frames(
            transl=self.transl[motions, frames],
            global_orient=self.global_orient[motions, frames],
            pose_latents=self.pose_latents[motions, frames],
            betas=self.betas[motions],
        )

    def points(self, figure: Figure, prior: PosePrior) -> Tensor:
        """(N, T, P, 3) metres."""
        return figure.points(
            aa_to_matrix(self.global_orient),
            prior.decode(self.pose_latents),
            betas=self.betas.unsqueeze(1),
            transl=self.transl,
        )


def placing(problem: Problem, frames: Frames) -> Energies:
    """The energies of the first stage, which only moves and turns bodies."""
    points = frames.points(problem.figure, problem.priors.pose)
    found = {"keypoints": problem.seen(points)}
    if problem.overlaps is not None:
        shared = points.index_select(-2, problem.figure.shared)
        found |= problem.overlaps.energies(shared)
    return found


def posing(problem: Problem, frames: Frames) -> Energies:
    """The energies of the second stage, which bends them and changes their shape as well."""
    points = frames.points(problem.figure, problem.priors.pose)
    found = {
        "keypoints": problem.seen(points),
        "pose": latent_energy(frames.pose_latents).sum(),
        "shape": points.shape[1] * of_frames.shape(frames.betas).sum(),
        "smooth": energies.unsteadiness(points[..., :JOINTS, :]).sum(),
    }
    if problem.overlaps is not None:
        shared = points.index_select(-2, problem.figure.shared)
        found |= problem.overlaps.energies(shared) | problem.overlaps.constants(frames.betas)
    return found


def weighed(found: Energies, weights: Weights) -> Tensor:
    """() the sum of energies by their weights."""
    each = [getattr(weights, name.partition("_")[0]) * value for name, value in found.items()]
    return torch.stack(each).sum()
