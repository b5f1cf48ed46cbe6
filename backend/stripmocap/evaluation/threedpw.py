"""Datasets in 3DPW's layout: pickles of sequences, and folders of their pictures.

`sequenceFiles/<split>/<name>.pkl` belongs to `imageFiles/<name>/image_00000.jpg` and on (von
Marcard et al., ECCV 2018). For each actor a file has SMPL's `poses` (T, 72) and `betas`,
`jointPositions` (T, 72) metres and `campose_valid` (T,); for all of them `cam_poses` (T, 4, 4),
which carry the world into the moving camera, and `cam_intrinsics`. Here everything is in camera
axes, frame by frame: there is no world that stands still. Nothing in the pickles is run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import roma
import torch

from ..body.pickles import read_pickle
from ..contract import sequences
from ..contract.errors import TruthFileError
from ..contract.skeleton import BETAS_COUNT, JOINT_COUNT, JOINT_NAMES, LIMB_JOINTS
from .truth import Truth

SEQUENCES, PICTURES = "sequenceFiles", "imageFiles"
SPLITS = ("test", "validation", "train")
GENDERS = {"m": "male", "f": "female", "n": "neutral"}
OPENPOSE18_COUNT = 18
MOST_ACTORS = 16
_LIMBS = [JOINT_NAMES.index(name) for name in LIMB_JOINTS]


@dataclass(frozen=True, eq=False)
class Actor:
    """One person over the T frames of a sequence, in the axes of each frame's camera."""

    name: str
    gender: str  # a value of GENDERS
    global_orient: np.ndarray  # (T, 3, 3) pelvis to camera
    body_pose: np.ndarray  # (T, 23, 3, 3) each joint to its parent
    betas: np.ndarray  # (10,)
    joints: np.ndarray  # (T, 24, 3) metres, SMPL's joints
    keypoints: np.ndarray  # (T, 18, 3) px and score, OpenPose's 18; score 0 where not seen
    valid: np.ndarray  # (T,) whether the camera is known well enough for the frame to count


@dataclass(frozen=True, eq=False)
class Sequence3dpw:
    """One sequence: who is in it, and where its pictures are."""

    name: str
    first_picture: Path  # of T
    intrinsics: np.ndarray  # (3, 3) pixels
    actors: tuple[Actor, ...]

    @property
    def focal_px(self) -> float:
        """The camera's focal length; 3DPW's pixels are square."""
        return float(self.intrinsics[0, 0])

    def truth_of(self, actor: Actor) -> Truth:
        """The limbs of `actor` on the clock that the program gives to numbered pictures.

        The camera's axes are taken as the world, which is never level: foot slide and jitter
        against it mean nothing.
        """
        limbs = actor.joints[:, _LIMBS]
        valid = np.repeat(actor.valid[:, None], len(_LIMBS), axis=1)
        return Truth(
            camera_name=self.name,
            person_name=actor.name,
            fps=float(sequences.FPS),
            limbs_world=np.where(valid[..., None], limbs, 0.0),
            valid=valid,
            feet_world=np.full((len(limbs), 4, 3), np.nan),
            intrinsics=self.intrinsics,
            distortion=np.zeros(4),
            rotation=np.eye(3),
            translation=np.zeros(3),
        )


def sequence_files(folder: Path, *, split: str = "test") -> list[Path]:
    """The pickles of one split, by name.

    Raises:
        TruthFileError: there are none.
    """
    files = sorted((folder / SEQUENCES / split).glob("*.pkl"))
    if not files:
        raise TruthFileError(
            f"{folder} has no {SEQUENCES}/{split}/*.pkl",
            hint=f"Unpack the dataset so that {SEQUENCES} and {PICTURES} lie side by side.",
        )
    return files


def read_sequence(path: Path, *, pictures: Path) -> Sequence3dpw:
    """The sequence in a pickle.

    Args:
        path: for instance `sequenceFiles/test/downtown_walking_00.pkl`.
        pictures: the folder that holds a folder of pictures for each sequence.

    Raises:
        AssetMissing, AssetCorrupt: there is no such file, or it is no pickle of plain arrays.
        TruthFileError: it holds something else, or its pictures are not there.
    """
    arrays = read_pickle(path)
    try:
        if not isinstance(arrays, Mapping):
            raise TypeError("it holds no names")
        found = _sequence(arrays, name=path.stem, folder=pictures / path.stem)
    except (KeyError, ValueError, TypeError, IndexError, OverflowError) as error:
        raise TruthFileError(
            f"{path} is no sequence in 3DPW's layout ({error})",
            hint="Download the original file again, from its own page.",
        ) from error
    if not found.first_picture.is_file():
        raise TruthFileError(
            f"{found.first_picture} is not there",
            hint=f"Unpack the dataset's {PICTURES} beside its {SEQUENCES}.",
        )
    return found


def _sequence(arrays: Mapping[str, Any], *, name: str, folder: Path) -> Sequence3dpw:
    from_world = _shaped("cam_poses", arrays["cam_poses"], (None, 4, 4))  # (T, 4, 4)
    count = len(arrays["poses"])
    if not 0 < count <= MOST_ACTORS:
        raise ValueError(f"it has {count} actors")
    intrinsics = _shaped("cam_intrinsics", arrays["cam_intrinsics"], (3, 3))
    if not (np.isfinite(intrinsics).all() and intrinsics[0, 0] > 0):
        raise ValueError("cam_intrinsics is no camera")
    return Sequence3dpw(
        name=name,
        first_picture=folder / "image_00000.jpg",
        intrinsics=intrinsics,
        actors=tuple(_actor(arrays, index, from_world) for index in range(count)),
    )


def _actor(arrays: Mapping[str, Any], index: int, from_world: np.ndarray) -> Actor:
    frames, numbers = len(from_world), 3 * JOINT_COUNT

    def of_actor(name: str, *shape: int) -> np.ndarray:
        return _shaped(name, arrays[name][index], (frames, *shape))

    poses, places = of_actor("poses", numbers), of_actor("jointPositions", numbers)
    keypoints = of_actor("poses2d", 3, OPENPOSE18_COUNT).transpose(0, 2, 1)
    # Numbers that are none may stand where the camera was lost; such frames do not count.
    finite = [np.isfinite(each).reshape(frames, -1).all(axis=1) for each in (poses, places)]
    valid = (of_actor("campose_valid") > 0) & np.all(finite, axis=0)
    valid &= np.isfinite(from_world).all(axis=(1, 2))
    from_world = np.where(valid[:, None, None], from_world, np.eye(4))
    poses, places = (np.where(valid[:, None], each, 0.0) for each in (poses, places))
    rotations, offsets = from_world[:, :3, :3], from_world[:, :3, 3]
    rotmat = _matrices(poses.reshape(frames, JOINT_COUNT, 3))
    joints = np.einsum("tij,tkj->tki", rotations, places.reshape(frames, JOINT_COUNT, 3))
    betas = _shaped("betas", np.ravel(arrays["betas"][index])[:BETAS_COUNT], (BETAS_COUNT,))
    return Actor(
        name=str(index),
        gender=GENDERS[str(arrays["genders"][index])],
        global_orient=rotations @ rotmat[:, 0],
        body_pose=rotmat[:, 1:],
        betas=np.nan_to_num(betas),
        joints=joints + offsets[:, None],
        keypoints=np.where(np.isfinite(keypoints).all(axis=-1, keepdims=True), keypoints, 0.0),
        valid=valid,
    )


def _matrices(poses: np.ndarray) -> np.ndarray:
    return roma.rotvec_to_rotmat(torch.from_numpy(poses)).numpy()


def _shaped(name: str, value: Any, shape: tuple[int | None, ...]) -> np.ndarray:
    """`value` in double precision, if it has `shape`, where None is any length."""
    array = np.asarray(value, dtype=np.float64)
    wanted = [got if want is None else want for got, want in zip(array.shape, shape, strict=False)]
    if list(array.shape) != wanted or array.ndim != len(shape):
        raise ValueError(f"{name} has shape {array.shape}")
    return array
