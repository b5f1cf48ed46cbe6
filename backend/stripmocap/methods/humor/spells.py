"""What a motion prior is shown of people: spells of thirty frames a second.

A spell is a stretch of one person's time in which nothing long is hidden: a short gap is for the
prior to fill, of a long one nobody knows what happened in it, and the motions before and after are
not of one piece. Ticks between frames that are far apart are seen less surely, so that footage of
few frames a second does not say everything several times, and the prior may speak in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ...contract.motion import Camera
from ...people.observations import Person
from ..features.resampling import FPS, seen_on, ticks_of
from ..smplify.evidence import Evidence, gather
from .posed import Posed, on_ticks

LONGEST_GAP_S = 2.0  # without the person, that a prior fills
LEAST_TICKS = 4  # that a transition from moment to moment can be read of
LEAST_FRAMES = 3


@dataclass(frozen=True, eq=False)
class Spell:
    """A stretch of one person's time, on ticks."""

    owner: int  # whose, by the order of people
    frames: slice  # T of the owner's
    times_s: np.ndarray  # (T,) seconds, of these
    ticks_s: np.ndarray  # (M,) seconds, from the first of these frames to the last
    begun: Posed  # (M,) where a start has the person
    seen: Person  # on all ticks
    votes: np.ndarray  # (M,) in [0, 1], how much of a frame there is at the tick

    def until(self, count: int) -> Spell:
        """Its first `count` ticks, and the frames up to there."""
        if count == len(self.ticks_s):
            return self
        frames = int(np.searchsorted(self.times_s, self.ticks_s[count - 1], side="right"))
        return replace(
            self,
            frames=slice(self.frames.start, self.frames.start + frames),
            times_s=self.times_s[:frames],
            ticks_s=self.ticks_s[:count],
            begun=self.begun.at(slice(count)),
            votes=self.votes[:count],
        )


def spells_of(owner: int, person: Person, start: Posed) -> list[Spell]:
    """The spells of a person whose T frames have bodies `start`; none where all are too short."""
    return [
        _spell(owner, person, start, frames)
        for frames in _stretches(person)
        if frames.stop - frames.start >= LEAST_FRAMES
        and len(ticks_of(person.times_s[frames])) >= LEAST_TICKS
    ]


def evidence_of(spells: Sequence[Spell], camera: Camera, *, device: torch.device) -> Evidence:
    """What is seen on the ticks of all spells, one after another; a spell is a sequence."""
    people = [each.seen for each in spells]
    evidence = gather(people, camera, device=device, dtype=torch.float32)
    votes = np.concatenate([each.votes for each in spells])
    shown = torch.tensor(votes).to(evidence.weights)[:, None]
    return replace(
        evidence,
        weights=evidence.weights * shown,
        cue_weights=evidence.cue_weights * shown,
        votes=torch.ones_like(evidence.votes),  # ticks are evenly spread
    )


def _stretches(person: Person) -> Iterator[slice]:
    """Frames from a sighting to the last one before a long gap."""
    sighted = np.flatnonzero(person.keypoints[..., 2].max(axis=1) > 0)
    if len(sighted) == 0:
        return
    gaps_s = np.diff(person.times_s[sighted])
    for part in np.split(sighted, np.flatnonzero(gaps_s > LONGEST_GAP_S) + 1):
        yield slice(int(part[0]), int(part[-1]) + 1)


def _spell(owner: int, person: Person, start: Posed, frames: slice) -> Spell:
    times_s = person.times_s[frames]
    ticks_s = ticks_of(times_s)
    return Spell(
        owner=owner,
        frames=frames,
        times_s=times_s,
        ticks_s=ticks_s,
        begun=on_ticks(start.at(frames), times_s=times_s, ticks_s=ticks_s),
        seen=_seen(person, frames, ticks_s),
        votes=_votes(ticks_s, times_s),
    )


def _seen(person: Person, frames: slice, ticks_s: np.ndarray) -> Person:
    times_s = person.times_s[frames]

    def between(values: np.ndarray) -> np.ndarray:
        flat = values[frames].reshape(len(times_s), -1)
        columns = [np.interp(ticks_s, times_s, each) for each in flat.T]
        return np.stack(columns, axis=1).reshape(len(ticks_s), *values.shape[1:])

    keypoints, landmarks3d = seen_on(
        ticks_s,
        times_s=times_s,
        keypoints=person.keypoints[frames],
        landmarks3d=person.landmarks3d[frames],
    )
    hidden = keypoints[..., 2:] <= 0
    places = np.where(hidden, between(person.keypoints)[..., :2], keypoints[..., :2])
    scores = keypoints[..., 2:].clip(0, 1)
    return Person(
        person=person.person,
        times_s=ticks_s,
        boxes=between(person.boxes),
        keypoints=np.concatenate([places, scores], axis=2),
        landmarks3d=np.where(hidden, between(person.landmarks3d), landmarks3d),
        presence=between(person.presence).clip(0, 1),
    )


def _votes(ticks_s: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """(M,) in [0, 1]: each frame counts once, for the ticks next to it."""
    after = np.searchsorted(times_s, ticks_s).clip(1, len(times_s) - 1)
    apart = np.abs(np.stack([times_s[after - 1], times_s[after]]) - ticks_s) * FPS
    return (1 - apart).clip(min=0).sum(axis=0).clip(max=1)
