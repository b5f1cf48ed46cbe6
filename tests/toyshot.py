"""A shot of the toy body: smooth motions of two people in front of a tilted camera."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from stripmocap.contract.corrections import Mark
from stripmocap.contract.motion import Camera, Capture, Motion, Take
from stripmocap.contract.tracks import PersonTrack
from toybody import rotation, skinned_vertices


def toy_camera(size_px=(1280, 720), center_px=(650.0, 340.0)) -> Camera:
    """1.5 m above the ground, looking along +y, a little down and tilted."""
    world_from_camera = np.eye(4)
    level = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
    world_from_camera[:3, :3] = rotation(np.array([-0.15, 0.05, 0.3])) @ level
    world_from_camera[:3, 3] = [0.4, -3.0, 1.5]
    return Camera(
        focal_px=1100.0, center_px=center_px, size_px=size_px, world_from_camera=world_from_camera
    )


def toy_motion(person: int, *, frames: int, fps: Fraction, seed: int) -> Motion:
    """A person who turns round more than once while every joint swings."""
    rng = np.random.default_rng(seed)
    times_s = np.arange(frames) / float(fps)
    phase = times_s[:, None, None] * rng.uniform(1, 3, size=(23, 1)) + rng.uniform(0, 6, (23, 1))
    swing = rng.normal(scale=0.25, size=(23, 3))
    upright = rotation(np.array([np.pi, 0, 0]))  # rest axes seen by a level camera
    turned = [upright @ rotation(np.array([0, 2.5 * t, 0])) for t in times_s]
    return Motion(
        person=person,
        times_s=times_s,
        global_orient=np.array([_axis_angle(each) for each in turned]),
        body_pose=np.sin(phase) * swing,
        betas=rng.normal(size=10),
        transl=np.stack([0.3 * np.sin(times_s), -0.9 + 0 * times_s, 4 + 0.2 * times_s], axis=1),
        confidence=np.ones(frames),
    )


def toy_capture(
    *, frames: int = 40, fps: Fraction = Fraction(30), clip: str = "walk.mp4"
) -> Capture:
    """Two people, a fitted and a refined take of each, the raw one of another shape."""
    takes = []
    for label, seed in (("refined", 1), ("fitted", 5)):
        motions = [toy_motion(k, frames=frames, fps=fps, seed=seed + k) for k in (0, 1)]
        takes.append(Take(label=label, motions=tuple(motions)))
    request = {"clip": {"path": clip}, "estimator": "smplify", "body": "neutral"}
    tracks = tuple(toy_track(k, frames=frames, fps=fps) for k in (0, 1))
    return Capture(toy_camera(), tuple(takes), {"request": request}, tracks)


def toy_track(person: int, *, frames: int, fps: Fraction) -> PersonTrack:
    """Somebody who crosses the picture of `toy_camera`; each has a place of their own."""
    times_s = np.arange(frames) / float(fps)
    left, top = 100 + 300 * person + 20 * times_s, np.full(frames, 200.0)
    return PersonTrack(
        person=person,
        times_s=times_s,
        boxes=np.stack([left, top, left + 100, top + 250], axis=1),
        presence=np.where(np.arange(frames) == frames // 2, 0, 0.9),
        mark=Mark(float(times_s[0]), (left[0] + 50) / 1280, 325 / 720),
        pictured_s=times_s[:2],
        pictures=np.full((min(2, frames), 8, 8, 3), 40 * person, np.uint8),
    )


def world_vertices(body, motion: Motion, camera: Camera, *, frame: int) -> np.ndarray:
    """(V, 3) metres, where a capture says the skin is in the world."""
    points = skinned_vertices(
        body,
        global_orient=motion.global_orient[frame],
        body_pose=motion.body_pose[frame],
        betas=motion.betas,
        transl=motion.transl[frame],
    )
    return points @ camera.world_from_camera[:3, :3].T + camera.world_from_camera[:3, 3]


def _axis_angle(matrix: np.ndarray) -> np.ndarray:
    cosine = np.clip((np.trace(matrix) - 1) / 2, -1, 1)
    angle = np.arccos(cosine)
    if angle > np.pi - 1e-4:  # the axis from the symmetric part, where the other vanishes
        axis = np.sqrt(np.maximum(np.diag(matrix) + 1, 0) / 2)
        column = matrix[:, axis.argmax()]
        axis = axis * np.where(column >= 0, 1, -1)
        return angle * axis / np.linalg.norm(axis)
    if angle < 1e-6:
        return np.zeros(3)
    skew = [matrix[2, 1] - matrix[1, 2], matrix[0, 2] - matrix[2, 0], matrix[1, 0] - matrix[0, 1]]
    return angle / (2 * np.sin(angle)) * np.array(skew)
