"""People over time before cameras that stand still, as BlazePose would report them, with the truth.

What a temporal network learns from: motions from motions.py, the detector's errors as they change
over time from sequence_noise.py, things that hide people for a while, frames in which nobody is
found, and people who are lost for longer. All of N * T rows: a person's frames, then the next
one's, `FPS` frames a second whatever the footage had.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor

from ..geometry.rotations import aa_to_matrix
from ..methods.features.keypoints import View
from ..methods.vibe.keypoint_network import FPS
from ..methods.vibe.views import views_over_time
from .cameras import NEAREST_M, Cameras, draw_cameras, draw_places, draw_turns, seen_by
from .mocap import Clips
from .motions import MotionBank
from .occlusion import Things, draw_things
from .poses import draw_tilts
from .sequence_noise import (
    between_frames,
    chances_over_time,
    draw_rates,
    draw_tremble,
    guesses_over_time,
    seen_at,
)
from .synthetic import Figures, LandmarkBody, Samples, draw_betas, photographed

SPELL_SHARES = (0.4, 0.15)  # people before whom something stands for a while, once and twice
SPELL_S = (0.1, 2.0)  # even in the logarithm
WHOLE_SHARE, WHOLE_SIZE = 0.15, 0.8  # spells that hide all of a person; half sides over the size
USUAL_SIZE = 0.25  # half sides over the person's size, of what stands there if nothing is drawn
COVERED_LEAST = 4  # landmarks that are covered in a frame that counts as hidden
FOLLOWED_SHARE = 0.4  # cameras that move along, so that people stay where they are in the picture
INSIDE_LEAST = 6  # landmarks in the picture; with fewer nobody is found
MISSED_SHARE, MISSED = 0.5, 0.02  # people who are missed now and then, and in how many frames
RUN_SHARE, RUN_FRAMES = 0.2, (2, 7)
GAP_SHARE, GAP_S = 0.15, (0.2, 1.5)  # people who are lost and found again


@dataclass(frozen=True, eq=False)
class Sequences:
    """N people over T frames."""

    samples: Samples  # N * T rows
    people: int
    hidden: Tensor  # (N, T) bool, something covers a good part
    missed: Tensor  # (N, T) bool, nobody is found

    @property
    def frames(self) -> int:
        """T."""
        return len(self.samples) // self.people

    def over_time(self, rows: Tensor) -> Tensor:
        """(N, T, ...) of rows (N * T, ...)."""
        return rows.unflatten(0, (self.people, self.frames))

    def view(self) -> View:
        """What a temporal network is shown."""
        samples, first = self.samples, slice(None, None, self.frames)
        return views_over_time(
            self.over_time(samples.keypoints),
            focal=samples.focal[first],
            center=samples.center[first],
            landmarks3d=self.over_time(samples.landmarks3d),
        )

    def to(self, device: torch.device | str) -> Sequences:
        """The same on another device."""
        moved = {name: getattr(self, name).to(device) for name in ("samples", "hidden", "missed")}
        return replace(self, **moved)


class MotionSampler:
    """Endless sequences of the clips of a split."""

    def __init__(
        self,
        clips: Clips,
        body: LandmarkBody,
        *,
        seed: int,
        device: torch.device | str = "cpu",
    ) -> None:
        """A sampler that begins at `seed`.

        Args:
            clips: what people do.
            body: on the CPU.
            seed: the same seed gives the same sequences.
            device: where sequences end up.
        """
        self._bank = MotionBank.of(clips)
        self._body = body
        self._device = device
        self._generator = torch.Generator().manual_seed(seed)

    @torch.no_grad()
    def draw(self, people: int, frames: int) -> Sequences:
        """The next `people`, over so many frames."""
        generator = self._generator
        figures = self._figures(people, frames, generator)
        cameras = draw_cameras(people, generator)
        figures = _placed(figures, cameras, people=people, generator=generator)
        wide = Cameras(*(_rows(each, frames) for each in (cameras.size, cameras.focal,
                                                          cameras.believed)))  # fmt: skip
        places, inside = seen_by(figures.landmarks, wide)
        things = draw_spells(places.unflatten(0, (people, frames)), generator)
        rates = draw_rates(people, generator)
        tremble = draw_tremble(rates, generator)
        samples = photographed(
            figures,
            cameras=wide,
            things=things,
            chances=chances_over_time(frames, tremble, generator),
            guess=lambda landmarks, scores: guesses_over_time(
                landmarks, scores, generator, tremble=tremble
            ),
        )
        missed = draw_missed(people, frames, generator)
        missed |= (inside.sum(dim=1) < INSIDE_LEAST).unflatten(0, (people, frames))
        samples = _filmed(samples, missed, seen=seen_at(frames, rates, generator))
        hidden = (things.cover(places).sum(dim=1) >= COVERED_LEAST).view(people, frames)
        return Sequences(samples, people, hidden, missed).to(self._device)

    def state_dict(self) -> dict[str, Tensor]:
        """Where in its endless row this sampler is."""
        return {"generator": self._generator.get_state()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Goes on where `state` was taken."""
        self._generator.set_state(state["generator"])

    def _figures(self, people: int, frames: int, generator: Generator) -> Figures:
        """N * T bodies about the middle of their paths, in the axes of their cameras."""
        motions = self._bank.draw(people, frames, generator)
        turn = draw_turns(people, generator)  # (N, 3, 3)
        tilted = turn @ aa_to_matrix(draw_tilts(people, generator))
        rotmat = aa_to_matrix(motions.pose.flatten(0, 1))
        rotmat[:, 0] = _rows(tilted, frames) @ rotmat[:, 0]
        betas = _rows(draw_betas(people, generator), frames)
        figures = Figures.of(self._body, rotmat, betas=betas, transl=torch.zeros(len(rotmat), 3))
        followed = torch.rand(people, 2, generator=generator)
        kept = torch.where(followed[:, 0] < FOLLOWED_SHARE, followed[:, 1], 1.0)
        path = motions.path - motions.path.mean(dim=1, keepdim=True)
        path = kept[:, None, None] * path @ turn.mT
        # A clip tells where the pelvis is, which is not where a body has its origin.
        return figures.moved(path.flatten(0, 1) - figures.joints[:, 0])


def draw_spells(places: Tensor, generator: Generator) -> Things:
    """What hides N people for a while: up to two things each, still while they are there.

    Args:
        places: (N, T, 33, 2) pixels.
        generator: what chance is drawn from.

    Returns:
        Things before N * T people.
    """
    people, frames = places.shape[:2]
    middle = torch.zeros(people, frames, 2)
    half, angle = torch.zeros(people, frames, 2), torch.zeros(people, frames)
    for share in SPELL_SHARES:
        there = _spans(frames, _log_even(people, SPELL_S, generator) * FPS, generator)
        there &= (torch.rand(people, generator=generator) < share)[:, None]
        anchor = there.int().argmax(dim=1)
        thing = _something(places[torch.arange(people), anchor], generator)
        middle = torch.where(there[..., None], thing.middle[:, None], middle)
        half = torch.where(there[..., None], thing.half[:, None], half)
        angle = torch.where(there, thing.angle[:, None], angle)
    return Things(middle.flatten(0, 1), half.flatten(0, 1), angle.flatten())


def draw_missed(people: int, frames: int, generator: Generator) -> Tensor:
    """(N, T) bool, frames in which nobody is found: single ones, runs, and long gaps."""
    chance = MISSED * (torch.rand(people, 1, generator=generator) < MISSED_SHARE)
    missed = torch.rand(people, frames, generator=generator) < chance
    for share, bounds in (
        (RUN_SHARE, RUN_FRAMES),
        (GAP_SHARE, (GAP_S[0] * FPS, GAP_S[1] * FPS)),
    ):
        away = _spans(frames, _log_even(people, bounds, generator), generator)
        missed |= away & (torch.rand(people, generator=generator) < share)[:, None]
    missed[missed.all(dim=1)] = False
    return missed


def _placed(figures: Figures, cameras: Cameras, *, people: int, generator: Generator) -> Figures:
    """The people where their cameras see them: well framed in one frame, and never behind."""
    frames = len(figures.landmarks) // people
    landmarks = figures.landmarks.unflatten(0, (people, frames))
    anchor = torch.randint(frames, (people,), generator=generator)
    step = draw_places(landmarks[torch.arange(people), anchor], cameras, generator)
    nearest = landmarks[..., 2].amin(dim=(1, 2)) + step[:, 2]
    step[:, 2] += (NEAREST_M - nearest).clamp(min=0)
    return figures.moved(_rows(step, frames))


def _something(places: Tensor, generator: Generator) -> Things:
    """One thing before each of N people at places (N, 33, 2), pixels."""
    thing = draw_things(places, generator)
    low, high = places.amin(dim=1), places.amax(dim=1)
    size = (high - low).amax(dim=1, keepdim=True).expand(-1, 2)
    whole = (torch.rand(len(places), generator=generator) < WHOLE_SHARE)[:, None]
    half = torch.where(thing.half > 0, thing.half, USUAL_SIZE * size)
    return Things(
        torch.where(whole, (low + high) / 2, thing.middle),
        torch.where(whole, WHOLE_SIZE * size, half),
        thing.angle,
    )


def _filmed(samples: Samples, missed: Tensor, *, seen: tuple[Tensor, Tensor, Tensor]) -> Samples:
    """What is left of it at the footage's frame rate, and of frames in which nobody is found."""
    shape, there = missed.shape, ~missed.flatten()
    keypoints, landmarks3d = (
        between_frames(each.unflatten(0, shape), seen).flatten(0, 1)
        for each in (samples.keypoints, samples.landmarks3d)
    )
    return replace(
        samples,
        keypoints=torch.cat(
            [keypoints[..., :2], keypoints[..., 2:] * there[:, None, None]], dim=-1
        ),
        landmarks3d=landmarks3d * there[:, None, None],
    )


def _spans(frames: int, length: Tensor, generator: Generator) -> Tensor:
    """(N, T) bool, one stretch of `length` (N,) frames a person, which the ends may cut."""
    first = torch.rand(len(length), generator=generator) * (frames + length) - length
    index = torch.arange(frames) + 0.5
    there = (index >= first[:, None]) & (index < (first + length)[:, None])
    return there


def _log_even(count: int, bounds: tuple[float, float], generator: Generator) -> Tensor:
    least, most = bounds
    return least * (most / least) ** torch.rand(count, generator=generator)


def _rows(values: Tensor, frames: int) -> Tensor:
    return values.repeat_interleave(frames, dim=0)
