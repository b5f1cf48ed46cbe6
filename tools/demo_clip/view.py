"""The camera of the demo clip, which stands still, and the truth file that it makes exact."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from stripmocap.contract.skeleton import JOINT_NAMES

from .walk import FPS, Walk

WIDTH, HEIGHT = 480, 640
FOCAL_PX = 680.0
POSITION = np.array([0.45, -3.75, 1.50])  # metres, world
TARGET = np.array([0.275, 0.0, 0.93])

_MARGIN_PX = 26  # for soft shadows and for the seam

# OpenPose's names, as in the truth files that people share, and where each lies on our body.
_JOINTS = {
    **{f"{side[0].upper()}{part.capitalize()}": f"{side}_{part}"
       for side in ("right", "left")
       for part in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")},
}  # fmt: skip
_LANDMARKS = {
    "RBigToe": "right_big_toe",
    "RSmallToe": "right_small_toe",
    "RHeel": "right_heel",
    "LBigToe": "left_big_toe",
    "LSmallToe": "left_small_toe",
    "LHeel": "left_heel",
    "Head": "head_top",
    "Nose": "nose",
}
_ORDER = (
    *("RHip", "RKnee", "RAnkle", "RBigToe", "RSmallToe", "RHeel", "LHip", "LKnee", "LAnkle"),
    *("LBigToe", "LSmallToe", "LHeel", "Neck", "Head", "Nose", "RShoulder", "RElbow", "RWrist"),
    *("LShoulder", "LElbow", "LWrist"),
)


def intrinsics() -> np.ndarray:
    """(3, 3) pixels; the centre of the top-left pixel is (0, 0)."""
    return np.array([[FOCAL_PX, 0, (WIDTH - 1) / 2], [0, FOCAL_PX, (HEIGHT - 1) / 2], [0, 0, 1]])


def camera_from_world() -> tuple[np.ndarray, np.ndarray]:
    """(3, 3) and (3,) metres: x_camera = R x_world + t, camera axes of OpenCV."""
    forward = (TARGET - POSITION) / np.linalg.norm(TARGET - POSITION)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right = right / np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    return rotation, -rotation @ POSITION


def pixels(points: np.ndarray) -> np.ndarray:
    """(..., 2) pixels of world `points` (..., 3)."""
    rotation, translation = camera_from_world()
    seen = (points @ rotation.T + translation) @ intrinsics().T
    return seen[..., :2] / seen[..., 2:]


def box_around(vertices: np.ndarray, *, light: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right, bottom pixels of `vertices` (V, 3) and of their shadow on the floor.

    `light` (3,) is the direction in which the light travels.
    """
    shadow = vertices - light * (vertices[:, 2:] / light[2])
    both = pixels(np.concatenate([vertices, shadow]))
    left, top = np.floor(both.min(axis=0)) - _MARGIN_PX
    right, bottom = np.ceil(both.max(axis=0)) + _MARGIN_PX
    return max(int(left), 0), max(int(top), 0), min(int(right), WIDTH), min(int(bottom), HEIGHT)


def write_truth(path: Path, walk: Walk, *, landmark_names: tuple[str, ...]) -> None:
    """The joints of `walk` and the camera, as a truth file (see evaluation/truth.py)."""
    columns = [_track(walk, name, landmark_names=landmark_names) for name in _ORDER]
    joints = np.stack(columns, axis=1)[None].astype(np.float32)  # (1, T, J, 3)
    rotation, translation = camera_from_world()
    np.savez_compressed(
        path,
        joints3d=joints,
        joint_names=np.array(_ORDER),
        valid=np.ones(joints.shape[:3], dtype=bool),
        K=intrinsics()[None],
        dist=np.zeros((1, 4)),
        R=rotation[None],
        t=translation[None],
        image_size=np.array([[WIDTH, HEIGHT]]),
        camera_names=np.array(["camera"]),
        person_names=np.array(["walker"]),
        fps=np.array(float(FPS)),
        times_s=np.arange(joints.shape[1]) / FPS,
        world=np.array("z up, metres, x_cam = R X + t, OpenCV, no distortion"),
    )


def _track(walk: Walk, name: str, *, landmark_names: tuple[str, ...]) -> np.ndarray:
    """(T, 3) metres, world."""
    if name == "Neck":  # OpenPose's neck is the middle of the shoulders
        shoulders = [JOINT_NAMES.index(f"{side}_shoulder") for side in ("left", "right")]
        return walk.joints[:, shoulders].mean(axis=1)
    if name in _JOINTS:
        return walk.joints[:, JOINT_NAMES.index(_JOINTS[name])]
    return walk.landmarks[:, landmark_names.index(_LANDMARKS[name])]
