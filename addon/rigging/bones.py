"""From SMPL's joints and rotations to the bones that an artist gets, as numbers.

Each bone starts at its joint and points along the limb to the next joint. Its local x is the hinge
of that limb, so that knees, elbows, neck and spine bend forward or closed with a positive x angle,
and left and right are mirror images. All positions are in Blender's axes, metres, and the armature
object stands at the world's origin, unturned: the root bone carries the motion through the world.

With A the turn of the rest body from y up to z up, B_j the rest rotation of bone j, R_j SMPL's
local rotation and W the turn from camera to world, the pose of a bone in its own axes is
    children:  B_j^T A R_j A^T B_j         (the rotation vector of R_j, seen from bone j)
    root:      B_0^T W R_0 A^T B_0
    location:  B_0^T (pelvis in the world - pelvis at rest)
which follows from equating skinning matrices: bone_posed bone_rest^-1 A = SMPL's, joint by joint.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..contract import quaternions, skeleton
from . import axes
from .quaternions import continuous

# The joint each bone points at; a joint that is missing here is the end of a chain.
_TARGETS = {
    "pelvis": "spine1",
    "spine1": "spine2",
    "spine2": "spine3",
    "spine3": "neck",
    "neck": "head",
    "left_hip": "left_knee",
    "left_knee": "left_ankle",
    "left_ankle": "left_foot",
    "left_collar": "left_shoulder",
    "left_shoulder": "left_elbow",
    "left_elbow": "left_wrist",
    "left_wrist": "left_hand",
}
_POINTS_AT = _TARGETS | {
    skeleton.mirrored(joint): skeleton.mirrored(target) for joint, target in _TARGETS.items()
}
# Where the last bone of a chain points and how long it is, Blender axes, in units of the distance
# between the hips and the neck (so that it grows with the body).
_ENDS = {
    "head": (0.0, 0.0, 0.4),
    "left_foot": (0.0, -0.15, 0.0),
    "right_foot": (0.0, -0.15, 0.0),
    "left_hand": (0.2, 0.0, 0.0),
    "right_hand": (-0.2, 0.0, 0.0),
}
_ARM_PARTS = ("collar", "shoulder", "elbow", "wrist", "hand")
_SHORTEST = 0.01  # metres; Blender deletes bones of no length without a word


@dataclass(frozen=True, eq=False)
class RestBones:
    """The 24 bones at rest, in the order of the skeleton, Blender axes."""

    heads: np.ndarray  # (24, 3) metres
    tails: np.ndarray  # (24, 3) metres
    rotations: np.ndarray  # (24, 3, 3) columns are the bone's x (hinge), y (along) and z


def rest_bones(joints: np.ndarray) -> RestBones:
    """Bones for a body whose rest joints are `joints` (24, 3) metres, rest axes."""
    heads = axes.rest_to_blender(joints)
    spans = np.array([_span(joint, heads) for joint in range(skeleton.JOINT_COUNT)])
    along = spans / np.linalg.norm(spans, axis=1, keepdims=True)
    hinges = np.array([_hinge(name) for name in skeleton.JOINT_NAMES])
    hinges -= np.sum(hinges * along, axis=1, keepdims=True) * along
    hinges /= np.linalg.norm(hinges, axis=1, keepdims=True)
    rotations = np.stack([hinges, along, np.cross(hinges, along)], axis=-1)
    return RestBones(heads=heads, tails=heads + spans, rotations=rotations)


def pose_quats(
    global_orient: np.ndarray,
    body_pose: np.ndarray,
    *,
    world_from_camera: np.ndarray,
    rest_rotations: np.ndarray,
) -> np.ndarray:
    """(T, 24, 4) pose of each bone in its own rest axes, wxyz, signs continuous over time.

    Args:
        global_orient: (T, 3) axis-angle rad, body root -> camera.
        body_pose: (T, 23, 3) axis-angle rad, child -> parent.
        world_from_camera: (4, 4), or (T, 4, 4) where the camera moves.
        rest_rotations: (24, 3, 3) rest rotations of the bones, Blender axes.
    """
    turn = axes.BLENDER_FROM_REST
    bone_from_rest = np.swapaxes(rest_rotations, 1, 2) @ turn  # (24, 3, 3)
    children = np.einsum("jab,tjb->tja", bone_from_rest[1:], body_pose)  # (T, 23, 3)
    before = quaternions.matrix_to_quat(rest_rotations[0].T @ world_from_camera[..., :3, :3])
    after = quaternions.matrix_to_quat(turn.T @ rest_rotations[0])
    root = quaternions.multiply(
        quaternions.multiply(before, quaternions.aa_to_quat(global_orient)), after
    )
    quats = np.concatenate([root[:, None], quaternions.aa_to_quat(children)], axis=1)
    return continuous(quats)


def root_locations(
    transl: np.ndarray,
    *,
    rest_pelvis: np.ndarray,
    world_from_camera: np.ndarray,
    root_head: np.ndarray,
    root_rotation: np.ndarray,
) -> np.ndarray:
    """(T, 3) metres, location of the root bone in its own rest axes.

    Args:
        transl: (T, 3) metres, camera axes.
        rest_pelvis: (3,) metres, rest axes: the pelvis of the shape that the motion was found with.
        world_from_camera: (4, 4) metres, or (T, 4, 4) where the camera moves.
        root_head: (3,) metres, Blender axes: where the root bone starts.
        root_rotation: (3, 3) rest rotation of the root bone.
    """
    turned = np.einsum("...ab,...b->...a", world_from_camera[..., :3, :3], transl + rest_pelvis)
    pelvis = turned + world_from_camera[..., :3, 3]
    return (pelvis - root_head) @ root_rotation


def _span(joint: int, heads: np.ndarray) -> np.ndarray:
    """(3,) metres from head to tail, never shorter than Blender keeps."""
    names = skeleton.JOINT_NAMES
    name = names[joint]
    if name in _ENDS:
        size = np.linalg.norm(heads[names.index("neck")] - heads[names.index("pelvis")])
        span = np.array(_ENDS[name]) * size
    else:
        span = heads[names.index(_POINTS_AT[name])] - heads[joint]
    if np.linalg.norm(span) >= _SHORTEST:
        return span
    arm = name.partition("_")[2] in _ARM_PARTS
    away = (np.copysign(1.0, heads[joint, 0]), 0.0, 0.0) if arm else (0.0, 0.0, 1.0)
    return np.array(away) * _SHORTEST


def _hinge(name: str) -> tuple[float, float, float]:
    """Axis about which the limb closes when turned by a positive angle."""
    side, _, part = name.partition("_")
    if part not in _ARM_PARTS:
        return (1.0, 0.0, 0.0)
    return (0.0, 0.0, -1.0) if side == "left" else (0.0, 0.0, 1.0)
