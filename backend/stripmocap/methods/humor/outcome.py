"""From what a solver found to motions: in the footage's frames, before its camera, and how sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from ...contract.motion import Camera, Motion
from ...geometry.rotations import matrix_to_aa
from ..smplify.evidence import gather
from ..smplify.outcome import confidence_of
from ..toolbox import Estimate
from . import told
from .posed import states_of
from .returning import Refined, on_frames
from .whole import Task, Whole
from .windows import Found


def estimate_of(whole: Whole, task: Task, found: Found, *, finished: int) -> Estimate:
    """Everybody, refined where they could be.

    Args:
        whole: the shot.
        task: that was solved.
        found: of all its ticks.
        finished: of its ticks; people all of whose ticks are behind them are left out.
    """
    motions, notes = [], []
    for owner, person in enumerate(whole.people):
        mine = [index for index, each in enumerate(whole.spells) if each.owner == owner]
        parts = [_refined(whole, task, found, spell=each, finished=finished) for each in mine]
        refined = [each for each in parts if each is not None]
        if mine and not refined:
            continue  # later people, while the first are worked on
        is_done = not mine or task.ends[mine[-1] + 1] <= finished
        motions.append(_motion(whole, owner, refined, is_done=is_done))
        votes = np.concatenate([[], *(task.votes_of(each) for each in mine)])
        levels = [float(task.levels_m[each]) for each in mine]
        is_given = whole.camera.path is not None
        notes += told.of_floor(person, votes, levels_m=levels, is_given=is_given)
        if refined:
            notes += told.of_feet(person)
        notes += told.of_left(person, refined)
    return Estimate(_camera_over(whole.camera, task), tuple(motions), tuple(notes))


def unrefined(whole: Whole) -> Estimate:
    """Everybody as they were, where nobody can be refined."""
    notes = [note for each in whole.people for note in told.of_left(each, ())]
    return Estimate(whole.camera, whole.motions, tuple(notes))


def _camera_over(camera: Camera, task: Task) -> Camera:
    """The camera over the floor that was found."""
    if camera.path is not None:
        return camera
    world = camera.world_from_camera.copy()
    world[2, 3] -= task.middle[2]
    return replace(camera, world_from_camera=world)


def _refined(
    whole: Whole, task: Task, found: Found, *, spell: int, finished: int
) -> Refined | None:
    """What was found of a spell, as far as it is finished; None where it has not begun."""
    each, begin = whole.spells[spell], int(task.ends[spell])
    stop = min(int(task.ends[spell + 1]), finished)
    if stop <= begin:
        return None
    rest = whole.rest[each.owner] + torch.tensor(task.origin_of(spell))
    return Refined.of(each, found.at(slice(begin, stop)), rest_pelvis=rest)


def _motion(whole: Whole, owner: int, refined: Sequence[Refined], *, is_done: bool) -> Motion:
    """A person's motion, or its beginning up to what is refined."""
    person, motion, rest = whole.people[owner], whole.motions[owner], whole.rest[owner]
    if not refined:
        return motion
    frames = slice(len(motion.times_s) if is_done else refined[-1].spell.frames.stop)
    times_s = motion.times_s[frames]
    bodies, contacts = on_frames(whole.start[owner].at(frames), refined, times_s=times_s)
    seen = bodies.moved(np.linalg.inv(whole.camera.world_from_camera_at(times_s)))
    betas = torch.tensor(motion.betas).to(whole.subject.height)
    states = states_of(seen, rest_pelvis=rest, betas=betas)
    evidence = gather([person], whole.camera, device=betas.device, dtype=betas.dtype)
    sure = confidence_of(states, evidence.at(frames), whole.subject, window=whole.window)
    return Motion(
        person=motion.person,
        times_s=times_s,
        global_orient=matrix_to_aa(seen.rotmat[:, 0]).numpy(),
        body_pose=matrix_to_aa(seen.rotmat[:, 1:]).numpy(),
        betas=motion.betas,
        transl=(seen.pelvis - rest).numpy(),
        confidence=sure.cpu().numpy(),
        contacts=contacts,
    )
