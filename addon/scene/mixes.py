"""Mixed takes: an action of a rig that is partly its refined take, partly the one before.

Both takes stay as they are. The mix is written from their keys, in whatever state an artist left
them, and is written over only as long as nobody edits its poses: after that it is the artist's, and
the next mix is another action.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import bpy

from ..rigging import mixing
from ..rigging.mixing import Amounts, Span
from ..rigging.quaternions import continuous
from ..rigging.timing import StripTiming
from . import compat, follow, poses, seals, takes

_REFINED = "refined"


@dataclass(frozen=True)
class Made:
    """What came of mixing."""

    action: bpy.types.Action
    kept: str  # name of the mix before, if it was edited and therefore stays; else empty


def pair_of(rig: bpy.types.Object) -> tuple[bpy.types.Action, bpy.types.Action] | None:
    """The take before the refined one, and the refined one; None if a rig has not both."""
    known = takes.of(rig)  # the best last
    if len(known) < 2 or _REFINED not in known:
        return None
    *_, plain, refined = known.values()
    return plain, refined


def timing_of(rig: bpy.types.Object) -> StripTiming:
    """When the refined take of a rig plays; a second a frame if it has none."""
    pair = pair_of(rig)
    return follow.timing_of(pair[1]) if pair is not None else StripTiming(0.0, 1.0)


def make(rig: bpy.types.Object, everywhere: Amounts, spans: Sequence[Span]) -> Made | None:
    """Writes the mix of a rig, and lets it play in place of a take; None without two takes.

    A rig that plays an action of the artist's own, or none, goes on playing that.
    """
    pair = pair_of(rig)
    if pair is None:
        return None
    keys = [seals.read(each) for each in pair]
    frames = poses.frames_of(keys[1])
    if not len(frames):
        return None
    plain, refined = (poses.read(*each, frames) for each in zip(pair, keys, strict=True))
    amounts = mixing.amounts_at(timing_of(rig).times_s(frames), everywhere, spans)
    mixed = poses.Poses(
        continuous(mixing.mixed_quats(plain.quats, refined.quats, amounts)),
        mixing.mixed_places(plain.places, refined.places, amounts[:, 0]),
    )
    playing = takes.playing(rig)
    action, old_keys, kept = _action_of(rig, pair[1])
    seals.seal(action, poses.write(action, frames, mixed, old_keys=old_keys))
    if playing:
        compat.assign(rig, action)
        rig.update_tag(refresh={"OBJECT", "DATA", "TIME"})
    return Made(action, kept)


def _action_of(
    rig: bpy.types.Object, refined: bpy.types.Action
) -> tuple[bpy.types.Action, seals.Keys, str]:
    """The action to write the mix into, its keys, and the name of one that is the artist's now."""
    old, kept = takes.mix_of(rig), ""
    if old is not None and old.library is None:
        keys = seals.read(old)
        if seals.holds(old, keys):
            return old, keys, kept
        seals.drop(old)
        kept = old.name
    action = refined.copy()  # its slot, groups, contacts and what it follows are the mix's, too
    action.name = f"{rig.name}_{takes.MIXED}"
    action.use_fake_user = True
    takes.keep_mix(rig, action)
    return action, seals.read(action), kept
