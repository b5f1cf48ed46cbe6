"""How likely motion is, moment by moment, by the motion prior: an energy of neighbouring frames.

A transition leads from one frame to the next, each a state with velocities, so that it knows of
four frames in a row. Its energy is that of its latent under the prior (Rempe et al., "HuMoR", ICCV
2021, equation 8) and how far the next frame is from where the latent leads, in units of what the
decoder errs by. All transitions are looked at at once; nothing is rolled out.

The energy is exact, and so is its gradient. `Model` is Gauss-Newton's, at one place, with the
latents' answer to every step worked in (their Schur complement).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from ...geometry.rotations import cross_matrix
from .canonical import Placement, pivot_of, turn_matrix
from .motion import states_of
from .network import MotionPrior
from .slopes import TURNING_NUMBERS, Slopes, slopes
from .state import FPS, JOINTS, State, changed

SPAN = 4  # frames of a transition
BASE = 6 + 3 * (JOINTS - 1) + 3 * JOINTS  # numbers that a frame can be changed by: `Bodies.changed`
_LEAST_RIGHT = 0.1  # of a body's right that is level: with less its heading is left as it is
_HALF_RATE = FPS / 2  # of central differences

# What the shipped decoder usually errs by, of the parts of a change: metres, radians, and those a
# second, each of so many threes. Where more happens than usual it errs by far more, so that errors
# beyond some of these count like Cauchy's.
_ERRS = (
    *((0.001, 1), (0.02, 1), (0.002, 1), (0.03, 1)),
    *((0.006, JOINTS - 1), (0.002, JOINTS), (0.05, JOINTS)),
)
OUTLIER = 3.0
# Where positions, and velocities, of what a frame is changed by stand among a state's numbers.
_PLACED = [*range(0, 3), *range(6, 9), *range(12, 75), *range(75, 141)]
_MOVING = [*range(0, 6), *range(69, 135)]  # of a frame's: those that have velocities
_SPEEDS = [*range(3, 6), *range(9, 12), *range(141, 207)]


@dataclass(frozen=True, eq=False)
class Bodies:
    """N frames in world axes (z up, the floor at 0), as states are made of."""

    transl: Tensor  # (N, 3) metres
    global_orient: Tensor  # (N, 3, 3)
    body_pose: Tensor  # (N, 21, 3, 3)
    joints: Tensor  # (N, 22, 3) metres

    def changed(self, change: Tensor) -> Bodies:
        """The bodies after small changes (N, 135): moved, turned, joints turned, joints moved."""
        moved, turned, posed, placed = change.split([3, 3, 3 * (JOINTS - 1), 3 * JOINTS], dim=-1)
        posed = posed.unflatten(-1, (-1, 3))
        return Bodies(
            self.transl + moved,
            self.global_orient + cross_matrix(turned) @ self.global_orient,
            self.body_pose + cross_matrix(posed) @ self.body_pose,
            self.joints + placed.unflatten(-1, (-1, 3)),
        )


class Moments(NamedTuple):
    """Both ends of n transitions, in the canonical frames of the former."""

    past: State  # (n,)
    following: State  # (n,)
    turn: Tensor  # (n, 2) what turned the world into the frames


@dataclass(frozen=True, eq=False)
class Model:
    """A quadratic model of n transitions' energy by the frames' unknowns."""

    hessian: Tensor  # (n, 4 D, 4 D)
    answer: Tensor  # (n, Z, 4 D) how latents move with the frames
    latent_factor: Tensor  # (n, Z, Z) L, lower, of the second derivative by latents, L L^T


@dataclass(frozen=True, eq=False)
class Transitions:
    """The transitions of N frames: those of four frames that stand in a row."""

    network: MotionPrior
    first: Tensor  # (n,) int64, the first frame of each
    votes: Tensor  # (n,) how much each counts

    def counted(self, weight: float) -> Transitions:
        """The transitions that count so much more; none of them where that is nothing."""
        if weight <= 0:
            return replace(self, first=self.first[:0], votes=self.votes[:0])
        return replace(self, votes=weight * self.votes)

    def moments(self, bodies: Bodies) -> Moments:
        """The states between which transitions lead."""
        states = states_of(
            transl=bodies.transl,
            global_orient=bodies.global_orient,
            body_pose=bodies.body_pose,
            joints=bodies.joints,
        ).numbers
        past, following = State(states[self.first + 1]), State(states[self.first + 2])
        frames = Placement.of(past)
        return Moments(frames.enter(past), frames.enter(following), frames.turn)

    @torch.no_grad()
    def likely_latents(self, bodies: Bodies) -> Tensor:
        """(n, Z) of each transition the likelier: the posterior's mean, or the prior's."""
        if not len(self.first):
            return bodies.transl.new_zeros(0, self.network.sizes.latent)
        past, following, _ = self.moments(bodies)
        told = self.network.posterior(past, following).mean
        usual = self.network.prior(past).mean
        better = self._energies(past, following, told) < self._energies(past, following, usual)
        return torch.where(better[:, None], told, usual)

    def energies(self, bodies: Bodies, latents: Tensor) -> Tensor:
        """(n,) nats, with what is the same for all left out."""
        past, following, _ = self.moments(bodies)
        return self.votes * self._energies(past, following, latents)

    def gradient(self, bodies: Bodies, latents: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Energies (n,) and their slopes: (N, 135) by changes of bodies, (n, Z) by latents."""
        with torch.enable_grad():
            change = bodies.transl.new_zeros(len(bodies.transl), BASE, requires_grad=True)
            latents = latents.detach().requires_grad_()
            energies = self.energies(bodies.changed(change), latents)
            by_change, by_latents = torch.autograd.grad(energies.sum(), [change, latents])
        return energies.detach(), by_change, by_latents

    @torch.no_grad()
    def contacts(self, bodies: Bodies, latents: Tensor) -> Tensor:
        """(n, 9) chances that something is touched in each transition's third frame."""
        past, _, _ = self.moments(bodies)
        return self.network.decode(past, latents).contacts.sigmoid()

    @torch.no_grad()
    def model(self, bodies: Bodies, latents: Tensor, *, base: Tensor) -> Model:
        """Gauss-Newton's model at a place.

        Args:
            bodies: (N,).
            latents: (n, Z).
            base: (N, 135, D) how bodies change with the frames' D unknowns.
        """
        past, following, turn = self.moments(bodies)
        found = slopes(self.network, past, latents)
        fade = 1 / (1 + self._squares(past, following, latents) / OUTLIER**2)
        rows = _rows(found, deviation=self.network.prior(past).variance.sqrt(), fade=fade)
        by_past, by_next, by_latent = (
            each * self.votes.sqrt()[:, None, None]
            for each in (rows.past, rows.following, rows.latent)
        )
        precision = by_latent.mT @ by_latent
        factor, info = torch.linalg.cholesky_ex(precision)
        # A moment without a model gives its sequence steps into nowhere, and stops nobody else.
        factor = torch.where((info == 0)[:, None, None], factor, torch.nan)
        shared = torch.cat([by_past, by_next], dim=-1)
        told = torch.cholesky_solve(by_latent.mT @ shared, factor)  # (n, Z, 2 * 207)
        left = shared - by_latent @ told
        frames = _by_frames(left, past=past, following=following, turn=turn)
        answers = _by_frames(-told, past=past, following=following, turn=turn)
        by_unknowns = torch.cat(
            [frames[i] @ base[self.first + i] for i in range(SPAN)], dim=-1
        )  # (n, R, 4 D)
        answer = torch.cat([answers[i] @ base[self.first + i] for i in range(SPAN)], dim=-1)
        return Model(by_unknowns.mT @ by_unknowns, answer, factor)

    def _energies(self, past: State, following: State, latents: Tensor) -> Tensor:
        squares = self._squares(past, following, latents)
        apart = 0.5 * OUTLIER**2 * (squares / OUTLIER**2).log1p().sum(dim=-1)
        return self.network.prior(past).energy(latents) + apart

    def _squares(self, past: State, following: State, latents: Tensor) -> Tensor:
        """(n, 69) squares of how far threes of numbers are from where latents lead, in errors.

        Nine entries of a matrix differ by sqrt(2) of its turn.
        """
        apart = following.numbers - changed(past, self.network.decode(past, latents)).numbers
        root, pose, places = apart.split([18, 9 * (JOINTS - 1), 6 * JOINTS], dim=-1)
        turn = root[..., 6:15].square().sum(dim=-1, keepdim=True) / 2
        vectors = torch.cat([root[..., :6], root[..., 15:]], dim=-1)
        first, second, last = _threes(vectors).split(1, dim=-1)
        turns = pose.unflatten(-1, (-1, 9)).square().sum(dim=-1) / 2
        squares = torch.cat([first, second, turn, last, turns, _threes(places)], dim=-1)
        return squares / errs(latents).square()


class _Rows(NamedTuple):
    """Derivatives of n transitions' residuals, the latents' first: R is Z + 207."""

    past: Tensor  # (n, R, 207)
    following: Tensor  # (n, R, 207)
    latent: Tensor  # (n, R, Z)


def _rows(found: Slopes, *, deviation: Tensor, fade: Tensor) -> _Rows:
    size = deviation.shape[1]
    one = torch.eye(TURNING_NUMBERS).to(deviation)
    scale = (fade.sqrt() / errs(deviation)).repeat_interleave(3, dim=1)[..., None]
    identity = torch.eye(size).to(deviation)
    by_past = [-found.likely / deviation[..., None], -scale * (one + found.led)]
    by_next = [found.likely.new_zeros(found.likely.shape), scale * one]
    by_latent = [identity / deviation[..., None], -scale * found.led_latent]
    return _Rows(*(torch.cat(each, dim=1) for each in (by_past, by_next, by_latent)))


def _by_frames(rows: Tensor, *, past: State, following: State, turn: Tensor) -> list[Tensor]:
    """Derivatives (n, R, 135) by changes of each of a transition's frames.

    Args:
        rows: (n, R, 2 * 207) by both states, in their canonical frame.
        past: (n,) that frame's own state: where it lies, and how it is turned, follows from it.
        following: (n,).
        turn: (n, 2) of that frame.
    """
    by_past, by_next = rows.split(TURNING_NUMBERS, dim=-1)
    place_past, place_next = by_past[..., _PLACED], by_next[..., _PLACED]
    speed_past, speed_next = (_HALF_RATE * each[..., _SPEEDS] for each in (by_past, by_next))
    before = rows.new_zeros(*rows.shape[:2], BASE)
    now, then, after = place_past.clone(), place_next.clone(), before.clone()
    before[..., _MOVING] = -speed_past
    now[..., _MOVING] -= speed_next
    then[..., _MOVING] += speed_past
    after[..., _MOVING] = speed_next
    # The frame lies under the former body, and turns with it.
    both = place_past + place_next
    now[..., :2] -= both[..., :2] + both[..., 69:].unflatten(-1, (JOINTS, 3)).sum(-2)[..., :2]
    pivot = pivot_of(past)
    right = -past.global_orient[..., 0]  # (n, 3), with y = 0
    along = rows @ torch.cat([_heading(past, pivot), _heading(following, pivot)], dim=-1).unsqueeze(
        -1
    )
    tilt = (right[:, 2] / right[:, 0].clamp(min=_LEAST_RIGHT))[:, None]
    now[..., 3] -= tilt * along[..., 0]
    now[..., 5] += along[..., 0]
    axes = turn_matrix(turn)[:, None]
    return [_in_world(each, axes) for each in (before, now, then, after)]


def _heading(state: State, pivot: Tensor) -> Tensor:
    """(n, 207) how a canonical state changes as its frame turns with the body about z.

    Args:
        state: (n,).
        pivot: (n, 2) metres, about which joints turn.
    """
    x_y = torch.cat([state.joints[..., :2] - pivot[:, None], state.joints_vel[..., :2]], dim=1)
    moved = torch.stack([x_y[..., 1], -x_y[..., 0]], dim=-1)
    moved = pad(moved, (0, 1)).flatten(1)  # (n, 132)
    root = torch.stack([state.transl, state.transl_vel, state.global_orient_vel], dim=1)
    root = pad(torch.stack([root[..., 1], -root[..., 0]], dim=-1), (0, 1))  # (n, 3, 3)
    turned = root.new_tensor([0.0, 0.0, -1.0]).expand(len(root), 1, 3)
    root = torch.cat([root[:, :2], turned, root[:, 2:]], dim=1).flatten(1)
    posed = root.new_zeros(len(root), 3 * (JOINTS - 1))
    return torch.cat([root, posed, moved], dim=-1)


def _in_world(columns: Tensor, axes: Tensor) -> Tensor:
    """(n, R, 135) by changes in world axes of what is by those in `axes` (n, 1, 3, 3) of it."""
    vectors = torch.cat([columns[..., :6], columns[..., 69:]], dim=-1)
    vectors = (vectors.unflatten(-1, (-1, 3)) @ axes).flatten(-2)
    return torch.cat([vectors[..., :6], columns[..., 6:69], vectors[..., 6:]], dim=-1)


def errs(like: Tensor) -> Tensor:
    """(69,) what the decoder usually errs by, of each three numbers of a change."""
    return torch.cat([like.new_full((count,), err) for err, count in _ERRS])


def _threes(numbers: Tensor) -> Tensor:
    """(..., D / 3) squared lengths of threes of numbers (..., D)."""
    return numbers.unflatten(-1, (-1, 3)).square().sum(dim=-1)
