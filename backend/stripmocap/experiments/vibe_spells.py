"""Spells laid over test shots on purpose, during which a part of the person, or all, is not seen.

A spell of each length comes at the same moments of the same shots, and all other chances of a shot
stay as they are (`training/shots.py`), so that rows of the table differ in the spells alone.
Judged are the frames inside them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Generator, Tensor

from ..contract.skeleton import BLAZEPOSE_NAMES
from ..people.observations import Person
from ..training.mocap import FPS, Clip, Clips
from ..training.occlusion import Things
from ..training.shots import Hide, Shot, shot_of
from ..training.synthetic import LandmarkBody
from .vibe_shots import Means, Read, errors_of, means

Report = Callable[[str, int, int], None]

LENGTHS_S = (0.1, 0.2, 0.5, 1.0)
FIRST_S, EVERY_S = 1.5, 3.0  # middle of the first spell, and from there to the next
LEGS, NOBODY = "legs hidden", "nobody seen"
WAYS = (LEGS, NOBODY)
_LEGS = [
    index
    for index, name in enumerate(BLAZEPOSE_NAMES)
    if any(part in name for part in ("knee", "ankle", "heel", "foot"))
]
_ROOM = 0.05  # of the person's size, that a thing stands over what it hides


@dataclass(frozen=True)
class Spelled:
    """How well one way of reading does inside spells."""

    way: str  # of WAYS: what is hidden
    length_s: float
    reader: str
    inside: Means
    free: Means  # the same frames of the same shots, with nothing hidden


def inside(frames: int, *, length_s: float, fps: float = FPS) -> Tensor:
    """(T,) bool, which frames of a shot lie in a spell; one that does not end in it is left out."""
    found = torch.zeros(frames, dtype=torch.bool)
    count = max(1, round(length_s * fps))
    for middle_s in np.arange(FIRST_S, frames / fps, EVERY_S):
        first = round(middle_s * fps) - count // 2
        if first + count < frames:
            found[first : first + count] = True
    return found


def nothing(places: Tensor, _: Generator) -> Things:
    """No thing before a person at places (T, 33, 2)."""
    count = len(places)
    return Things(torch.zeros(count, 2), torch.zeros(count, 2), torch.zeros(count))


def legs_hidden(spell: Tensor) -> Hide:
    """Things that stand still during each run of `spell` (T,) and hide where the legs are."""

    def hide(places: Tensor, generator: Generator) -> Things:
        things = nothing(places, generator)
        for first, last in runs(spell):
            some = places[first:last]
            size = (some.amax(dim=1) - some.amin(dim=1)).amax()
            legs = some[:, _LEGS].flatten(0, 1)
            low, high = legs.amin(dim=0), legs.amax(dim=0)
            things.middle[first:last] = (low + high) / 2
            things.half[first:last] = (high - low) / 2 + _ROOM * size
        return things

    return hide


def runs(spell: Tensor) -> list[tuple[int, int]]:
    """The first frame of each run of true ones in `spell` (T,), and the one behind its last."""
    edges = np.diff(spell.numpy().astype(np.int8), prepend=0, append=0)
    starts, stops = np.flatnonzero(edges > 0), np.flatnonzero(edges < 0)
    return list(zip(starts.tolist(), stops.tolist(), strict=True))


def lost(person: Person, spell: Tensor) -> Person:
    """`person` as the tracker hands on somebody whom it did not find in the frames of `spell`."""
    gone = spell.numpy()
    if not gone.any() or gone.all():
        return person
    keypoints = _over_gaps(person.keypoints, gone, person.times_s)
    keypoints[gone, :, 2] = 0.0
    return replace(
        person,
        boxes=_over_gaps(person.boxes, gone, person.times_s),
        keypoints=keypoints,
        landmarks3d=_over_gaps(person.landmarks3d, gone, person.times_s),
        presence=np.where(gone, 0.0, person.presence),
    )


def _over_gaps(values: np.ndarray, gone: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """A copy of `values` (T, ...), on straight lines where they are `gone`."""
    flat = values.reshape(len(values), -1).copy()
    for column in flat.T:
        column[gone] = np.interp(times_s[gone], times_s[~gone], column[~gone])
    return flat.reshape(values.shape)


def run(
    clips: Clips, readers: dict[str, Read], *, body: LandmarkBody, seed: int, report: Report
) -> list[Spelled]:
    """Every reader inside spells of every way and length."""
    free = [shot_of(clip, body, seed=seed, hide=nothing) for clip in clips]
    plain = {
        name: [errors_of(read, shot, body=body) for shot in free] for name, read in readers.items()
    }
    rows: list[Spelled] = []
    spells = [(way, length_s) for way in WAYS for length_s in LENGTHS_S]
    for done, (way, length_s) in enumerate(spells):
        report("spells", done, len(spells))
        where = [inside(len(shot.samples), length_s=length_s) for shot in free]
        hidden = _hidden(way, clips, where, free=free, body=body, seed=seed)
        for name, read in readers.items():
            found = [errors_of(read, shot, body=body, person=person) for shot, person in hidden]
            in_spells, without = means(found, where=where), means(plain[name], where=where)
            rows.append(Spelled(way, length_s, name, in_spells, without))
    return rows


def _hidden(
    way: str,
    clips: Sequence[Clip],
    where: Sequence[Tensor],
    *,
    free: Sequence[Shot],
    body: LandmarkBody,
    seed: int,
) -> list[tuple[Shot, Person]]:
    if way == NOBODY:
        return [(shot, lost(shot.person(), some)) for shot, some in zip(free, where, strict=True)]
    shots = [
        shot_of(clip, body, seed=seed, hide=legs_hidden(some))
        for clip, some in zip(clips, where, strict=True)
    ]
    return [(shot, shot.person()) for shot in shots]
