"""Whole clips before one camera each, as BlazePose would report them over time, with the truth.

What is learned from single pictures is judged, and what follows people through time is tried, on
these. The camera stands still, the errors change slowly, and things hide people for a while. A
clip's shot follows from the seed and the clip's name alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from ..contract.skeleton import JOINT_COUNT
from ..geometry.rotations import aa_to_matrix
from ..people.observations import Person
from .cameras import Cameras, draw_cameras, draw_turns, seen_by
from .mocap import FPS, Clip, Clips
from .noise import Chances, metric_landmarks
from .occlusion import Things, draw_things
from .poses import FEET, HANDS, WRISTS
from .synthetic import Figures, LandmarkBody, Samples, draw_betas, photographed

FIGURE_SHARE = (0.35, 0.85)  # of the picture's shorter extent that the whole path may fill
FARTHEST_M = 14.0
HIDDEN_SHARE = 0.35  # shots in which something hides the person for a while
HIDDEN_S = (0.4, 2.0)
HIDDEN_LEAST = 4  # landmarks that a thing covers, where it hides the person
BOX_MARGIN = 0.1  # of the box's size

Hide = Callable[[Tensor, Generator], Things]  # of true landmarks (T, 33, 2), pixels


@dataclass(frozen=True, eq=False)
class Shot:
    """One clip before one camera that stands still."""

    name: str
    kind: str  # what is done
    samples: Samples  # T frames of one person
    times_s: np.ndarray  # (T,) seconds
    fps: float
    size_px: tuple[int, int]  # width, height
    focal_px: float  # the truth; `samples.focal` is what the program would believe
    hidden: np.ndarray  # (T,) bool, whether a thing covers `HIDDEN_LEAST` landmarks or more

    def person(self, number: int = 0) -> Person:
        """What `people` would hand on of this shot."""
        keypoints = self.samples.keypoints.cpu().numpy()
        low, high = keypoints[..., :2].min(axis=1), keypoints[..., :2].max(axis=1)
        margin = BOX_MARGIN * (high - low).max(axis=1, keepdims=True)
        return Person(
            person=number,
            times_s=self.times_s,
            boxes=np.concatenate([low - margin, high + margin], axis=1),
            keypoints=keypoints,
            landmarks3d=self.samples.landmarks3d.cpu().numpy(),
            presence=np.full(len(keypoints), 0.98),
        )


def dice(clip: Clip, seed: int) -> Generator:
    """What the shot of a clip is drawn from: the same for the same clip and seed."""
    digest = hashlib.sha256(f"{seed} {clip.name}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "little"))


def shots(clips: Clips, body: LandmarkBody, *, seed: int) -> Iterator[Shot]:
    """A shot of each of `clips`, in their order.

    Args:
        clips: what people do.
        body: on the CPU.
        seed: other seeds give other cameras, people and errors.
    """
    for clip in clips:
        yield shot_of(clip, body, seed=seed)


@torch.no_grad()
def shot_of(clip: Clip, body: LandmarkBody, *, seed: int, hide: Hide | None = None) -> Shot:
    """The shot of one clip.

    Args:
        clip: what is done.
        body: on the CPU.
        seed: see `shots`.
        hide: what stands before the person in each frame; None: things by chance. Ways that draw
            nothing leave all other chances as they are, so that their shots can be compared.
    """
    generator = dice(clip, seed)
    frames = len(clip.body_pose)
    betas = draw_betas(1, generator)
    lens, turn = draw_cameras(1, generator), draw_turns(1, generator)[0]
    rotmat = _rotations(clip, turn)
    path = torch.tensor(clip.pelvis, dtype=torch.float32) @ turn.mT
    figures = Figures.of(body, rotmat, betas=betas.expand(frames, -1), transl=path)
    # The clip tells where the pelvis is, which is not where a body has its origin.
    figures = figures.moved(path - figures.joints[:, 0])
    figures = figures.moved(_standpoint(figures.landmarks, lens, generator).expand(frames, -1))
    cameras = Cameras(
        lens.size.expand(frames, -1), lens.focal.expand(frames), lens.believed.expand(frames)
    )
    things = (hide or _by_chance)(seen_by(figures.landmarks, cameras)[0], generator)
    samples = photographed(
        figures,
        cameras=cameras,
        things=things,
        chances=Chances.over_time(frames, generator, fps=FPS),
        guess=lambda landmarks, scores: metric_landmarks(landmarks, scores, generator, fps=FPS),
        known=_known(clip).expand(frames, -1),
    )
    return Shot(
        name=clip.name,
        kind=clip.kind,
        samples=samples,
        times_s=np.arange(frames) / FPS,
        fps=FPS,
        size_px=(int(lens.size[0, 0]), int(lens.size[0, 1])),
        focal_px=float(lens.focal[0]),
        hidden=(things.cover(samples.clean).sum(dim=1) >= HIDDEN_LEAST).numpy(),
    )


def _rotations(clip: Clip, turn: Tensor) -> Tensor:
    """(T, 24, 3, 3) the clip's, its world turned into the camera's axes; hands at rest."""
    local = np.concatenate([clip.global_orient[:, None], clip.body_pose], axis=1)
    rotmat = aa_to_matrix(torch.tensor(local)).float()
    rotmat[:, HANDS] = torch.eye(3)
    if not clip.feet_ok:
        rotmat[:, FEET] = torch.eye(3)
    rotmat[:, 0] = turn @ rotmat[:, 0]
    return rotmat


def _known(clip: Clip) -> Tensor:
    known = torch.ones(1, JOINT_COUNT)
    known[:, [*HANDS, *WRISTS]] = 0.0
    if not clip.feet_ok:
        known[:, FEET] = 0.0
    return known


def _standpoint(landmarks: Tensor, lens: Cameras, generator: Generator) -> Tensor:
    """(3,) metres to move all by, so that the path of landmarks (T, 33, 3) is in the picture."""
    low, high = landmarks.amin(dim=(0, 1)), landmarks.amax(dim=(0, 1))
    least, most = FIGURE_SHARE
    share = least + (most - least) * torch.rand(1, generator=generator)
    needed = lens.focal * ((high - low)[:2] / lens.size[0]).amax() / share
    # People who walk a long way may leave the picture; far off they would be dots.
    depth = needed.clamp(max=FARTHEST_M) + (high - low)[2] / 2
    side = (torch.rand(2, generator=generator) - 0.5) * (1 - share) * lens.size[0]
    middle = torch.cat([side / lens.focal, torch.ones(1)]) * depth
    return middle - (low + high) / 2


def _by_chance(places: Tensor, generator: Generator) -> Things:
    """What hides the person in some frames; it stands still in the picture while it is there."""
    frames = len(places)
    drawn = torch.rand(4, generator=generator)
    least, most = HIDDEN_S
    length = round(float(least + (most - least) * drawn[0]) * FPS)
    first = round(float(drawn[1]) * max(frames - length, 0))
    middle_frame = min(first + length // 2, frames - 1)
    thing = draw_things(places[middle_frame : middle_frame + 1], generator)
    there = torch.zeros(frames, 1)
    if drawn[2] < HIDDEN_SHARE:
        there[first : first + length] = 1.0
    size = places[middle_frame].amax(dim=0) - places[middle_frame].amin(dim=0)
    half = torch.where(thing.half > 0, thing.half, 0.25 * size.amax())
    return Things(
        thing.middle.expand(frames, -1), half.expand(frames, -1) * there, thing.angle.expand(frames)
    )
