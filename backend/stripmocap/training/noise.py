"""What BlazePose makes of a person: where it puts landmarks, and what it says of itself.

All randomness comes as standard normal numbers (`Chances`), drawn anew for every picture, or as
slowly changing series for a clip. Lengths are metres at the person's distance, so that a person's
size in the picture does not matter. A landmark is off by what its kind usually is (`BIAS_MM`, in
the axes of the bone that carries it) and by chance, the more so the less sure the network says it
is; hidden landmarks are off further. Left and right are exchanged now and then.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..contract.skeleton import BLAZEPOSE_NAMES, JOINT_NAMES
from ..people.sides import OTHER_SIDE
from .occlusion import OUTSIDE, SEEN
from .series import slow_series

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
    (  # seen
        Row(18, 0.13, 0.21, 3.6, 1.4),
        Row(22, 0.36, 0.38, 3.3, 1.9),
        Row(25, 0.37, 0.54, 1.3, 2.6),
        Row(23, 0.33, 0.68, 1.0, 3.0),
        Row(27, 0.41, 0.65, 0.3, 2.9),
        Row(24, 0.30, 0.28, 3.3, 1.6),
        Row(24, 0.34, 0.45, 1.4, 2.1),
        Row(23, 0.31, 0.53, 1.6, 2.2),
        Row(30, 0.36, 0.48, 0.9, 2.2),
    ),
    (  # behind the own body
        Row(26, 0.10, 0.15, 3.4, 1.5),
        Row(41, 0.24, 0.24, 2.9, 1.6),
        Row(43, 0.55, 0.36, -1.2, 2.5),
        Row(58, 0.54, 0.42, -2.6, 2.6),
        Row(79, 0.40, 0.26, -3.3, 2.4),
        Row(34, 0.42, 0.27, 2.8, 1.8),
        Row(40, 0.50, 0.38, -0.6, 2.1),
        Row(36, 0.24, 0.49, 0.1, 3.0),
        Row(51, 0.10, 0.29, -0.8, 2.7),
    ),
    (  # covered
        Row(62, 0.54, 0.36, -0.4, 2.4),
        Row(118, 0.40, 0.50, -2.5, 3.6),
        Row(88, 0.23, 0.16, -2.7, 2.5),
        Row(102, 0.31, 0.34, -3.5, 3.0),
        Row(137, 0.26, 0.39, -3.9, 3.2),
        Row(60, 0.21, 0.00, 2.1, 1.5),
        Row(132, 0.27, 0.29, -2.6, 3.0),
        Row(146, 0.49, 0.55, -3.3, 3.6),
        Row(167, 0.28, 0.46, -3.4, 3.5),
    ),
    (  # outside the picture
        Row(65, 0.10, 0.17, 0.7, 2.3),
        Row(69, 0.29, 0.39, 0.2, 2.4),
        Row(120, 0.10, 0.27, -2.3, 3.0),
        Row(149, 0.36, 0.27, -2.5, 3.1),
        Row(137, 0.33, 0.44, -2.4, 3.5),
        Row(95, 0.34, 0.27, 0.7, 1.6),
        Row(154, 0.33, 0.17, -3.5, 2.2),
        Row(205, 0.37, 0.37, -4.6, 2.8),
        Row(220, 0.36, 0.36, -4.8, 2.8),
    ),
)
# Of a landmark's squared error: what the whole person shares, and what a limb shares.
PERSON_SHARE = 0.02
LIMB_SHARES = (0.75, 0.05, 0.60, 0.60, 0.46, 0.46)  # of `LIMBS`
PERSON_SPREAD = 0.19  # of the logarithm of all errors of one person in one picture
# Landmarks in plain sight are far off at times: from so many standard deviations of the tail on,
# the logarithm of the error grows by so much more.
GROSS_FROM, GROSS = 1.3, 1.2
# Metres beyond the picture's edge are told as so many times less, and rather inside: BlazePose puts
# what it cannot see where it can.
OUTSIDE_SHARE, OUTSIDE_PULL_M = 0.45, 0.07
# Left taken for right: everywhere, in the legs, in the arms. Seen from behind it is commoner.
SWAPS = {"all": 0.015, "legs": 0.02, "arms": 0.01}
SWAPS_FROM_BEHIND = {"all": 0.03, "legs": 0.02, "arms": 0.01}
SWAPPED_LOGIT = -1.5  # added to the scores of what was exchanged
DROPPED = 0.005  # landmarks that are not there at all: score 0
LEAST_SCORE, MOST_SCORE = 1e-4, 0.9999
# Millimetres in the axes of a joint, of the left side's landmarks and of the middle; the right
# side's are the mirror image. Where BlazePose's landmark is, less where the body's is.
BIAS_MM: dict[str, tuple[str, tuple[float, float, float]]] = {
    "nose": ("head", (0.0, 18.0, -33.0)),
    "left_eye_inner": ("head", (-7.0, 7.0, -19.0)),
    "left_eye": ("head", (-11.0, 4.0, -28.0)),
    "left_eye_outer": ("head", (-17.0, 5.0, -24.0)),
    "left_ear": ("head", (-29.0, 2.0, 19.0)),
    "mouth_left": ("head", (-11.0, 18.0, -20.0)),
    "left_shoulder": ("spine3", (-21.0, 14.0, 2.0)),
    "left_elbow": ("left_shoulder", (-22.0, -4.0, 15.0)),
    "left_wrist": ("left_elbow", (6.0, 4.0, 3.0)),
    "left_pinky": ("left_wrist", (-11.0, -10.0, 33.0)),
    "left_index": ("left_wrist", (-23.0, -13.0, -14.0)),
    "left_thumb": ("left_wrist", (-5.0, 18.0, -36.0)),
    "left_hip": ("pelvis", (-7.0, 7.0, 23.0)),
    "left_knee": ("left_hip", (-9.0, 2.0, -8.0)),
    "left_ankle": ("left_knee", (-3.0, 37.0, 8.0)),
    "left_heel": ("left_ankle", (-4.0, 27.0, 25.0)),
    "left_foot_index": ("left_ankle", (-1.0, 13.0, -39.0)),
}
# Over time: the share of each series' variance that changes slowly, and its seconds.
SLOW = {
    "score": (0.76, 1.33),
    "tail": (0.72, 0.52),
    "own": (0.84, 0.83),
    "limb": (0.84, 0.83),
    "person": (0.85, 0.5),
    "size": (0.9, 1.0),
    "swap": (0.95, 0.25),
    "drop": (0.5, 0.1),
    "metric": (0.92, 0.8),
}

# BlazePose's metric landmarks, seen straight at the person: how they are shrunk, millimetres of
# error by kind, how much more they err where it is not sure, and what a limb's landmarks share of
# a squared error. A person's depths lean as a whole: so much a metre to the right and downwards.
METRIC_SHRINKAGE = (0.85, 0.97, 0.585)
METRIC_MM = (
    (36.0, 67.0, 77.0),
    (36.0, 54.0, 61.0),
    (48.0, 45.0, 84.0),
    (62.0, 40.0, 107.0),
    (60.0, 50.0, 126.0),
    (25.0, 13.0, 39.0),
    (46.0, 68.0, 60.0),
    (48.0, 62.0, 90.0),
    (66.0, 84.0, 99.0),
)
METRIC_UNSURE, METRIC_LIMB_SHARE = 0.6, 0.88
METRIC_LEAN = (0.25, 0.17)
# What is taught on is less trustworthy than what was measured, so that nobody leans on it: people
# of whom there is no guess, who are seen inside out in depth, and the spread of the logarithm of
# a person's errors. A judgement.
UNGUESSED, INSIDE_OUT, METRIC_SPREAD = 0.25, 0.05, 0.4

_COUNT = len(BLAZEPOSE_NAMES)
_HIPS = [BLAZEPOSE_NAMES.index(f"{side}_hip") for side in ("left", "right")]


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
                      for name, shape in SHAPES.items()})  # fmt: skip

    @classmethod
    def over_time(cls, frames: int, generator: Generator, *, fps: float) -> Chances:
        """Pictures that follow one another."""
        return cls(**{name: slow_series(frames, shape, generator, fps=fps, slow=SLOW[name])
                      for name, shape in SHAPES.items()})  # fmt: skip


SHAPES = {"score": (_COUNT,), "tail": (_COUNT,), "own": (_COUNT, 2), "limb": (len(LIMBS), 2),
           "person": (2,), "size": (), "swap": (len(SWAPS),), "drop": (_COUNT,)}  # fmt: skip


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
    places: Tensor,
    *,
    state: Tensor,
    size: Tensor,
    px_per_m: Tensor,
    away: Tensor,
    chances: Chances,
) -> Tensor:
    """(B, 33, 3) px, px, score: what BlazePose reports.

    Args:
        places: (B, 33, 2) pixels, where it means the landmarks to be.
        state: (B, 33) int64 of `occlusion.STATES`.
        size: (B, 2) pixels of the picture, width and height.
        px_per_m: (B,) at the person's distance.
        away: (B,) how far the chest is turned from the camera: 0 if it faces it, 1 if it shows
            its back.
        chances: of the same B pictures.
    """
    limb = _limbs()
    table = torch.tensor(TABLE)[state, _kinds()]  # (B, 33, 5)
    error_mm, tail, told, logit, spread = table.unbind(dim=-1)
    person = PERSON_SPREAD * chances.size[:, None]
    gross = GROSS * (chances.tail - GROSS_FROM).clamp(min=0) * (state == SEEN)
    scale = (tail * chances.tail - told * chances.score + person + gross).exp()
    shared = torch.tensor(LIMB_SHARES)[limb, None]
    step = (
        PERSON_SHARE**0.5 * chances.person[:, None]
        + shared**0.5 * chances.limb[:, limb]
        + (1 - PERSON_SHARE - shared) ** 0.5 * chances.own
    )
    places = pulled(places, state=state, size=size, px_per_m=px_per_m)
    moved = places + step * (error_mm / 1000 * scale * px_per_m[:, None])[..., None]
    logits = logit + spread * chances.score
    order, exchanged = _exchanged(away, chances.swap)
    moved = moved.gather(1, order[..., None].expand(-1, -1, 2))
    logits = logits.gather(1, order) + SWAPPED_LOGIT * exchanged
    scores = logits.sigmoid().clamp(LEAST_SCORE, MOST_SCORE)
    dropped = _probability(chances.drop) < DROPPED
    return torch.cat([moved, scores.masked_fill(dropped, 0.0)[..., None]], dim=-1)


def pulled(places: Tensor, *, state: Tensor, size: Tensor, px_per_m: Tensor) -> Tensor:
    """(B, 33, 2) pixels, places of which those outside the picture are drawn towards it."""
    edge = places.clamp(min=0).minimum(size[:, None])
    beyond = places - edge
    inwards = OUTSIDE_PULL_M * px_per_m[:, None, None] * beyond.sign()
    drawn = edge + OUTSIDE_SHARE * beyond - inwards
    return torch.where((state == OUTSIDE)[..., None], drawn, places)


def metric_landmarks(
    landmarks: Tensor, scores: Tensor, generator: Generator, *, fps: float
) -> Tensor:
    """(T, 33, 3) metres about the hips, in the same axes: BlazePose's guess at three dimensions.

    Args:
        landmarks: (T, 33, 3) metres, seen straight at the person: the truth of pictures that
            follow one another.
        scores: (T, 33) what it says of itself.
        generator: what chance is drawn from.
        fps: pictures a second.
    """
    about = landmarks - landmarks[:, _HIPS].mean(dim=1, keepdim=True)
    frames, slow = len(landmarks), SLOW["metric"]
    own = slow_series(frames, (_COUNT, 3), generator, fps=fps, slow=slow)
    limb = slow_series(frames, (len(LIMBS), 3), generator, fps=fps, slow=slow)
    lean = slow_series(frames, (2,), generator, fps=fps, slow=slow)
    return leant(about, lean) * torch.tensor(METRIC_SHRINKAGE) + metric_error(own, limb, scores)


def guesses_apart(landmarks: Tensor, scores: Tensor, generator: Generator) -> Tensor:
    """(B, 33, 3) the same of pictures that have nothing to do with one another, to be taught on.

    People of whom there is no guess have zeros.
    """
    count = len(landmarks)
    about = landmarks - landmarks[:, _HIPS].mean(dim=1, keepdim=True)
    own = torch.randn(count, _COUNT, 3, generator=generator)
    limb = torch.randn(count, len(LIMBS), 3, generator=generator)
    lean = torch.randn(count, 2, generator=generator)
    louder = (METRIC_SPREAD * torch.randn(count, 1, 1, generator=generator)).exp()
    shrinkage = torch.tensor(METRIC_SHRINKAGE).repeat(count, 1, 1)
    drawn = torch.rand(count, 2, generator=generator)
    shrinkage[drawn[:, 0] < INSIDE_OUT, :, 2] *= -1
    guess = leant(about, lean) * shrinkage + louder * metric_error(own, limb, scores)
    return guess.masked_fill((drawn[:, 1] < UNGUESSED)[:, None, None], 0.0)


def leant(about: Tensor, lean: Tensor) -> Tensor:
    """Points (B, 33, 3) about the hips with their depths leant by standard normals (B, 2)."""
    depth = (about[..., :2] * (torch.tensor(METRIC_LEAN) * lean)[:, None]).sum(dim=-1)
    # What is leant is shrunk as well, which the lean was measured without.
    return torch.cat([about[..., :2], about[..., 2:] + depth[..., None] / METRIC_SHRINKAGE[2]], -1)


def metric_error(own: Tensor, limb: Tensor, scores: Tensor) -> Tensor:
    """(B, 33, 3) metres, of standard normal numbers (B, 33, 3) and (B, 6, 3)."""
    error = METRIC_LIMB_SHARE**0.5 * limb[:, _limbs()] + (1 - METRIC_LIMB_SHARE) ** 0.5 * own
    spread = torch.tensor(METRIC_MM)[_kinds()] / 1000  # (33, 3)
    return (1 + METRIC_UNSURE * (1 - scores[..., None])) * spread * error


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


@cache
def _of(part: str) -> Tensor:
    """(33,) bool, the landmarks of one of `SWAPS`."""
    return torch.tensor([part in parts_of(name) for name in BLAZEPOSE_NAMES])


def _probability(normal: Tensor) -> Tensor:
    return torch.special.ndtr(normal)


def kind_of(name: str) -> str:
    """One of `KINDS`."""
    part = name.removeprefix("left_").removeprefix("right_")
    if part in KINDS:
        return part
    if part in ("pinky", "index", "thumb"):
        return "hand"
    return "foot" if part in ("heel", "foot_index") else "face"


def limb_of(name: str) -> str:
    """One of `LIMBS`."""
    kind, side = kind_of(name), name.split("_")[0]
    if kind == "face":
        return "head"
    if kind in ("shoulder", "hip"):
        return "trunk"
    return f"{side} arm" if kind in ("elbow", "wrist", "hand") else f"{side} leg"


def parts_of(name: str) -> tuple[str, ...]:
    """Those of `SWAPS` that a landmark belongs to."""
    kind = kind_of(name)
    if kind in ("elbow", "wrist", "hand"):
        return "all", "arms"
    return ("all", "legs") if kind in ("knee", "ankle", "foot") else ("all",)


@cache
def _kinds() -> Tensor:
    return torch.tensor([KINDS.index(kind_of(name)) for name in BLAZEPOSE_NAMES])


@cache
def _limbs() -> Tensor:
    return torch.tensor([LIMBS.index(limb_of(name)) for name in BLAZEPOSE_NAMES])


@cache
def _biases() -> tuple[Tensor, Tensor]:
    """(33,) the joint that carries each landmark's bias, and (33, 3) metres in its axes."""
    joints, offsets = torch.zeros(_COUNT, dtype=torch.int64), torch.zeros(_COUNT, 3)
    for name, (joint, offset) in BIAS_MM.items():
        for sign, side in ((1.0, "left"), (-1.0, "right")):
            index = BLAZEPOSE_NAMES.index(name.replace("left", side))
            joints[index] = JOINT_NAMES.index(joint.replace("left", side))
            offsets[index] = torch.tensor(offset) * torch.tensor([sign, 1.0, 1.0]) / 1000
    return joints, offsets
