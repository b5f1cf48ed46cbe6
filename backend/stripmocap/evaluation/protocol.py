"""SPIN on 3DPW as its paper evaluates it: on the dataset's own boxes, frame by frame.

A box holds the OpenPose keypoints that were seen, enlarged by 1.2; crops have every quirk of the
published evaluation. The truth's joints come from the actor's SMPL, male or female, what is
predicted from the neutral one; meshes are compared on the neutral one (Kolotouros et al., ICCV
2019; Kocabas et al., CVPR 2020). What the program makes of a video, with its own detector and one
shape a person, is another matter: `folders.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .. import assets, bodies
from ..body.model import Body
from ..body.official import read_regressor
from ..contract import sequences
from ..contract.errors import VideoError
from ..contract.messages import Clip
from ..methods.features.resnet import normalised
from ..methods.hmr.inference import prepared
from ..methods.hmr.regressor import Regressed
from ..methods.hmr.weights import load_pixel_network
from ..video.crops import official_crop
from ..video.frames import read_frames
from .published import H36M_COUNT, Compared, vertex_errors_mm
from .threedpw import GENDERS, Actor, Sequence3dpw

BOX_SCALE = 1.2
_UNIT_PX = 200.0
_BATCH = 32

Looker = Callable[[Tensor], Regressed]


@dataclass(frozen=True, eq=False)
class Yardstick:
    """What both sides are measured with."""

    bodies: dict[str, Body]  # by gender
    J_regressor_h36m: Tensor  # (17, 6890)

    def h36m(self, vertices: Tensor) -> Tensor:
        """(N, 17, 3) metres, of meshes (N, 6890, 3)."""
        return torch.einsum("jv,nvc->njc", self.J_regressor_h36m, vertices)


def yardstick() -> Yardstick:
    """The user's SMPL files and H36M regressor.

    Raises:
        AssetMissing, AssetCorrupt, BodyFileError: one of them is not there or not what it is.
    """
    regressor = read_regressor(assets.locate("smpl_h36m_regressor"), rows=H36M_COUNT)
    found = {gender: Body.from_template(bodies.official(gender)) for gender in GENDERS.values()}
    return Yardstick(found, torch.tensor(regressor, dtype=torch.float32))


def spin_network(device: torch.device) -> Looker:
    """SPIN's network with the weights that the user brought.

    Raises:
        AssetMissing, AssetCorrupt: they are not there, or are another file.
    """
    return prepared(load_pixel_network(assets.locate("spin_official")), device=device)


def compared_sequence(
    sequence: Sequence3dpw, network: Looker, *, by: Yardstick, device: torch.device
) -> Iterator[Compared]:
    """Every actor of a sequence, over the frames that count; actors without any are left out.

    Args:
        sequence: with its pictures.
        network: of crops (B, 3, 224, 224), on `device`.
        by: the bodies and the regressor, on the CPU.
        device: where the network runs.

    Raises:
        VideoError: a picture cannot be read.
    """
    crops = [_Crops(actor) for actor in sequence.actors]
    found: list[list[Regressed]] = [[] for _ in crops]
    for image in pictures_of(sequence, frames=len(sequence.actors[0].valid)):
        for number, each in enumerate(crops):
            each.look(image)
            if len(each.images) == _BATCH:
                found[number].append(_seen_by(network, each.taken(), device))
    for actor, each, parts in zip(sequence.actors, crops, found, strict=True):
        if each.images:
            parts.append(_seen_by(network, each.taken(), device))
        if parts:
            yield compared(actor, each.frames, parts, by=by)


class _Crops:
    """An actor's crops as the pictures go by."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._next = 0
        self.frames: list[int] = []  # that count
        self.images: list[np.ndarray] = []  # not yet taken

    def look(self, image: np.ndarray) -> None:
        """Crops the next frame, if it counts."""
        frame, self._next = self._next, self._next + 1
        box = box_of(self._actor.keypoints[frame])
        if self._actor.valid[frame] and box is not None:
            center, scale = box
            self.images.append(official_crop(image, center, scale=scale))
            self.frames.append(frame)

    def taken(self) -> np.ndarray:
        """(B, 224, 224, 3) uint8 the crops so far, given up here."""
        images, self.images = np.stack(self.images), []
        return images


def box_of(keypoints: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Middle (2,) px and scale (side / 200 px) of the box of keypoints (K, 3) that were seen.

    None where none was, or all in one place.
    """
    seen = keypoints[keypoints[:, 2] > 0, :2]
    if not len(seen):
        return None
    low, high = seen.min(axis=0), seen.max(axis=0)
    side = float((high - low).max())
    return ((low + high) / 2, BOX_SCALE * side / _UNIT_PX) if side > 0 else None


def pictures_of(sequence: Sequence3dpw, *, frames: int) -> Iterator[np.ndarray]:
    """The pictures (H, W, 3) of the first `frames`, one after the other.

    Raises:
        VideoError: one is missing, which is told by its number, or cannot be read.
    """
    clip = Clip(str(sequence.first_picture), stop_s=(frames - 0.5) / float(sequences.FPS))
    for frame, shown in enumerate(read_frames(clip)):
        if round(shown.time_s * sequences.FPS) != frame:
            raise VideoError(
                f"picture {frame} of {sequence.name} is missing",
                hint="Unpack the dataset's pictures again.",
            )
        yield shown.image


def compared(
    actor: Actor, frames: Sequence[int], parts: Sequence[Regressed], *, by: Yardstick
) -> Compared:
    """What a network says of an actor beside the truth.

    Args:
        actor: of a sequence.
        frames: N of the actor's.
        parts: N bodies in all, in their order; of each part meshes are made together.
        by: the bodies and the regressor, on the CPU.
    """
    joints, truths, errors = [], [], []
    first = 0
    for part in parts:
        rows = list(frames[first : first + len(part.rotmat)])
        first += len(part.rotmat)
        orient, pose = (
            torch.tensor(each[rows], dtype=torch.float32)
            for each in (actor.global_orient, actor.body_pose)
        )
        betas = torch.tensor(actor.betas, dtype=torch.float32)
        neutral = by.bodies["neutral"]
        with torch.no_grad():
            mesh = neutral.vertices(part.global_orient, part.body_pose, betas=part.betas)
            same = neutral.vertices(orient, pose, betas=betas)
            true = by.bodies[actor.gender].vertices(orient, pose, betas=betas)
            joints.append(by.h36m(mesh).numpy())
            truths.append(by.h36m(true).numpy())
        errors.append(vertex_errors_mm(mesh.numpy(), same.numpy()))
    return Compared(np.concatenate(joints), np.concatenate(truths), np.concatenate(errors))


def _seen_by(network: Looker, images: np.ndarray, device: torch.device) -> Regressed:
    with torch.inference_mode():
        said = network(normalised(torch.from_numpy(images).to(device)))
    return Regressed(said.rotmat.float().cpu(), said.betas.float().cpu(), said.camera.cpu())
