"""Keypoint sets on a body: which joint or landmark each keypoint of a set is.

A keypoint is one of the body's joints, or a landmark that the body file names and weighs from
vertices. A set is given as the landmark rows that `ReducedBody` folds and as each keypoint's place
among that body's J + K points. BlazePose's shoulders, elbows, wrists, hips, knees and ankles are
taken as SMPL's joints; SPIN's and COCO's orders are those of their papers (Kolotouros et al., ICCV
2019; Lin et al., ECCV 2014).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..contract.body_file import BodyTemplate
from ..contract.errors import BodyFileError
from ..contract.skeleton import BLAZEPOSE_NAMES

COCO_NAMES = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder"),
    *("left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip"),
    *("left_knee", "right_knee", "left_ankle", "right_ankle"),
)

# What each of SPIN_NAMES is on the body. OpenPose's hips are SMPL's joints; those of the training
# sets are regressed.
SPIN_PLACES = (
    *("nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder"),
    *("left_elbow", "left_wrist", "pelvis", "right_hip", "right_knee", "right_ankle", "left_hip"),
    *("left_knee", "left_ankle", "right_eye", "left_eye", "right_ear", "left_ear"),
    *("left_big_toe", "left_small_toe", "left_heel"),
    *("right_big_toe", "right_small_toe", "right_heel"),
    *("right_ankle", "right_knee", "right_hip_lsp", "left_hip_lsp", "left_knee", "left_ankle"),
    *("right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist"),
    *("neck_lsp", "head_top", "pelvis_mpii", "thorax", "spine_h36m", "jaw", "head_h36m"),
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear"),
)
OPENPOSE_COUNT = 25
# What the package smplx adds to the joints of SMPL (45 in all) and of SMPL-H (73).
SMPLX_EXTRAS = (
    *("nose", "right_eye", "left_eye", "right_ear", "left_ear"),
    *("left_big_toe", "left_small_toe", "left_heel"),
    *("right_big_toe", "right_small_toe", "right_heel"),
    *(
        f"{side}_{finger}_tip"
        for side in ("left", "right")
        for finger in ("thumb", "index", "middle", "ring", "pinky")
    ),
)


@dataclass(frozen=True, eq=False)
class KeypointRows:
    """M keypoints of a set that a body has, through K landmarks."""

    columns: np.ndarray  # (M,) place of each keypoint in its whole set, rising
    points: np.ndarray  # (M,) its place among the J joints and K landmarks of `ReducedBody`
    rows: np.ndarray  # (K, V) the landmarks, each a weighted mean of vertices


@dataclass(frozen=True, eq=False)
class MeshKeypoints:
    """The same keypoints read off a full mesh."""

    used: Tensor  # (U,) int64, the vertices that any landmark weighs
    rows: Tensor  # (K, U)
    points: Tensor  # (M,) int64

    @classmethod
    def from_rows(
        cls,
        keypoints: KeypointRows,
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> MeshKeypoints:
        """The reader of `keypoints`, on one device, in one precision."""
        used = np.flatnonzero(keypoints.rows.any(axis=0))
        return cls(
            used=torch.tensor(used, device=device),
            rows=torch.tensor(keypoints.rows[:, used], dtype=dtype, device=device),
            points=torch.tensor(keypoints.points, device=device),
        )

    def read(self, joints: Tensor, vertices: Tensor) -> Tensor:
        """(..., M, 3) keypoints of joints (..., J, 3) and meshes (..., V, 3), in their unit."""
        landmarks = self.rows @ vertices.index_select(-2, self.used)
        return torch.cat([joints, landmarks], dim=-2).index_select(-2, self.points)


def blazepose_rows(template: BodyTemplate) -> KeypointRows:
    """BlazePose's 33 landmarks, as far as the body has them."""
    return _rows(template, BLAZEPOSE_NAMES)


def coco_rows(template: BodyTemplate) -> KeypointRows:
    """COCO's 17 keypoints, as far as the body has them."""
    return _rows(template, COCO_NAMES)


def spin49_rows(template: BodyTemplate) -> KeypointRows:
    """SPIN's 49 keypoints.

    Raises:
        BodyFileError: the body lacks one of them; SPIN's formulas count on all.
    """
    return _all_rows(
        template,
        SPIN_PLACES,
        hint="Convert the body again, with its file of extra joint regressors.",
    )


def openpose25_rows(template: BodyTemplate) -> KeypointRows:
    """OpenPose's 25 keypoints (BODY_25), of SMPL or of SMPL-H.

    Raises:
        BodyFileError: the body lacks one of them.
    """
    return _all_rows(template, SPIN_PLACES[:OPENPOSE_COUNT])


def smplx_rows(template: BodyTemplate) -> KeypointRows:
    """The J + 21 points that the package smplx calls joints.

    Raises:
        BodyFileError: the body lacks one of them; those from official files have all.
    """
    return _all_rows(template, (*template.joint_names, *SMPLX_EXTRAS))


def _all_rows(template: BodyTemplate, places: tuple[str, ...], *, hint: str = "") -> KeypointRows:
    found = _rows(template, places)
    if len(found.columns) < len(places):
        there = {*template.joint_names, *template.landmark_names}
        missing = sorted(set(places) - there)
        raise BodyFileError(f"{template.name} has no {', '.join(missing)}", hint=hint)
    return found


def _rows(template: BodyTemplate, places: tuple[str, ...]) -> KeypointRows:
    """The places that are joints or landmarks of the body; joints go before landmarks."""
    joints, names = template.joint_names, template.landmark_names
    kept = [name for name in names if name in places and name not in joints]
    among = {name: index for index, name in enumerate((*joints, *kept))}
    columns = [column for column, name in enumerate(places) if name in among]
    return KeypointRows(
        columns=np.array(columns),
        points=np.array([among[places[column]] for column in columns]),
        rows=template.landmark_regressor[[names.index(name) for name in kept]].reshape(
            len(kept), len(template.v_template)
        ),
    )


def spin49_from_blazepose(keypoints: np.ndarray) -> np.ndarray:
    """(..., 49, 3) SPIN's keypoints from BlazePose's (..., 33, 3); score 0 where it has none.

    Only OpenPose's half is filled: the other half is for training sets. BlazePose's foot index
    stands for the big toe.
    """
    stand_in = {"left_foot_index": "left_big_toe", "right_foot_index": "right_big_toe"}
    found = np.zeros((*keypoints.shape[:-2], len(SPIN_PLACES), 3), dtype=keypoints.dtype)
    for column, name in enumerate(BLAZEPOSE_NAMES):
        place = stand_in.get(name, name)
        if place in SPIN_PLACES[:OPENPOSE_COUNT]:
            found[..., SPIN_PLACES.index(place), :] = keypoints[..., column, :]
    return found
