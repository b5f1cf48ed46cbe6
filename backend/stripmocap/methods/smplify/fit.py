"""SMPLify over time: one body a person, fitted to all frames of a video at once.

The paper (Bogo et al., ECCV 2016) fits each picture alone by its landmarks and what poses are
likely. Here all frames and people are one least-squares problem on the reduced body, solved by
Levenberg-Marquardt in four steps: frames apart on a few of them, then with one shape a person, then
all frames chained through time, then with feet held to the ground that they reach.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ...contract.messages import Clip
from ...contract.methods import SmplifyOptions
from ...contract.motion import Camera
from ...contract.skeleton import JOINT_COUNT
from ...geometry.rotations import aa_to_matrix, matrix_to_aa
from ...people.journal import Journal
from ...people.observations import Person
from ..toolbox import Estimate, Estimator, Publish, Report, Tools
from . import ground
from .chain_terms import Planted
from .choosing import choose_row
from .evidence import Evidence, gather
from .levenberg import minimise
from .notes import Notes
from .outcome import estimate_of, points, seen_by, windows
from .pace import PUBLISHING_SHARE, STAGE, Pace, Part, Sparingly
from .priors import SHIPPED_PRIOR, PosePrior
from .start import usual_poses, with_told
from .states import States
from .subject import Subject
from .video_energy import VideoEnergy, Weights

KEYFRAME_GAP_S = 0.1  # of each such span the best frame is fitted first; the others lie between
SHAPE_KEYFRAMES = 240  # a person; shape needs no more
OVERLAP = 30  # frames solved again with what follows them, so that no seam is seen
CUE_BESIDE_GUESS = 2.0  # the detector's 3D counts less where a regressor has looked at it too
_SOME = 0.1  # of all frames: a ground has as many
HELD = 2  # frames of the finished part that a window starts from

# The steps. First far landmarks must pull and the detector's own 3D decides which way limbs bend.
_APART = Weights(outlier=20.0, cue=4.0, guess=3.0, prior=0.3)
_SHAPE = Weights(outlier=8.0, cue=1.0, guess=3.0, prior=0.5)
# A prior is of single frames; in a video neighbours repeat each other, and its vote is too loud.
_CHAINED = Weights(cue=4.0, guess=3.0, prior=0.2, steady=1.0, planted=1.0)


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
        start: Estimate | None = None,
        clip: Clip | None = None,
        publish: Publish | None = None,
        journal: Journal | None = None,
    ) -> Estimate:
        report(STAGE, 0, sum(len(each.times_s) for each in people))
        evidence = gather(people, camera, device=tools.device, dtype=torch.float32)
        evidence, begun = with_told(subject, evidence, people=people, told=start)
        keyframes = _keyframes(evidence)
        window, sparingly = tools.frames_at_once, Sparingly(PUBLISHING_SHARE)

        def found(states: States, planted: Planted, stop: int) -> Estimate:
            return estimate_of(
                people,
                seen_by(camera, planted),
                states=states.at(slice(stop)),
                evidence=evidence.at(slice(stop)),
                subject=subject,
                window=window,
            )

        def hand_out(states: States, planted: Planted, stop: int) -> None:
            sparingly(lambda: publish and publish(found(states, planted, stop)))

        fitter = _Fitter(
            subject,
            evidence,
            options,
            tools.height_m,
            window=window,
            pace=_pace(report, evidence, keyframes, window=window, told=begun is not None),
            hand_out=hand_out,
            notes=Notes(journal),
            begun=begun,
        )
        try:
            states, planted = fitter.fit(keyframes)
        finally:
            fitter.notes.flush()
        estimate = found(states, planted, len(evidence))
        fitter.pace.finish()
        return estimate

    return estimate


@dataclass(frozen=True, eq=False)
class _Fitter:
    """One run over all people's frames."""

    subject: Subject
    evidence: Evidence
    options: SmplifyOptions
    height_m: float | None
    window: int  # frames that are solved at once
    pace: Pace
    hand_out: Callable[[States, Planted, int], None]  # told how many frames are finished
    notes: Notes
    begun: States | None = None  # where another method has found everybody

    def fit(self, keyframes: Tensor) -> tuple[States, Planted]:
        begun = self.begun and self.begun.at(keyframes)
        states = self._keyframe_states(self.evidence.at(keyframes), begun)
        states = _between(states, keyframes, self.evidence)
        states = self._chained(states, Part.CHAINED, planted=None, iterations=12)
        planted = self._planted(states)
        return self._chained(states, Part.PLANTED, planted=planted, iterations=8), planted

    def _weights(self, weights: Weights) -> Weights:
        cue = weights.cue if self.begun is None else min(weights.cue, CUE_BESIDE_GUESS)
        return replace(
            weights,
            cue=cue * self.options.depth_cue,
            steady=weights.steady * self.options.smoothness,
            planted=weights.planted * self.options.contacts,
        )

    def _height_m(self, betas: Tensor) -> float:
        """The height of a person who begins with `betas` (10,): no picture tells how tall one is.

        Landmarks err alike in every frame. Left to them, a shape would grow by a fifth.
        """
        if self.height_m is not None:
            return self.height_m
        return float(self.subject.height + betas @ self.subject.height_betas)

    def _solved(
        self,
        energy: VideoEnergy,
        states: States,
        part: Part,
        *,
        span: tuple[int, int],
        iterations: int,
        damping: float,
    ) -> States:
        """What `minimise` finds, or found before this fit was stopped; `span` is of the part."""
        begin, stop = span
        on_step = self.pace.steps(part, begin=begin, stop=stop, most=2 * iterations + 1)

        def solve() -> States:
            found, _ = minimise(
                energy, states, iterations=iterations, damping=damping, on_step=on_step
            )
            return found

        on_step()  # also where nothing is left to solve
        return self.notes.once(solve, like=states)

    def _keyframe_states(self, evidence: Evidence, begun: States | None) -> States:
        """Poses of some frames, found apart, and one shape for each person."""
        states = usual_poses(self.subject, evidence)
        if begun is not None:
            states = replace(states, betas=begun.betas)
        states = self._apart(states, evidence, Part.APART, weights=_APART, iterations=25)
        if begun is not None:
            told = self._apart(begun, evidence, Part.APART_TOLD, weights=_APART, iterations=25)
            states = self._chosen([told, states], evidence)
        done = 0
        for mine in _spread(evidence, self.window):  # people's shapes are found apart: less memory
            states = self._shaped(states, evidence, mine, done=done)
            done += len(mine)
        return self._apart(states, evidence, Part.APART_AGAIN, weights=_SHAPE, iterations=8)

    def _chosen(self, answers: list[States], evidence: Evidence) -> States:
        """Of each frame the answer that fits what is seen and what is before and after it."""
        energies = [self._energies(each, evidence, weights=_APART) for each in answers]
        joints = [
            points(self.subject, each, evidence, window=self.window)[:, :JOINT_COUNT]
            for each in answers
        ]
        return choose_row(answers, torch.stack(energies), torch.stack(joints), evidence=evidence)

    def _energies(self, states: States, evidence: Evidence, *, weights: Weights) -> Tensor:
        """(M,) nats of frames that know nothing of each other."""
        parts = []
        for frames in windows(len(evidence), self.window):
            energy = self._alone(evidence.at(frames), weights)
            parts.append(energy.linearise(states.at(frames)).energy)
        return torch.cat(parts)

    def _alone(self, evidence: Evidence, weights: Weights) -> VideoEnergy:
        """The energy of frames that know nothing of each other."""
        return VideoEnergy(
            self.subject,
            evidence,
            self._weights(weights),
            groups=torch.arange(len(evidence), device=evidence.sequence.device),
        )

    def _shaped(self, states: States, evidence: Evidence, mine: Tensor, *, done: int) -> States:
        """`states` with the shape of the person whose frames `mine` are."""
        part = evidence.at(mine)
        whose = int(part.sequence[0])
        alone = replace(part, sequence=torch.zeros_like(part.sequence))
        energy = VideoEnergy(
            self.subject,
            alone,
            replace(self._weights(_SHAPE), height_m=self._height_m(states.betas[whose])),
            groups=alone.sequence,
            free_betas=True,
        )
        begun = replace(states.at(mine), betas=states.betas[whose : whose + 1])
        shaped = self._solved(
            energy,
            begun,
            Part.SHAPE,
            span=(done, done + len(mine)),
            iterations=15,
            damping=1e-3,
        )
        betas = states.betas.clone()
        betas[whose] = shaped.betas[0]
        return replace(states.with_frames(mine, shaped), betas=betas)

    def _apart(
        self, states: States, evidence: Evidence, part: Part, *, weights: Weights, iterations: int
    ) -> States:
        """Frames that know nothing of each other, some at a time."""
        for frames in windows(len(evidence), self.window):
            found = self._solved(
                self._alone(evidence.at(frames), weights),
                states.at(frames),
                part,
                span=(frames.start, frames.stop),
                iterations=iterations,
                damping=1e-2,
            )
            states = states.with_frames(frames, found)
        return states

    def _chained(
        self, states: States, part: Part, *, planted: Planted | None, iterations: int
    ) -> States:
        """All frames, chained through time, window after window."""
        count = len(self.evidence)
        begin = 0
        while begin < count:
            stop = min(begin + self.window, count)
            first = max(begin - HELD, 0)
            frames = slice(first, stop)
            evidence = self.evidence.at(frames)
            energy = VideoEnergy(
                self.subject,
                evidence,
                self._weights(_CHAINED),
                groups=torch.zeros_like(evidence.sequence),
                planted=planted and planted.at(frames),
                held=begin - first,
            )
            found = self._solved(
                energy,
                states.at(frames),
                part,
                span=(begin, stop),
                iterations=iterations,
                damping=1e-4,
            )
            states = states.with_frames(frames, found)
            begin = stop if stop == count else stop - OVERLAP
            if planted is not None and stop < count:
                self.hand_out(states, planted, begin)
        return states

    def _planted(self, states: States) -> Planted:
        """Which feet rest when, and the ground, from a first solution."""
        place = points(self.subject, states, self.evidence, window=self.window)
        joints, feet = place[:, :JOINT_COUNT], place[:, self.subject.feet]
        rest = ground.resting_feet(self.evidence)[:, self.subject.foot_columns]
        normal, offset = ground.find_ground(*(each.cpu().numpy() for each in (joints, feet, rest)))
        up = torch.as_tensor(normal).to(states.transl)
        levels = ground.levels_of(feet @ up + offset, rest, sequence=self.evidence.sequence)
        # The ground is theirs who stand lowest; a passer-by who is drawn too low has no say.
        lowest = levels.quantile(_SOME, interpolation="lower").clamp(max=0)
        return Planted(rest, up, offset - float(lowest), levels - lowest)


def _pace(
    report: Report, evidence: Evidence, keyframes: Tensor, *, window: int, told: bool
) -> Pace:
    shaped = sum(len(mine) for mine in _spread(evidence.at(keyframes), window))
    count, few = len(evidence), len(keyframes)
    parts = {Part.APART: few, Part.APART_TOLD: few} if told else {Part.APART: few}
    parts |= {Part.SHAPE: shaped, Part.APART_AGAIN: few}
    parts |= {Part.CHAINED: count, Part.PLANTED: count}
    return Pace(report, frames=count, parts=parts)


def _keyframes(evidence: Evidence) -> Tensor:
    """(M,) indices of frames, the best seen of every `KEYFRAME_GAP_S` of each person."""
    seen = evidence.weights.mean(dim=1).cpu().numpy()
    sequence, times_s = evidence.sequence.cpu().numpy(), evidence.times_s.cpu().numpy()
    first = np.searchsorted(sequence, sequence)  # people's frames stand one after another
    slot = ((times_s - times_s[first]) / KEYFRAME_GAP_S).astype(np.int64)
    order = np.lexsort((-seen, slot, sequence))  # the best first in each slot
    new = np.diff(sequence[order], prepend=-1) | np.diff(slot[order], prepend=-1)
    return torch.tensor(order[new != 0], device=evidence.sequence.device)


def _spread(keyframes: Evidence, window: int) -> list[Tensor]:
    """For each person, indices of some keyframes that fit into `window`, evenly spread."""
    most = min(SHAPE_KEYFRAMES, window)
    chosen = []
    for whose in keyframes.sequence.unique():
        mine = (keyframes.sequence == whose).nonzero()[:, 0]
        places = torch.linspace(0, len(mine) - 1, min(most, len(mine)))
        chosen.append(mine[places.round().long().to(mine.device)])
    return chosen


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
