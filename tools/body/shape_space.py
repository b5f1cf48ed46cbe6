"""Ten numbers for an adult's shape: principal components of sampled phenotypes in the T pose.

Height follows European adults (men 1.78 +- 0.07 m, women 1.65 +- 0.065 m); the other dials are
spread around their middle. Components have unit variance; the first is made to grow with height.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import qmc, truncnorm
from stripmocap.contract.skeleton import BETAS_COUNT

from .anny_source import MIRROR, AnnySource
from .joint_targets import joint_positions
from .t_pose import Posed, pose_into_t

HEIGHTS_M = {"male": (1.78, 0.070), "female": (1.65, 0.065)}
GENDER_DIAL = {"male": 0.0, "female": 1.0}
ADULT_AGE_DIAL = (0.64, 0.92)  # 2/3 is MakeHuman's young adult, 1 its ninety-year-old
_SPREAD = 0.22  # of the other dials, whose whole range is 0..1
_PLAIN_DIALS = ("muscle", "weight", "proportions", "cupsize", "firmness")
_ORIGINS = ("african", "asian", "caucasian")


@dataclass(frozen=True, eq=False)
class ShapeSamples:
    """People of one gender in the T pose, pelvis joint at the origin."""

    posed: Posed
    joints: np.ndarray  # (N, 24, 3) metres


@dataclass(frozen=True, eq=False)
class ShapeSpace:
    """A mean body and its components."""

    v_template: np.ndarray  # (V, 3) metres
    shapedirs: np.ndarray  # (V, 3, 10) metres per unit of beta


def sample_people(source: AnnySource, gender: str, *, count: int, seed: int) -> ShapeSamples:
    """`count` adults of `gender` ("male" or "female")."""
    # `rng=` would scramble otherwise than the file that is shipped; scipy's stubs know only that.
    sequence = qmc.Sobol(len(_PLAIN_DIALS) + 5, seed=seed)  # pyright: ignore[reportCallIssue]
    uniform = sequence.random(count)
    normal = truncnorm.ppf(uniform, -2.5, 2.5)
    dials = np.full((count, len(source.phenotypes)), 0.5)
    column = {str(name): index for index, name in enumerate(source.phenotypes)}
    for place, name in enumerate(_PLAIN_DIALS):
        dials[:, column[name]] = np.clip(0.5 + _SPREAD * normal[:, place], 0.0, 1.0)
    dials[:, column["gender"]] = GENDER_DIAL[gender]
    dials[:, column["age"]] = ADULT_AGE_DIAL[0] + np.ptp(ADULT_AGE_DIAL) * uniform[:, -1]
    for place, name in enumerate(_ORIGINS):
        dials[:, column[name]] = 0.05 + uniform[:, -2 - place]
    mean, deviation = HEIGHTS_M[gender]
    wanted = mean + deviation * normal[:, -5]
    dials[:, column["height"]] = _height_dial(source, dials, wanted=wanted)
    return _in_t_pose(source, dials)


def reference_figure(source: AnnySource) -> ShapeSamples:
    """A young man, other dials at their middle: the figure that landmarks were measured on."""
    dials = np.full((1, len(source.phenotypes)), 0.5)
    column = {str(name): index for index, name in enumerate(source.phenotypes)}
    dials[0, column["gender"]] = GENDER_DIAL["male"]
    dials[0, column["age"]] = 0.7
    return _in_t_pose(source, dials)


def joined(*samples: ShapeSamples, each_count: int) -> ShapeSamples:
    """The first `each_count` people of each of `samples`, in one.

    A Sobol sequence's beginning covers every dial evenly; each n-th point of it does not.
    """
    posed = [
        np.concatenate([getattr(each.posed, name)[:each_count] for each in samples])
        for name in ("vertices", "heads", "tails")
    ]
    return ShapeSamples(
        Posed(*posed), np.concatenate([each.joints[:each_count] for each in samples])
    )


def principal_components(vertices: np.ndarray, *, mirror: np.ndarray) -> ShapeSpace:
    """The mean and ten components of `vertices` (N, V, 3), symmetric under `mirror` (V,)."""
    mean = vertices.mean(axis=0, dtype=np.float64)
    mean = 0.5 * (mean + mean[mirror] * MIRROR)
    offsets = vertices - mean
    offsets = 0.5 * (offsets + offsets[:, mirror] * MIRROR)
    flat = offsets.reshape(len(offsets), -1).astype(np.float64)
    values, vectors = np.linalg.eigh(flat @ flat.T / (len(flat) - 1))
    order = np.argsort(values)[::-1][:BETAS_COUNT]
    # The direction of component k is flat^T u_k / |.|; its deviation is sqrt(value).
    directions = flat.T @ vectors[:, order] / np.sqrt(len(flat) - 1)
    shapedirs = directions.reshape(*mean.shape, BETAS_COUNT)
    crown, sole = mean[:, 1].argmax(), mean[:, 1].argmin()
    taller = shapedirs[crown, 1] > shapedirs[sole, 1]
    return ShapeSpace(mean, shapedirs * np.where(taller, 1.0, -1.0))


def betas_of(space: ShapeSpace, vertices: np.ndarray) -> np.ndarray:
    """(N, 10) the shape numbers that come nearest to `vertices` (N, V, 3)."""
    flat = space.shapedirs.reshape(-1, BETAS_COUNT)
    offsets = (vertices - space.v_template).reshape(len(vertices), -1)
    return np.linalg.lstsq(flat, offsets.T, rcond=None)[0].T


def _height_dial(source: AnnySource, dials: np.ndarray, *, wanted: np.ndarray) -> np.ndarray:
    """(N,) the height dial at which each person is `wanted` (N,) metres tall."""
    grid = np.linspace(0.0, 1.0, 5)
    column = list(source.phenotypes).index("height")
    heights = np.empty((len(grid), len(dials)))
    for row, value in enumerate(grid):
        dials[:, column] = value
        # Two vertices, sole and crown, are enough to know how tall someone is.
        vertices = source.rest(source.coefficients(dials))[0]
        heights[row] = np.ptp(vertices[..., 1], axis=1)
    return np.array([np.interp(each, heights[:, index], grid) for index, each in enumerate(wanted)])


def _in_t_pose(source: AnnySource, dials: np.ndarray) -> ShapeSamples:
    vertices, heads, tails = source.rest(source.coefficients(dials))
    posed = pose_into_t(source, vertices, heads=heads, tails=tails)
    joints = joint_positions(source, posed)
    origin = joints[:, :1]
    placed = Posed(posed.vertices - origin, posed.heads - origin, posed.tails - origin)
    return ShapeSamples(placed, joints - origin)
