"""The tree of joints: from turns of each joint against its parent to places in the world.

The tree is that of SMPL's 24 joints unless another is given (SMPL-H has 52: contract/skeleton.py).
Rotations are matrices; lengths are metres; `J` stands for the number of joints.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from ..contract.skeleton import PARENTS


@dataclass(frozen=True)
class Tree:
    """Which joint hangs on which, and the joints by depth: a walk takes a step for each depth."""

    parents: tuple[int, ...]  # (J,) -1 at the root, which comes first; parents before children

    @cached_property
    def levels(self) -> tuple[tuple[int, ...], ...]:
        """The joints by depth: for SMPL nine steps instead of 23 one after the other."""
        levels: list[tuple[int, ...]] = [(0,)]
        while below := tuple(j for j, parent in enumerate(self.parents) if parent in levels[-1]):
            levels.append(below)
        return tuple(levels)

    @cached_property
    def parents_in_level(self) -> tuple[tuple[int, ...], ...]:
        """For each level but the first, the place of each joint's parent in the level above."""
        return tuple(
            tuple(above.index(self.parents[j]) for j in level)
            for above, level in pairwise(self.levels)
        )

    @cached_property
    def unsorting(self) -> tuple[int, ...]:
        """Where each joint stands when the levels are put one after the other."""
        by_level = [joint for level in self.levels for joint in level]
        return tuple(by_level.index(joint) for joint in range(len(by_level)))


SMPL = Tree(PARENTS)


class Chain(NamedTuple):
    """Where each joint is and how it is turned, in world axes."""

    rotations: Tensor  # (..., J, 3, 3)
    positions: Tensor  # (..., J, 3) metres


def subtrees(dtype: torch.dtype, device: torch.device | str, *, tree: Tree = SMPL) -> Tensor:
    """(J, J) matrix with a one at [a, j] where joint j is a or hangs below a."""
    matrix = torch.eye(len(tree.parents), dtype=dtype, device=device)
    for joint, parent in enumerate(tree.parents[1:], start=1):
        matrix[:, joint] += matrix[:, parent]
    return matrix


def bones(rest_joints: Tensor, tree: Tree = SMPL) -> Tensor:
    """(..., J, D...) each joint minus its parent; the root unchanged.

    Args:
        rest_joints: (..., J, 3); the joint axis is the second to last.
        tree: which joint hangs on which.
    """
    root, others = rest_joints[..., :1, :], rest_joints[..., 1:, :]
    return torch.cat([root, others - rest_joints[..., list(tree.parents[1:]), :]], dim=-2)


def global_rotations(global_orient: Tensor, body_pose: Tensor, *, tree: Tree = SMPL) -> Tensor:
    """(..., J, 3, 3) turn of each joint against the world.

    Args:
        global_orient: (..., 3, 3) pelvis to world.
        body_pose: (..., J - 1, 3, 3) each joint to its parent.
        tree: which joint hangs on which.
    """
    levels = [global_orient.unsqueeze(-3)]
    for joints, parents in zip(tree.levels[1:], tree.parents_in_level, strict=True):
        local = body_pose[..., [joint - 1 for joint in joints], :, :]
        levels.append(levels[-1][..., list(parents), :, :] @ local)
    return torch.cat(levels, dim=-3)[..., list(tree.unsorting), :, :]


def parent_rotations(rotations: Tensor, tree: Tree = SMPL) -> Tensor:
    """(..., J, 3, 3) what carries each bone: its parent's turn, and identity at the root."""
    identity = torch.eye(3, dtype=rotations.dtype, device=rotations.device)
    identity = identity.expand_as(rotations[..., :1, :, :])
    return torch.cat([identity, rotations[..., list(tree.parents[1:]), :, :]], dim=-3)


def chain(rotations: Tensor, rest_joints: Tensor, *, subtree: Tensor, tree: Tree = SMPL) -> Chain:
    """The posed skeleton, with its pelvis at the rest pelvis.

    Args:
        rotations: (..., J, 3, 3) global rotations.
        rest_joints: (..., J, 3) metres.
        subtree: (J, J) from `subtrees`.
        tree: which joint hangs on which.
    """
    carriers, lengths = parent_rotations(rotations, tree), bones(rest_joints, tree)
    carried = torch.einsum("...jab,...jb->...ja", carriers, lengths)
    # A joint is the sum of the bones above it: one product instead of a second walk down the tree.
    return Chain(rotations, subtree.T @ carried)
