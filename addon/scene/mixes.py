"""Mixed takes: an action of a rig that is partly its refined take, partly the one before.

Both takes stay as they are. The mix is written from their keys, in whatever state an artist left
them, and is written over only as long as nobody edits its poses: after that it is the artist's, and
the next mix is another action.

Of a long shot that takes longer than Blender may stand still. Then the rig is posed by the mix at
once, which is marked as due, and written in steps later. The mark is saved and undone with the
file, so that a mix which was not yet, or half, written then is written again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ..rigging import mixing
from ..rigging.mixing import Amounts, Span
from ..rigging.quaternions import continuous
from ..rigging.timing import StripTiming
from . import compat, follow, poses, seals, steps, takes

_REFINED = "refined"
# On a rig whose mix is due: the take that it plays until then, empty for none of ours. The mix has
# it, too: undo takes an action to be as it is now if it was alike in both of its steps.
_DUE = "stripmocap_mix_due"


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


def length(rig: bpy.types.Object) -> int:
    """How many keys the longest curve of the refined take of a rig has; 0 without two takes."""
    pair = pair_of(rig)
    curves = compat.curves(pair[1]) if pair is not None else []
    return max((len(each.keyframe_points) for each in curves), default=0)


def make(rig: bpy.types.Object, everywhere: Amounts, spans: Sequence[Span]) -> Made | None:
    """Writes the mix of a rig, and lets it play in place of a take; None without two takes.

    A rig that plays an action of the artist's own, or none, goes on playing that.
    """
    return steps.run(making(rig, everywhere, spans, shown=None))


def making(
    rig: bpy.types.Object, everywhere: Amounts, spans: Sequence[Span], *, shown: float | None
) -> steps.Steps[Made | None]:
    """The same in steps, first of all around the scene frame that is `shown`; None for all at once.

    A rig that was given another take to play since its mix became due goes on playing that, and
    so does one of whose NLA strips an action is being edited.
    """
    label, playing = takes.playing(rig), _action_of(rig)
    is_ours = bool(label) and label in (rig.get(_DUE, label), takes.MIXED)
    try:
        made = yield from _writing(rig, everywhere, spans, shown=shown)
    except ReferenceError:  # a take or the mix was deleted, so there is nothing to be mixed
        made = None
    if made is not None and is_ours and _action_of(rig) == playing and takes.may_change(rig):
        compat.assign(rig, made.action)
        rig.update_tag(refresh={"OBJECT", "DATA", "TIME"})
    _unmark_all(rig)
    return made


def announce(rig: bpy.types.Object) -> None:
    """Marks the mix of a rig as due."""
    rig[_DUE] = takes.playing(rig)
    mix = takes.mix_of(rig)
    if mix is not None and mix.library is None:
        mix[_DUE] = True


def renounce(rig: bpy.types.Object) -> None:
    """The mix of a rig is due no more, whether it is written or not."""
    _unmark(rig)
    _unmark(takes.mix_of(rig))


def is_due(rig: bpy.types.Object) -> bool:
    """Whether the mix of a rig is still to be written."""
    return _DUE in rig


def preview(
    rig: bpy.types.Object, everywhere: Amounts, spans: Sequence[Span], *, frame: float
) -> None:
    """Poses a rig as its mix will at a scene frame, if it plays one of its takes or the mix."""
    pair = pair_of(rig)
    if pair is None or not takes.playing(rig):
        return
    plain, refined = (poses.at(each, frame) for each in pair)
    times_s = timing_of(rig).times_s(np.array([frame]))
    amounts = mixing.amounts_at(times_s, everywhere, spans)
    poses.strike(rig, steps.run(_mixing(plain, refined, amounts)))


def _writing(
    rig: bpy.types.Object, everywhere: Amounts, spans: Sequence[Span], *, shown: float | None
) -> steps.Steps[Made | None]:
    pair = pair_of(rig)
    if pair is None:
        return None
    plain_keys = yield from seals.reading(pair[0])
    refined_keys = yield from seals.reading(pair[1])
    frames = poses.frames_of(refined_keys)
    if not len(frames):
        return None
    plain = yield from poses.reading(pair[0], plain_keys, frames)
    refined = yield from poses.reading(pair[1], refined_keys, frames)
    amounts = mixing.amounts_at(timing_of(rig).times_s(frames), everywhere, spans)
    mixed = yield from _mixing(plain, refined, amounts)
    action, keys, kept = yield from _opening(rig, pair[1])
    try:
        yield from poses.writing(action, frames, mixed, keys=keys, shown=shown)
    finally:  # also when it is broken off: keys that somebody has set meanwhile are theirs
        seals.seal(action, keys)
    return Made(action, kept)


def _mixing(
    plain: poses.Poses, refined: poses.Poses, amounts: np.ndarray
) -> steps.Steps[poses.Poses]:
    quats = np.empty_like(plain.quats)
    for joint in range(quats.shape[1]):
        pair = plain.quats[:, joint], refined.quats[:, joint]
        quats[:, joint] = continuous(mixing.mixed_quats(*pair, amounts[:, joint]))
        yield
    return poses.Poses(quats, mixing.mixed_places(plain.places, refined.places, amounts[:, 0]))


def _action_of(rig: bpy.types.Object) -> bpy.types.Action | None:
    return rig.animation_data.action if rig.animation_data is not None else None


def _unmark_all(rig: bpy.types.Object) -> None:
    """The mix of a rig is due no more, nor is it for copies of the rig, which share it."""
    mix = takes.mix_of(rig)
    if mix is not None and is_due(rig):
        for each in bpy.data.objects:
            if is_due(each) and takes.mix_of(each) == mix:
                _unmark(each)
    renounce(rig)


def _unmark(owner: bpy.types.ID | None) -> None:
    if owner is not None and owner.library is None and _DUE in owner:
        del owner[_DUE]


def _opening(
    rig: bpy.types.Object, refined: bpy.types.Action
) -> steps.Steps[tuple[bpy.types.Action, seals.Keys, str]]:
    """In steps: the action to write the mix into, its keys, and the name of an edited one."""
    old, kept = takes.mix_of(rig), ""
    if old is not None and old.library is None:
        keys = yield from seals.reading(old)
        if seals.holds(old, keys):
            seals.leave_open(old)
            return old, keys, kept
        seals.drop(old)
        _unmark(old)
        kept = old.name
    action = refined.copy()  # its slot, groups, contacts and what it follows are the mix's, too
    action.name = f"{rig.name}_{takes.MIXED}"
    action.use_fake_user = True
    seals.leave_open(action)
    takes.keep_mix(rig, action)
    keys = yield from seals.reading(action)
    return action, keys, kept
