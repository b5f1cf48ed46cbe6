"""SPIN as it was published: bodies from the pixels of each frame (Kolotouros et al., ICCV 2019).

The footage is read again, ahead of the network, and everybody's crops of several frames are looked
at together. A crop's camera looks straight at the person; from there the body is turned to the
camera of the whole picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...contract.errors import AssetCorrupt
from ...contract.messages import Clip
from ...contract.motion import Camera
from ...geometry.cameras import crop_to_picture_rotmat
from ...people.observations import Person
from ...video.crops import CROP_PX, crop
from ...video.frames import read_frames
from ...video.prefetch import ahead
from ..features.keypoints import view_of
from ..features.resnet import normalised
from ..toolbox import Report
from .frames import PerFrame, has_enough
from .regressor import Regressed

STAGE = "pixels"
SAME_S = 1e-4  # a frame that is read again has its time to this much
BATCH = {"cpu": 8, "cuda": 64}  # crops that are looked at together
_DEPTH = 3  # batches that are read ahead

Looker = Callable[[Tensor], Regressed]


@dataclass(frozen=True, eq=False)
class _Wanted:
    """N crops, by time: whose they are, and where."""

    times_s: np.ndarray  # (N,)
    rows: np.ndarray  # (N,) int64, among all frames of all people
    centers: np.ndarray  # (N, 2) px
    sides: np.ndarray  # (N,) px


@dataclass(frozen=True, eq=False)
class _Crops:
    rows: np.ndarray  # (B,)
    images: np.ndarray  # (B, 224, 224, 3) uint8


def looked_at(
    people: Sequence[Person],
    clip: Clip,
    camera: Camera,
    network: Looker,
    *,
    device: torch.device,
    report: Report,
) -> list[PerFrame]:
    """What `network` says of each frame in which enough of a person is seen.

    Args:
        people: who was followed through `clip`.
        clip: the footage.
        camera: that saw them.
        network: of crops (B, 3, 224, 224), for instance `inference.prepared`; on `device`.
        device: where it runs.
        report: told of every batch; may raise to stop.

    Raises:
        VideoError: the footage cannot be read any more.
        AssetCorrupt: the network says what are no numbers.
    """
    wanted, counts = _wanted(people, camera), [len(each.times_s) for each in people]
    rotmat = torch.eye(3).repeat(sum(counts), 24, 1, 1)
    betas, seen = torch.zeros(sum(counts), 10), torch.zeros(sum(counts), dtype=torch.bool)
    done, of = 0, len(wanted.rows)
    report(STAGE, 0, of)

    def batches(pulse: Callable[[], None]) -> Iterator[_Crops]:
        return _crops(clip, wanted, batch=BATCH.get(device.type, BATCH["cpu"]), pulse=pulse)

    with closing(ahead(batches, depth=_DEPTH)) as parts:
        for part in parts:
            with torch.inference_mode():
                said = network(normalised(torch.from_numpy(part.images).to(device)))
            rows = torch.from_numpy(part.rows)
            rotmat[rows], betas[rows], seen[rows] = said.rotmat.cpu(), said.betas.cpu(), True
            done += len(rows)
            report(STAGE, done, of)
    if not (torch.isfinite(rotmat).all() and torch.isfinite(betas).all()):
        raise AssetCorrupt(
            "the regressor's weights give no numbers", hint="Put the original file there."
        )
    seen &= torch.from_numpy(np.concatenate([has_enough(each.keypoints) for each in people]))
    rotmat[wanted.rows, 0] = _to_picture(wanted, camera) @ rotmat[wanted.rows, 0]
    people_s = (each.to(device).split(counts) for each in (rotmat, betas, seen))
    return [PerFrame(*each) for each in zip(*people_s, strict=True)]


def _wanted(people: Sequence[Person], camera: Camera) -> _Wanted:
    """Boxes are those of the keypoints, as SPIN's training has them."""
    keypoints = np.concatenate([each.keypoints for each in people])
    times_s = np.concatenate([each.times_s for each in people])
    view = view_of(
        torch.tensor(keypoints), focal=camera.focal_px, center=torch.tensor(camera.center_px)
    )
    rows = np.flatnonzero(np.concatenate([_looked_for(each) for each in people]))
    rows = rows[np.argsort(times_s[rows], kind="stable")]
    centers, sides = view.box_center.numpy()[rows], view.box_side.numpy()[rows]
    return _Wanted(times_s[rows], rows, centers, sides)


def _looked_for(person: Person) -> np.ndarray:
    """(T,) bool; of somebody who is never seen well, every frame."""
    enough = has_enough(person.keypoints)
    return enough if enough.any() else ~enough


def _crops(
    clip: Clip, wanted: _Wanted, *, batch: int, pulse: Callable[[], None]
) -> Iterator[_Crops]:
    rows, images = [], []
    for frame in read_frames(clip, pulse=pulse):
        first, last = np.searchsorted(
            wanted.times_s, [frame.time_s - SAME_S, frame.time_s + SAME_S]
        )
        for index in range(first, last):
            pulse()
            box = wanted.centers[index], float(wanted.sides[index])
            images.append(crop(frame.image, box[0], side=box[1], size=CROP_PX))
            rows.append(wanted.rows[index])
            if len(rows) == batch:
                yield _Crops(np.array(rows), np.stack(images))
                rows, images = [], []
    if rows:
        yield _Crops(np.array(rows), np.stack(images))


def _to_picture(wanted: _Wanted, camera: Camera) -> Tensor:
    """(N, 3, 3) from the crops' cameras to the whole picture's."""
    return crop_to_picture_rotmat(
        box_center=torch.tensor(wanted.centers, dtype=torch.float32),
        focal=camera.focal_px,
        center=torch.tensor(camera.center_px, dtype=torch.float32),
    )
