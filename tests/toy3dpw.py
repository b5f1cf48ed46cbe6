"""A toy dataset in 3DPW's layout: two actors before a camera that moves, as Python 2 pickled it."""

from __future__ import annotations

import pickle
from pathlib import Path

import cv2
import numpy as np
import roma
import torch
from stripmocap.body.model import Body
from stripmocap.contract.body_file import BodyTemplate

FRAMES = 6
FOCAL, CENTER, SIZE = 90.0, (32.0, 24.0), (64, 48)
NAME = "toy_walking_00"


def toy_sequence(template: BodyTemplate, *, frames: int = FRAMES, seed: int = 0) -> dict:
    """The dictionary that a pickle of the dataset holds; joints are those of `template`."""
    rng = np.random.default_rng(seed)
    body = Body.from_template(template, dtype=torch.float64)
    poses, joints, betas, poses2d = [], [], [], []
    cam_poses = np.tile(np.eye(4), (frames, 1, 1))
    cam_poses[:, :3, :3] = matrices(rng.normal(scale=0.2, size=(frames, 3)))
    cam_poses[:, :3, 3] = rng.normal(scale=0.3, size=(frames, 3))
    intrinsics = np.array([[FOCAL, 0, CENTER[0]], [0, FOCAL, CENTER[1]], [0, 0, 1]])
    for x in (-0.6, 0.6):
        pose = rng.normal(scale=0.2, size=(frames, 72))
        pose[:, :3] = [np.pi, 0, 0]  # the world's y points down, as the first camera's does
        shape = rng.normal(size=10)
        trans = np.array([x, -0.9, 4.0]) + rng.normal(scale=0.05, size=(frames, 3))
        points = posed_joints(body, pose, shape, trans)  # (T, 24, 3)
        seen = np.einsum("tij,tkj->tki", cam_poses[:, :3, :3], points) + cam_poses[:, None, :3, 3]
        pixels = seen[:, :18] @ intrinsics.T
        pixels = pixels[..., :2] / pixels[..., 2:]
        scores = np.ones((*pixels.shape[:2], 1))
        poses2d.append(np.concatenate([pixels, scores], axis=-1).transpose(0, 2, 1))
        poses.append(pose)
        joints.append(points.reshape(frames, 72))
        betas.append(np.concatenate([shape, np.zeros(290)]))
    return {
        "sequence": NAME,
        "poses": poses,
        "betas": betas,
        "jointPositions": joints,
        "poses2d": poses2d,
        "cam_poses": cam_poses,
        "cam_intrinsics": intrinsics,
        "genders": ["m", "f"],
        "campose_valid": [np.ones(frames, dtype=int), np.ones(frames, dtype=bool)],
        "img_frame_ids": np.arange(frames),
        "v_template_clothed": [np.zeros((4, 3))] * 2,
    }


def write_dataset(folder: Path, sequence: dict, *, split: str = "test") -> Path:
    """Writes the pickle and grey pictures under `folder`; the pickle's path."""
    pickles = folder / "sequenceFiles" / split
    pictures = folder / "imageFiles" / NAME
    for each in (pickles, pictures):
        each.mkdir(parents=True)
    for number in range(FRAMES):
        image = np.full((SIZE[1], SIZE[0], 3), 20 * number, dtype=np.uint8)
        cv2.imwrite(str(pictures / f"image_{number:05d}.jpg"), image)
    path = pickles / f"{NAME}.pkl"
    path.write_bytes(pickle.dumps(sequence, protocol=2))
    return path


def posed_joints(body: Body, pose: np.ndarray, betas: np.ndarray, trans: np.ndarray) -> np.ndarray:
    """(T, 24, 3) metres, world, of `pose` (T, 72)."""
    rotmat = torch.from_numpy(matrices(pose.reshape(-1, 24, 3)))
    return body.joints(
        rotmat[:, 0], rotmat[:, 1:], betas=torch.from_numpy(betas), transl=torch.from_numpy(trans)
    ).numpy()


def matrices(aa: np.ndarray) -> np.ndarray:
    """(..., 3, 3) of axis-angles (..., 3)."""
    return roma.rotvec_to_rotmat(torch.from_numpy(np.asarray(aa, dtype=np.float64))).numpy()
