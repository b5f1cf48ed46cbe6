"""Errors as the papers print them: on fourteen joints, in millimetres, frame after frame.

Joints are the seventeen that the H36M regressor finds on a mesh, in the order of its file;
fourteen of them are scored, in LSP's order. Two habits are kept apart, because they give other
numbers: SPIN (Kolotouros et al., ICCV 2019) puts the pelvis in one place, VIBE (Kocabas et al.,
CVPR 2020) the middle of the hips. Accelerations are second differences a frame, whatever the frame
rate; VIBE's evaluator writes all sequences one behind the other first, so that its second
differences cross from one into the next.
`metrics.py` has the numbers of this house, which know seconds, gaps and floors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from .metrics import procrustes

H36M_COUNT = 17
# Right ankle, knee, hip, left hip, knee, ankle, right wrist, elbow, shoulder, left shoulder, elbow,
# wrist, neck and head top, among the H36M regressor's rows.
LSP14_OF_H36M = (6, 5, 4, 1, 2, 3, 16, 15, 14, 11, 12, 13, 8, 10)
LSP14_NAMES = (
    *("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle"),
    *("right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow"),
    *("left_wrist", "neck", "head_top"),
)
_H36M_PELVIS = 0
_LSP_HIPS = (2, 3)
_MM = 1000.0

Root = Literal["pelvis", "hips"]  # SPIN's, VIBE's
Borders = Literal["kept", "crossed"]  # what second differences do where one sequence ends


@dataclass(frozen=True, eq=False)
class Compared:
    """One sequence of one person, predicted and true, both in camera axes."""

    joints: np.ndarray  # (N, 17, 3) metres, regressed from the predicted mesh
    truth: np.ndarray  # (N, 17, 3) metres, regressed from the true mesh
    vertices_mm: np.ndarray | None = None  # (N,) from `vertex_errors_mm`, where there are meshes


@dataclass(frozen=True)
class PublishedScores:
    """What a row of a paper's table says; NaN where it could not be taken."""

    pa_mpjpe_mm: float
    mpjpe_mm: float
    pve_mm: float
    accel_mm: float  # a frame squared, of the prediction alone
    accel_error_mm: float  # a frame squared
    frames: int

    def to_json(self) -> dict[str, float | int | None]:
        """A dictionary that `json` can write; a number that could not be taken becomes None."""
        return {
            name: value if math.isfinite(value) else None for name, value in asdict(self).items()
        }


def published_scores(
    sequences: Sequence[Compared], *, root: Root, borders: Borders
) -> PublishedScores:
    """The numbers over all frames of all `sequences`, each frame counting the same.

    Args:
        sequences: at least one.
        root: which point both sides are moved onto before MPJPE and acceleration.
        borders: "crossed" as VIBE publishes it, "kept" with no difference over two sequences.
    """
    aligned = [lsp14(each.joints, root=root) for each in sequences]
    truths = [lsp14(each.truth, root=root) for each in sequences]
    joined, joined_truth = np.concatenate(aligned), np.concatenate(truths)
    if borders == "crossed":
        aligned, truths = [joined], [joined_truth]
    errors = [accel_errors(a, b) for a, b in zip(aligned, truths, strict=True)]
    vertices = [each.vertices_mm for each in sequences if each.vertices_mm is not None]
    return PublishedScores(
        pa_mpjpe_mm=_mean([pa_errors(joined, joined_truth)]) * _MM,
        mpjpe_mm=_mean([joint_errors(joined, joined_truth)]) * _MM,
        pve_mm=_mean(vertices) if len(vertices) == len(sequences) else math.nan,
        accel_mm=_mean([accelerations(each) for each in aligned]) * _MM,
        accel_error_mm=_mean(errors) * _MM,
        frames=len(joined),
    )


def lsp14(h36m: np.ndarray, *, root: Root) -> np.ndarray:
    """(N, 14, 3) the scored joints of (N, 17, 3) regressed ones, about the root."""
    scored = h36m[:, LSP14_OF_H36M]
    if root == "pelvis":
        return scored - h36m[:, None, _H36M_PELVIS]
    return about_hips(scored)


def about_hips(joints14: np.ndarray) -> np.ndarray:
    """(N, 14, 3) LSP joints about the middle of their hips."""
    return joints14 - joints14[:, _LSP_HIPS].mean(axis=1, keepdims=True)


def joint_errors(joints: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(N,) mean distance of each frame's joints (N, J, 3), in their unit, nothing aligned."""
    return np.linalg.norm(joints - truth, axis=-1).mean(axis=-1)


def pa_errors(joints: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(N,) the same after the similarity that fits each frame best."""
    everything = np.ones(joints.shape[:2], dtype=bool)
    moved = procrustes(joints.astype(np.float64), truth.astype(np.float64), valid=everything)
    return joint_errors(moved, truth)


def accelerations(joints: np.ndarray) -> np.ndarray:
    """(N - 2,) mean length of the second differences of joints (N, J, 3)."""
    return np.linalg.norm(np.diff(joints, n=2, axis=0), axis=-1).mean(axis=-1)


def accel_errors(
    joints: np.ndarray, truth: np.ndarray, *, visible: np.ndarray | None = None
) -> np.ndarray:
    """(M,) mean length of the difference of both sides' second differences.

    Args:
        joints: (N, J, 3).
        truth: (N, J, 3).
        visible: (N,) frames that count; a difference counts where all three of its frames do.
    """
    errors = accelerations(joints - truth)
    if visible is None:
        return errors
    return errors[visible[:-2] & visible[1:-1] & visible[2:]]


def vertex_errors_mm(vertices: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(N,) mm, mean distance of meshes (N, V, 3) in metres about SMPL's origin, not aligned."""
    return joint_errors(vertices, truth) * _MM


def _mean(parts: Sequence[np.ndarray]) -> float:
    values = np.concatenate([np.asarray(each, dtype=np.float64) for each in parts])
    return float(values.mean()) if values.size else math.nan
