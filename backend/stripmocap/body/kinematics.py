"""The tree of joints: from turns of each joint against its parent to places in the world.

Order and parents are SMPL's 24 (contract/skeleton.py); rotations are matrices; lengths are metres.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from ..contract.skeleton import JOINT_COUNT, PARENTS


def _levels() -> tuple[tuple[int, ...], ...]:
    levels: list[tuple[int, ...]] = [(0,)]
    while below := tuple(j for j, parent in enumerate(PARENTS) if parent in levels[-1]):
        levels.append(below)
    return tuple(levels)


LEVELS = _levels()  # the joints by depth: nine steps instead of 23 one after the other
_PARENT_IN_LEVEL = tuple(
    tuple(above.index(PARENTS[j]) for j in level) for above, level in pairwise(LEVELS)
)
_BY_LEVEL = tuple(joint for level in LEVELS for joint in level)
_UNSORT = tuple(_BY_LEVEL.index(joint) for joint in range(JOINT_COUNT))


class Chain(NamedTuple):
    """Where each joint is and how it is turned, in world axes."""

    rotations: Tensor  # (..., 24, 3, 3)
    positions: Tensor  # (..., 24, 3) metres


def subtrees(dtype: torch.dtype, device: torch.device | str) -> Tensor:
    """(24, 24) matrix with a one at [a, j] where joint j is a or hangs below a."""
    matrix = torch.eye(JOINT_COUNT, dtype=dtype, device=device)
    for joint, parent in enumerate(PARENTS[1:], start=1):
        matrix[:, joint] += matrix[:, parent]
    return matrix


def bones(rest_joints: Tensor) -> Tensor:
    """(..., 24, D...) each joint minus its parent; the root unchanged.

    Args:
        rest_joints: (..., 24, 3); the joint axis is the second to last.
    """
    root, others = rest_joints[..., :1, :], rest_joints[..., 1:, :]
    return torch.cat([root, others - rest_joints[..., list(PARENTS[1:]), :]], dim=-2)


def global_rotations(global_orient: Tensor, body_pose: Tensor) -> Tensor:
    """(..., 24, 3, 3) turn of each joint against the world.

    Args:
        global_orient: (..., 3, 3) pelvis to world.
        body_pose: (..., 23, 3, 3) each joint to its parent.
    """
    levels = [global_orient.unsqueeze(-3)]
    for joints, parents in zip(LEVELS[1:], _PARENT_IN_LEVEL, strict=True):
        local = body_pose[..., [joint - 1 for joint in joints], :, :]
        levels.append(levels[-1][..., list(parents), :, :] @ local)
    return torch.cat(levels, dim=-3)[..., list(_UNSORT), :, :]


def parent_rotations(rotations: Tensor) -> Tensor:
    """(..., 24, 3, 3) what carries each bone: its parent's turn, and identity at the root."""
    identity = torch.eye(3, dtype=rotations.dtype, device=rotations.device)
    identity = identity.expand_as(rotations[..., :1, :, :])
    return torch.cat([identity, rotations[..., list(PARENTS[1:]), :, :]], dim=-3)


def chain(rotations: Tensor, rest_joints: Tensor, *, subtree: Tensor) -> Chain:
    """The posed skeleton, with its pelvis at the rest pelvis.

    Args:
        rotations: (..., 24, 3, 3) global rotations.
        rest_joints: (..., 24, 3) metres.
        subtree: (24, 24) from `subtrees`.
    """
    carried = torch.einsum("...jab,...jb->...ja", parent_rotations(rotations), bones(rest_joints))
    # A joint is the sum of the bones above it: one product instead of a second walk down the tree.
    return Chain(rotations, subtree.T @ carried)
