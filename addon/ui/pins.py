"""Feet that slide after edits, held where they touch."""

# Blender reads properties from annotations, so these must not be postponed into strings.

from typing import ClassVar

import bpy
from bpy.props import FloatProperty

from ..scene import contacts, pins
from ..scene import takes as scene_takes
from . import remix, reporting, takes


class STRIPMOCAP_OT_pin_feet(bpy.types.Operator):
    """Holds feet where they touch."""

    bl_idname = "stripmocap.pin_feet"
    bl_label = "Pin Feet"
    bl_description = (
        "Hold each foot where it is while its contact says that it touches, by bending hip and "
        "knee. What plays now stays as it is; the pinned motion is an action of its own"
    )
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    fade_s: FloatProperty(  # type: ignore[valid-type]
        name="Fade",
        description="How long a foot takes to come back to where it was, before and after",
        default=0.15,
        min=0.0,
        soft_max=1.0,
        subtype="TIME_ABSOLUTE",
        unit="TIME_ABSOLUTE",
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """What the person that is meant plays has contacts."""
        rig = takes.rig_of(context)
        if rig is None or not contacts.has(rig):
            cls.poll_message_set("What plays has no contacts: capture with Best, or show that take")
            return False
        if not scene_takes.may_change(rig):
            cls.poll_message_set(takes.TWEAKED)
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Pins them."""
        rig = takes.rig_of(context)
        assert rig is not None, "polled"
        remix.finish()
        action = pins.pin(rig, fade_s=self.fade_s)
        if action is None:
            reporting.warn(self, f"{rig.name} plays no poses to pin")
            return {"CANCELLED"}
        reporting.done(self, f"{rig.name} plays {action.name}")
        return {"FINISHED"}


CLASSES = (STRIPMOCAP_OT_pin_feet,)
