"""A whole shot: everybody's motion in one world and on ticks, and back in the footage.

The camera and people's shapes are the start's. The floor of a camera that stands still is levelled,
and goes down from under landmarks to the soles. Far from a world's origin single precision loses
millimetres, so a solver is told of a world whose origin is among the people. Who stands on another
level than the floor is told of as if that were the floor; the shot has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import torch
from torch import Tensor

from ...contract.motion import Camera, Motion
from ...geometry.rotations import matrix_to_aa
from ...people.observations import Person
from ..smplify.states import States
from ..smplify.subject import Subject
from ..toolbox import Estimate
from .fast import Shot
from .levelling import Moments, levelled
from .posed import Posed, on_ticks, posed_by, states_of
from .spells import Spell, evidence_of, spells_of
from .standing import standing
from .windows import rest_pelvis


@dataclass(frozen=True, eq=False)
class Whole:
    """P people, their motions before, and the spells in which they can be refined."""

    people: tuple[Person, ...]
    motions: tuple[Motion, ...]  # in the people's frames
    camera: Camera  # as it started, but that the ground is level
    subject: Subject
    window: int  # frames that are looked at at once
    rest: Tensor  # (P, 3) float64 metres, where each pelvis is at rest
    start: tuple[Posed, ...]  # of each person, in the world of `camera`
    spells: tuple[Spell, ...]  # G of all people, in their order

    @classmethod
    def of(
        cls,
        people: Sequence[Person],
        start: Estimate,
        *,
        subject: Subject,
        window: int,
        moments: Moments | None = None,
    ) -> Whole:
        """Those of the people of whom `start` has a motion.

        Args:
            people: who was seen.
            start: what is to be refined.
            subject: the body.
            window: frames that are looked at at once.
            moments: what levels the ground; None: it stays as it leans.
        """
        known, camera = {each.person: each for each in start.motions}, start.camera
        there = [each for each in people if each.person in known]
        motions = [_in_frames_of(each, known[each.person]) for each in there]
        if moments is not None:
            camera = levelled(camera, there, motions, subject=subject, moments=moments)
        rest = [_rest_of(each, subject) for each in motions]
        bodies = [
            posed_by(each, rest_pelvis=place).moved(camera.world_from_camera_at(each.times_s))
            for each, place in zip(motions, rest, strict=True)
        ]
        spells = [spells_of(owner, there[owner], each) for owner, each in enumerate(bodies)]
        return cls(
            people=tuple(there),
            motions=tuple(motions),
            camera=camera,
            subject=subject,
            window=window,
            rest=torch.stack(rest) if rest else torch.zeros(0, 3),
            start=tuple(bodies),
            spells=tuple(chain.from_iterable(spells)),
        )

    def task(self) -> Task:
        """What a solver is told; there is a spell at least."""
        subject, like = self.subject, self.subject.height
        owners = [each.owner for each in self.spells]
        betas = torch.tensor(np.stack([self.motions[owner].betas for owner in owners])).to(like)
        evidence = evidence_of(self.spells, self.camera, device=like.device)
        stand = standing(
            *(subject, evidence, self._begun(betas, np.zeros((len(betas), 3)))),
            camera=self.camera,
            window=self.window,
        )
        place = np.median(np.concatenate([each.begun.pelvis for each in self.spells]), axis=0)
        middle = np.array([*place[:2].round(), stand.floor_m])
        origins = middle + stand.levels_m[:, None] * [0.0, 0.0, 1.0]
        counts = [len(each.ticks_s) for each in self.spells]
        poses = [self.camera.world_from_camera_at(each.ticks_s) for each in self.spells]
        world = np.concatenate(poses)
        world[:, :3, 3] -= np.repeat(origins, counts, axis=0)
        shot = Shot(
            subject=subject,
            evidence=evidence,
            start=self._begun(betas, origins),
            camera_from_world=torch.tensor(np.linalg.inv(world)).to(like),
            floor_votes=stand.votes,
            rests=stand.rests,
        )
        return Task(shot, middle, stand.levels_m, np.cumsum([0, *counts]))

    def _begun(self, betas: Tensor, origins: np.ndarray) -> States:
        """Where all spells begin, each from its origin (G, 3), with betas (G, 10)."""
        parts = []
        for each, shape, origin in zip(self.spells, betas, origins, strict=True):
            rest = self.rest[each.owner] + torch.tensor(origin)
            parts.append(states_of(each.begun, rest_pelvis=rest, betas=shape))
        return States(
            transl=torch.cat([each.transl for each in parts]),
            global_rotmat=torch.cat([each.global_rotmat for each in parts]),
            body_pose=torch.cat([each.body_pose for each in parts]),
            betas=betas,
        )


@dataclass(frozen=True, eq=False)
class Task:
    """What a solver is told of the spells of a shot."""

    shot: Shot  # of N ticks
    middle: np.ndarray  # (3,) metres in the world, at the height of the floor
    levels_m: np.ndarray  # (G,) metres above the floor, on which the people of each spell stand
    ends: np.ndarray  # (G + 1,) before how many ticks each spell begins and the last one ends

    def origin_of(self, spell: int) -> np.ndarray:
        """(3,) metres, where the origin of a spell's ticks is in the world."""
        return self.middle + np.array([0.0, 0.0, self.levels_m[spell]])

    def votes_of(self, spell: int) -> np.ndarray:
        """(M,) in [0, 1], how much floor or level say at the ticks of a spell."""
        return self.shot.floor_votes[self.ends[spell] : self.ends[spell + 1]].cpu().numpy()


def _rest_of(motion: Motion, subject: Subject) -> Tensor:
    """(3,) metres, where the pelvis of a motion's shape is at rest."""
    betas = torch.tensor(motion.betas).to(subject.height)
    return rest_pelvis(subject, betas[None])[0].double().cpu()


def _in_frames_of(person: Person, motion: Motion) -> Motion:
    """`motion` in the frames of a person who was seen at other times."""
    times_s = person.times_s
    if len(times_s) == len(motion.times_s) and np.allclose(times_s, motion.times_s, atol=1e-4):
        return motion
    within_s = times_s.clip(motion.times_s[0], motion.times_s[-1])
    none = torch.zeros(3, dtype=torch.float64)
    bodies = on_ticks(posed_by(motion, rest_pelvis=none), times_s=motion.times_s, ticks_s=within_s)
    states = states_of(bodies, rest_pelvis=none, betas=torch.tensor(motion.betas))
    return Motion(
        person=motion.person,
        times_s=times_s,
        global_orient=matrix_to_aa(states.global_rotmat).numpy(),
        body_pose=states.body_pose.numpy(),
        betas=motion.betas,
        transl=states.transl.numpy(),
        confidence=np.interp(times_s, motion.times_s, motion.confidence),
    )
