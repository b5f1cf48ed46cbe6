"""The energies of HuMoR's fit, one function each, per motion and without their weights.

Rempe et al., "HuMoR: 3D Human Motion Model for Robust Pose Estimation", ICCV 2021, 4.2, 4.3 and the
supplement, in the form of its code. Those of latents, poses and first moments are with what says
them: `network.Gaussian.energy`, `pose_prior.latent_energy`, `initial_state`. Motions are (N, T),
N of them over T frames; metres; `contacts` are chances of 0 to 1 that joints touch something.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .robust import bisquare_weights

# Each joint's neighbour in the bones whose length is kept: not SMPL's tree, the collars (13, 14)
# hang on the neck.
BONE_PARENTS = (0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 12, 12, 13, 14, 16, 17, 18, 19)
TOUCHING_M = 0.08  # heights below which a joint may touch the floor


def distances(points: Tensor, observed: Tensor) -> Tensor:
    """(N,) half the squared distances of points (N, T, P, 3) from where they were observed.

    What was not observed is infinite, or no number, and not counted.
    """
    known = observed.isfinite()
    gaps = torch.where(known, points - torch.where(known, observed, 0.0), 0.0)
    return gaps.square().sum(dim=(1, 2, 3)) / 2


def cloud_distances(cloud: Tensor, vertices: Tensor) -> Tensor:
    """(N,) half the squared distances from a cloud's points to the nearest vertex, robustly.

    Args:
        cloud: (N, T, C, 3) what a depth camera saw.
        vertices: (N, T, V, 3) of bodies.
    """
    nearest = torch.cdist(cloud, vertices).amin(dim=-1)  # (N, T, C)
    weights = bisquare_weights(nearest.flatten(0, 1)).view_as(nearest)
    return (weights * nearest.square()).sum(dim=(1, 2)) / 2


def unsteadiness(joints: Tensor) -> Tensor:
    """(N,) half the squared distances that joints (N, T, J, 3) go from frame to frame."""
    return joints.diff(dim=1).square().sum(dim=(1, 2, 3)) / 2


def inconsistency(joints: Tensor, told: Tensor) -> Tensor:
    """(N,) half the squared distances between a body's joints and what the decoder said of them.

    Args:
        joints: (N, T, 22, 3) of the body in the pose that was led to.
        told: (N, T, 22, 3) of the state that was led to.
    """
    return (joints - told).square().sum(dim=(1, 2, 3)) / 2


def stretching(joints: Tensor) -> Tensor:
    """(N,) half the squared changes of length of the bones between joints (N, T, 22, 3)."""
    bones = joints[..., 1:, :] - joints[..., list(BONE_PARENTS), :]
    return bones.norm(dim=-1).diff(dim=1).square().sum(dim=(1, 2)) / 2


def skating(joints: Tensor, contacts: Tensor) -> Tensor:
    """(N,) half the squared distances that touching joints go from frame to frame.

    Args:
        joints: (N, T, J, 3).
        contacts: (N, T, J); that of the later frame counts.
    """
    gone = joints.diff(dim=1).square().sum(dim=-1)
    return (contacts[:, 1:] * gone).sum(dim=(1, 2)) / 2


def hovering(joints: Tensor, contacts: Tensor) -> Tensor:
    """(N,) metres by which touching joints are further from the floor than `TOUCHING_M`.

    Args:
        joints: (N, T, J, 3), z up, the floor at 0; below it counts as above.
        contacts: (N, T, J).
    """
    return (contacts * (joints[..., 2].abs() - TOUCHING_M).relu()).sum(dim=(1, 2))


def floor_change(nearest: Tensor, observed: Tensor) -> Tensor:
    """(N,) half the squared distance of floors (N, 3) from those that are expected (N, 3), metres.

    A floor is its point nearest to the camera's centre (`floor.Floor.of`).
    """
    return (nearest - observed).square().sum(dim=-1) / 2


def parting(ending: Tensor, following: Tensor) -> Tensor:
    """(M,) half the squared distances between the same numbers of two pieces of one motion.

    Args:
        ending: (M, ...) of a piece: its points (O, P, 3) in the frames that the next one sees too,
            how these change from frame to frame, its shape, or its floor.
        following: (M, ...) the same of the piece after it.
    """
    return (ending - following).square().flatten(1).sum(dim=1) / 2
