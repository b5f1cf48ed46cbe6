"""Canonical frames: a motion moved and turned about z so that it starts at the origin, facing y.

The body's right lies along x then; heights stay. Turns are planar and kept as cosine and sine; the
published code goes through an angle and its matrix (Rempe et al., "HuMoR", ICCV 2021, 3.1).

A state's joints do not turn about its translation but about its pelvis, by an offset in the plane
that is measured once, in a motion's first frame: a quirk that the published networks know.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from .state import State

_LEAST_LENGTH = 1e-6  # of the body's right in the plane; with less of it there is no heading
_PUBLISHED_SLACK = 1e-6  # that the published code adds to lengths which it divides by


def turn_of(global_orient: Tensor) -> Tensor:
    """(..., 2) cosine and sine of the turn about z that brings the body's right along x.

    A body whose right points straight up or down has no heading: it is not turned.

    Args:
        global_orient: (..., 3, 3) pelvis to axes with z up.
    """
    right = -global_orient[..., :2, 0]
    known = right.norm(dim=-1, keepdim=True) > _LEAST_LENGTH
    right = torch.where(known, right, right.new_tensor([1.0, 0.0]))
    x, y = (right / right.norm(dim=-1, keepdim=True)).unbind(dim=-1)
    return torch.stack([x, -y], dim=-1)


def published_turn_of(global_orient: Tensor) -> Tensor:
    """As `turn_of`, with the slack of the published code; for comparing with it.

    There the angle is acos(x / (length + slack)) and its axis has the length |y| / (|y| + slack):
    a body that is all but aligned is turned by up to 1e-3 too much. The sine of that angle is
    written out here, because acos loses half the digits.
    """
    x, y = -global_orient[..., 0, 0], -global_orient[..., 1, 0]
    length = torch.stack([x, y], dim=-1).norm(dim=-1)
    sine = (y.square() + 2 * _PUBLISHED_SLACK * length + _PUBLISHED_SLACK**2).sqrt()
    angle = -y / (y.abs() + _PUBLISHED_SLACK) * torch.atan2(sine, x)
    return torch.stack([angle.cos(), angle.sin()], dim=-1)


TurnOf = Callable[[Tensor], Tensor]  # `turn_of` or `published_turn_of`


@dataclass(frozen=True, eq=False)
class Placement:
    """Where in the plane motions' canonical frames lie, each with its pivot."""

    turn: Tensor  # (..., 2) cosine and sine of what turns the world into the frame
    place: Tensor  # (..., 2) metres, x and y of the frame's origin in the world
    pivot: Tensor  # (..., 2) metres, x and y of the pelvis from the translation in the first frame

    @classmethod
    def of(cls, first: State, turning: TurnOf = turn_of) -> Placement:
        """The canonical frames of motions that begin with states (...)."""
        return cls(turning(first.global_orient), first.transl[..., :2], pivot_of(first))

    def over_time(self) -> Placement:
        """The same with a dimension for time behind the others, for states (..., T)."""
        return Placement(*(each.unsqueeze(-2) for each in (self.turn, self.place, self.pivot)))

    def enter(self, states: State) -> State:
        """States (...) of the world in these frames (...)."""
        here = torch.zeros_like(self.place)
        return _moved(states, self.turn, before=self.place, after=here, pivot=self.pivot)

    def leave(self, states: State) -> State:
        """The inverse of `enter`."""
        cosine, sine = self.turn.unbind(dim=-1)
        back, here = torch.stack([cosine, -sine], dim=-1), torch.zeros_like(self.place)
        return _moved(states, back, before=here, after=self.place, pivot=self.pivot)


def pivot_of(first: State) -> Tensor:
    """(..., 2) metres, x and y of the pelvis from the translation."""
    return first.joints[..., 0, :2] - first.transl[..., :2]


def turn_matrix(turn: Tensor) -> Tensor:
    """(..., 3, 3) what turns by a cosine and sine (..., 2) about z."""
    cosine, sine = turn.unbind(dim=-1)
    zero, one = torch.zeros_like(sine), torch.ones_like(sine)
    rows = [cosine, -sine, zero, sine, cosine, zero, zero, zero, one]
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))


def _moved(states: State, turn: Tensor, *, before: Tensor, after: Tensor, pivot: Tensor) -> State:
    """States (...) less `before`, turned about the origin and the pivot, plus `after` (..., 2)."""
    before, after, pivot = (pad(each, (0, 1)).unsqueeze(-2) for each in (before, after, pivot))
    turn = turn_matrix(turn)
    vectors = [
        states.transl.unsqueeze(-2) - before,
        states.joints - (before + pivot),
        states.joints_vel,
        states.transl_vel.unsqueeze(-2),
        states.global_orient_vel.unsqueeze(-2),
    ]
    vectors = torch.cat(vectors, dim=-2) @ turn.mT  # (..., 47, 3)
    transl, joints, joints_vel, transl_vel, orient_vel = vectors.split([1, 22, 22, 1, 1], dim=-2)
    return State.of(
        transl=(transl + after).squeeze(-2),
        transl_vel=transl_vel.squeeze(-2),
        global_orient=turn @ states.global_orient,
        global_orient_vel=orient_vel.squeeze(-2),
        body_pose=states.body_pose,
        joints=joints + (pivot + after),
        joints_vel=joints_vel,
    )
