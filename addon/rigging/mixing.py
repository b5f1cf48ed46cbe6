"""Two versions of one motion mixed: how much of the better one shows, by region and over time.

An amount of 1 is the refined take and 0 the one before it, in between turns are interpolated along
the shortest way (slerp: Shoemake, SIGGRAPH 1985) and places along a line. The root is where the
body is and how it is turned as a whole; the other regions are turns of bones against their parents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..contract import quaternions, skeleton

REGIONS = ("torso", "arms", "legs", "root")
_PARTS = {
    "root": ("pelvis",),
    "legs": ("hip", "knee", "ankle", "foot"),
    "arms": ("collar", "shoulder", "elbow", "wrist", "hand"),
}


@dataclass(frozen=True)
class Amounts:
    """How much of the refined take shows, each in [0, 1]; that of the whole multiplies the rest."""

    whole: float = 1.0
    torso: float = 1.0
    arms: float = 1.0
    legs: float = 1.0
    root: float = 1.0

    def by_joint(self) -> np.ndarray:
        """(24,) the amount of each joint, in the order of the skeleton; the first is the root's."""
        return np.array([self.whole * getattr(self, region_of(j)) for j in skeleton.JOINT_NAMES])


@dataclass(frozen=True)
class Span:
    """Seconds of the file with amounts of their own."""

    start_s: float
    stop_s: float
    fade_s: float  # before and after it, in which the amounts go over into those around
    amounts: Amounts


def region_of(joint: str) -> str:
    """The region that a joint of the skeleton is in."""
    part = joint.rpartition("_")[2]
    return next((region for region, parts in _PARTS.items() if part in parts), "torso")


def amounts_at(times_s: np.ndarray, everywhere: Amounts, spans: Sequence[Span]) -> np.ndarray:
    """(T, 24) the amount of each joint at times (T,) in seconds; of spans that overlap the last."""
    amounts = np.tile(everywhere.by_joint(), (len(times_s), 1))
    for span in spans:
        first_s, last_s = sorted((span.start_s, span.stop_s))
        outside_s = np.maximum(first_s - times_s, times_s - last_s)
        share = 1 - np.clip(outside_s / max(span.fade_s, 1e-9), 0, 1)
        share = share**2 * (3 - 2 * share)  # so that it sets in and ends without a jerk
        amounts += share[:, None] * (span.amounts.by_joint() - amounts)
    return amounts


def mixed_quats(plain: np.ndarray, refined: np.ndarray, amounts: np.ndarray) -> np.ndarray:
    """(..., 4) unit quaternions `amounts` (...) of the way from `plain` to `refined`, both wxyz.

    Of the two ways it is the shorter one. What is not of unit length counts as its direction, and
    (0, 0, 0, 0) as no turn: the keys may be an artist's.
    """
    mixed = np.where((amounts > 0)[..., None], refined, plain).astype(np.float64)
    between = (amounts > 0) & (amounts < 1)  # few, as a rule
    mixed[between] = quaternions.slerp(
        _unit(plain[between]), _unit(refined[between]), amounts[between][:, None]
    )
    return _unit(mixed)


def mixed_places(plain: np.ndarray, refined: np.ndarray, amounts: np.ndarray) -> np.ndarray:
    """(T, 3) places `amounts` (T,) of the way from `plain` to `refined`, metres."""
    return plain + amounts[:, None] * (refined - plain)


def _unit(quats: np.ndarray) -> np.ndarray:
    length = np.sqrt(np.einsum("...k,...k->...", quats, quats, dtype=np.float64))[..., None]
    still = length < 1e-12
    if still.any():
        return np.where(still, (1.0, 0.0, 0.0, 0.0), quats / np.where(still, 1.0, length))
    return quats / length
