"""From ticks back to the footage's frames: bodies, contacts, and how sure they are.

Where a solver found nothing, frames stay as they were; what it changed next to them fades out, so
that nobody jumps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ...contract.skeleton import CONTACT_COUNT
from ...geometry.rotations import aa_to_matrix
from .posed import Posed, change_of, changed_by, faded, from_ticks
from .spells import Spell
from .windows import Found

FADE_S = 0.4  # over which a change fades out where nothing was found


@dataclass(frozen=True, eq=False)
class Refined:
    """A spell with what was found."""

    spell: Spell
    bodies: Posed  # (M,) on its ticks
    contacts: np.ndarray  # (M, 9) in [0, 1]
    is_left: np.ndarray  # (M,) bool

    @classmethod
    def of(cls, spell: Spell, found: Found, *, rest_pelvis: torch.Tensor) -> Refined:
        """What was found of M ticks of a spell, or of its first M ones.

        Args:
            spell: whose ticks they are.
            found: (M,).
            rest_pelvis: (3,) metres, of the spell's person.
        """
        count = len(found.transl)
        left = found.is_left.cpu().numpy()
        spell = spell.until(count)
        pose = aa_to_matrix(found.body_pose.double())
        rotmat = torch.cat([found.global_rotmat.double()[:, None], pose], dim=1).cpu()
        pelvis = found.transl.double().cpu() + rest_pelvis.double().cpu()
        bodies = _smoothed(spell.begun, Posed(rotmat, pelvis), left, spell.ticks_s)
        return cls(spell, bodies, found.contacts.cpu().numpy(), left)


def on_frames(
    start: Posed, refined: Sequence[Refined], *, times_s: np.ndarray
) -> tuple[Posed, np.ndarray]:
    """A person's T bodies and their contacts (T, 9).

    Args:
        start: (T,) the person as they were before.
        refined: the spells that there are, in order of time.
        times_s: (T,) seconds.
    """
    rotmat, pelvis = start.rotmat.clone(), start.pelvis.clone()
    contacts = np.zeros((len(times_s), CONTACT_COUNT), dtype=np.float32)
    inside = np.zeros(len(times_s), dtype=bool)
    for each in refined:
        spell, frames = each.spell, each.spell.frames
        bodies = from_ticks(
            each.bodies,
            spell.begun,
            start=start.at(frames),
            times_s=spell.times_s,
            ticks_s=spell.ticks_s,
        )
        rotmat[frames], pelvis[frames] = bodies.rotmat, bodies.pelvis
        columns = [np.interp(spell.times_s, spell.ticks_s, chances) for chances in each.contacts.T]
        contacts[frames] = np.stack(columns, axis=1)
        inside[frames] = True
    bodies = Posed(rotmat, pelvis)
    if refined and not inside.all():
        bodies = _beside(bodies, refined, times_s=times_s, outside=np.flatnonzero(~inside))
    return bodies, contacts


def _smoothed(begun: Posed, found: Posed, left: np.ndarray, ticks_s: np.ndarray) -> Posed:
    """`found` (M,), where what is `left` (M,) keeps some of what changed next to it."""
    solved = np.flatnonzero(~left)
    if len(solved) == 0 or len(solved) == len(left):
        return found
    nearest = solved[_nearest(ticks_s[solved], ticks_s)]
    share = _share(ticks_s - ticks_s[nearest])
    change = faded(change_of(begun, found).at(nearest), share)
    return changed_by(change, begun)


def _beside(
    bodies: Posed, refined: Sequence[Refined], *, times_s: np.ndarray, outside: np.ndarray
) -> Posed:
    """`bodies` (T,), with what changed at the ends of spells fading in the frames `outside`."""
    ends = [(each, tick) for each in refined for tick in (0, -1)]
    ends_s = np.array([each.spell.ticks_s[tick] for each, tick in ends])
    nearest = _nearest(ends_s, times_s[outside])
    changes = [_changed(each, tick) for each, tick in ends]
    change = Posed(
        torch.stack([each.rotmat for each in changes]),
        torch.stack([each.pelvis for each in changes]),
    )
    change = faded(change.at(nearest), _share(times_s[outside] - ends_s[nearest]))
    part = changed_by(change, bodies.at(outside))
    rotmat, pelvis = bodies.rotmat.clone(), bodies.pelvis.clone()
    rotmat[outside], pelvis[outside] = part.rotmat, part.pelvis
    return Posed(rotmat, pelvis)


def _changed(refined: Refined, tick: int) -> Posed:
    """What changed at one tick, without a dimension for time."""
    whole = change_of(refined.spell.begun, refined.bodies)
    return Posed(whole.rotmat[tick], whole.pelvis[tick])


def _share(apart_s: np.ndarray) -> np.ndarray:
    """(T,) in [0, 1], how much is left of a change at so many seconds from it."""
    left = (1 - np.abs(apart_s) / FADE_S).clip(0, 1)
    return left**2 * (3 - 2 * left)


def _nearest(known_s: np.ndarray, wanted_s: np.ndarray) -> np.ndarray:
    """(T,) which of the rising times (K,) is nearest to each of (T,)."""
    after = np.searchsorted(known_s, wanted_s).clip(0, len(known_s) - 1)
    before = (after - 1).clip(0)
    return np.where(wanted_s - known_s[before] < known_s[after] - wanted_s, before, after)
