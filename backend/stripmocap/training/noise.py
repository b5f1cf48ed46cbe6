"""What BlazePose makes of a person: where it puts landmarks, and what it says of itself.

All randomness comes as standard normal numbers (`Chances`), drawn anew for every picture, or as
slowly changing series for a clip. Lengths are metres at the person's distance, so that a person's
size in the picture does not matter. A landmark is off by what its kind usually is (`BIAS_MM`, in
the axes of the bone that carries it) and by chance, the more so the less sure the network says it
is; hidden landmarks are off further. Left and right are exchanged now and then.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
import scipy.signal
import torch
from torch import Generator, Tensor

from ..contract.skeleton import BLAZEPOSE_NAMES, JOINT_NAMES
from ..people.sides import OTHER_SIDE

KINDS = ("face", "shoulder", "elbow", "wrist", "hand", "hip", "knee", "ankle", "foot")
LIMBS = ("head", "trunk", "left arm", "right arm", "left leg", "right leg")


class Row(NamedTuple):
    """How a kind of landmark comes out in one state."""

    error_mm: float  # median of one axis' standard deviation
    tail: float  # spread of its logarithm that the score does not tell
    told: float  # what a standard deviation of the score's logit takes off the logarithm
    logit: float  # mean of the score's logit
    spread: float  # its standard deviation


# By state (occlusion.STATES) and kind.
TABLE: tuple[tuple[Row, ...], ...] = (
    (
        Row(10, 0.4, 0.2, 5.0, 1.5),
        Row(20, 0.4, 0.2, 5.0, 1.5),
        Row(18, 0.5, 0.3, 3.5, 2.0),
        Row(18, 0.6, 0.4, 3.0, 2.0),
        Row(24, 0.6, 0.4, 2.5, 2.0),
        Row(22, 0.4, 0.2, 5.0, 1.5),
        Row(20, 0.5, 0.3, 3.5, 1.8),
        Row(20, 0.5, 0.3, 3.0, 1.8),
        Row(25, 0.5, 0.3, 2.5, 1.8),
    ),
    (
        Row(16, 0.4, 0.2, 4.0, 2.0),
        Row(26, 0.4, 0.2, 4.0, 2.0),
        Row(38, 0.6, 0.4, 0.5, 2.0),
        Row(48, 0.7, 0.4, 0.0, 2.0),
        Row(55, 0.7, 0.4, 0.0, 2.0),
        Row(26, 0.4, 0.2, 4.0, 2.0),
        Row(35, 0.6, 0.4, 1.0, 2.0),
        Row(40, 0.7, 0.4, 1.0, 2.0),
        Row(45, 0.7, 0.4, 0.5, 2.0),
    ),
    (
        Row(25, 0.6, 0.3, 2.0, 2.5),
        Row(35, 0.6, 0.3, 2.0, 2.5),
        Row(60, 0.7, 0.4, -0.5, 2.5),
        Row(80, 0.7, 0.4, -1.0, 2.5),
        Row(85, 0.7, 0.4, -1.0, 2.5),
        Row(40, 0.6, 0.3, 2.0, 2.5),
        Row(70, 0.7, 0.4, -0.5, 2.5),
        Row(90, 0.7, 0.4, -1.0, 2.5),
        Row(95, 0.7, 0.4, -1.0, 2.5),
    ),
    (
        Row(40, 0.6, 0.3, 0.0, 2.5),
        Row(60, 0.6, 0.3, -1.0, 2.5),
        Row(90, 0.7, 0.4, -2.5, 2.5),
        Row(120, 0.7, 0.4, -3.0, 2.5),
        Row(125, 0.7, 0.4, -3.0, 2.5),
        Row(70, 0.6, 0.3, -1.0, 2.5),
        Row(110, 0.7, 0.4, -3.0, 2.5),
        Row(140, 0.7, 0.4, -4.0, 2.5),
        Row(145, 0.7, 0.4, -4.0, 2.5),
    ),
)
# Of a landmark's squared error: what the whole person shares, and what a limb shares.
PERSON_SHARE, LIMB_SHARE = 0.10, 0.45
PERSON_SPREAD = 0.35  # of the logarithm of all errors of one person in one picture
# Left taken for right: everywhere, in the legs, in the arms. Seen from behind it is commoner.
SWAPS = {"all": 0.005, "legs": 0.015, "arms": 0.01}
SWAPS_FROM_BEHIND = {"all": 0.08, "legs": 0.02, "arms": 0.01}
SWAPPED_LOGIT = -1.5  # added to the scores of what was exchanged
DROPPED = 0.005  # landmarks that are not there at all: score 0
LEAST_SCORE, MOST_SCORE = 1e-4, 0.9999
# Millimetres in the axes of a joint, of the left side's landmarks and of the middle; the right
# side's are the mirror image. Where BlazePose's landmark is, less where the body's is.
BIAS_MM: dict[str, tuple[str, tuple[float, float, float]]] = {
    "left_hip": ("pelvis", (0.0, 0.0, 0.0)),
}
# Over time: the share of each series' variance that changes slowly, and its seconds.
SLOW = {
    "score": (0.8, 0.4),
    "tail": (0.8, 0.4),
    "own": (0.85, 0.3),
    "limb": (0.85, 0.3),
    "person": (0.85, 0.5),
    "size": (0.9, 1.0),
    "swap": (0.95, 0.25),
    "drop": (0.5, 0.1),
}

# BlazePose's metric landmarks: one axis' error to the side and in depth, and how flat they are.
SIDE_M, DEPTH_M, FLATTENING = 0.025, 0.07, 0.85

_COUNT = len(BLAZEPOSE_NAMES)


@dataclass(frozen=True, eq=False)
class Chances:
    """Standard normal numbers for B pictures of a person."""

    score: Tensor  # (B, 33)
    tail: Tensor  # (B, 33)
    own: Tensor  # (B, 33, 2)
    limb: Tensor  # (B, 6, 2)
    person: Tensor  # (B, 2)
    size: Tensor  # (B,)
    swap: Tensor  # (B, 3)
    drop: Tensor  # (B, 33)

    @classmethod
    def draw(cls, count: int, generator: Generator) -> Chances:
        """Pictures that have nothing to do with one another."""
        return cls(**{name: torch.randn(count, *shape, generator=generator)
                      for name, shape in _SHAPES.items()})  # fmt: skip

    @classmethod
    def over_time(cls, frames: int, generator: Generator, *, fps: float) -> Chances:
        """Pictures that follow one another."""
        fast = cls.draw(frames, generator)
        slow = cls.draw(frames, generator)
        series = {}
        for name, (share, seconds) in SLOW.items():
            kept = float(np.exp(-1 / (fps * seconds)))
            calm = _smooth(getattr(slow, name), kept=kept)
            series[name] = share**0.5 * calm + (1 - share) ** 0.5 * getattr(fast, name)
        return cls(**series)


_SHAPES = {"score": (_COUNT,), "tail": (_COUNT,), "own": (_COUNT, 2), "limb": (len(LIMBS), 2),
           "person": (2,), "size": (), "swap": (len(SWAPS),), "drop": (_COUNT,)}  # fmt: skip
assert tuple(_SHAPES) == tuple(SLOW) == tuple(field.name for field in fields(Chances))


def biased(landmarks: Tensor, rotations: Tensor) -> Tensor:
    """(B, 33, 3) metres, where BlazePose means the landmarks (B, 33, 3) to be.

    Args:
        landmarks: metres, camera axes.
        rotations: (B, 24, 3, 3) of the joints, to the same axes.
    """
    joints, offsets = _biases()
    turned = rotations[:, joints] @ offsets.to(landmarks)[..., None]
    return landmarks + turned.squeeze(-1)


def observed(
    places: Tensor, *, state: Tensor, px_per_m: Tensor, away: Tensor, chances: Chances
) -> Tensor:
    """(B, 33, 3) px, px, score: what BlazePose reports.

    Args:
        places: (B, 33, 2) pixels, where it means the landmarks to be.
        state: (B, 33) int64 of `occlusion.STATES`.
        px_per_m: (B,) at the person's distance.
        away: (B,) how far the chest is turned from the camera: 0 if it faces it, 1 if it shows
            its back.
        chances: of the same B pictures.
    """
    kind, limb = (torch.tensor(each) for each in (_kinds(), _limbs()))
    table = torch.tensor(TABLE)[state, kind]  # (B, 33, 5)
    error_mm, tail, told, logit, spread = table.unbind(dim=-1)
    person = PERSON_SPREAD * chances.size[:, None]
    scale = (tail * chances.tail - told * chances.score + person).exp()
    own = 1 - PERSON_SHARE - LIMB_SHARE
    step = (
        PERSON_SHARE**0.5 * chances.person[:, None]
        + LIMB_SHARE**0.5 * chances.limb[:, limb]
        + own**0.5 * chances.own
    )
    moved = places + step * (error_mm / 1000 * scale * px_per_m[:, None])[..., None]
    logits = logit + spread * chances.score
    order, exchanged = _exchanged(away, chances.swap)
    moved = moved.gather(1, order[..., None].expand(-1, -1, 2))
    logits = logits.gather(1, order) + SWAPPED_LOGIT * exchanged
    scores = logits.sigmoid().clamp(LEAST_SCORE, MOST_SCORE)
    dropped = _probability(chances.drop) < DROPPED
    return torch.cat([moved, scores.masked_fill(dropped, 0.0)[..., None]], dim=-1)


def metric_landmarks(landmarks: Tensor, scores: Tensor, chances: Chances) -> Tensor:
    """(T, 33, 3) metres about the hips, camera axes: BlazePose's guess at three dimensions.

    Args:
        landmarks: (T, 33, 3) metres, camera axes, the truth.
        scores: (T, 33) what it says of itself.
        chances: of the same T pictures; depth errs with the limbs.
    """
    left, right = (BLAZEPOSE_NAMES.index(f"{side}_hip") for side in ("left", "right"))
    about = landmarks - (landmarks[:, left] + landmarks[:, right])[:, None] / 2
    limb = torch.tensor(_limbs())
    # Turned by a quarter, the series that move the picture's places move the depth too.
    depth = 0.6 * chances.limb[:, limb].sum(dim=-1) / 2**0.5 + 0.6 * chances.tail
    error = torch.cat([SIDE_M * chances.own, (DEPTH_M * depth)[..., None]], dim=-1)
    unsure = 2 - scores[..., None]
    return about * torch.tensor([1.0, 1.0, FLATTENING]) + unsure * error


def _exchanged(away: Tensor, swap: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 33) which landmark each one's place is taken from, and whether it is another's."""
    order = torch.arange(_COUNT).repeat(len(away), 1)
    exchanged = torch.zeros_like(order, dtype=torch.bool)
    other = torch.tensor(OTHER_SIDE)
    for column, (name, share) in enumerate(SWAPS.items()):
        chance = share + (SWAPS_FROM_BEHIND[name] - share) * away
        now = (_probability(swap[:, column]) < chance)[:, None] & _of(name)
        # Exchanged twice is not exchanged: legs may be right in a body taken the other way round.
        exchanged = exchanged ^ (now & (other != torch.arange(_COUNT)))
    return torch.where(exchanged, other, order), exchanged


def _of(part: str) -> Tensor:
    """(33,) bool, the landmarks of "all", "legs" or "arms"."""
    names = {"all": ("",), "legs": ("knee", "ankle", "heel", "foot"),
             "arms": ("elbow", "wrist", "pinky", "index", "thumb")}[part]  # fmt: skip
    foot = part == "arms"
    return torch.tensor([
        any(each in name for each in names) and not (foot and "foot" in name)
        for name in BLAZEPOSE_NAMES
    ])  # fmt: skip


def _probability(normal: Tensor) -> Tensor:
    return torch.special.ndtr(normal)


def _smooth(noise: Tensor, *, kept: float) -> Tensor:
    """A series (T, ...) of the same spread, of which each step keeps a share of the one before."""
    fresh = (1 - kept**2) ** 0.5
    steps = noise.numpy() * fresh
    steps[0] /= fresh
    series = scipy.signal.lfilter([1.0], [1.0, -kept], steps, axis=0)
    return torch.from_numpy(np.ascontiguousarray(series, dtype=np.float32))


def kind_of(name: str) -> str:
    """One of `KINDS`."""
    part = name.removeprefix("left_").removeprefix("right_")
    if part in KINDS:
        return part
    if part in ("pinky", "index", "thumb"):
        return "hand"
    return "foot" if part in ("heel", "foot_index") else "face"


def _kinds() -> list[int]:
    return [KINDS.index(kind_of(name)) for name in BLAZEPOSE_NAMES]


def _limbs() -> list[int]:
    limbs = []
    for name in BLAZEPOSE_NAMES:
        kind, side = kind_of(name), name.split("_")[0]
        if kind == "face":
            limbs.append(LIMBS.index("head"))
        elif kind in ("shoulder", "hip"):
            limbs.append(LIMBS.index("trunk"))
        else:
            part = "arm" if kind in ("elbow", "wrist", "hand") else "leg"
            limbs.append(LIMBS.index(f"{side} {part}"))
    return limbs


def _biases() -> tuple[Tensor, Tensor]:
    """(33,) the joint that carries each landmark's bias, and (33, 3) metres in its axes."""
    joints, offsets = torch.zeros(_COUNT, dtype=torch.int64), torch.zeros(_COUNT, 3)
    for name, (joint, offset) in BIAS_MM.items():
        for sign, side in ((1.0, "left"), (-1.0, "right")):
            index = BLAZEPOSE_NAMES.index(name.replace("left", side))
            joints[index] = JOINT_NAMES.index(joint.replace("left", side))
            offsets[index] = torch.tensor(offset) * torch.tensor([sign, 1.0, 1.0]) / 1000
    return joints, offsets
