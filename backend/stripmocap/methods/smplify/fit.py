"""SMPLify over time: one body a person, fitted to all frames of a video at once.

The paper (Bogo et al., ECCV 2016) fits each picture alone by its landmarks and what poses are
likely. Here all frames and people are one least-squares problem on the reduced body, solved by
Levenberg-Marquardt in four steps: frames apart on a few of them, then with one shape a person, then
all frames chained through time, then with feet held to the ground that they reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ...contract.methods import SmplifyOptions
from ...contract.motion import Camera, Motion
from ...contract.skeleton import JOINT_COUNT
from ...geometry.rotations import aa_to_matrix, matrix_to_aa
from ...people.observations import Person
from ..toolbox import Estimate, Estimator, Report, Tools
from . import ground, start
from .chain_terms import Planted
from .evidence import Evidence, gather, landmark_weights
from .levenberg import minimise
from .priors import SHIPPED_PRIOR, PosePrior
from .states import States
from .video_energy import Subject, VideoEnergy, Weights

STAGE = "fit"
KEYFRAME_GAP_S = 0.1  # frames apart at least, on which poses and shape are first found
KEYFRAMES_AT_MOST = 240  # a person; shape needs no more
WINDOW = 300  # frames that are solved at once: bounds memory, whatever the length of the video
OVERLAP = 30  # frames solved again with what follows them, so that no seam is seen
HELD = 2  # frames of the finished part that a window starts from

# The steps. First far landmarks must pull and the detector's own 3D decides which way limbs bend.
_APART = Weights(outlier=20.0, cue=4.0, prior=0.3)
_SHAPE = Weights(outlier=8.0, cue=1.0, prior=0.5)
# A prior is of single frames; in a video neighbours repeat each other, and its vote is too loud.
_CHAINED = Weights(cue=4.0, prior=0.2, steady=1.0, planted=1.0)


def load(tools: Tools, options: SmplifyOptions) -> Estimator:
    """The fit, ready to run on `tools.body`.

    Raises:
        AssetMissing, AssetCorrupt: the pose prior cannot be read.
    """
    prior = PosePrior.load(tools.pose_prior or SHIPPED_PRIOR, device=tools.device)
    subject = Subject.from_template(tools.body, prior)

    def estimate(people: Sequence[Person], camera: Camera, report: Report) -> Estimate:
        evidence = gather(people, camera, device=tools.device, dtype=torch.float32)
        fitter = _Fitter(subject, evidence, options, tools.height_m, report)
        states, planted = fitter.fit()
        seen = replace(
            camera,
            world_from_camera=ground.world_from_camera(
                planted.normal.double().cpu().numpy(), planted.offset
            ),
        )
        return Estimate(seen, _motions(people, states, evidence, subject))

    return estimate


@dataclass(frozen=True, eq=False)
class _Fitter:
    """One run over all people's frames."""

    subject: Subject
    evidence: Evidence
    options: SmplifyOptions
    height_m: float | None
    report: Report

    def fit(self) -> tuple[States, Planted]:
        keyframes = _keyframes(self.evidence)
        states = self._keyframe_states(keyframes)
        states = _between(states, keyframes, self.evidence)
        states = self._chained(states, planted=None, iterations=12)
        planted = self._planted(states)
        return self._chained(states, planted=planted, iterations=8), planted

    def _weights(self, weights: Weights) -> Weights:
        return replace(
            weights,
            cue=weights.cue * self.options.depth_cue,
            steady=weights.steady * self.options.smoothness,
            planted=weights.planted * self.options.contacts,
            height_m=self.height_m,
        )

    def _keyframe_states(self, keyframes: Tensor) -> States:
        """Poses of some frames, found apart, then with one shape for each person."""
        evidence = self.evidence.at(keyframes)
        states = start.usual_poses(self.subject, evidence)
        apart = VideoEnergy(
            self.subject,
            evidence,
            self._weights(_APART),
            groups=torch.arange(len(evidence), device=keyframes.device),
        )
        states, _ = minimise(apart, states, iterations=25, damping=1e-2)
        together = replace(
            apart, weights=self._weights(_SHAPE), groups=evidence.sequence, free_betas=True
        )
        states, _ = minimise(together, states, iterations=15, damping=1e-3)
        return states

    def _chained(self, states: States, *, planted: Planted | None, iterations: int) -> States:
        """All frames, chained through time, window after window."""
        count = len(self.evidence)
        begin = 0
        while begin < count:
            stop = min(begin + WINDOW, count)
            first = max(begin - HELD, 0)
            frames = slice(first, stop)
            evidence = self.evidence.at(frames)
            energy = VideoEnergy(
                self.subject,
                evidence,
                self._weights(_CHAINED),
                groups=torch.zeros_like(evidence.sequence),
                planted=None
                if planted is None
                else replace(planted, contact=planted.contact[frames]),
                held=begin - first,
            )
            part, _ = minimise(energy, states.at(frames), iterations=iterations, damping=1e-4)
            states = states.with_frames(slice(first, stop), part)
            self.report(STAGE, stop, count)
            begin = stop if stop == count else stop - OVERLAP
        return states

    def _planted(self, states: States) -> Planted:
        """Which feet rest when, and the ground, from a first solution."""
        joints, feet = _places(self.subject, states, self.evidence)
        rest = ground.resting_feet(self.evidence)
        normal, offset = ground.find_ground(joints, feet, rest.double().cpu().numpy())
        return Planted(rest, torch.as_tensor(normal).to(states.transl), offset)


def _places(subject: Subject, states: States, evidence: Evidence) -> tuple[np.ndarray, np.ndarray]:
    """(N, 24, 3) joints and (N, F, 3) points of the feet, metres, camera axes."""
    points = subject.body.points(
        states.global_rotmat,
        aa_to_matrix(states.body_pose),
        betas=states.betas[evidence.sequence],
        transl=states.transl,
    )
    points = points.double().cpu()
    return points[:, :JOINT_COUNT].numpy(), points[:, subject.feet.cpu()].numpy()


def _keyframes(evidence: Evidence) -> Tensor:
    """(M,) indices of frames that are apart in time, well seen, and a bounded number a person."""
    seen = evidence.weights.mean(dim=1)
    chosen = []
    for whose in evidence.sequence.unique():
        mine = (evidence.sequence == whose).nonzero()[:, 0]
        times = evidence.times_s[mine]
        slots = max(1, min(KEYFRAMES_AT_MOST, int((times[-1] - times[0]) / KEYFRAME_GAP_S)))
        slot = ((times - times[0]) / (times[-1] - times[0] + 1e-6) * slots).long()
        for each in slot.unique():
            there = mine[slot == each]
            chosen.append(there[seen[there].argmax()])
    return torch.stack(chosen)


def _between(states: States, keyframes: Tensor, evidence: Evidence) -> States:
    """States of all frames, each between those of the keyframes around it."""
    index = torch.arange(len(evidence), device=keyframes.device)
    after = torch.searchsorted(keyframes, index).clamp(max=len(keyframes) - 1)
    before = (after - 1).clamp(min=0)
    # Before a person's first keyframe and after the last one there is only one neighbour.
    mine = evidence.sequence[keyframes]
    before = torch.where(mine[before] == evidence.sequence, before, after)
    after = torch.where(mine[after] == evidence.sequence, after, before)
    span = evidence.times_s[keyframes[after]] - evidence.times_s[keyframes[before]]
    along = (evidence.times_s - evidence.times_s[keyframes[before]]) / span.clamp(min=1e-6)
    share = along.clamp(0, 1).to(states.transl)[:, None]
    old, new = states.at(before), states.at(after)
    turn = matrix_to_aa(new.global_rotmat @ old.global_rotmat.mT)
    return States(
        transl=old.transl.lerp(new.transl, share),
        global_rotmat=aa_to_matrix(share * turn) @ old.global_rotmat,
        body_pose=old.body_pose.lerp(new.body_pose, share[..., None]),
        betas=states.betas,
    )


def _motions(
    people: Sequence[Person], states: States, evidence: Evidence, subject: Subject
) -> tuple[Motion, ...]:
    confidence = _confidence(states, evidence, subject)
    motions = []
    for index, person in enumerate(people):
        mine = evidence.sequence == index
        part = states.at(mine)
        motions.append(
            Motion(
                person=person.person,
                times_s=person.times_s,
                global_orient=matrix_to_aa(part.global_rotmat).cpu().numpy(),
                body_pose=part.body_pose.cpu().numpy(),
                betas=part.betas[index].cpu().numpy(),
                transl=part.transl.cpu().numpy(),
                confidence=confidence[mine.cpu()].numpy(),
            )
        )
    return tuple(motions)


def _confidence(states: States, evidence: Evidence, subject: Subject) -> Tensor:
    """(N,) in [0, 1]: how well the body was seen and how well it fits what was seen."""
    points = subject.body.points(
        states.global_rotmat,
        aa_to_matrix(states.body_pose),
        betas=states.betas[evidence.sequence],
        transl=states.transl,
    )[:, subject.keypoints]
    pixels = evidence.focal * points[..., :2] / points[..., 2:].clamp(min=0.1) + evidence.center
    miss = (pixels - evidence.keypoints).norm(dim=-1) / evidence.size_px[:, None]
    votes = evidence.weights
    fit = (votes * torch.exp(-0.5 * (miss / 0.05) ** 2)).sum(dim=1)
    best = evidence.votes * float(landmark_weights().sum())
    return (fit / best.clamp(min=1e-6)).clamp(0, 1).cpu()
