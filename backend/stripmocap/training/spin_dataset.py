"""SPIN's pages of pictures: datasets in the layout that its code publishes, an .npz file each.

Names and shapes are `imgname` (N,), `center` (N, 2) and `scale` (N,) of a box of 200 scale pixels,
and where they are known `openpose` (N, 25, 3) and `part` (N, 24, 3) keypoints of the picture with
confidence, `S` (N, 24, 4) joints in metres with confidence, `pose` (N, 72), `shape` (N, 10), and
`has_smpl` (N,), 0 where pose and shape are not known after all (Kolotouros et al., ICCV 2019).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from ..contract import npz_file
from ..contract.errors import AssetCorrupt, AssetMissing
from ..methods.features.resnet import normalised
from ..methods.smplify.paper import FOCAL_PX
from ..video import crops
from .augmentation import Augmentation, in_plane, mirrored_points
from .spin import CROP_PX, Batch

BOX_UNIT_PX = 200.0
HINT = "Give a dataset in SPIN's layout, an .npz file, and the folder of its pictures."
READERS = 4
_NEEDED = {"imgname": (), "center": (2,), "scale": ()}
_OPTIONAL = {
    "openpose": (25, 3),
    "part": (24, 3),
    "S": (24, 4),
    "pose": (72,),
    "shape": (10,),
    "has_smpl": (),
}


@dataclass(frozen=True, eq=False)
class SpinDataset:
    """N pictures of one person each; what is not known has confidence zero, or `has_...` false."""

    name: str
    files: tuple[Path, ...]
    center: Tensor  # (N, 2) pixels of the picture
    side: Tensor  # (N,) pixels, of the box
    keypoints: Tensor  # (N, 49, 3) pixels of the picture, confidence
    joints: Tensor  # (N, 24, 4) metres, camera axes, confidence
    pose: Tensor  # (N, 72) rad
    betas: Tensor  # (N, 10)
    has_joints: Tensor  # (N,) bool
    has_body: Tensor  # (N,) bool

    def __len__(self) -> int:
        return len(self.files)


def load(path: Path, *, images: Path | None = None) -> SpinDataset:
    """The dataset in a file.

    Args:
        path: an .npz file.
        images: folder that its names of pictures start from; by default the file's own.

    Raises:
        AssetMissing: there is no such file, or not one of its pictures is there.
        AssetCorrupt: an array is missing or of another shape, or a number is none.
    """
    if not path.is_file():
        raise AssetMissing(f"{path} is not there", hint=HINT)
    arrays = npz_file.read(path, error=AssetCorrupt, hint=HINT, names=[*_NEEDED, *_OPTIONAL])
    arrays = _checked(arrays, path)
    count = len(arrays["imgname"])
    folder = images or path.parent
    files = tuple(folder / str(name) for name in arrays["imgname"])
    if not any(each.is_file() for each in files):
        raise AssetMissing(f"{files[0]} is not there, nor any other picture of {path}", hint=HINT)

    def tensor(name: str) -> Tensor:
        shape = (count, *(_NEEDED | _OPTIONAL)[name])
        return torch.tensor(arrays.get(name, np.zeros(shape)), dtype=torch.float32)

    both = "pose" in arrays and "shape" in arrays
    has_body = tensor("has_smpl") > 0 if "has_smpl" in arrays else torch.ones(count) > 0
    return SpinDataset(
        name=path.stem,
        files=files,
        center=tensor("center"),
        side=BOX_UNIT_PX * tensor("scale"),
        keypoints=torch.cat([tensor("openpose"), tensor("part")], dim=1),
        joints=tensor("S"),
        pose=tensor("pose"),
        betas=tensor("shape"),
        has_joints=torch.full((count,), "S" in arrays),
        has_body=has_body & torch.full((count,), both),
    )


class PixelPages:
    """Pictures of one or more datasets, one dataset after the other; everything on one device."""

    def __init__(
        self, datasets: Sequence[SpinDataset], *, device: torch.device | str = "cpu"
    ) -> None:
        """Pages of `datasets`, at least one."""
        self.datasets, self.device = tuple(datasets), device
        self.files = [file for each in datasets for file in each.files]
        tensors = ("center", "side", "keypoints", "joints", "pose", "betas")
        self._known = {
            name: torch.cat([getattr(each, name) for each in datasets])
            for name in (*tensors, "has_joints", "has_body")
        }
        self._readers = ThreadPoolExecutor(READERS)

    def __len__(self) -> int:
        return len(self.files)

    def open(self, index: Tensor, augmentation: Augmentation) -> tuple[Tensor, Batch]:
        """(B, 3, 224, 224) what the network is shown, and what is known.

        Raises:
            AssetCorrupt: a picture cannot be read.
        """
        known = {name: each[index] for name, each in self._known.items()}
        side = known["side"] * augmentation.scale
        looks = self._readers.map(
            _look,
            (self.files[each] for each in index.tolist()),
            known["center"].numpy(),
            side.tolist(),
            augmentation.turn_rad.tolist(),
            augmentation.mirrored.tolist(),
        )
        pictures = torch.from_numpy(np.stack(list(looks))).to(self.device)
        coloured = pictures * augmentation.colour.to(self.device)[:, None, None]
        keypoints = inside(known["keypoints"], augmentation, center=known["center"], side=side)
        count = len(index)
        batch = Batch(
            keypoints=keypoints,
            focal=torch.full((count,), FOCAL_PX),
            center=torch.full((count, 2), CROP_PX / 2),
            joints=augmentation.of_points(known["joints"]),
            has_joints=known["has_joints"],
            pose=augmentation.of(known["pose"]),
            betas=known["betas"],
            has_body=known["has_body"],
            known=torch.ones(count, 24),
            index=index,
            augmentation=augmentation,
        )
        return normalised(coloured.clamp(0, 255)), batch.to(self.device)


def inside(
    keypoints: Tensor, augmentation: Augmentation, *, center: Tensor, side: Tensor
) -> Tensor:
    """(B, 49, 3) pixels of the changed crop, of keypoints of the picture; confidence is kept.

    Args:
        keypoints: (B, 49, 3) pixels of the picture, confidence.
        augmentation: its turn and mirror.
        center: (B, 2) middle of the box, pixels.
        side: (B,) of the box, scaled already, pixels.
    """
    turn = in_plane(augmentation.turn_rad)[:, :2, :2]
    off = (keypoints[..., :2] - center[:, None]) @ turn.mT * (CROP_PX / side)[:, None, None]
    plain = torch.cat([off, keypoints[..., 2:]], dim=-1)
    chosen = torch.where(augmentation.mirrored[:, None, None], mirrored_points(plain), plain)
    return torch.cat([chosen[..., :2] + CROP_PX / 2, chosen[..., 2:]], dim=-1)


def _look(
    file: Path, center: np.ndarray, side: float, turn_rad: float, mirrored: bool
) -> np.ndarray:
    """(224, 224, 3) uint8 RGB, one picture's box, turned and mirrored."""
    image = cv2.imread(str(file), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise AssetCorrupt(f"{file} is no picture that can be read", hint=HINT)
    if turn_rad == 0:
        part = crops.crop(image, center, side=side)
    else:
        # What a turn brings in from beyond the box's corners.
        wide = math.ceil(CROP_PX * math.sqrt(2))
        part = crops.crop(image, center, side=side * wide / CROP_PX, size=wide)
        turn = cv2.getRotationMatrix2D((wide / 2, wide / 2), math.degrees(turn_rad), 1.0)
        turn[:, 2] -= (wide - CROP_PX) / 2
        part = cv2.warpAffine(part, turn, (int(CROP_PX), int(CROP_PX)))
    return np.ascontiguousarray(part[:, ::-1]) if mirrored else part


def _checked(arrays: dict[str, np.ndarray], path: Path) -> dict[str, np.ndarray]:
    """`arrays` with the shapes that they should have."""
    for name, shape in (_NEEDED | _OPTIONAL).items():
        if name not in arrays:
            if name in _NEEDED:
                raise AssetCorrupt(f"{path} has no {name}", hint=HINT)
            continue
        array = arrays[name]
        wanted = (len(arrays["imgname"]), *shape)
        if array.shape != wanted or not wanted[0]:
            raise AssetCorrupt(f"{path}: {name} is {array.shape}, not {wanted}", hint=HINT)
        if (array.dtype.kind in "US") != (name == "imgname"):
            raise AssetCorrupt(f"{path}: {name} holds {array.dtype.name}", hint=HINT)
        if name != "imgname" and not np.isfinite(array).all():
            raise AssetCorrupt(f"{path}: {name} has numbers that are none", hint=HINT)
    if not {"openpose", "part"} & set(arrays):
        raise AssetCorrupt(f"{path} has no keypoints, neither openpose nor part", hint=HINT)
    if not (arrays["scale"] > 0).all():
        raise AssetCorrupt(f"{path}: a box's scale is not above 0", hint=HINT)
    return arrays
