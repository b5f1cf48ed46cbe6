"""How much of the refinement shows: by region of the body, everywhere or in a span of time.

The amounts are properties of the rig, so that they are saved and undone with it. Each change has
the mix of the rig's takes written anew; nothing is captured again.
"""

# Blender reads properties from annotations, so these must not be postponed into strings.

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ..scene import mixes
from . import remix, reporting, takes

NEW_SPAN_S = 1.0  # long, at the playhead, where the scene has no preview range
_LONGEST_S = 86400.0


def _changed(row: Any, _: bpy.types.Context) -> None:
    mix(row.id_data)


def _amount(label: str, description: str) -> Any:
    return FloatProperty(
        name=label,
        description=f"{description}: 0 as before the refinement, 1 refined",
        default=1.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        update=_changed,
    )


def _frame(label: str, description: str, field: str) -> Any:
    """A scene frame that is kept in seconds of the file, so that it moves with the strip."""

    def told(row: Any) -> float:
        return float(mixes.timing_of(row.id_data).scene_frames(getattr(row, field)))

    def wished(row: Any, frame: float) -> None:
        setattr(row, field, float(mixes.timing_of(row.id_data).times_s(frame)))

    return FloatProperty(
        name=label, description=description, get=told, set=wished, step=100, precision=1
    )


class STRIPMOCAP_PG_amounts(bpy.types.PropertyGroup):
    """Amounts, and for a span of time its ends."""

    whole: _amount("Amount", "How much of the refinement shows")  # type: ignore[valid-type]
    torso: _amount("Torso and Head", "Of that, in torso and head")  # type: ignore[valid-type]
    arms: _amount("Arms", "Of that, in arms and hands")  # type: ignore[valid-type]
    legs: _amount("Legs", "Of that, in legs and feet")  # type: ignore[valid-type]
    root: _amount(  # type: ignore[valid-type]
        "Root", "Of that, in where the body is and which way it is turned"
    )
    start_s: FloatProperty(options={"HIDDEN"}, update=_changed)  # type: ignore[valid-type]
    stop_s: FloatProperty(options={"HIDDEN"}, update=_changed)  # type: ignore[valid-type]
    first: _frame("First Frame", "Where the span begins", "start_s")  # type: ignore[valid-type]
    last: _frame("Last Frame", "Where the span ends", "stop_s")  # type: ignore[valid-type]
    fade_s: FloatProperty(  # type: ignore[valid-type]
        name="Fade",
        description="How long the amounts take to go over into those around the span, "
        "before it and after it",
        default=0.2,
        min=0.0,
        soft_max=2.0,
        max=_LONGEST_S,
        subtype="TIME_ABSOLUTE",
        unit="TIME_ABSOLUTE",
        update=_changed,
    )


class STRIPMOCAP_PG_refine(bpy.types.PropertyGroup):
    """What a rig keeps of how much it is refined."""

    everywhere: PointerProperty(type=STRIPMOCAP_PG_amounts)  # type: ignore[valid-type]
    spans: CollectionProperty(type=STRIPMOCAP_PG_amounts)  # type: ignore[valid-type]
    active: IntProperty(options={"HIDDEN"})  # type: ignore[valid-type]
    kept: StringProperty(options={"HIDDEN"})  # type: ignore[valid-type]
    is_held: BoolProperty(options={"HIDDEN", "SKIP_SAVE"})  # type: ignore[valid-type]


class STRIPMOCAP_UL_spans(bpy.types.UIList):
    """The spans of a rig with amounts of their own."""

    bl_idname = "STRIPMOCAP_UL_spans"

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: Any,
        item: Any,
        icon: int,
        active_data: Any,
        active_property: str,
        *_: Any,
    ) -> None:
        """Draws one row."""
        row = layout.row(align=True)
        row.label(text=f"{item.first:.0f} to {item.last:.0f}")
        row.prop(item, "whole", text="", slider=True)


class STRIPMOCAP_OT_add_refine_span(bpy.types.Operator):
    """Adds a span with amounts of its own."""

    bl_idname = "stripmocap.add_refine_span"
    bl_label = "Add Span"
    bl_description = (
        "Refine less in a span of time: the scene's preview range, or a second at the playhead. "
        "It begins at no refinement; raise its amounts to taste"
    )
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Somebody has two takes to choose between."""
        return _polled(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Adds it."""
        rig = rig_of(context)
        assert rig is not None, "polled"
        first_s, last_s = sorted(mixes.timing_of(rig).times_s(_span_at(context.scene)).tolist())
        with _held(rig) as kept:
            made = kept.spans.add()
            made.start_s, made.stop_s, made.whole = first_s, last_s, 0.0
            kept.active = len(kept.spans) - 1
        return {"FINISHED"}


class STRIPMOCAP_OT_remove_refine_span(bpy.types.Operator):
    """Removes the selected span."""

    bl_idname = "stripmocap.remove_refine_span"
    bl_label = "Remove Span"
    bl_description = "Refine in the selected span as everywhere else"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """There is one."""
        rig = rig_of(context)
        if rig is not None and len(of(rig).spans):
            return True
        cls.poll_message_set("There is no span to remove")
        return False

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Removes it."""
        rig = rig_of(context)
        assert rig is not None, "polled"
        with _held(rig) as kept:
            kept.spans.remove(min(kept.active, len(kept.spans) - 1))
            kept.active = max(0, min(kept.active, len(kept.spans) - 1))
        return {"FINISHED"}


class STRIPMOCAP_OT_refine_everybody(bpy.types.Operator):
    """Gives everybody in the shot the amounts of one."""

    bl_idname = "stripmocap.refine_everybody"
    bl_label = "Same for Everybody"
    bl_description = "Refine everybody in this shot as much as this person, in the same spans"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """There are others."""
        if len(_alike(context)) > 1:
            return True
        cls.poll_message_set("There is nobody else in this shot with a refined take")
        return False

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Copies the amounts."""
        rig = rig_of(context)
        assert rig is not None, "polled"
        others = [each for each in _alike(context) if each != rig]
        for each in others:
            with _held(each) as kept:
                _copy(of(rig), kept)
        reporting.done(self, f"Refined {len(others)} more as much as {rig.name}")
        return {"FINISHED"}


def of(rig: bpy.types.Object) -> STRIPMOCAP_PG_refine:
    """What a rig keeps of how much it is refined."""
    return rig.stripmocap_refine


def rig_of(context: bpy.types.Context) -> bpy.types.Object | None:
    """The person that is meant: the active one, or else the first of the shot; None for nobody."""
    return takes.active_of(_alike(context), context)


def mix(rig: bpy.types.Object) -> None:
    """Mixes the takes of a rig by its amounts, unless several of them are being changed."""
    if not of(rig).is_held and rig.library is None:
        remix.mix(rig)


CLASSES = (
    STRIPMOCAP_PG_amounts,
    STRIPMOCAP_PG_refine,
    STRIPMOCAP_UL_spans,
    STRIPMOCAP_OT_add_refine_span,
    STRIPMOCAP_OT_remove_refine_span,
    STRIPMOCAP_OT_refine_everybody,
)


def register() -> None:
    """Adds the properties to every object."""
    bpy.types.Object.stripmocap_refine = PointerProperty(type=STRIPMOCAP_PG_refine)


def unregister() -> None:
    """Removes them; harmless when they are gone already."""
    if hasattr(bpy.types.Object, "stripmocap_refine"):
        del bpy.types.Object.stripmocap_refine


@contextmanager
def _held(rig: bpy.types.Object) -> Iterator[STRIPMOCAP_PG_refine]:
    """Several changes at once, then one mix."""
    kept = of(rig)
    kept.is_held = True
    try:
        yield kept
    finally:
        kept.is_held = False
    mix(rig)


def _alike(context: bpy.types.Context) -> list[bpy.types.Object]:
    """Those of the shot that is meant who have two takes to mix."""
    return [each for each in takes.rigs_of(context) if mixes.pair_of(each) is not None]


def _copy(source: STRIPMOCAP_PG_refine, target: STRIPMOCAP_PG_refine) -> None:
    target.spans.clear()
    pairs = [(source.everywhere, target.everywhere)]
    pairs += [(each, target.spans.add()) for each in source.spans]
    for old, new in pairs:
        for name in (*remix.AMOUNTS, "start_s", "stop_s", "fade_s"):
            setattr(new, name, getattr(old, name))


def _span_at(scene: bpy.types.Scene) -> tuple[float, float]:
    """First and last frame of what a new span is about."""
    if scene.use_preview_range:
        return scene.frame_preview_start, scene.frame_preview_end
    half = NEW_SPAN_S / 2 * scene.render.fps / scene.render.fps_base
    return scene.frame_current_final - half, scene.frame_current_final + half


def _polled(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    if rig_of(context) is not None:
        return True
    operator.poll_message_set("Capture a strip with Best first: nobody here has a refined take")
    return False
