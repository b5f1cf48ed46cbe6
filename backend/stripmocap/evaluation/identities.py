"""Whether people stay who they are: which captured person stands where each true one does.

In every frame of the truth the true people and the captured ones are paired by where their limbs
are in the picture (Hungarian method; Kuhn 1955). A person whose pair becomes another has been
switched. Who is nobody's pair in a frame was not followed there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from ..body.model import Body
from ..contract.motion import Camera, Motion, Take
from .comparison import MAX_MISS, limbs_seen
from .truth import Truth


@dataclass(frozen=True)
class Identity:
    """Who a true person was taken for, over time."""

    person: str  # in the truth
    captured: int | None  # whom they were most; None: nobody, ever
    switches: int  # times that their pair became another
    followed: int  # frames with any pair
    frames: int  # in which the truth knows where they are


def identities(
    take: Take, camera: Camera, truths: Sequence[Truth], *, body: Body
) -> list[Identity]:
    """Who each of `truths` was taken for, in their order.

    Args:
        take: everybody who was captured; one at least.
        camera: that saw them.
        truths: of one film, frame by frame the same times.
        body: that the take was made with.
    """
    apart = np.array(
        [[_apart(each, camera, truth, body=body) for each in take.motions] for truth in truths]
    )  # (P, M, T)
    pairs = _pairs(np.where(np.isfinite(apart), np.minimum(apart, MAX_MISS), MAX_MISS))
    numbers = np.array([motion.person for motion in take.motions])
    known = [np.isfinite(truth.limbs_px()).any(axis=(1, 2)) for truth in truths]
    # Frames that the capture leaves out, as of a film at a lower rate, tell nothing of anybody.
    captured = np.isfinite(apart).any(axis=(0, 1))
    return [
        _identity(truth.person_name, row[there & captured], numbers)
        for truth, row, there in zip(truths, pairs, known, strict=True)
    ]


def _apart(motion: Motion, camera: Camera, truth: Truth, *, body: Body) -> np.ndarray:
    """(T,) mean distance of the limbs in the picture, over its height; NaN where unknown."""
    pixels = limbs_seen(motion, camera, truth, body=body) - truth.limbs_px()
    distances = np.linalg.norm(pixels, axis=-1)
    known = np.isfinite(distances)
    sums = np.where(known, distances, 0.0).sum(axis=1)
    means = np.where(known.any(axis=1), sums / np.maximum(known.sum(axis=1), 1), np.nan)
    return means / camera.size_px[1]


def _pairs(apart: np.ndarray) -> np.ndarray:
    """(P, T) whose pair each true person is, of distances (P, M, T); -1: nobody is near."""
    pairs = np.full((apart.shape[0], apart.shape[2]), -1)
    for frame in range(apart.shape[2]):
        costs = apart[..., frame]
        for row, column in zip(*linear_sum_assignment(costs), strict=True):
            if costs[row, column] < MAX_MISS:
                pairs[row, frame] = column
    return pairs


def _identity(person: str, pairs: np.ndarray, numbers: np.ndarray) -> Identity:
    found = numbers[pairs[pairs >= 0]]
    values, counts = np.unique(found, return_counts=True)
    return Identity(
        person=person,
        captured=int(values[counts.argmax()]) if len(found) else None,
        switches=int((np.diff(found) != 0).sum()),
        followed=len(found),
        frames=len(pairs),
    )
