"""Short scenes of training clips, as pictures with the truth: what BlazePose's errors are taken of.

Each scene has a person, clothes, a room and a camera of its own; in some a thing or somebody else
stands in the way, and in some the picture's edge cuts the person.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..body import kinematics
from ..body.model import Body
from ..contract import body_file
from ..geometry.rotations import aa_to_matrix
from ..training.cameras import Cameras, draw_cameras, draw_places, draw_turns, seen_by
from ..training.mocap import FPS, Clip, Clips, shares
from ..training.occlusion import behind_own_body, draw_things, state_of
from ..training.synthetic import LandmarkBody, draw_betas
from ..video.frames import Frame
from . import dressed

FRAMES = 16
STEP = 2  # every other of the clip's frames: 15 a second
LONGEST_PX = 640
THING_SHARE, PERSON_SHARE = 0.25, 0.15
COVERED_FROM = 128  # of 255: how much of a landmark's pixel is somebody else


@dataclass(frozen=True, eq=False)
class Truth:
    """One scene's person over T frames."""

    clip: str
    fps: float
    landmarks: Tensor  # (T, 33, 3) metres, camera axes
    joints: Tensor  # (T, 24, 3) metres, camera axes
    rotations: Tensor  # (T, 24, 3, 3) of the joints, to the camera
    state: Tensor  # (T, 33) int64 of occlusion.STATES
    cameras: Cameras  # T times the same


@dataclass(frozen=True, eq=False)
class Stage:
    """What scenes are made with."""

    template: body_file.BodyTemplate
    mesh: Body
    body: LandmarkBody


def stage() -> Stage:
    """The embedded body, in all forms that scenes need."""
    template = body_file.load(body_file.EMBEDDED_BODY)
    return Stage(template, Body.from_template(template), LandmarkBody.from_template(template))


def scenes(
    clips: Clips, stage: Stage, *, count: int, seed: int
) -> Iterator[tuple[Truth, list[Frame]]]:
    """`count` scenes of `clips`, kinds of motion in turn by their weight."""
    rng = np.random.default_rng(seed)
    long = [clip for clip in clips if len(clip.body_pose) >= FRAMES * STEP]
    weights = np.array(shares(tuple(long)))
    for number in range(count):
        clip = long[rng.choice(len(long), p=weights / weights.sum())]
        first = int(rng.integers(len(clip.body_pose) - FRAMES * STEP + 1))
        yield _scene(_cut(clip, first), stage, rng=rng, seed=seed * 100003 + number)


def _cut(clip: Clip, first: int) -> Clip:
    rows = slice(first, first + FRAMES * STEP, STEP)
    return replace(
        clip,
        body_pose=clip.body_pose[rows],
        global_orient=clip.global_orient[rows],
        pelvis=clip.pelvis[rows],
    )


@torch.no_grad()
def _scene(
    clip: Clip, stage: Stage, *, rng: np.random.Generator, seed: int
) -> tuple[Truth, list[Frame]]:
    generator = torch.Generator().manual_seed(seed)
    frames = len(clip.body_pose)
    turn = draw_turns(1, generator)[0]
    local = np.concatenate([clip.global_orient[:, None], clip.body_pose], axis=1)
    rotmat = aa_to_matrix(torch.tensor(local)).float()
    rotmat[:, 0] = turn @ rotmat[:, 0]
    betas = draw_betas(1, generator).expand(frames, -1)
    path = torch.tensor(clip.pelvis, dtype=torch.float32) @ turn.mT
    path = path - path[frames // 2]
    lens = _small(draw_cameras(1, generator))
    middle = stage.body.stand(rotmat, betas=betas, transl=path)[1][frames // 2]
    transl = path + draw_places(middle[None], lens, generator)
    joints, landmarks = stage.body.stand(rotmat, betas=betas, transl=transl)
    cameras = Cameras(
        lens.size.expand(frames, -1), lens.focal.expand(frames), lens.believed.expand(frames)
    )
    vertices = stage.mesh.vertices(rotmat[:, 0], rotmat[:, 1:], betas=betas, transl=transl)
    clean, inside = seen_by(landmarks, cameras)
    pictures, covered = _pictures(stage, vertices.numpy(), clean, lens, rng=rng)
    state = state_of(inside=inside, covered=covered, behind=behind_own_body(landmarks, joints))
    rotations = kinematics.global_rotations(rotmat[:, 0], rotmat[:, 1:])
    truth = Truth(clip.name, FPS / STEP, landmarks, joints, rotations, state, cameras)
    times = np.arange(frames) / truth.fps
    return truth, [Frame(float(time), each) for time, each in zip(times, pictures, strict=True)]


def _small(lens: Cameras) -> Cameras:
    scale = LONGEST_PX / lens.size.amax(dim=1)
    return Cameras((lens.size * scale[:, None]).round(), lens.focal * scale, lens.believed * scale)


def _pictures(
    stage: Stage,
    vertices: np.ndarray,
    clean: Tensor,
    lens: Cameras,
    *,
    rng: np.random.Generator,
) -> tuple[list[np.ndarray], Tensor]:
    """T pictures, and (T, 33) bool which landmarks something else covers."""
    size = (int(lens.size[0, 0]), int(lens.size[0, 1]))
    optics = {"focal_px": float(lens.focal[0]), "center_px": lens.center[0].numpy()}
    look = dressed.drawn_look(stage.template, rng)
    background = dressed.drawn_background(size, rng)
    front, mask = _front(stage, vertices, clean, size, optics=optics, rng=rng)
    pictures, covered = [], []
    for shape, places in zip(vertices, clean.numpy(), strict=True):
        picture, _ = dressed.paint(
            background, shape, faces=stage.template.faces, look=look, **optics
        )
        share = mask[..., None] / 255
        picture = (picture * (1 - share) + front * share).astype(np.uint8)
        pictures.append(dressed.as_filmed(picture, rng))
        columns, rows = np.rint(np.clip(places, 0, np.array(size) - 1)).astype(int).T
        covered.append(mask[rows, columns] >= COVERED_FROM)
    return pictures, torch.tensor(np.array(covered))


def _front(
    stage: Stage,
    vertices: np.ndarray,
    clean: Tensor,
    size: tuple[int, int],
    *,
    optics: dict,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """(H, W, 3) what stands before the person, and (H, W) uint8 where."""
    width, height = size
    nothing = np.zeros((height, width, 3), dtype=np.uint8)
    kind = rng.random()
    if kind < PERSON_SHARE:
        other = dressed.drawn_look(stage.template, rng)
        middle = vertices[len(vertices) // 2]
        aside = rng.normal(0, 0.25, 3) * [1, 1, 0]
        nearer = middle.mean(axis=0) * rng.uniform(0.55, 0.85)
        shape = middle[:, :] - middle.mean(axis=0)
        turned = shape * [1, 1, -1] if rng.random() < 0.5 else shape
        return dressed.paint(
            nothing, turned + nearer + aside, faces=stage.template.faces, look=other, **optics
        )
    mask = np.zeros((height, width), dtype=np.uint8)
    if kind > PERSON_SHARE + THING_SHARE:
        return nothing, mask
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    thing = draw_things(clean[len(clean) // 2 : len(clean) // 2 + 1].repeat(64, 1, 1), generator)
    row = int(torch.argmax((thing.half[:, 0] > 0).int()))
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    places = torch.tensor(np.stack([columns, rows], axis=-1).reshape(1, -1, 2)).float()
    only = replace(thing, middle=thing.middle[row : row + 1], half=thing.half[row : row + 1],
                   angle=thing.angle[row : row + 1])  # fmt: skip
    mask[:] = only.cover(places).numpy().reshape(height, width) * 255
    return dressed.drawn_background(size, rng), mask
