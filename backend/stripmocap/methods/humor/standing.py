"""Where people stand: how high the floor is, who is on another level, where neither says anything.

A foot at rest shows how high above the floor somebody stands. Near to it they stand on the floor,
and are a little off. Who rests at one height elsewhere is carried by a beam, a stage or a roof, or
the floor is a wrong one for them: that level is their floor. Far from their level something else
carries them, and nothing that it says holds; between such moments it holds as far as in those
around. A floor is under the soles: landmarks of feet lie above them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...contract.motion import Camera
from ..levels import climbed_from, lowest_resting, own_level
from ..smplify.evidence import Evidence
from ..smplify.ground import resting_feet, sighted_feet
from ..smplify.outcome import points
from ..smplify.states import States
from ..smplify.subject import Subject
from .state import FPS

FAR_M = 0.3  # over or under the floor, where it says half as much; starts are off by a third of it
LEVEL_M = 0.06  # from the floor, where a level of one's own begins
_STEEP = 4
_REST_ENOUGH = 0.5
_REST_SPEED_M_S = 0.25  # of feet before a moving camera, where only the world tells of rest


@dataclass(frozen=True, eq=False)
class Standing:
    """How N ticks of people stand."""

    votes: Tensor  # (N,) in [0, 1], 0 where floor and level say nothing
    rests: Tensor  # (N, F) in [0, 1], how surely foot points rest
    floor_m: float  # how high the floor is in the start's world
    levels_m: np.ndarray  # (G,) float64, so much above the floor each sequence stands: mostly 0


def standing(
    subject: Subject,
    evidence: Evidence,
    begun: States,
    *,
    camera: Camera,
    window: int,
) -> Standing:
    """How people stand in the world of `camera`; the floor of a camera that moves is given.

    Args:
        subject: the body.
        evidence: of N ticks.
        begun: (N,) in the world.
        camera: over that world.
        window: frames that are looked at at once.
    """
    place = points(subject, begun, evidence, window=window)
    feet = place[:, subject.feet]  # (N, F, 3)
    rests = resting(subject, evidence, feet, is_still=camera.path is None)
    stands = (rests > _REST_ENOUGH).cpu().numpy()
    heights = (feet[..., 2] - subject.feet_height).double().cpu().numpy()  # of the soles
    whose = evidence.sequence.cpu().numpy()
    floor_m = _floor(heights, stands, whose) if camera.path is None else 0.0
    pelvis = place[:, 0, 2].double().cpu().numpy()
    votes, levels_m = np.ones(len(whose)), np.zeros(len(begun.betas))
    for each in np.unique(whose):
        mine = np.flatnonzero(whose == each)
        level = own_level(heights[mine] - floor_m, stands[mine], least_m=LEVEL_M)
        if np.median(pelvis[mine]) < floor_m + level:
            level = 0.0  # feet in the air carry nobody
        votes[mine] = _votes(heights[mine] - floor_m - level, stands[mine])
        votes[mine[pelvis[mine] < floor_m + level]] = 0  # nobody's pelvis is in the ground
        levels_m[each] = level
    return Standing(torch.tensor(votes).to(evidence.weights), rests, floor_m, levels_m)


def resting(subject: Subject, evidence: Evidence, feet: Tensor, *, is_still: bool) -> Tensor:
    """(N, F) in [0, 1], how surely the foot points of the body rest.

    Args:
        subject: the body.
        evidence: of N ticks.
        feet: (N, F, 3) metres, world.
        is_still: the camera; before one that moves only the world tells of rest.
    """
    if is_still:
        return resting_feet(evidence)[:, subject.foot_columns]
    speed = (feet[1:] - feet[:-1]).norm(dim=-1) * FPS
    speed = torch.cat([speed, speed[-1:]])
    sighted = sighted_feet(evidence)[:, subject.foot_columns]
    return sighted * torch.exp(-0.5 * (speed / _REST_SPEED_M_S).square())


def _floor(heights: np.ndarray, resting: np.ndarray, whose: np.ndarray) -> float:
    """Metres, where most feet rest on their lowest points, if that is near the floor.

    If somebody climbed to there, it is where they came from.

    Args:
        heights: (N, F) of soles.
        resting: (N, F) bool.
        whose: (N,) the sequence of each tick.
    """
    lowest = lowest_resting(heights, resting)
    near = lowest[np.abs(lowest) < FAR_M]
    floor_m = float(np.median(near)) if len(near) else 0.0
    each = [whose == one for one in np.unique(whose)]
    return floor_m + min(climbed_from(heights[mine] - floor_m, resting[mine]) for mine in each)


def _votes(heights: np.ndarray, resting: np.ndarray) -> np.ndarray:
    """(M,) of one spell, by heights (M, F) of soles over its level, and which of them rest."""
    stands = resting.any(axis=1)
    lowest = lowest_resting(heights, resting)
    # Who does not stand may be anywhere above the floor, and not far below it.
    lowest = np.where(stands, lowest, heights.min(axis=1).clip(max=0))
    known = stands | (lowest < 0)
    if not known.any():
        return np.ones(len(heights))
    ticks = np.arange(len(heights))
    votes = 1 / (1 + (lowest / FAR_M) ** _STEEP)
    return np.interp(ticks, ticks[known], votes[known])
