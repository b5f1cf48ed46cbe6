"""VIBE as it was published: bodies over time from pixels (Kocabas et al., CVPR 2020).

Crops become SPIN's features, and these bodies, person by person and ever further in time: what a
GRU remembers is all that is kept, whatever the length of the shot. Two conventions: `house` hands
that memory on from the first frame to the last, shows the network about `FPS` frames a second, as
it was taught, and turns bodies from the crop's camera to the picture's. `published` is the authors'
demo: pieces of 450 frames that know nothing of each other, every frame as it comes, and people
placed by a weak camera of the whole picture for boxes a tenth smaller than those of the crops.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from ...contract.errors import AssetCorrupt
from ...contract.messages import Clip
from ...contract.motion import Camera
from ...contract.skeleton import BETAS_COUNT, JOINT_COUNT
from ...geometry.cameras import crop_to_picture_camera, picture_camera_to_transl
from ...people.observations import Person
from ...video.crops import crop, plain_crop
from ..features.keypoints import boxes_of
from ..features.looks import Boxes, Crop, looks
from ..hmr.frames import PerFrame, has_enough
from ..hmr.inference import prepared
from ..hmr.pixel_network import PixelNetwork
from ..hmr.pixels import to_picture
from ..hmr.regressor import CAMERA_NUMBERS, Regressed
from ..hmr.weights import load_pixel_network
from ..toolbox import Report
from .pixel_network import Generator
from .weights import load_generator

Conventions = Literal["house", "published"]

FPS = 30.0  # of most footage that it was taught on
PIECE = 450  # frames that the demo looks at at once
ENLARGED = 1.1  # the demo's crops over its tracker's boxes
_LEAST_APART_S = 0.8 / FPS  # frames nearer to the last one are passed over, and turned between
_LEAST_SCALE = 0.01  # of a weak camera: smaller people cannot be, and would stand nowhere
_MOST_BETWEEN = 30  # features that are put into a hole in the footage


@dataclass(frozen=True, eq=False)
class PixelVibe:
    """Both networks, ready."""

    features: Callable[[Tensor], Tensor]  # of crops (B, 3, 224, 224): (B, 2048)
    generator: Generator
    device: torch.device

    def __call__(
        self,
        people: Sequence[Person],
        camera: Camera,
        clip: Clip,
        *,
        conventions: Conventions,
        report: Report,
    ) -> list[PerFrame]:
        """What the networks say of people who were followed through `clip`.

        Args:
            people: who was followed.
            camera: that saw them.
            clip: the footage.
            conventions: see above.
            report: told of every batch; may raise to stop.

        Raises:
            VideoError: the footage cannot be read any more.
            AssetCorrupt: the networks say what are no numbers.
        """
        way = _WAYS[conventions]
        boxes = [way.boxes(each) for each in people]
        memories = [way.memory(self.generator) for _ in people]
        said = [_Said(len(each.times_s)) for each in people]
        found = looks(clip, boxes, self.features, device=self.device, report=report, cut=way.cut)
        with closing(found) as batches, torch.inference_mode():
            for look in batches:
                for owner in np.unique(look.owners):
                    mine = np.flatnonzero(look.owners == owner)
                    features = look.said[torch.from_numpy(mine).to(self.device)]
                    frames = look.frames[mine]
                    times_s = people[owner].times_s[frames]
                    said[owner].note(frames, memories[owner].further(features, times_s))
        return [
            _on(way.seen(*each, camera), self.device)
            for each in zip(people, said, boxes, strict=True)
        ]


def load(network: Path, backbone: Path, *, device: torch.device) -> PixelVibe:
    """VIBE from its checkpoint and that of the features, SPIN's.

    Raises:
        AssetMissing, AssetCorrupt: one of them cannot be read.
    """
    return of_networks(load_pixel_network(backbone), load_generator(network), device=device)


def of_networks(backbone: PixelNetwork, generator: Generator, *, device: torch.device) -> PixelVibe:
    """VIBE from networks as they are trained."""
    eyes = prepared(backbone, device=device)
    return PixelVibe(eyes.features, prepared(generator, device=device), device)


class _Said:
    """What is said of one person's T frames."""

    def __init__(self, frames: int) -> None:
        self.rotmat = torch.eye(3).repeat(frames, JOINT_COUNT, 1, 1)
        self.betas = torch.zeros(frames, BETAS_COUNT)
        self.camera = torch.zeros(frames, CAMERA_NUMBERS)
        self.looked = np.zeros(frames, dtype=bool)

    def note(self, frames: np.ndarray, bodies: Regressed) -> None:
        for name in ("rotmat", "betas", "camera"):
            numbers = getattr(bodies, name).cpu()
            if not torch.isfinite(numbers).all():
                raise AssetCorrupt(
                    "the weights of VIBE give no numbers", hint="Put the original files there."
                )
            getattr(self, name)[torch.from_numpy(frames)] = numbers
        self.looked[frames] = True


class _Memory(Protocol):
    def further(self, features: Tensor, times_s: np.ndarray) -> Regressed:
        """The bodies in the next n frames of a person, of features (n, 2048)."""
        ...


class _Carried:
    """Remembers all that was; between frames further apart than usual, features are blended."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._state: Tensor | None = None
        self._last: tuple[Tensor, float] | None = None  # features and time

    def further(self, features: Tensor, times_s: np.ndarray) -> Regressed:
        rows, at = [], []
        for row, time_s in zip(features, times_s, strict=True):
            if self._last is not None:
                before, then_s = self._last
                steps = min(round((time_s - then_s) * FPS), _MOST_BETWEEN)
                rows += [torch.lerp(before, row, step / steps) for step in range(1, steps)]
            at.append(len(rows))
            rows.append(row)
            self._last = row, float(time_s)
        said, self._state = self._generator(torch.stack(rows)[None], self._state)
        return Regressed(said.rotmat[at], said.betas[at], said.camera[at])


class _Pieces:
    """Forgets everything after every `PIECE` frames."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._state: Tensor | None = None
        self._count = 0

    def further(self, features: Tensor, times_s: np.ndarray) -> Regressed:
        parts = []
        while len(features):
            piece = features[: PIECE - self._count % PIECE]
            if self._count % PIECE == 0:
                self._state = None
            said, self._state = self._generator(piece[None], self._state)
            parts.append(said)
            self._count, features = self._count + len(piece), features[len(piece) :]
        columns = ("rotmat", "betas", "camera")
        return Regressed(*(torch.cat([getattr(each, name) for each in parts]) for name in columns))


def _boxes(person: Person) -> Boxes:
    """Those of the keypoints, in a part of the frames; where too little is seen, in between."""
    enough = has_enough(person.keypoints)
    known = np.flatnonzero(enough if enough.any() else ~enough)
    centers, sides = (each.numpy() for each in boxes_of(torch.tensor(person.keypoints[known])))
    numbers = np.concatenate([centers, np.log(sides)[:, None]], axis=1)
    frames = _spaced(person.times_s)
    times_s = person.times_s[frames]
    columns = [np.interp(times_s, person.times_s[known], each) for each in numbers.T]
    return Boxes(frames, times_s, np.stack(columns[:2], axis=1), np.exp(columns[2]))


def _spaced(times_s: np.ndarray) -> np.ndarray:
    """Frames that are not too near to each other, the first and last among them."""
    frames = [0]
    for frame, time_s in enumerate(times_s):
        if time_s - times_s[frames[-1]] >= _LEAST_APART_S:
            frames.append(frame)
    if frames[-1] != len(times_s) - 1:
        frames.append(len(times_s) - 1)
    return np.array(frames)


def _published_boxes(person: Person) -> Boxes:
    """Those of the tracker, enlarged, in frames in which it saw somebody."""
    there = person.presence > 0
    frames = np.flatnonzero(there if there.any() else ~there)
    low, high = person.boxes[frames, :2], person.boxes[frames, 2:]
    sides = ENLARGED * (high - low).max(axis=1).clip(min=1.0)
    return Boxes(frames, person.times_s[frames], (low + high) / 2, sides)


def _seen_by_house(person: Person, said: _Said, boxes: Boxes, camera: Camera) -> PerFrame:
    frames = torch.from_numpy(boxes.frames)
    said.rotmat[frames, 0] = to_picture(boxes.centers, camera) @ said.rotmat[frames, 0]
    # Shapes are looked up where frames were passed over; poses are turned between.
    before = np.maximum.accumulate(np.where(said.looked, np.arange(len(said.looked)), 0))
    enough = has_enough(person.keypoints) & said.looked[before]
    return PerFrame(
        said.rotmat,
        said.betas[torch.from_numpy(before)],
        seen=torch.from_numpy(enough),
        posed=torch.from_numpy(said.looked if said.looked.any() else ~said.looked),
    )


def _seen_as_published(person: Person, said: _Said, boxes: Boxes, camera: Camera) -> PerFrame:
    def tensor(array: np.ndarray) -> Tensor:
        return torch.tensor(array, dtype=torch.float32)

    size_px, frames = tensor(np.array(camera.size_px)), torch.from_numpy(boxes.frames)
    weak = said.camera[frames]
    weak[:, 0] = weak[:, 0].clamp(min=_LEAST_SCALE)
    whole = crop_to_picture_camera(
        weak,
        box_center=tensor(boxes.centers),
        box_side=tensor(boxes.sides / ENLARGED),
        size_px=size_px,
    )
    places = picture_camera_to_transl(
        whole, focal=camera.focal_px, center=tensor(np.array(camera.center_px)), size_px=size_px
    )
    # Where nobody was seen, people stand between the frames around.
    columns = [np.interp(person.times_s, boxes.times_s, each) for each in places.T.numpy()]
    looked = torch.from_numpy(said.looked)
    return PerFrame(said.rotmat, said.betas, looked, transl=tensor(np.stack(columns, axis=1)))


def _on(found: PerFrame, device: torch.device) -> PerFrame:
    columns = {each.name: getattr(found, each.name) for each in fields(found)}
    return PerFrame(
        **{name: each if each is None else each.to(device) for name, each in columns.items()}
    )


@dataclass(frozen=True)
class _Way:
    """One of the conventions."""

    boxes: Callable[[Person], Boxes]
    memory: Callable[[Generator], _Memory]
    cut: Crop
    seen: Callable[[Person, _Said, Boxes, Camera], PerFrame]


_WAYS = {
    "house": _Way(_boxes, _Carried, cut=crop, seen=_seen_by_house),
    "published": _Way(_published_boxes, _Pieces, cut=plain_crop, seen=_seen_as_published),
}
