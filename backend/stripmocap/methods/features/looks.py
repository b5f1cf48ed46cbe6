"""Looks at people's pixels: the footage is read again, and everybody's crops go through a network.

The footage is read ahead of the network, and crops of several frames are looked at together. Boxes
are square, in pixels of the picture; where they are is the caller's affair.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from ...contract.messages import Clip
from ...video.crops import CROP_PX, crop
from ...video.frames import read_frames
from ...video.prefetch import ahead
from ..toolbox import Report
from .resnet import normalised

STAGE = "pixels"
SAME_S = 1e-4  # a frame that is read again has its time to this much
BATCH = {"cpu": 8, "cuda": 64}  # crops that are looked at together
_DEPTH = 3  # batches that are read ahead

Said = TypeVar("Said")


class Crop(Protocol):
    """Cuts a square box out of a picture: see `video.crops`."""

    def __call__(  # noqa: D102
        self, image: np.ndarray, center: np.ndarray, *, side: float, size: int
    ) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class Boxes:
    """Where one person is to be looked at, in N frames."""

    frames: np.ndarray  # (N,) int64, among all of the person's own, rising
    times_s: np.ndarray  # (N,)
    centers: np.ndarray  # (N, 2) px
    sides: np.ndarray  # (N,) px


@dataclass(frozen=True, eq=False)
class Looks(Generic[Said]):
    """What a network says of B crops; of each person they go on in time from batch to batch."""

    owners: np.ndarray  # (B,) int64, whose boxes
    frames: np.ndarray  # (B,) int64, see `Boxes`
    said: Said


@dataclass(frozen=True, eq=False)
class _Crops:
    rows: np.ndarray  # (B,) int64, among all boxes
    images: np.ndarray  # (B, 224, 224, 3) uint8


def looks(
    clip: Clip,
    boxes: Sequence[Boxes],
    network: Callable[[Tensor], Said],
    *,
    device: torch.device,
    report: Report,
    cut: Crop = crop,
) -> Generator[Looks[Said]]:
    """What `network` says of what is in the boxes; frames that are gone from `clip` are left out.

    Args:
        clip: the footage.
        boxes: of each person.
        network: of crops (B, 3, 224, 224) as `resnet.normalised` gives them; on `device`. Its
            answer is of inference mode.
        device: where it runs.
        report: told of every batch; may raise to stop.
        cut: makes the crops.

    Raises:
        VideoError: the footage cannot be read any more.
    """
    joined = _by_time(boxes)
    done, of = 0, len(joined.times_s)
    report(STAGE, 0, of)

    def batches(pulse: Callable[[], None]) -> Iterator[_Crops]:
        batch = BATCH.get(device.type, BATCH["cpu"])
        return _crops(clip, joined, batch=batch, cut=cut, pulse=pulse)

    with closing(ahead(batches, depth=_DEPTH)) as parts:
        for part in parts:
            with torch.inference_mode():
                said = network(normalised(torch.from_numpy(part.images).to(device)))
            yield Looks(joined.owners[part.rows], joined.frames[part.rows], said)
            done += len(part.rows)
            report(STAGE, done, of)


@dataclass(frozen=True, eq=False)
class _Joined:
    """All boxes of all people, by time."""

    owners: np.ndarray
    frames: np.ndarray
    times_s: np.ndarray
    centers: np.ndarray
    sides: np.ndarray


def _by_time(boxes: Sequence[Boxes]) -> _Joined:
    owners = np.repeat(np.arange(len(boxes)), [len(each.frames) for each in boxes])
    columns = [
        np.concatenate([getattr(each, name) for each in boxes])
        for name in ("frames", "times_s", "centers", "sides")
    ]
    order = np.argsort(columns[1], kind="stable")
    return _Joined(owners[order], *(each[order] for each in columns))


def _crops(
    clip: Clip, joined: _Joined, *, batch: int, cut: Crop, pulse: Callable[[], None]
) -> Iterator[_Crops]:
    rows, images = [], []
    for frame in read_frames(clip, pulse=pulse):
        first, last = np.searchsorted(
            joined.times_s, [frame.time_s - SAME_S, frame.time_s + SAME_S]
        )
        for index in range(first, last):
            pulse()
            side = float(joined.sides[index])
            images.append(cut(frame.image, joined.centers[index], side=side, size=CROP_PX))
            rows.append(index)
            if len(rows) == batch:
                yield _Crops(np.array(rows), np.stack(images))
                rows, images = [], []
    if rows:
        yield _Crops(np.array(rows), np.stack(images))
