"""Which way is up: the slope of the ground under a still camera, by how people are in moments.

The ground that a start comes with is found by resting feet and by balance (`methods/ground.py`),
and leans by some degrees. HuMoR's mixture over moments (Rempe et al., ICCV 2021, 4.2) knows where
joints are about the pelvis of people who stand, bend, walk and jump under gravity. So the slope is
two unknowns more, solved before the motion: moments are likely, everybody's resting feet are on one
level each, who stood on one ground still does, cameras are held level. How high the ground is stays
a matter of `standing`.

Camera axes are OpenCV's, metres. A slope (2,) is that of the ground to x and z: up is
(x, -1, z) before it is scaled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.func import jacfwd

from ...contract.motion import Camera, Motion
from ...geometry.rotations import aa_to_matrix
from ...people.observations import Person
from ..ground import world_from_camera
from ..smplify.evidence import gather
from ..smplify.ground import resting_feet
from ..smplify.outcome import points
from ..smplify.states import States
from ..smplify.subject import Subject
from .initial_state import InitialStatePrior
from .state import JOINTS

PLACE_SIGMA_M = 0.1  # of a start's joints about its pelvis, besides what the mixture says
FAR = 1.0  # squares of expected errors a number, where a moment is doubted: nobody was like that
MOMENTS = 5.0  # of a person, that tell of the slope: starts err alike for about a second
_LEAST_RIGHT = 0.01  # of a body's right that is level
_FRAMES = 150  # of a person that are looked at
_ROLL_SIGMA, _PITCH_SIGMA = np.radians(4), np.radians(15)  # how level cameras are held
_ROLL_OUTLIER = 3.0  # expected rolls, where a camera is taken for one that is held askew
_REST_ENOUGH = 0.5
_FEET_SIGMA_M = 0.03  # of feet at rest about their level
_FEET = 6.0  # places of feet of a person that tell: their depths err alike
_TOGETHER_M = 0.15  # from the ground of a start: who stands nearer stands on it
_TOGETHER_SIGMA_M = 0.05  # of where each stands: they are drawn at a distance by their size
_LEVEL_OUTLIER = 3.0
_LEAST_TRUST = 0.25  # of moments on average; with less they are none that the mixture knows
_MOST_STEP = 0.15  # of a slope at once
_ROUNDS = 12
_STEEPEST = 1.7  # about 60 degrees: a camera that looks from above or below says nothing


@dataclass(frozen=True, eq=False)
class Moments:
    """M Gaussians over where joints are about the pelvis, to the right, ahead and up."""

    means: Tensor  # (M, 63) metres
    factors: Tensor  # (M, 63, 63) L, inverse covariance = L L^T
    constants: Tensor  # (M,) log of weight and normalisation, but for a number

    @classmethod
    def of(cls, prior: InitialStatePrior) -> Moments:
        """What the mixture says of joints alone, as they are seen: less surely."""
        factors = prior.factors.double().cpu()
        means, covariances = prior.means.double().cpu(), torch.cholesky_inverse(factors)
        share = prior.constants.double().cpu() - _log_det(factors)
        about = _about_pelvis(means.shape[1])
        noise = PLACE_SIGMA_M**2 * torch.eye(len(about)).double()
        factors = torch.linalg.cholesky(torch.linalg.inv(about @ covariances @ about.mT + noise))
        return cls(means @ about.mT, factors, share + _log_det(factors))

    def errors(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """(T, M, 63) expected errors of places (T, 63) of joints, and log chances (T, M)."""
        residuals = torch.einsum("mij,tmi->tmj", self.factors, places[:, None] - self.means)
        return residuals, self.constants - residuals.square().sum(dim=-1) / 2


@dataclass(frozen=True, eq=False)
class Witness:
    """T moments of a person, who tells of the slope; camera axes, float64."""

    joints: Tensor  # (T, 22, 3) metres
    right: Tensor  # (T, 3) where the pelvis' right points
    counts: Tensor  # (T,) how much each moment counts
    feet: Tensor  # (R, 3) metres, of points at rest
    votes: Tensor  # (R,)


class _Valley:
    """Gauss-Newton's model of all that tells of a slope: weighted squares, summed up."""

    def __init__(self) -> None:
        self.gradient = torch.zeros(2, dtype=torch.float64)
        self.hessian = torch.zeros(2, 2, dtype=torch.float64)

    def add(self, residuals: Tensor, slopes: Tensor, *, weights: Tensor) -> None:
        """Adds residuals (R,) that move by slopes (R, 2) and count by weights (R,)."""
        weighted = weights[:, None] * slopes
        self.gradient += weighted.mT @ residuals
        self.hessian += weighted.mT @ slopes

    def step(self) -> Tensor:
        """(2,) to where the model is lowest, or towards it."""
        step = -torch.linalg.solve(self.hessian, self.gradient)
        return step * (_MOST_STEP / step.norm().clamp(min=_MOST_STEP))


def levelled(
    camera: Camera,
    people: Sequence[Person],
    motions: Sequence[Motion],
    *,
    subject: Subject,
    moments: Moments,
) -> Camera:
    """`camera` over a ground of the slope that `motions` tell of, as high as before under them.

    A ground that came with a camera's path stays, and one of which nobody can tell more.

    Args:
        camera: of the start.
        people: who was seen.
        motions: theirs, in the people's frames.
        subject: the body.
        moments: what is known of moments.
    """
    if camera.path is not None or not motions:
        return camera
    seen = [_witness(*each, camera, subject) for each in zip(people, motions, strict=True)]
    ground = camera.world_from_camera[2]
    slope = found_slope(ground[:3], seen, moments, together=_together(seen, ground))
    if slope is None:
        return camera
    up = _up(torch.tensor(slope)).numpy()
    pelvis = np.concatenate([each.joints[:, 0].numpy() for each in seen])
    below = np.median(pelvis, axis=0)
    height = ground[:3] @ below + ground[3]
    return replace(camera, world_from_camera=world_from_camera(up, float(height - up @ below)))


def found_slope(
    up: np.ndarray, seen: Sequence[Witness], moments: Moments, *, together: Tensor
) -> np.ndarray | None:
    """(2,) the slope of the ground; None where nobody can tell.

    A small least-squares problem in a few reweighted rounds: moments such as the mixture does not
    know, feet off their level and cameras that are held askew lose their votes.

    Args:
        up: (3,) unit, against gravity, as it was found before.
        seen: who tells of it.
        moments: what is known of moments.
        together: (Q, 3) metres, float64, where those stand who are on one ground.
    """
    if np.hypot(up[0], up[2]) >= -up[1] * _STEEPEST:
        return None
    slope, trust = torch.tensor(-up[[0, 2]] / up[1]), 0.0
    for _ in range(_ROUNDS):
        valley = _Valley()
        _add_level_camera(valley, slope)
        trust = _add_moments(valley, slope, seen, moments=moments)
        for each in seen:
            _add_level(valley, slope, each.feet, votes=each.votes, sigma_m=_FEET_SIGMA_M)
        alike = torch.ones_like(together[:, 0])
        _add_level(valley, slope, together, votes=alike, sigma_m=_TOGETHER_SIGMA_M)
        slope = slope + valley.step()
    is_known = trust > _LEAST_TRUST and float(slope.norm()) < _STEEPEST
    return slope.numpy() if is_known else None


def _witness(person: Person, motion: Motion, camera: Camera, subject: Subject) -> Witness:
    """What a person's motion in camera axes tells, at some of its frames."""
    like = subject.height
    evidence = gather([person], camera, device=like.device, dtype=like.dtype)
    count = min(len(motion.times_s), _FRAMES)
    frames = torch.tensor(np.linspace(0, len(motion.times_s) - 1, count).round().astype(np.int64))
    states = States(
        transl=torch.tensor(motion.transl).to(like),
        global_rotmat=aa_to_matrix(torch.tensor(motion.global_orient)).to(like),
        body_pose=torch.tensor(motion.body_pose).to(like),
        betas=torch.tensor(motion.betas)[None].to(like),
    ).at(frames.to(like.device))
    part = evidence.at(frames.to(like.device))
    place = points(subject, states, part, window=count).double().cpu()
    rest = resting_feet(evidence)[frames][:, subject.foot_columns].double().cpu()
    stands = rest > _REST_ENOUGH
    sure = torch.tensor(motion.confidence, dtype=torch.float64)[frames]
    told = min(MOMENTS, 1.0 + float(motion.times_s[-1] - motion.times_s[0]))
    return Witness(
        joints=place[:, :JOINTS],
        right=-states.global_rotmat[..., 0].double().cpu(),
        counts=sure * (told / sure.sum().clamp(min=told)),
        feet=place[:, subject.feet.cpu()][stands],
        votes=rest[stands] * (_FEET / rest[stands].sum().clamp(min=_FEET)),
    )


def _together(seen: Sequence[Witness], ground: np.ndarray) -> Tensor:
    """(Q, 3) metres, where those stand who are on the ground of height (4,) . (x, y, z, 1)."""
    places = [(each.votes / each.votes.sum()) @ each.feet for each in seen if len(each.feet)]
    stood = torch.stack(places) if places else torch.zeros(0, 3, dtype=torch.float64)
    height = stood @ torch.tensor(ground[:3]) + ground[3]
    return stood[height.abs() < _TOGETHER_M]


def _add_level_camera(valley: _Valley, slope: Tensor) -> None:
    sigma = torch.tensor([_ROLL_SIGMA, _PITCH_SIGMA], dtype=torch.float64)
    askew = float(slope[0] / _ROLL_SIGMA / _ROLL_OUTLIER)
    fade = torch.tensor([1 / (1 + askew**2), 1.0], dtype=torch.float64)
    valley.add(slope / sigma, torch.diag(1 / sigma), weights=fade)


def _add_moments(
    valley: _Valley, slope: Tensor, seen: Sequence[Witness], *, moments: Moments
) -> float:
    """Adds how likely everybody's moments are; in [0, 1], how much these are such as are known."""
    trusted, counted = 0.0, 1e-6
    for each in seen:
        residuals, log_chances = moments.errors(_places(slope, each))
        turned = jacfwd(lambda at, each=each: _places(at, each))(slope)  # (T, 63, 2)
        slopes = torch.einsum("mij,tik->tmjk", moments.factors, turned)
        chances = log_chances.softmax(dim=-1)
        far = (chances * residuals.square().mean(dim=-1)).sum(dim=-1)
        trust = _fade(far / FAR)
        weights = (each.counts * trust)[:, None] * chances  # (T, M)
        spread = weights[..., None].expand_as(residuals).flatten()
        valley.add(residuals.flatten(), slopes.flatten(0, 2), weights=spread)
        trusted, counted = trusted + float(each.counts @ trust), counted + float(each.counts.sum())
    return trusted / counted


def _add_level(
    valley: _Valley, slope: Tensor, places: Tensor, *, votes: Tensor, sigma_m: float
) -> None:
    """Adds how far places (R, 3) are from one level, whichever it is."""
    if not len(places):
        return
    _, apart = _from_level(slope, places, votes)
    votes = votes * _fade(apart / sigma_m / _LEVEL_OUTLIER)
    about, apart = _from_level(slope, places, votes)
    valley.add(apart / sigma_m, about[:, [0, 2]] / sigma_m, weights=votes)


def _from_level(slope: Tensor, places: Tensor, votes: Tensor) -> tuple[Tensor, Tensor]:
    """(R, 3) metres, places from their middle, and (R,) that the ground is above it."""
    about = places - (votes / votes.sum()) @ places
    return about, about[:, [0, 2]] @ slope - about[:, 1]


def _places(slope: Tensor, seen: Witness) -> Tensor:
    """(T, 63) metres, joints about the pelvis to the body's right, ahead of it, and up."""
    up = _up(slope)
    right = seen.right - (seen.right @ up)[:, None] * up
    right = right / right.norm(dim=-1, keepdim=True).clamp(min=_LEAST_RIGHT)
    axes = torch.stack([right, torch.linalg.cross(up.expand_as(right), right)], dim=1)
    about = seen.joints[:, 1:] - seen.joints[:, :1]  # (T, 21, 3)
    return torch.cat([about @ axes.mT, (about @ up)[..., None]], dim=-1).flatten(1)


def _up(slope: Tensor) -> Tensor:
    """(3,) unit, camera axes."""
    down = -torch.ones_like(slope[:1])
    up = torch.cat([slope[:1], down, slope[1:]])
    return up / up.norm()


def _fade(apart: Tensor) -> Tensor:
    """In [0, 1], the vote that is left of what is so far off."""
    return 1 / (1 + apart.square()).square()


def _about_pelvis(numbers: int) -> Tensor:
    """(63, D) from a moment's numbers to its joints about the pelvis."""
    about = torch.zeros(3 * (JOINTS - 1), numbers, dtype=torch.float64)
    about[:, 3 : 3 * JOINTS] = torch.eye(len(about))
    about[:, :3] = -torch.eye(3).repeat(JOINTS - 1, 1)
    return about


def _log_det(factors: Tensor) -> Tensor:
    """(M,) log determinants of lower triangular factors (M, D, D)."""
    return factors.diagonal(dim1=-2, dim2=-1).log().sum(dim=-1)
