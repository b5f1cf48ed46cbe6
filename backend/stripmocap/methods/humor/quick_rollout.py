"""Rolling out by networks that stay as they are, without a graph of small operations.

The same motions and gradients as `rollout.roll_out` gives, but for those of the networks' weights,
about twice as quick: what a moment leads to and its derivative are written out, and numbers
are ordered by axis, so that a turn about z is one product. Derivatives that do not wait for later
moments are worked out for all at once. See `rollout` for what is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from ...geometry.rotations import aa_to_matrix
from .canonical import TurnOf, turn_of
from .network import Decoder, MotionPrior
from .rollout import Rollout, Walk
from .state import CHANGE_NUMBERS, JOINTS, STATE_NUMBERS, State

# A state as columns (3, 50), all x first: translation, its velocity, that of the orientation,
# joints, their velocities, and the orientation's three axes. Then the 21 turns of the pose.
_VECTORS = (0, 3, 15, *range(207, 273, 3), *range(273, 339, 3))
_COUNT = len(_VECTORS)  # 47
_COLUMNS = _COUNT + 3
_FLAT = 3 * _COLUMNS
_STATE_ORDER = [
    *(at + axis for axis in range(3) for at in (*_VECTORS, *range(6 + 2 * axis, 9 + 2 * axis))),
    *range(18, 207),
]
# A change likewise: 47 columns, 22 turns with the orientation's first, contacts.
_CHANGES = (0, 3, 9, *range(75, 141, 3), *range(141, 207, 3))
_CHANGE_ORDER = [
    *(at + axis for axis in range(3) for at in _CHANGES),
    *range(6, 9),
    *range(12, 75),
    *range(207, 216),
]
_TURNS = slice(3 * _COUNT, 3 * _COUNT + 3 * JOINTS)
_CONTACTS = slice(_TURNS.stop, CHANGE_NUMBERS)
_PELVIS = 3  # the first joint's column
_JOINTS = slice(3, 3 + JOINTS)
_FIRST_AXIS = [_COUNT, _COLUMNS + _COUNT]  # x and y of the orientation's first column


def roll_out_fixed(
    network: MotionPrior, start: State, *, latents: Tensor, turning: TurnOf = turn_of
) -> Rollout:
    """Where latents lead, as `rollout.roll_out` says it; gradients pass to both.

    Args:
        network: whose decoder leads; its weights get no gradient.
        start: (N,) first moments, canonical.
        latents: (N, T, Z), T 1 at least.
        turning: how moments are brought into their frames; it must read the first column only.
    """
    order = torch.tensor(_STATE_ORDER, device=latents.device)
    changes = torch.tensor(_CHANGE_ORDER, device=latents.device)
    heard = list(network.decoder.heard(latents))
    heard[-1] = heard[-1].index_select(-1, changes)
    layers = _Layers.of(network.decoder, order, changes)
    begun = start.numbers.index_select(-1, order)
    past, led, turns, contacts = _Walked.apply(layers, turning, begun, *heard)
    back = order.argsort()
    walk = Walk(
        State(past.index_select(-1, back)), State(led.index_select(-1, back)), turns, contacts
    )
    return Rollout(walk.states(start), walk.contacts, walk.past, latents)


@dataclass(frozen=True, eq=False)
class _Layers:
    """A decoder's weights for states in our order, without what the latent says."""

    weights: tuple[Tensor, ...]  # (out, in) each
    norms: tuple[nn.GroupNorm, ...]  # each followed by a ReLU
    promised: Tensor | None  # (216, 339)

    @classmethod
    def of(cls, decoder: Decoder, order: Tensor, changes: Tensor) -> _Layers:
        linears = [each.weight.detach() for each in decoder.net if isinstance(each, nn.Linear)]
        widths = [STATE_NUMBERS, *(len(each) for each in linears[:-1])]
        weights = [each[:, :width] for each, width in zip(linears, widths, strict=True)]
        weights[0] = weights[0].index_select(1, order)
        weights[-1] = weights[-1].index_select(0, changes)
        promised = decoder.promised
        if promised is not None:
            promised = promised.to(weights[0]).index_select(0, changes).index_select(1, order)
        norms = (each for each in decoder.net if isinstance(each, nn.GroupNorm))
        return cls(tuple(weights), tuple(norms), promised)

    def answer(self, states: Tensor, told: Sequence[Tensor]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """(N, 216) changes, and what every norm was given and made of it with its statistics."""
        kept: list[Tensor] = []
        numbers = torch.addmm(told[0], states, self.weights[0].mT)
        for weight, norm, more in zip(self.weights[1:], self.norms, told[1:], strict=True):
            count, width = numbers.shape
            normed, mean, scale = torch.native_group_norm(
                numbers, norm.weight, norm.bias, count, width, 1, norm.num_groups, norm.eps
            )
            kept += (numbers, mean, scale, normed > 0)
            numbers = torch.addmm(more, normed.relu(), weight.mT)
        if self.promised is not None:
            numbers = numbers.addmm(states, self.promised.mT)
        return numbers, tuple(kept)

    def slope(self, to_change: Tensor, kept: Sequence[Tensor]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """What states are to the objective, and what each layer was told, of what changes are."""
        told, slope = [to_change], to_change
        for index in range(len(self.norms) - 1, -1, -1):
            given, mean, scale, active = kept[4 * index : 4 * index + 4]
            norm, (count, width) = self.norms[index], given.shape
            slope = (slope @ self.weights[index + 1]) * active
            slope = torch.ops.aten.native_group_norm_backward(
                *(slope, given, mean, scale, norm.weight, count, width, 1, norm.num_groups),
                [True, False, False],
            )[0]
            told.append(slope)
        slope = slope @ self.weights[0]
        if self.promised is not None:
            slope = slope.addmm(to_change, self.promised)
        return slope, tuple(told[::-1])


class _Walked(torch.autograd.Function):
    """Moments that are led to one after the other, each in the frame of the one before."""

    @staticmethod
    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, layers: _Layers, turning: TurnOf, start: Tensor, *heard: Tensor
    ) -> tuple[Tensor, ...]:
        """(N, T) moments entered, led to, turns between their frames (2), contacts (9)."""
        past, on_joints, on_places = start, *_masks(start)
        off = _columns(start)[:, :2, _PELVIS, None] * on_joints  # (N, 2, 50) of the pivot
        steps = []
        for told in zip(*(each.unbind(1) for each in heard), strict=True):
            change, hidden = layers.answer(past, told)
            angles = change[:, _TURNS].unflatten(1, (JOINTS, 3))
            turns = aa_to_matrix(angles)
            columns = _columns(past)
            moves = change[:, : _TURNS.start].unflatten(1, (3, _COUNT))
            orient = turns[:, 0] @ columns[..., _COUNT:]
            pose = turns[:, 1:] @ past[:, _FLAT:].unflatten(1, (JOINTS - 1, 3, 3))
            columns = torch.cat([columns[..., :_COUNT] + moves, orient], dim=-1)
            led = torch.cat([columns.flatten(1), pose.flatten(1)], dim=1)
            turn = turning(orient)
            plane = columns[:, :2] - (columns[:, :2, :1] * on_places + off)
            steps.append((past, led, turn, change[:, _CONTACTS], turns, angles, plane, *hidden))
            entered = _planar(turn) @ plane + off
            past = torch.cat([entered.flatten(1), led[:, 2 * _COLUMNS :]], dim=1)
        # The group norm's derivative takes contiguous numbers only, so moments come first here.
        kept = [torch.stack(each) for each in zip(*steps, strict=True)]
        ctx.layers, ctx.turning = layers, turning
        ctx.save_for_backward(*kept[:3], *kept[4:])
        return tuple(each.transpose(0, 1) for each in kept[:4])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        """What all that was given is to the objective, of what the answers are."""
        to_past, to_led, to_turn, to_contacts = (each.transpose(0, 1) for each in slopes)
        past, led, turn, turns, angles, plane, *hidden = ctx.saved_tensors
        layers, (on_joints, on_places) = ctx.layers, _masks(past)
        before = _rotations(past)
        # These wait for no later moment.
        of_angles = _slopes_of_angles(angles)  # (T, N, 22, 9, 3)
        of_turn = _slopes_of_turn(ctx.turning, _columns(led)[..., _COUNT:])  # (T, N, 2, 2)
        back = _planar(turn).mT
        to_heard: list[tuple[Tensor, ...]] = []
        to_off = torch.zeros_like(plane[0])
        to_next = torch.zeros_like(past[0])
        for step in reversed(range(len(past))):
            to_entered = _columns(to_next)[:, :2]
            to_plane = back[step] @ to_entered
            to_off = to_off + to_entered - to_plane
            product = to_entered @ plane[step].mT  # (N, 2, 2)
            to_cosine = product[:, 0, 0] + product[:, 1, 1] + to_turn[step, :, 0]
            to_sine = product[:, 1, 0] - product[:, 0, 1] + to_turn[step, :, 1]
            to_now = torch.cat([to_plane.flatten(1), to_next[:, 2 * _COLUMNS :]], dim=1)
            to_now = to_now + to_led[step]
            to_now[:, [0, _COLUMNS]] -= (to_plane * on_places).sum(dim=-1)
            to_axis = torch.stack([to_cosine, to_sine], dim=-1).unsqueeze(1) @ of_turn[step]
            to_now[:, _FIRST_AXIS] += to_axis.squeeze(1)
            to_rotated = _rotations(to_now)  # (N, 22, 3, 3)
            to_turns = (to_rotated @ before[step].mT).flatten(-2).unsqueeze(-2)
            to_angles = (to_turns @ of_angles[step]).flatten(1)
            to_moves = _columns(to_now)[..., :_COUNT]
            to_change = torch.cat([to_moves.flatten(1), to_angles, to_contacts[step]], dim=1)
            to_state, to_told = layers.slope(to_change, [each[step] for each in hidden])
            to_heard.append(to_told)
            to_before = turns[step].mT @ to_rotated
            to_columns = torch.cat([to_moves, to_before[:, 0]], dim=-1)
            carried = torch.cat([to_columns.flatten(1), to_before[:, 1:].flatten(1)], dim=1)
            to_next = to_state + carried + to_past[step]
        to_pivot = (to_off * on_joints).sum(dim=-1)
        to_next[:, [_PELVIS, _COLUMNS + _PELVIS]] += to_pivot
        told = (torch.stack(each[::-1], dim=1) for each in zip(*to_heard, strict=True))
        return None, None, to_next, *told


def _columns(states: Tensor) -> Tensor:
    """(..., 3, 50) of states in our order."""
    return states[..., :_FLAT].unflatten(-1, (3, _COLUMNS))


def _rotations(states: Tensor) -> Tensor:
    """(..., 22, 3, 3) of states in our order, the orientation first."""
    orient = _columns(states)[..., _COUNT:].unsqueeze(-3)
    return torch.cat([orient, states[..., _FLAT:].unflatten(-1, (JOINTS - 1, 3, 3))], dim=-3)


def _masks(like: Tensor) -> tuple[Tensor, Tensor]:
    """(50,) ones at joints, and at joints and the translation: what has a place in the plane."""
    on_joints = like.new_zeros(_COLUMNS)
    on_joints[_JOINTS] = 1
    on_places = on_joints.clone()
    on_places[0] = 1
    return on_joints, on_places


def _planar(turn: Tensor) -> Tensor:
    """(..., 2, 2) what turns by a cosine and sine (..., 2)."""
    cosine, sine = turn.unbind(dim=-1)
    return torch.stack([cosine, -sine, sine, cosine], dim=-1).unflatten(-1, (2, 2))


def _slopes_of_angles(angles: Tensor) -> Tensor:
    """(..., 9, 3) how matrices change with their axis-angles (..., 3)."""
    with torch.enable_grad():
        angles = angles.detach().requires_grad_()
        return _slopes(aa_to_matrix(angles).flatten(-2), angles)


def _slopes_of_turn(turning: TurnOf, orient: Tensor) -> Tensor:
    """(..., 2, 2) how cosine and sine change with x and y of the first column of (..., 3, 3)."""
    with torch.enable_grad():
        orient = orient.detach().requires_grad_()
        return _slopes(turning(orient), orient)[..., :2, 0]


def _slopes(answers: Tensor, given: Tensor) -> Tensor:
    """(..., A, D...) how each of A answers (..., A) changes with what is given (..., D...)."""
    each = answers.unbind(dim=-1)
    slopes = [torch.autograd.grad(one.sum(), given, retain_graph=True)[0] for one in each]
    return torch.stack(slopes, dim=answers.dim() - 1)
