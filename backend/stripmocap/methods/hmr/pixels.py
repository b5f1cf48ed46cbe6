"""SPIN as it was published: bodies from the pixels of each frame (Kolotouros et al., ICCV 2019).

A crop's camera looks straight at the person; from there the body is turned to the camera of the
whole picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from ...contract.errors import AssetCorrupt
from ...contract.messages import Clip
from ...contract.motion import Camera
from ...geometry.cameras import crop_to_picture_rotmat
from ...people.observations import Person
from ..features.keypoints import boxes_of
from ..features.looks import Boxes, looks
from ..toolbox import Report
from .frames import PerFrame, has_enough
from .regressor import Regressed

Looker = Callable[[Tensor], Regressed]


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
    boxes, counts = [_boxes(each) for each in people], [len(each.times_s) for each in people]
    first = np.cumsum([0, *counts[:-1]])  # rows of all people lie behind one another
    rotmat = torch.eye(3).repeat(sum(counts), 24, 1, 1)
    betas, seen = torch.zeros(sum(counts), 10), torch.zeros(sum(counts), dtype=torch.bool)
    for look in looks(clip, boxes, network, device=device, report=report):
        rows = torch.from_numpy(first[look.owners] + look.frames)
        rotmat[rows], betas[rows] = look.said.rotmat.cpu(), look.said.betas.cpu()
        seen[rows] = True
    if not (torch.isfinite(rotmat).all() and torch.isfinite(betas).all()):
        raise AssetCorrupt(
            "the regressor's weights give no numbers", hint="Put the original file there."
        )
    seen &= torch.from_numpy(np.concatenate([has_enough(each.keypoints) for each in people]))
    wanted = np.concatenate([start + each.frames for start, each in zip(first, boxes, strict=True)])
    centers = np.concatenate([each.centers for each in boxes])
    rotmat[wanted, 0] = to_picture(centers, camera) @ rotmat[wanted, 0]
    people_s = (each.to(device).split(counts) for each in (rotmat, betas, seen))
    return [PerFrame(*each) for each in zip(*people_s, strict=True)]


def to_picture(centers: np.ndarray, camera: Camera) -> Tensor:
    """(N, 3, 3) from the cameras of crops about (N, 2) px to the whole picture's."""
    return crop_to_picture_rotmat(
        box_center=torch.tensor(centers, dtype=torch.float32),
        focal=camera.focal_px,
        center=torch.tensor(camera.center_px, dtype=torch.float32),
    )


def _boxes(person: Person) -> Boxes:
    """Those of the keypoints, as SPIN's training has them; of somebody never seen well, all."""
    enough = has_enough(person.keypoints)
    frames = np.flatnonzero(enough if enough.any() else ~enough)
    centers, sides = boxes_of(torch.tensor(person.keypoints[frames]))
    return Boxes(frames, person.times_s[frames], centers.numpy(), sides.numpy())
