"""Where a fit starts: bodies turned and placed as the detector's landmarks say, in a usual pose.

The turn is that of the torso's bones (Wahba's problem, solved by SVD as Kabsch did, 1976), the
distance follows from the person's size in the picture, and the pose is the prior's commonest.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ...contract.skeleton import BETAS_COUNT
from .evidence import CUE_BONES, TYPICAL_HEIGHT_M, Evidence
from .states import States
from .video_energy import Subject

_TORSO = tuple(
    CUE_BONES.index(bone)
    for bone in (
        ("left_hip", "right_hip"),
        ("left_shoulder", "right_shoulder"),
        ("left_hip", "left_shoulder"),
        ("right_hip", "right_shoulder"),
    )
)


def usual_poses(subject: Subject, evidence: Evidence) -> States:
    """A body for each frame of `evidence`, in the prior's commonest pose."""
    people = int(evidence.sequence.max()) + 1
    like = evidence.keypoints
    count = len(evidence)
    rest_pose = torch.eye(3).to(like).expand(1, 23, 3, 3)
    rest = subject.body.points(
        torch.eye(3).to(like)[None], rest_pose, betas=like.new_zeros(BETAS_COUNT)
    )[0]
    start, stop = subject.cue[:, list(_TORSO)]
    turn = _turn(rest[stop] - rest[start], evidence.cue[:, list(_TORSO)])
    commonest = subject.prior.means[subject.prior.weights.argmax()]
    return States(
        transl=_place(evidence) - rest[0],
        global_rotmat=turn,
        body_pose=commonest.view(1, 23, 3).expand(count, -1, -1).clone(),
        betas=like.new_zeros(people, BETAS_COUNT),
    )


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
