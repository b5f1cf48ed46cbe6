"""Poses to learn from: those of free motion capture, made to go further.

The free data are under an hour. Arms, legs and trunks of different moments are combined, each
moment also mirrored; joints are turned a little, knees and elbows never the wrong way; some people
sit or crouch more than anybody in the data. Feet come from clips whose feet are right. The world
has z up; joints are SMPL's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from ..contract.skeleton import JOINT_COUNT, JOINT_NAMES, mirrored
from ..geometry.rotations import aa_to_matrix
from .mocap import Clips, shares
from .pose_prior import spread_variance

FRAME_STEP = 2  # 30 fps -> 15 fps
PARTS = {
    "trunk": ("spine1", "spine2", "spine3", "neck", "head"),
    "left_arm": ("left_collar", "left_shoulder", "left_elbow", "left_wrist", "left_hand"),
    "right_arm": ("right_collar", "right_shoulder", "right_elbow", "right_wrist", "right_hand"),
    "left_leg": ("pelvis", "left_hip", "left_knee", "left_ankle", "left_foot"),
    "right_leg": ("right_hip", "right_knee", "right_ankle", "right_foot"),
}
# Which parts share a moment, and how often.
MIXTURES = (
    (0.45, ("one", "one", "one", "one", "one")),
    (0.25, ("one", "one", "one", "two", "two")),
    (0.12, ("one", "two", "three", "one", "one")),
    (0.08, ("one", "one", "one", "one", "two")),
    (0.10, ("one", "two", "three", "four", "five")),
)
RARE_POWER = 0.5  # a pose among n alike weighs n ** -this, times its clip's share
ALIKE = 200  # groups of alike poses
FEET = tuple(JOINT_NAMES.index(f"{side}_{part}") for side in ("left", "right")
             for part in ("ankle", "foot"))  # fmt: skip
HANDS = tuple(JOINT_NAMES.index(f"{side}_hand") for side in ("left", "right"))
WRISTS = tuple(JOINT_NAMES.index(f"{side}_wrist") for side in ("left", "right"))
WRIST_MOST = 0.9  # rad about each axis; what the data say beyond is an artefact
USUAL_STIR = 0.7  # standard deviation of a sample's factor on the prior's spread
BOLD_SHARE, BOLD_RAD = 0.25, 0.25  # people whose large joints are turned more, and how much
BOLD = ("hip", "knee", "shoulder", "elbow", "spine1", "neck", "collar")
SEATED_SHARE = 0.06
SEATED_HIPS, SEATED_KNEES = (0.8, 2.1), (0.7, 2.4)  # rad of flexion
TILT_SHARE, TILT_RAD = 0.3, 0.15  # people who lean otherwise than anybody did
# Rad about the hinge's axis, and how far a hinge gives about its others.
KNEE_RANGE, KNEE_GIVE = (-0.1, 2.7), 0.3
ELBOW_RANGE, ELBOW_TWIST, ELBOW_GIVE = (-0.1, 2.6), 1.5, 1.2

_PARTNERS = [JOINT_NAMES.index(mirrored(name)) for name in JOINT_NAMES]
_MIRRORED_SIGNS = (1.0, -1.0, -1.0)


@dataclass(frozen=True, eq=False)
class PoseBank:
    """N moments of people, each once more in the mirror."""

    poses: Tensor  # (N, 24, 3) axis-angle, rad; the pelvis to the world first
    reached: Tensor  # (N,) the moments' weights added up, in [0, 1]
    feet_reached: Tensor  # (N,) the same of those whose feet are right

    @classmethod
    def of(cls, clips: Clips, *, seed: int = 0) -> PoseBank:
        """The moments of `clips`; a kind, a clip and poses that many have weigh less."""
        poses, feet, weights = [], [], []
        for clip, share in zip(clips, shares(clips), strict=True):
            pose = np.concatenate([clip.global_orient[:, None], clip.body_pose], axis=1)
            pose = pose[::FRAME_STEP]
            poses.append(pose)
            feet.append(np.full(len(pose), clip.feet_ok))
            weights.append(np.full(len(pose), share / len(pose)))
        plain = torch.tensor(np.concatenate(poses), dtype=torch.float32)
        weight = torch.tensor(np.concatenate(weights)) * _rarity(plain, seed=seed)
        right = torch.tensor(np.concatenate(feet))
        if not right.any():
            right = torch.ones_like(right)
        both = torch.cat([plain, mirror(plain)])
        return cls(both, _added_up(weight), _added_up(weight * right))

    def draw(self, count: int, generator: Generator) -> Tensor:
        """(count, 24, 3) poses that somebody had, part by part, and stirred."""
        moment = _chosen(self.reached, (count, len(PARTS)), generator)
        part = _mixed(count, generator)  # (count, 24) which of the moments each joint is from
        pose = self.poses[moment.gather(1, part), torch.arange(JOINT_COUNT)]
        feet = _chosen(self.feet_reached, (count,), generator)
        pose[:, FEET] = self.poses[feet][:, FEET]
        seat(pose, generator)
        stir(pose, generator)
        pose[:, 0] += draw_tilts(count, generator)
        return within_limits(pose)


def mirror(poses: Tensor) -> Tensor:
    """(..., 24, 3) the same poses with left and right exchanged, the world in the mirror too."""
    return poses[..., _PARTNERS, :] * poses.new_tensor(_MIRRORED_SIGNS)


def within_limits(poses: Tensor) -> Tensor:
    """(..., 24, 3) poses whose knees, elbows and wrists do what a person's can."""
    limited = poses.clone()
    for side, sign in (("left", 1), ("right", -1)):
        knee, elbow, wrist = (JOINT_NAMES.index(f"{side}_{n}") for n in ("knee", "elbow", "wrist"))
        limited[..., knee, 0].clamp_(*KNEE_RANGE)
        limited[..., knee, 1:].clamp_(-KNEE_GIVE, KNEE_GIVE)
        least, most = ELBOW_RANGE
        bend = (-sign * limited[..., elbow, 1]).clamp(least, most)
        limited[..., elbow, 1] = -sign * bend
        limited[..., elbow, 0].clamp_(-ELBOW_TWIST, ELBOW_TWIST)
        limited[..., elbow, 2].clamp_(-ELBOW_GIVE, ELBOW_GIVE)
        limited[..., wrist, :].clamp_(-WRIST_MOST, WRIST_MOST)
    return limited


def seat(pose: Tensor, generator: Generator) -> None:
    """Bends hips and knees of a few, as on a chair, on the floor, or crouching.

    Args:
        pose: (B, ..., 24, 3) of B people, changed in place: all of a person's alike.
        generator: what chance is drawn from.
    """
    count, shape = len(pose), (-1, *(1,) * (pose.dim() - 3))
    seated = (torch.rand(count, generator=generator) < SEATED_SHARE).view(shape)
    for part, (least, most), sign in (("hip", SEATED_HIPS, -1), ("knee", SEATED_KNEES, 1)):
        both = torch.rand(count, 1, generator=generator)
        each = (both + 0.15 * torch.randn(count, 2, generator=generator)).clamp(0, 1)
        bend = sign * (least + (most - least) * each)
        for column, side in enumerate(("left", "right")):
            joint = JOINT_NAMES.index(f"{side}_{part}")
            turned = torch.where(seated, bend[:, column].view(shape), pose[..., joint, 0])
            pose[..., joint, 0] = turned


def stir(pose: Tensor, generator: Generator) -> None:
    """Turns joints a little otherwise; hands, which nobody recorded, get a turn of their own.

    Args:
        pose: (B, ..., 24, 3) of B people, changed in place: all of a person's alike.
        generator: what chance is drawn from.
    """
    count = len(pose)
    spread = torch.tensor(spread_variance(), dtype=torch.float32).sqrt().view(-1, 3)
    amount = USUAL_STIR * torch.randn(count, 1, 1, generator=generator).abs()
    bold = torch.zeros(JOINT_COUNT - 1, 1)
    for joint, name in enumerate(JOINT_NAMES[1:]):
        bold[joint] = BOLD_RAD * (name.split("_")[-1] in BOLD)
    is_bold = (torch.rand(count, 1, 1, generator=generator) < BOLD_SHARE).float()
    noise = torch.randn(count, JOINT_COUNT - 1, 3, generator=generator)
    turned = noise * (spread * amount + bold * is_bold)
    pose[..., HANDS, :] = 0.0
    pose[..., 1:, :] += turned.view(count, *(1,) * (pose.dim() - 3), JOINT_COUNT - 1, 3)


def draw_tilts(count: int, generator: Generator) -> Tensor:
    """(count, 3) rad about the world's axes: people who lean otherwise than anybody did."""
    tilted = (torch.rand(count, 1, generator=generator) < TILT_SHARE).float()
    return tilted * TILT_RAD * torch.randn(count, 3, generator=generator)


def _rarity(poses: Tensor, *, seed: int) -> Tensor:
    """(N,) float64 what a moment weighs for being unlike others: by groups about `ALIKE` of them.

    Alike are poses whose joints are turned alike, wherever the person faces.
    """
    turns = aa_to_matrix(poses[:, 1:])[..., :2].flatten(1)  # (N, 138)
    generator = torch.Generator().manual_seed(seed)
    middles = turns[torch.randperm(len(turns), generator=generator)[:ALIKE]]
    for _ in range(4):
        group = torch.cdist(turns, middles).argmin(dim=1)
        sums = torch.zeros_like(middles).index_add_(0, group, turns)
        number = torch.bincount(group, minlength=len(middles)).clamp(min=1)
        middles = sums / number[:, None]
    number = torch.bincount(torch.cdist(turns, middles).argmin(dim=1), minlength=len(middles))
    group = torch.cdist(turns, middles).argmin(dim=1)
    return number[group].double() ** -RARE_POWER


def _added_up(weight: Tensor) -> Tensor:
    """(2 N,) of weights (N,), which hold in the mirror too."""
    total = torch.cat([weight, weight]).cumsum(dim=0)
    return (total / total[-1]).float()


def _chosen(reached: Tensor, shape: tuple[int, ...], generator: Generator) -> Tensor:
    """Moments drawn by their weights."""
    drawn = torch.rand(shape, generator=generator)
    return torch.searchsorted(reached, drawn).clamp(max=len(reached) - 1)


def _mixed(count: int, generator: Generator) -> Tensor:
    """(count, 24) int64, from which of five moments each joint is."""
    numbers = {name: index for index, name in enumerate(("one", "two", "three", "four", "five"))}
    table = torch.zeros(len(MIXTURES), JOINT_COUNT, dtype=torch.int64)
    for row, (_, moments) in enumerate(MIXTURES):
        for joints, moment in zip(PARTS.values(), moments, strict=True):
            table[row, [JOINT_NAMES.index(joint) for joint in joints]] = numbers[moment]
    share = torch.tensor([share for share, _ in MIXTURES]).cumsum(dim=0)
    drawn = torch.rand(count, generator=generator)
    return table[torch.searchsorted(share, drawn).clamp(max=len(MIXTURES) - 1)]
