"""SMPLify over time: one body a person, fitted to all frames of a video at once.

The paper (Bogo et al., ECCV 2016) fits each picture alone by its landmarks and what poses are
likely. Here all frames and people are one least-squares problem on the reduced body, solved by
Levenberg-Marquardt in four steps: frames apart on a few of them, then with one shape a person, then
all frames chained through time, then with feet held to the ground that they reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from ...contract.methods import SmplifyOptions
from ...contract.motion import Camera, Motion
from ...contract.skeleton import JOINT_COUNT
from ...geometry.rotations import aa_to_matrix, matrix_to_aa
from ...people.observations import Person
from ..toolbox import Estimate, Estimator, Publish, Report, Tools
from . import ground, start
from .chain_terms import Planted
from .evidence import Evidence, gather, landmark_weights
from .frame_terms import MIN_DEPTH_M
from .levenberg import minimise
from .priors import SHIPPED_PRIOR, PosePrior
from .states import States
from .video_energy import Subject, VideoEnergy, Weights

STAGE = "fit"
KEYFRAME_GAP_S = 0.1  # of each such span the best frame is fitted first; the others lie between
SHAPE_KEYFRAMES = 240  # a person; shape needs no more
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

    def estimate(
        people: Sequence[Person],
        camera: Camera,
        report: Report,
        *,
        publish: Publish | None = None,
    ) -> Estimate:
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
        """Poses of some frames, found apart, and one shape for each person."""
        evidence = self.evidence.at(keyframes)
        states = start.usual_poses(self.subject, evidence)
        states = self._apart(states, evidence, _APART, iterations=25)
        chosen = _spread(evidence)
        together = VideoEnergy(
            self.subject,
            evidence.at(chosen),
            self._weights(_SHAPE),
            groups=evidence.sequence[chosen],
            free_betas=True,
        )
        shaped, _ = minimise(
            together, states.at(chosen), iterations=15, damping=1e-3, on_step=self._pulse
        )
        states = replace(states.with_frames(chosen, shaped), betas=shaped.betas)
        return self._apart(states, evidence, _SHAPE, iterations=8)

    def _apart(
        self, states: States, evidence: Evidence, weights: Weights, *, iterations: int
    ) -> States:
        """Frames that know nothing of each other, some at a time."""
        for begin in range(0, len(evidence), WINDOW):
            frames = slice(begin, min(begin + WINDOW, len(evidence)))
            part = evidence.at(frames)
            energy = VideoEnergy(
                self.subject,
                part,
                self._weights(weights),
                groups=torch.arange(len(part), device=part.sequence.device),
            )
            found, _ = minimise(
                energy,
                states.at(frames),
                iterations=iterations,
                damping=1e-2,
                on_step=self._pulse,
            )
            states = states.with_frames(frames, found)
        return states

    def _chained(self, states: States, *, planted: Planted | None, iterations: int) -> States:
        """All frames, chained through time, window after window."""
        count = len(self.evidence)
        before = 0 if planted is None else count  # this pass is the first of two, or the second
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
                planted=planted and replace(planted, contact=planted.contact[frames]),
                held=begin - first,
            )
            part, _ = minimise(
                energy,
                states.at(frames),
                iterations=iterations,
                damping=1e-4,
                on_step=partial(self.report, STAGE, (before + begin) // 2, count),
            )
            states = states.with_frames(frames, part)
            begin = stop if stop == count else stop - OVERLAP
        self.report(STAGE, (before + count) // 2, count)
        return states

    def _pulse(self) -> None:
        """Says that the fit is alive; what the report raises stops it."""
        self.report(STAGE, 0, len(self.evidence))

    def _planted(self, states: States) -> Planted:
        """Which feet rest when, and the ground, from a first solution."""
        points = _points(self.subject, states, self.evidence)
        joints, feet = points[:, :JOINT_COUNT], points[:, self.subject.feet]
        rest = ground.resting_feet(self.evidence)
        normal, offset = ground.find_ground(*(each.cpu().numpy() for each in (joints, feet, rest)))
        return Planted(rest, torch.as_tensor(normal).to(states.transl), offset)


def _points(subject: Subject, states: States, evidence: Evidence) -> Tensor:
    """(N, 24 + K, 3) metres, camera axes: joints, then landmarks."""
    return subject.body.points(
        states.global_rotmat,
        aa_to_matrix(states.body_pose),
        betas=states.betas[evidence.sequence],
        transl=states.transl,
    )


def _keyframes(evidence: Evidence) -> Tensor:
    """(M,) indices of frames, the best seen of every `KEYFRAME_GAP_S` of each person."""
    seen = evidence.weights.mean(dim=1)
    chosen = []
    for whose in evidence.sequence.unique():
        mine = (evidence.sequence == whose).nonzero()[:, 0]
        slot = ((evidence.times_s[mine] - evidence.times_s[mine[0]]) / KEYFRAME_GAP_S).long()
        for each in slot.unique():
            there = mine[slot == each]
            chosen.append(there[seen[there].argmax()])
    return torch.stack(chosen)


def _spread(keyframes: Evidence) -> Tensor:
    """(M,) indices of at most `SHAPE_KEYFRAMES` of each person's keyframes, evenly spread."""
    chosen = []
    for whose in keyframes.sequence.unique():
        mine = (keyframes.sequence == whose).nonzero()[:, 0]
        places = torch.linspace(0, len(mine) - 1, min(SHAPE_KEYFRAMES, len(mine)))
        chosen.append(mine[places.round().long().to(mine.device)])
    return torch.cat(chosen)


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
    points = _points(subject, states, evidence)[:, subject.keypoints]
    pixels = (
        evidence.focal * points[..., :2] / points[..., 2:].clamp(min=MIN_DEPTH_M) + evidence.center
    )
    miss = (pixels - evidence.keypoints).norm(dim=-1) / evidence.size_px[:, None]
    votes = evidence.weights
    fit = (votes * torch.exp(-0.5 * (miss / 0.05) ** 2)).sum(dim=1)
    best = evidence.votes * float(landmark_weights().sum())
    return (fit / best.clamp(min=1e-6)).clamp(0, 1).cpu()
