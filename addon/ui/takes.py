"""Several takes of a capture beside each other: which of them its people play."""

# Blender reads properties from annotations, so these must not be postponed into strings.

from typing import ClassVar

import bpy
from bpy.props import EnumProperty

from ..contract import motion
from ..scene import follow, selection, stamps, takes
from . import reporting

WORDS = {
    "frame": ("Frame by Frame", "Each picture alone, as the regressor saw it"),
    "temporal": ("Over Time", "Regressed over time"),
    "fitted": ("Fitted", "Fitted to the pictures over time"),
    "refined": ("Refined", "Refined by how people move"),
    takes.MIXED: ("Mixed", "Refined as much as is set below"),
}
TWEAKED = "Stop tweaking strip actions in the NLA first: until then nothing else can play"
IN_A_ROW = 3  # of the sidebar, without words being cut off
_ORDER = (*motion.TAKE_LABELS, takes.MIXED)


class STRIPMOCAP_OT_show_take(bpy.types.Operator):
    """Lets the people of a capture play another take."""

    bl_idname = "stripmocap.show_take"
    bl_label = "Show Take"
    bl_description = "Let the people of this capture play this take. The others are kept as actions"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    take: EnumProperty(  # type: ignore[valid-type]
        name="Take",
        items=[(label, *WORDS[label]) for label in _ORDER],
        default="fitted",
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """There are captured people, and other actions can be given to them."""
        rigs = rigs_of(context)
        if not rigs:
            cls.poll_message_set("Capture a strip first: nobody in this scene has takes")
            return False
        if not all(takes.may_change(each) for each in rigs):
            cls.poll_message_set(TWEAKED)
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Assigns the actions."""
        shown = takes.show(rigs_of(context), self.take)
        if not shown:
            reporting.warn(self, f"Nobody has a take {WORDS[self.take][0]}")
            return {"CANCELLED"}
        return {"FINISHED"}


def rigs_of(context: bpy.types.Context) -> list[bpy.types.Object]:
    """The people that are meant: of the active object's shot, the selected strip's, or the last."""
    rigs = [each for each in context.scene.objects if takes.of(each)]
    if not rigs:
        return []
    known, shots = _shots(), {}
    for each in rigs:
        shots.setdefault(_shot(each, known), []).append(each)
    own = _shot(context.object, known) if context.object is not None else ""
    if own and own in shots:
        return shots[own]
    strip = selection.active(context)
    strip_id = stamps.stamp_of(strip) if strip is not None else ""
    mine = [each for each in rigs if strip_id and _follows(each, strip_id)]
    return mine or next(reversed(shots.values()))


def rig_of(context: bpy.types.Context) -> bpy.types.Object | None:
    """The person that is meant: the active one, or else the first of the shot; None for nobody."""
    return active_of(rigs_of(context), context)


def active_of(rigs: list[bpy.types.Object], context: bpy.types.Context) -> bpy.types.Object | None:
    """Which of `rigs`, or of their bodies, is active; the first if none is, None of none."""
    active = context.object
    meant = {active, active.parent} if active is not None else set()
    return next((each for each in rigs if each in meant), rigs[0] if rigs else None)


def draw(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """A button for each take of the people that are meant, if there are several."""
    rigs = rigs_of(context)
    labels = {label for each in rigs for label in takes.playable(each)}
    if len(labels) < 2:
        return
    columns = len(labels) if len(labels) <= IN_A_ROW else 2
    row = layout.grid_flow(row_major=True, columns=columns, even_columns=True, align=True)
    now = {takes.playing(each) for each in rigs}
    for label in _ORDER:
        if label in labels:
            button = row.operator(
                STRIPMOCAP_OT_show_take.bl_idname, text=WORDS[label][0], depress=now == {label}
            )
            button.take = label


CLASSES = (STRIPMOCAP_OT_show_take,)


def _shots() -> dict[str, str]:
    """The shot that each collection of captures belongs to, by name."""
    return {
        each.name: shot.name
        for shot in bpy.data.collections
        if "stripmocap_job" in shot
        for each in (shot, *shot.children)
    }


def _shot(each: bpy.types.Object, known: dict[str, str]) -> str:
    """The shot that an object is in; empty if in none."""
    found = (known.get(collection.name, "") for collection in each.users_collection)
    return next(filter(None, found), "")


def _follows(rig: bpy.types.Object, strip_id: str) -> bool:
    return any(follow.follows(each, strip_id) for each in takes.of(rig).values())
