"""The walk of the demo clip: a CMU recording on the embedded body, in a world with z up.

CMU Graphics Lab Motion Capture Database, mocap.cs.cmu.edu (created with funding from NSF
EIA-0196217): subject 16, trial 17, "walk, 90-degree left turn".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from stripmocap.contract.body_file import BodyTemplate
from stripmocap.contract.skeleton import JOINT_NAMES, PARENTS

SEGMENT = "16_17#0"
FIRST_FRAME = 6
FPS = 30
BETAS = np.array([-0.3, 0.6, -0.4, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])


@dataclass(frozen=True, eq=False)
class Walk:
    """What the body does over T frames, at `FPS`."""

    vertices: np.ndarray  # (T, V, 3) metres, world, z up, floor at 0
    joints: np.ndarray  # (T, 24, 3) metres, world
    landmarks: np.ndarray  # (T, K, 3) metres, world


def load(mocap: Path, body: BodyTemplate, *, frames: int) -> Walk:
    """`frames` frames of the walk, from the folder `mocap` with index.json and its .npz files."""
    poses, pelvis = _recorded(mocap, frames)
    rest = body.rest_vertices(BETAS).astype(np.float64)
    joints = body.J_regressor @ rest
    # The recording stands on legs of its own length; ours must not slide or sink.
    pelvis = pelvis * (_leg_length(joints) / _recorded_leg_length(mocap))
    posed = [
        _skinned(body, rest, joints=joints, pose=pose, pelvis=place)
        for pose, place in zip(poses, pelvis, strict=True)
    ]
    vertices, moved = (np.stack(part) for part in zip(*posed, strict=True))
    floor = np.percentile(vertices[..., 2].min(axis=1), 20)
    vertices[..., 2] -= floor
    moved[..., 2] -= floor
    landmarks = np.einsum("kv,tvc->tkc", body.landmark_regressor, vertices)
    return Walk(vertices, moved, landmarks)


def _recorded(mocap: Path, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """(T, 24, 3) axis-angle rad and (T, 3) metres of the pelvis joint."""
    clip = next(each for each in _index(mocap)["clips"] if each["id"] == SEGMENT)
    rows = slice(clip["start"] + FIRST_FRAME, clip["start"] + FIRST_FRAME + frames)
    with np.load(mocap / clip["shard"]) as shard:
        poses = shard["poses"][rows].astype(np.float64)
        pelvis = shard["trans"][rows].astype(np.float64)
    assert len(poses) == frames, "the recording is too short"
    return poses, pelvis


def _index(mocap: Path) -> dict:
    return json.loads((mocap / "index.json").read_text(encoding="utf-8"))


def _recorded_leg_length(mocap: Path) -> float:
    offsets = np.array(_index(mocap)["rest_offsets_m"])
    return float(
        sum(
            np.linalg.norm(offsets[JOINT_NAMES.index(name)]) for name in ("left_knee", "left_ankle")
        )
    )


def _leg_length(joints: np.ndarray) -> float:
    hip, knee, ankle = (
        joints[JOINT_NAMES.index(f"left_{name}")] for name in ("hip", "knee", "ankle")
    )
    return float(np.linalg.norm(knee - hip) + np.linalg.norm(ankle - knee))


def _skinned(
    body: BodyTemplate,
    rest: np.ndarray,
    *,
    joints: np.ndarray,
    pose: np.ndarray,
    pelvis: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """(V, 3) vertices and (24, 3) joints of `pose` (24, 3), by linear blend skinning."""
    rotations = np.empty((24, 3, 3))
    moved = np.empty((24, 3))
    for joint, parent in enumerate(PARENTS):
        own = _rotation(pose[joint])
        rotations[joint] = own if parent < 0 else rotations[parent] @ own
        bone = joints[joint] - joints[parent]
        moved[joint] = pelvis if parent < 0 else moved[parent] + rotations[parent] @ bone
    shifts = moved - np.einsum("jab,jb->ja", rotations, joints)
    transforms = np.concatenate([rotations, shifts[..., None]], axis=2)
    blended = np.einsum("vj,jab->vab", body.lbs_weights, transforms)
    return np.einsum("vab,vb->va", blended[..., :3], rest) + blended[..., 3], moved


def _rotation(axis_angle: np.ndarray) -> np.ndarray:
    """(3, 3) Rodrigues' formula."""
    angle = np.linalg.norm(axis_angle)
    x, y, z = axis_angle / max(angle, 1e-12)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
