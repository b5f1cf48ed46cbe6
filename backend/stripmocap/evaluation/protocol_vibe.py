"""VIBE on 3DPW as its paper evaluates it: pieces of sixteen frames that know nothing of each other.

A box is that of the keypoints, corner to corner, steadied over time and enlarged twice: when it is
kept, and when it is cropped. Frames before the first keypoints and behind the last, and those that
do not count, are left out before pieces are cut; what is left behind the last whole piece is left
out too (Kocabas et al., CVPR 2020, and their code). Truth and meshes are those of `protocol.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from .. import assets
from ..contract.errors import RequestError
from ..methods.features.resnet import normalised
from ..methods.hmr.regressor import Regressed
from ..methods.vibe import pixels
from ..methods.vibe.boxes import boxes_over_time, steadied
from ..methods.vibe.pixels import ENLARGED, PixelVibe
from ..video.crops import plain_crop
from .protocol import Yardstick, compared, pictures_of
from .published import Compared
from .threedpw import Actor, Sequence3dpw

WINDOW = 16  # frames of a piece
CROPPED = 1.2  # the crop's side over the box that was kept
_BATCH = 32  # crops, or pieces


def vibe_networks(device: torch.device) -> PixelVibe:
    """VIBE's networks with the weights that the user brought.

    Raises:
        AssetMissing, AssetCorrupt: they are not there, or are other files.
    """
    network, backbone = assets.locate("vibe_official"), assets.locate("spin_official")
    return pixels.load(network, backbone, device=device)


def compared_sequence(
    sequence: Sequence3dpw, networks: PixelVibe, *, by: Yardstick
) -> Iterator[Compared]:
    """Every actor of a sequence, over whole pieces; actors without one are left out.

    Args:
        sequence: with its pictures.
        networks: ready to run.
        by: the bodies and the regressor, on the CPU.

    Raises:
        VideoError: a picture cannot be read.
    """
    views = [_View(actor, networks) for actor in sequence.actors]
    for image in pictures_of(sequence, frames=len(sequence.actors[0].valid)):
        for each in views:
            each.look(image)
    for actor, each in zip(sequence.actors, views, strict=True):
        pieces = windows([len(each.frames)], length=WINDOW)
        if len(pieces):
            parts = list(_in_pieces(each.features(), pieces, networks))
            yield compared(actor, each.frames[: pieces[-1, 1] + 1], parts, by=by)


def windows(counts: Sequence[int], *, length: int) -> np.ndarray:
    """(N, 2) first and last frame of the whole pieces of sequences that lie behind one another.

    Args:
        counts: frames of each sequence.
        length: of a piece.
    """
    ends = np.cumsum(counts)
    pieces = [
        np.stack([first, first + length - 1], axis=1)
        for count, end in zip(counts, ends, strict=True)
        for first in [end - count + length * np.arange(count // length)]
    ]
    return np.concatenate(pieces) if pieces else np.zeros((0, 2), dtype=np.int64)


class _View:
    """What the network sees of an actor as the pictures go by."""

    def __init__(self, actor: Actor, networks: PixelVibe) -> None:
        self.frames: list[int] = []  # that count
        self._networks = networks
        self._boxes = _boxes(actor)
        self._next = 0
        self._images: list[np.ndarray] = []  # not yet looked at
        self._features: list[Tensor] = []

    def look(self, image: np.ndarray) -> None:
        """Crops the next frame, if it counts."""
        frame, self._next = self._next, self._next + 1
        if frame not in self._boxes:
            return
        x, y, side = self._boxes[frame]
        self._images.append(plain_crop(image, np.array([x, y]), side=CROPPED * side))
        self.frames.append(frame)
        if len(self._images) == _BATCH:
            self._take()

    def features(self) -> Tensor:
        """(N, 2048) of all frames that count so far, of which there are some."""
        if self._images:
            self._take()
        return torch.cat(self._features)

    def _take(self) -> None:
        images = torch.from_numpy(np.stack(self._images)).to(self._networks.device)
        with torch.inference_mode():
            self._features.append(self._networks.features(normalised(images)))
        self._images = []


def _boxes(actor: Actor) -> dict[int, np.ndarray]:
    """Middle x, y and side of the box, px, of each frame that counts."""
    try:
        found = boxes_over_time(torch.tensor(actor.keypoints))
    except RequestError:  # nobody ever sees this actor
        return {}
    calm = replace(found, numbers=steadied(found.numbers, beyond="published"))
    sides = ENLARGED * calm.side[:, None]
    boxes = torch.cat([calm.center, sides], dim=1).numpy()
    there = zip(range(found.first, found.stop), boxes, strict=True)
    return {frame: box for frame, box in there if actor.valid[frame]}


def _in_pieces(features: Tensor, pieces: np.ndarray, networks: PixelVibe) -> Iterator[Regressed]:
    """The bodies in pieces (N, 2) of features, some pieces at a time."""
    cut = torch.stack([features[first : last + 1] for first, last in pieces])  # (N, 16, 2048)
    for some in cut.split(_BATCH):
        with torch.inference_mode():
            said, _ = networks.generator(some)
        yield Regressed(said.rotmat.cpu(), said.betas.cpu(), said.camera.cpu())
