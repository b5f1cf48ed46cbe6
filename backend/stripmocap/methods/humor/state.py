"""What HuMoR knows of one moment: 339 numbers of a body, and the 216 by which the next one differs.

Axes: x right, y forward, z up, the floor at z = 0; metres, radians, seconds. Frames are 1/30 s
apart. Order and meaning are of Rempe et al., "HuMoR: 3D Human Motion Model for Robust Pose
Estimation", ICCV 2021, 3.1; the body's joints are the first 22 of SMPL, without the hands.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...contract.skeleton import CONTACT_NAMES, JOINT_NAMES
from ...geometry.rotations import aa_to_matrix

JOINTS = 22  # of the body, the pelvis first
FPS = 30
STATE_NUMBERS = 339
CHANGE_NUMBERS = 216
CONTACT_JOINTS = tuple(JOINT_NAMES.index(name) for name in CONTACT_NAMES)

# Where what lies among a state's numbers.
TRANSL, TRANSL_VEL = slice(0, 3), slice(3, 6)
ORIENT, ORIENT_VEL = slice(6, 15), slice(15, 18)
POSE = slice(18, 207)
PLACES, PLACES_VEL = slice(207, 273), slice(273, 339)

# Where what lies among a change's: rotations as axis-angles there, and contacts behind them.
_DELTA_TRANSL, _DELTA_ORIENT, _DELTA_ORIENT_VEL = slice(0, 6), slice(6, 9), slice(9, 12)
_DELTA_POSE, _DELTA_PLACES, _DELTA_CONTACTS = slice(12, 75), slice(75, 207), slice(207, 216)


@dataclass(frozen=True, eq=False)
class State:
    """One moment, or many (...), as the networks read it; its parts are views."""

    numbers: Tensor  # (..., 339)

    def __post_init__(self) -> None:
        assert self.numbers.shape[-1] == STATE_NUMBERS, self.numbers.shape

    @classmethod
    def of(
        cls,
        *,
        transl: Tensor,
        transl_vel: Tensor,
        global_orient: Tensor,
        global_orient_vel: Tensor,
        body_pose: Tensor,
        joints: Tensor,
        joints_vel: Tensor,
    ) -> State:
        """A state of its parts, which are shaped as the properties of the same names."""
        orient, pose = global_orient.flatten(-2), body_pose.flatten(-3)
        places, places_vel = joints.flatten(-2), joints_vel.flatten(-2)
        parts = (transl, transl_vel, orient, global_orient_vel, pose, places, places_vel)
        return cls(torch.cat(parts, dim=-1))

    @property
    def transl(self) -> Tensor:
        """(..., 3) metres, where SMPL's translation puts the body."""
        return self.numbers[..., TRANSL]

    @property
    def transl_vel(self) -> Tensor:
        """(..., 3) metres a second."""
        return self.numbers[..., TRANSL_VEL]

    @property
    def global_orient(self) -> Tensor:
        """(..., 3, 3) pelvis to these axes."""
        return self.numbers[..., ORIENT].unflatten(-1, (3, 3))

    @property
    def global_orient_vel(self) -> Tensor:
        """(..., 3) radians a second."""
        return self.numbers[..., ORIENT_VEL]

    @property
    def body_pose(self) -> Tensor:
        """(..., 21, 3, 3) joints to their parents."""
        return self.numbers[..., POSE].unflatten(-1, (JOINTS - 1, 3, 3))

    @property
    def joints(self) -> Tensor:
        """(..., 22, 3) metres."""
        return self.numbers[..., PLACES].unflatten(-1, (JOINTS, 3))

    @property
    def joints_vel(self) -> Tensor:
        """(..., 22, 3) metres a second."""
        return self.numbers[..., PLACES_VEL].unflatten(-1, (JOINTS, 3))


@dataclass(frozen=True, eq=False)
class Change:
    """What leads from one moment to the next, as the decoder says it."""

    numbers: Tensor  # (..., 216)

    def __post_init__(self) -> None:
        assert self.numbers.shape[-1] == CHANGE_NUMBERS, self.numbers.shape

    @property
    def contacts(self) -> Tensor:
        """(..., 9) logits that `CONTACT_JOINTS` touch something in the moment led to."""
        return self.numbers[..., _DELTA_CONTACTS]


def changed(state: State, change: Change) -> State:
    """The moment that `change` leads to: rotations are turned, by R' = exp(d) R, the rest is added.

    Rempe et al., ICCV 2021, equation 4 and what stands below it.
    """
    now, delta = state.numbers, change.numbers
    turns = torch.cat([delta[..., _DELTA_ORIENT], delta[..., _DELTA_POSE]], dim=-1)
    turns = aa_to_matrix(turns.unflatten(-1, (JOINTS, 3)))  # (..., 22, 3, 3)
    rotations = torch.cat([now[..., ORIENT], now[..., POSE]], dim=-1)
    rotations = (turns @ rotations.unflatten(-1, (JOINTS, 3, 3))).flatten(-3)  # (..., 198)
    parts = (
        now[..., : TRANSL_VEL.stop] + delta[..., _DELTA_TRANSL],
        rotations[..., :9],
        now[..., ORIENT_VEL] + delta[..., _DELTA_ORIENT_VEL],
        rotations[..., 9:],
        now[..., PLACES.start :] + delta[..., _DELTA_PLACES],
    )
    return State(torch.cat(parts, dim=-1))


def coasting() -> Tensor:
    """(216, 339) what a change is of a state whose velocities stay as they are, but for the pose.

    Nothing is known of how fast joints turn against their parents.
    """
    promised = torch.zeros(CHANGE_NUMBERS, STATE_NUMBERS)
    rows = torch.arange(CHANGE_NUMBERS)
    transl, places = slice(0, 3), slice(75, 141)
    for change, speed in ((transl, TRANSL_VEL), (_DELTA_ORIENT, ORIENT_VEL), (places, PLACES_VEL)):
        promised[rows[change], torch.arange(speed.start, speed.stop)] = 1 / FPS
    return promised


def contact_chances(logits: Tensor) -> Tensor:
    """(..., 22) chances of 0 to 1 that joints touch something, of logits (..., 9).

    Joints that are not among `CONTACT_JOINTS` never do.
    """
    chances = logits.new_zeros((*logits.shape[:-1], JOINTS))
    chances[..., list(CONTACT_JOINTS)] = logits.sigmoid()
    return chances
