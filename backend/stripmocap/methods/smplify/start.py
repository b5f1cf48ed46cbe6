"""Where a fit starts: bodies turned and placed as the detector's landmarks say, in a usual pose.

The turn is that of the torso's bones (Wahba's problem, solved by SVD as Kabsch did, 1976), the
distance follows from the person's size in the picture, and the pose is the prior's commonest. Or
where another method has found them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ...contract.motion import Motion
from ...contract.skeleton import BETAS_COUNT, JOINT_NAMES
from ...geometry.rotations import aa_to_matrix
from ...people.observations import Person
from ..toolbox import Estimate
from .evidence import CUE_BONES, TYPICAL_HEIGHT_M, Evidence, Guess
from .frame_terms import MIN_DEPTH_M
from .states import States
from .subject import Subject

SAME_MOMENT_S = 0.02  # between frames of two methods that looked at the same picture
MOST_BETA = 4.0  # a shape beyond is of nobody
MOST_TURN = 4 * torch.pi  # rad: a joint turned further is garbage
FARTHEST_M = 1e4
_TORSO = (
    ("left_hip", "right_hip"),
    ("left_shoulder", "right_shoulder"),
    ("left_hip", "left_shoulder"),
    ("right_hip", "right_shoulder"),
)
_TORSO_BONES = [CUE_BONES.index(bone) for bone in _TORSO]
_TORSO_ENDS = [[JOINT_NAMES.index(bone[end]) for bone in _TORSO] for end in (0, 1)]


def usual_poses(subject: Subject, evidence: Evidence) -> States:
    """A body for each frame of `evidence`, in the prior's commonest pose."""
    people = int(evidence.sequence.max()) + 1
    like = evidence.keypoints
    count = len(evidence)
    rest_pose = torch.eye(3).to(like).expand(1, 23, 3, 3)
    rest = subject.body.points(
        torch.eye(3).to(like)[None], rest_pose, betas=like.new_zeros(BETAS_COUNT)
    )[0]
    start, stop = _TORSO_ENDS
    turn = _turn(rest[stop] - rest[start], evidence.cue[:, _TORSO_BONES])
    commonest = subject.prior.means[subject.prior.weights.argmax()]
    return States(
        transl=_place(evidence) - rest[0],
        global_rotmat=turn,
        body_pose=commonest.view(1, 23, 3).expand(count, -1, -1).clone(),
        betas=like.new_zeros(people, BETAS_COUNT),
    )


def with_told(
    subject: Subject, evidence: Evidence, *, people: Sequence[Person], told: Estimate | None
) -> tuple[Evidence, States | None]:
    """The evidence together with what another method found, and the bodies that it found."""
    if told is None:
        return evidence, None
    states, guess = told_poses(subject, evidence, people=people, told=told)
    return replace(evidence, guess=guess), states


def told_poses(
    subject: Subject, evidence: Evidence, *, people: Sequence[Person], told: Estimate
) -> tuple[States, Guess]:
    """The bodies that another method found for the frames of `evidence`, and its word on them.

    Frames of which it says nothing, or what cannot be, are sure by 0 and hold a usual pose.
    """
    states, sure = usual_poses(subject, evidence), torch.zeros_like(evidence.size_px)
    betas = states.betas.clone()
    motions = {each.person: each for each in told.motions}
    for index, person in enumerate(people):
        motion = motions.get(person.person)
        if motion is None:
            continue
        mine = (evidence.sequence == index).nonzero()[:, 0]
        nearest, near = _nearest(motion.times_s, person.times_s)
        body, usable = _body_of(motion, nearest, like=evidence.keypoints)
        usable = usable & torch.tensor(near).to(usable.device)
        states = states.with_frames(mine[usable], body.at(usable))
        sure[mine] = usable * torch.tensor(motion.confidence[nearest]).to(sure)
        if usable.any():
            betas[index] = body.betas[0].clamp(-MOST_BETA, MOST_BETA)
    states = replace(states, betas=betas)
    start, stop = subject.cue
    points = subject.body.points(
        states.global_rotmat, aa_to_matrix(states.body_pose), betas=betas[evidence.sequence]
    )
    return states, Guess(points[:, stop] - points[:, start], states.body_pose, sure)


def _nearest(known_s: np.ndarray, wanted_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(T,) indices of the frames nearest in time, and whether they are of the same moment."""
    after = np.searchsorted(known_s, wanted_s).clip(0, len(known_s) - 1)
    before = (after - 1).clip(0)
    earlier = wanted_s - known_s[before] < known_s[after] - wanted_s
    nearest = np.where(earlier, before, after)
    return nearest, np.abs(known_s[nearest] - wanted_s) < SAME_MOMENT_S


def _body_of(motion: Motion, frames: np.ndarray, *, like: Tensor) -> tuple[States, Tensor]:
    """Some frames of a motion, and (T,) whether such a body can be before a camera."""

    def tensor(array: np.ndarray) -> Tensor:
        return torch.tensor(array).to(like)

    transl = tensor(motion.transl[frames])
    turns = tensor(np.concatenate([motion.global_orient[:, None], motion.body_pose], 1)[frames])
    usable = (turns.norm(dim=-1) < MOST_TURN).all(dim=1)
    usable = usable & (transl[:, 2] > MIN_DEPTH_M) & (transl.norm(dim=-1) < FARTHEST_M)
    states = States(
        transl=transl,
        global_rotmat=aa_to_matrix(turns[:, 0]),
        body_pose=turns[:, 1:],
        betas=tensor(motion.betas)[None],
    )
    return states, usable


def _turn(rest: Tensor, seen: Tensor) -> Tensor:
    """(N, 3, 3) rotations that best carry `rest` (C, 3) onto `seen` (N, C, 3)."""
    u, _, vt = torch.linalg.svd(seen.mT @ rest)
    sign = torch.linalg.det(u @ vt)
    flip = torch.ones_like(seen[:, 0])
    flip[:, 2] = sign
    return (u * flip[:, None]) @ vt


def _place(evidence: Evidence) -> Tensor:
    """(N, 3) metres, camera axes: where the middle of the hips is."""
    depth = evidence.focal * TYPICAL_HEIGHT_M / evidence.size_px  # (N,)
    slope = (evidence.hips - evidence.center) / evidence.focal
    return torch.cat([slope, torch.ones_like(slope[:, :1])], dim=1) * depth[:, None]
