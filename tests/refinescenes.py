"""Shots for tests of refining: known walks as what a start found, and solvers of few words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from fitscenes import CAMERA, Scene, loose_prior
from scipy.spatial.transform import Rotation
from stripmocap.contract import body_file
from stripmocap.contract.body_file import BodyTemplate
from stripmocap.contract.camera_path import CameraPath
from stripmocap.contract.motion import Camera, Motion
from stripmocap.methods.ground import world_from_camera
from stripmocap.methods.humor.fast import Shot, Solved
from stripmocap.methods.smplify.states import States
from stripmocap.methods.smplify.subject import Subject
from stripmocap.methods.toolbox import Estimate
from stripmocap.people.observations import Person


def motion_of(scene: Scene) -> Motion:
    """The walk as a method would have it that makes no mistakes."""
    states = scene.states
    turns = Rotation.from_matrix(states.global_rotmat.numpy()).as_rotvec()
    return Motion(
        person=scene.person.person,
        times_s=scene.person.times_s,
        global_orient=turns,
        body_pose=states.body_pose.numpy(),
        betas=states.betas[0].numpy(),
        transl=states.transl.numpy(),
        confidence=np.full(len(turns), 0.9),
    )


def camera_over(template: BodyTemplate, *scenes: Scene, lower_m: float = 0.0) -> Camera:
    """The camera over a floor under the lowest foot, or so much lower."""
    feet = Subject.from_template(template, loose_prior()).feet
    lowest = max(float(each.points[:, feet, 1].max()) for each in scenes)  # y is down
    world = world_from_camera(np.array([0.0, -1.0, 0.0]), lowest + lower_m)
    return replace(CAMERA, world_from_camera=world)


def estimate(template: BodyTemplate, *scenes: Scene, lower_m: float = 0.0) -> Estimate:
    """What a start found of some walks."""
    camera = camera_over(template, *scenes, lower_m=lower_m)
    return Estimate(camera, tuple(motion_of(each) for each in scenes))


def seen_in(person: Person, frames: np.ndarray) -> Person:
    """The person, hidden in all other frames (T,)."""
    keypoints, presence = person.keypoints.copy(), person.presence.copy()
    keypoints[~frames, :, 2], presence[~frames] = 0.0, 0.0
    return replace(person, keypoints=keypoints, presence=presence)


def solver(change: Callable[[Shot], States], *, diverged: bool = False) -> Callable[..., Solved]:
    """A solver that makes `change` of a window, and sees contacts everywhere."""

    def solve(shot: Shot, report: Callable[[int, int], None]) -> Solved:
        report(1, 2)
        states = change(shot)
        contacts = torch.full((len(states.transl), 9), 0.75)
        groups = len(shot.start.betas)
        return Solved(states, contacts, (), torch.full((groups,), diverged))

    return solve


def same(shot: Shot) -> States:
    """Nothing changed."""
    return shot.start


FURTHER_M = 0.03
BENT = 20  # the right wrist, which few landmarks tell of


def further(shot: Shot) -> States:
    """Everybody 3 cm further from the camera, and a wrist bent, but for the ticks that stay.

    Walks are 4 m away: where the shot's world has its origin.
    """
    transl, pose = shot.start.transl.clone(), shot.start.body_pose.clone()
    transl[shot.held :, 1], pose[shot.held :, BENT] = FURTHER_M, 0.3
    return replace(shot.start, transl=transl, body_pose=pose)


def filmed_from(path: CameraPath, scene: Scene, start: Estimate) -> tuple[Person, Estimate]:
    """The same walk in the same world, filmed by a camera that moves on `path`."""
    times_s = scene.person.times_s
    moved = np.linalg.inv(path.at(times_s)) @ start.camera.world_from_camera  # new from old axes
    turn, shift = moved[:, :3, :3], moved[:, :3, 3]
    (motion,) = start.motions
    rest = scene.points[0, 0] - motion.transl[0]  # where the pelvis is at rest
    orient = Rotation.from_matrix(turn) * Rotation.from_rotvec(motion.global_orient)
    place = np.einsum("tij,tj->ti", turn, motion.transl + rest) + shift - rest
    points = np.einsum("tij,tpj->tpi", turn, scene.points) + shift[:, None]
    pixels = CAMERA.focal_px * points[..., :2] / points[..., 2:] + CAMERA.center_px
    subject = Subject.from_template(body_file.load(body_file.EMBEDDED_BODY), loose_prior())
    keypoints = scene.person.keypoints.copy()
    keypoints[:, subject.columns, :2] = pixels[:, subject.keypoints]
    camera = replace(start.camera, path=path)
    motion = replace(motion, global_orient=orient.as_rotvec(), transl=place)
    return replace(scene.person, keypoints=keypoints), Estimate(camera, (motion,))
