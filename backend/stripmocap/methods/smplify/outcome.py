"""From a solution to motions: where the fitted points are, how sure, and whose frames they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ...contract.motion import Camera, Motion
from ...geometry.rotations import aa_to_matrix, matrix_to_aa
from ...people.observations import Person
from ..toolbox import Estimate
from . import ground
from .chain_terms import Planted
from .evidence import Evidence, landmark_weights
from .frame_terms import MIN_DEPTH_M
from .states import States
from .subject import Subject

_MISS_SIGMA = 0.05  # of the person's size: a landmark missed by this much counts 0.6


def windows(count: int, window: int) -> Iterator[slice]:
    """All of `count` frames, `window` at a time."""
    return (slice(begin, min(begin + window, count)) for begin in range(0, count, window))


def points(subject: Subject, states: States, evidence: Evidence, *, window: int) -> Tensor:
    """(N, 24 + K, 3) metres, camera axes: joints, then landmarks."""
    parts = [
        subject.body.points(
            states.global_rotmat[frames],
            aa_to_matrix(states.body_pose[frames]),
            betas=states.betas[evidence.sequence[frames]],
            transl=states.transl[frames],
        )
        for frames in windows(len(evidence), window)
    ]
    return torch.cat(parts)


def seen_by(camera: Camera, planted: Planted) -> Camera:
    """`camera` over the ground that was found."""
    normal = planted.normal.double().cpu().numpy()
    return replace(camera, world_from_camera=ground.world_from_camera(normal, planted.offset))


def estimate_of(
    people: Sequence[Person],
    camera: Camera,
    *,
    states: States,
    evidence: Evidence,
    subject: Subject,
    window: int,
) -> Estimate:
    """What was found in the frames of `evidence`, the first ones of all frames of `people`.

    Args:
        people: who was seen, in the order of `evidence`.
        camera: with the world that was found.
        states: of the same frames as `evidence`.
        evidence: of all frames, or of those that are finished.
        subject: the fitted body.
        window: frames that are looked at at once.
    """
    confidence = confidence_of(states, evidence, subject, window=window)
    motions = []
    for index, person in enumerate(people):
        mine = (evidence.sequence == index).nonzero()[:, 0]
        if len(mine) == 0:  # the later people, while the first are worked on
            continue
        part = states.at(mine)
        motions.append(
            Motion(
                person=person.person,
                times_s=person.times_s[: len(mine)],
                global_orient=matrix_to_aa(part.global_rotmat).cpu().numpy(),
                body_pose=part.body_pose.cpu().numpy(),
                betas=part.betas[index].cpu().numpy(),
                transl=part.transl.cpu().numpy(),
                confidence=confidence[mine].cpu().numpy(),
            )
        )
    return Estimate(camera, tuple(motions))


def confidence_of(states: States, evidence: Evidence, subject: Subject, *, window: int) -> Tensor:
    """(N,) in [0, 1]: how well bodies in camera axes were seen and how well they fit that."""
    place = points(subject, states, evidence, window=window)[:, subject.keypoints]
    slope = place[..., :2] / place[..., 2:].clamp(min=MIN_DEPTH_M)
    pixels = evidence.focal * slope + evidence.center
    miss = (pixels - evidence.keypoints[:, subject.columns]).norm(dim=-1)
    near = torch.exp(-0.5 * (miss / evidence.size_px[:, None] / _MISS_SIGMA) ** 2)
    fit = (evidence.weights[:, subject.columns] * near).sum(dim=1)
    best = evidence.votes * float(landmark_weights()[subject.columns.cpu()].sum())
    return (fit / best.clamp(min=1e-6)).clamp(0, 1)
