"""People before cameras, as BlazePose would report them, with the truth: what is learned from.

Poses come from `poses`, cameras from `cameras`, what is hidden from `occlusion`, and the network's
errors from `noise`. Everything is drawn on the CPU from one generator, so that a seed gives the
same samples on every device, and a stopped training goes on where it was.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from ..body import kinematics
from ..body.landmarks import blazepose_rows
from ..body.reduced import ReducedBody
from ..contract import body_file
from ..contract.body_file import BodyTemplate
from ..contract.skeleton import BETAS_COUNT, BLAZEPOSE_NAMES, JOINT_COUNT, JOINT_NAMES
from ..geometry.rotations import aa_to_matrix, cross_matrix
from ..methods.features.keypoints import View, view_of
from .cameras import Cameras, draw_cameras, draw_places, draw_turns, seen_by
from .mocap import Clips
from .noise import Chances, biased, guesses_apart, observed
from .occlusion import SEEN, Things, behind_own_body, draw_things, state_of
from .poses import PoseBank

BETAS_SPREAD, MOST_BETA = 1.1, 3.0


@dataclass(frozen=True, eq=False)
class Samples:
    """B people, each before a camera of its own; tensors on one device, float32."""

    keypoints: Tensor  # (B, 33, 3) px, px, score: what BlazePose would report
    landmarks3d: Tensor  # (B, 33, 3) m about the hips, what it would guess; zeros: no guess
    focal: Tensor  # (B,) px, what the program would believe
    center: Tensor  # (B, 2) px
    clean: Tensor  # (B, 33, 2) px of the true landmarks
    visible: Tensor  # (B, 33) bool: in the picture and not hidden
    rotmat: Tensor  # (B, 24, 3, 3) pelvis to camera first, then each joint to its parent
    known: Tensor  # (B, 24) 1 where the rotation is plausible enough to be taught or judged
    betas: Tensor  # (B, 10)
    transl: Tensor  # (B, 3) m, camera axes
    joints: Tensor  # (B, 24, 3) m, camera axes

    def __len__(self) -> int:
        return len(self.keypoints)

    def view(self) -> View:
        """What an encoder sees of them."""
        return view_of(
            self.keypoints, focal=self.focal, center=self.center, landmarks3d=self.landmarks3d
        )

    def to(self, device: torch.device | str) -> Samples:
        """The same on another device."""
        return Samples(**{each.name: getattr(self, each.name).to(device) for each in fields(self)})

    def __getitem__(self, rows: Tensor | slice) -> Samples:
        """The people of some rows."""
        return Samples(**{each.name: getattr(self, each.name)[rows] for each in fields(self)})


@dataclass(frozen=True, eq=False)
class LandmarkBody:
    """A body that has BlazePose's 33 landmarks."""

    reduced: ReducedBody
    landmarks: Tensor  # (33,) int64, which of the reduced body's points they are

    @classmethod
    def from_template(cls, template: BodyTemplate, *, device: str = "cpu") -> LandmarkBody:
        """The body of `template`, which must have all 33."""
        rows = blazepose_rows(template)
        assert len(rows.columns) == len(BLAZEPOSE_NAMES), f"{template.name} lacks landmarks"
        reduced = ReducedBody.from_template(template, rows.rows, device=device)
        return cls(reduced, torch.tensor(rows.points, device=device))

    def stand(
        self, rotmat: Tensor, *, betas: Tensor, transl: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """(..., 24, 3) joints and (..., 33, 3) landmarks, metres, of rotations (..., 24, 3, 3)."""
        points = self.reduced.points(
            rotmat[..., 0, :, :], rotmat[..., 1:, :, :], betas=betas, transl=transl
        )
        return points[..., :JOINT_COUNT, :], points.index_select(-2, self.landmarks)


def embedded_body(gender: str = "neutral", *, device: str = "cpu") -> LandmarkBody:
    """The body that is shipped."""
    template = body_file.load(body_file.EMBEDDED_BODY, gender)
    return LandmarkBody.from_template(template, device=device)


@dataclass(frozen=True, eq=False)
class Figures:
    """B bodies in their poses, metres, camera axes."""

    rotmat: Tensor  # (B, 24, 3, 3) pelvis to camera first, then each joint to its parent
    betas: Tensor  # (B, 10)
    transl: Tensor  # (B, 3)
    joints: Tensor  # (B, 24, 3)
    landmarks: Tensor  # (B, 33, 3)

    @classmethod
    def of(cls, body: LandmarkBody, rotmat: Tensor, *, betas: Tensor, transl: Tensor) -> Figures:
        """People with the shape and pose given; see the fields."""
        joints, landmarks = body.stand(rotmat, betas=betas, transl=transl)
        return cls(rotmat, betas, transl, joints, landmarks)

    def moved(self, transl: Tensor) -> Figures:
        """The same people, further by (B, 3) metres."""
        step = transl[:, None]
        return Figures(
            self.rotmat,
            self.betas,
            self.transl + transl,
            self.joints + step,
            self.landmarks + step,
        )


class Sampler:
    """Endless samples of the clips of a split."""

    def __init__(
        self, clips: Clips, body: LandmarkBody, *, seed: int, device: torch.device | str = "cpu"
    ) -> None:
        """A sampler that begins at `seed`.

        Args:
            clips: what people do.
            body: on the CPU.
            seed: the same seed gives the same samples.
            device: where samples end up.
        """
        self._bank = PoseBank.of(clips)
        self._body = body
        self._device = device
        self._generator = torch.Generator().manual_seed(seed)

    @torch.no_grad()
    def draw(self, count: int) -> Samples:
        """The next `count` people."""
        generator = self._generator
        pose = aa_to_matrix(self._bank.draw(count, generator))  # (B, 24, 3, 3)
        turn = draw_turns(count, generator)
        rotmat = torch.cat([(turn @ pose[:, 0])[:, None], pose[:, 1:]], dim=1)
        betas = draw_betas(count, generator)
        figures = Figures.of(self._body, rotmat, betas=betas, transl=torch.zeros(count, 3))
        cameras = draw_cameras(count, generator)
        figures = figures.moved(draw_places(figures.landmarks, cameras, generator))
        samples = photographed(
            figures,
            cameras=cameras,
            things=draw_things(seen_by(figures.landmarks, cameras)[0], generator),
            chances=Chances.draw(count, generator),
            guess=lambda landmarks, scores: guesses_apart(landmarks, scores, generator),
        )
        return samples.to(self._device)

    def state_dict(self) -> dict[str, Tensor]:
        """Where in its endless row this sampler is."""
        return {"generator": self._generator.get_state()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Goes on where `state` was taken."""
        self._generator.set_state(state["generator"])


def photographed(
    figures: Figures,
    *,
    cameras: Cameras,
    things: Things,
    chances: Chances,
    guess: Callable[[Tensor, Tensor], Tensor],
    known: Tensor | None = None,
) -> Samples:
    """B people as BlazePose reports them, with the truth.

    Args:
        figures: the people.
        cameras: one a person.
        things: what stands before them.
        chances: what BlazePose's errors are made of.
        guess: its landmarks in three dimensions, of the true ones (B, 33, 3), seen straight at the
            person, and its scores (B, 33).
        known: (B, 24); all if not given.
    """
    rotmat, joints, landmarks = figures.rotmat, figures.joints, figures.landmarks
    clean, inside = seen_by(landmarks, cameras)
    state = state_of(
        inside=inside, covered=things.cover(clean), behind=behind_own_body(landmarks, joints)
    )
    turns = kinematics.global_rotations(rotmat[:, 0], rotmat[:, 1:])
    meant = seen_by(biased(landmarks, turns), cameras)[0]
    keypoints = observed(
        meant,
        state=state,
        size=cameras.size,
        px_per_m=cameras.focal / joints[:, 0, 2].clamp(min=0.1),
        away=_turned_away(turns, joints),
        chances=chances,
    )
    return Samples(
        keypoints=keypoints,
        landmarks3d=guess(straight_at(landmarks, joints[:, 0]), keypoints[..., 2]),
        focal=cameras.believed,
        center=cameras.center,
        clean=clean,
        visible=state == SEEN,
        rotmat=rotmat,
        known=torch.ones(len(rotmat), JOINT_COUNT) if known is None else known,
        betas=figures.betas,
        transl=figures.transl,
        joints=joints,
    )


def draw_betas(count: int, generator: torch.Generator) -> Tensor:
    """(count, 10) shapes of people, a little more various than they are."""
    drawn = BETAS_SPREAD * torch.randn(count, BETAS_COUNT, generator=generator)
    return drawn.clamp(-MOST_BETA, MOST_BETA)


def straight_at(points: Tensor, middle: Tensor) -> Tensor:
    """(B, P, 3) points turned by the least that brings `middle` (B, 3) onto the optical axis."""
    ray = torch.nn.functional.normalize(middle, dim=1)
    axis = torch.linalg.cross(ray, torch.tensor([0.0, 0.0, 1.0]).expand_as(ray))
    cross = cross_matrix(axis)
    turn = torch.eye(3) + cross + cross @ cross / (1 + ray[:, 2]).clamp(min=1e-3)[:, None, None]
    return points @ turn.mT


def _turned_away(turns: Tensor, joints: Tensor) -> Tensor:
    """(B,) from 0, the chest faces the camera, to 1, the back does."""
    chest = JOINT_NAMES.index("spine3")
    forward = turns[:, chest, :, 2]
    towards = -joints[:, chest] / joints[:, chest].norm(dim=1, keepdim=True).clamp(min=1e-6)
    angle = torch.acos((forward * towards).sum(dim=1).clamp(-1, 1))
    return angle / math.pi
