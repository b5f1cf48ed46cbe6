"""Synthetic people for tests of the fit: bodies in known motion, seen by a known camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from stripmocap.contract.body_file import BodyTemplate
from stripmocap.contract.motion import Camera
from stripmocap.contract.skeleton import BLAZEPOSE_NAMES, JOINT_NAMES
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.methods.smplify.priors import PosePrior
from stripmocap.methods.smplify.states import States
from stripmocap.methods.smplify.subject import Subject
from stripmocap.people.observations import Person

CAMERA = Camera(focal_px=1000.0, center_px=np.array([639.5, 359.5]), size_px=(1280, 720))
_HALF_TURN_ABOUT_X = np.array([np.pi, 0.0, 0.0])  # y up to y down, facing the camera


@dataclass(frozen=True, eq=False)
class Scene:
    """What was there and what was seen of it."""

    states: States
    points: np.ndarray  # (T, 24 + K, 3) metres, camera axes
    person: Person


def loose_prior(dtype: torch.dtype = torch.float32) -> PosePrior:
    """Two wide Gaussians: arms out, and arms hanging."""
    means = np.zeros((2, 23, 3))
    means[1, JOINT_NAMES.index("left_shoulder") - 1, 2] = -1.2
    means[1, JOINT_NAMES.index("right_shoulder") - 1, 2] = 1.2
    covariances = np.stack([np.eye(69) * 0.2] * 2)
    weights = np.array([0.4, 0.6])
    return PosePrior.from_mixture(means.reshape(2, 69), covariances, weights=weights, dtype=dtype)


def walk(
    template: BodyTemplate,
    *,
    frames: int = 40,
    fps: float = 30.0,
    noise_px: float = 0.0,
    speed_m_s: float = 0.5,
    start_s: float = 0.0,
    side_m: float = 0.0,
    person: int = 0,
) -> Scene:
    """Somebody 4 m away who strolls sideways, swings arms and legs, and bends the knees."""
    subject = Subject.from_template(template, loose_prior())
    times = start_s + np.arange(frames) / fps
    swing = np.sin(2 * np.pi * 0.8 * times)
    pose = np.zeros((frames, 23, 3), dtype=np.float32)

    def turn(joint: str, axis: int, angle: np.ndarray) -> None:
        pose[:, JOINT_NAMES.index(joint) - 1, axis] = angle

    turn("left_shoulder", 2, -1.0 + 0.3 * swing)
    turn("right_shoulder", 2, 1.0 + 0.3 * swing)
    turn("left_elbow", 1, -0.5 - 0.3 * swing)
    turn("right_elbow", 1, 0.5 - 0.3 * swing)
    turn("left_hip", 0, 0.3 * swing)
    turn("right_hip", 0, -0.3 * swing)
    turn("left_knee", 0, 0.3 + 0.3 * swing)
    turn("right_knee", 0, 0.3 - 0.3 * swing)
    orient = np.tile(_HALF_TURN_ABOUT_X, (frames, 1))
    transl = np.stack([side_m + speed_m_s * times, np.full(frames, 0.8), np.full(frames, 4.0)], 1)
    states = States(
        transl=torch.tensor(transl, dtype=torch.float32),
        global_rotmat=aa_to_matrix(torch.tensor(orient, dtype=torch.float32)),
        body_pose=torch.tensor(pose),
        betas=torch.zeros(1, 10),
    )
    points = subject.body.points(
        states.global_rotmat,
        aa_to_matrix(states.body_pose),
        betas=states.betas[0],
        transl=states.transl,
    )
    seen = _person(points[:, subject.keypoints].numpy(), times, noise_px=noise_px, person=person)
    return Scene(states, points.numpy(), seen)


def _person(points: np.ndarray, times: np.ndarray, *, noise_px: float, person: int) -> Person:
    rng = np.random.default_rng(person)
    pixels = CAMERA.focal_px * points[..., :2] / points[..., 2:] + CAMERA.center_px
    pixels = pixels + noise_px * rng.standard_normal(pixels.shape)
    confident = np.ones((*pixels.shape[:2], 1))
    hips = [BLAZEPOSE_NAMES.index("left_hip"), BLAZEPOSE_NAMES.index("right_hip")]
    return Person(
        person=person,
        times_s=times,
        boxes=np.concatenate([pixels.min(axis=1), pixels.max(axis=1)], axis=1),
        keypoints=np.concatenate([pixels, confident], axis=2),
        landmarks3d=_seen_straight(points - points[:, hips].mean(axis=1, keepdims=True), pixels),
        presence=np.ones(len(times)),
    )


def _seen_straight(points: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """`points` in the axes of a camera that looks straight at the hips, as detectors give them."""
    hips = [BLAZEPOSE_NAMES.index("left_hip"), BLAZEPOSE_NAMES.index("right_hip")]
    slope = (pixels[:, hips].mean(axis=1) - CAMERA.center_px) / CAMERA.focal_px
    rays = np.concatenate([slope, np.ones((len(slope), 1))], axis=1)
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    axes = np.cross(rays, [0.0, 0.0, 1.0])
    sines = np.linalg.norm(axes, axis=1, keepdims=True)
    turns = Rotation.from_rotvec(axes / np.maximum(sines, 1e-9) * np.arcsin(sines))
    return np.einsum("tij,tkj->tki", turns.as_matrix(), points)
