"""The people of the strip in focus as Blender lists them: rows with colours and pictures.

The rows belong to the window manager, so they are neither undone nor of any use in a file; they are
made anew from memory whenever the people change.
"""

# Blender reads properties from annotations, so these must not be postponed into strings.

from typing import Any

import bpy
import bpy.utils.previews
import numpy as np
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ..contract import tracks
from ..scene import preview
from .casts import View

COLOURS = (  # told apart by most eyes, on most footage
    (1.0, 0.62, 0.05),
    (0.35, 0.75, 1.0),
    (0.15, 0.85, 0.5),
    (1.0, 0.92, 0.3),
    (1.0, 0.4, 0.25),
    (0.6, 0.55, 1.0),
    (1.0, 0.55, 0.85),
    (0.85, 0.85, 0.85),
)
PICTURES = 200  # that are kept
FRAME_PX = 7  # around a picture


def colour_of(person: int) -> tuple[float, float, float]:
    """The colour of the person of that number, red, green and blue in [0, 1]."""
    return COLOURS[person % len(COLOURS)]


def name_of(person: int) -> str:
    """What the person of that number is called, as their rig is."""
    return f"Person {person}"


def _row_was_clicked(rows: Any, context: bpy.types.Context) -> None:
    for index, row in enumerate(rows.people):
        row.selected = index == rows.active
    _redraw(rows, context)


def _redraw(_: Any, context: bpy.types.Context) -> None:
    preview.redraw(context)


class STRIPMOCAP_PG_person(bpy.types.PropertyGroup):
    """One person in the list."""

    person: IntProperty()  # type: ignore[valid-type]
    says: StringProperty()  # type: ignore[valid-type]
    kept: BoolProperty()  # type: ignore[valid-type]
    icon: IntProperty()  # type: ignore[valid-type]
    selected: BoolProperty(  # type: ignore[valid-type]
        name="Selected",
        description="Merge, Swap, Keep and Ignore are about the people that are ticked here",
        update=_redraw,
    )


class STRIPMOCAP_PG_people(bpy.types.PropertyGroup):
    """The list."""

    people: CollectionProperty(type=STRIPMOCAP_PG_person)  # type: ignore[valid-type]
    active: IntProperty(update=_row_was_clicked)  # type: ignore[valid-type]
    show_boxes: BoolProperty(  # type: ignore[valid-type]
        name="Boxes in Preview",
        description="Draw a box around everybody over the sequencer's preview",
        default=True,
        update=_redraw,
    )


class STRIPMOCAP_UL_people(bpy.types.UIList):
    """How a person is listed."""

    bl_idname = "STRIPMOCAP_UL_people"

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
        picture = row.row()
        picture.ui_units_x = 2.2
        picture.template_icon(icon_value=item.icon, scale=2.0)
        words = row.column(align=True)
        line = words.row(align=True)
        name = line.row()
        name.active = item.kept
        name.label(text=name_of(item.person))
        toggle = line.operator(
            "stripmocap.ignore_people" if item.kept else "stripmocap.keep_people",
            text="",
            icon="HIDE_OFF" if item.kept else "HIDE_ON",
            emboss=False,
        )
        toggle.person = item.person
        line.prop(item, "selected", text="")
        line = words.row()
        line.active = item.kept
        line.label(text=item.says)


CLASSES = (STRIPMOCAP_PG_person, STRIPMOCAP_PG_people, STRIPMOCAP_UL_people)


def register() -> None:
    """Adds the list to the window manager."""
    bpy.types.WindowManager.stripmocap_people = PointerProperty(type=STRIPMOCAP_PG_people)


def unregister() -> None:
    """Removes it and frees the pictures; harmless when they are gone already."""
    if hasattr(bpy.types.WindowManager, "stripmocap_people"):
        del bpy.types.WindowManager.stripmocap_people
    for each in _previews:
        bpy.utils.previews.remove(each)
    _previews.clear()


def of(context: bpy.types.Context) -> STRIPMOCAP_PG_people:
    """The list as it is."""
    return context.window_manager.stripmocap_people


def show(context: bpy.types.Context, view: View | None) -> None:
    """Makes the list one of the people of `view`; who was selected stays so."""
    rows = of(context)
    before, active = set(selected(context)), active_person(context)
    people = () if view is None else view.people
    rows.people.clear()
    for kept in _previews:
        if len(kept) > PICTURES:
            kept.clear()
    for each in people:
        row = rows.people.add()
        row.person, row.kept, row.says = each.person, each.kept, _says(each)
        row.icon = _icon(view.cast.job_id, each) if view is not None else 0
    numbers = [each.person for each in people]
    select(context, [each for each in numbers if each in before], active=active)


def select(context: bpy.types.Context, numbers: list[int], *, active: int | None = None) -> None:
    """Selects these people and no others; `active`, or the first of them, is the active one."""
    rows = of(context)
    listed = [each.person for each in rows.people]
    wanted = active if active in listed else next(iter(numbers), None)
    rows.active = listed.index(wanted) if wanted in listed else 0  # selects that one
    for row in rows.people:
        row.selected = row.person in numbers


def selected(context: bpy.types.Context) -> list[int]:
    """Numbers of the selected people, the active one first."""
    active = active_person(context)
    numbers = [each.person for each in of(context).people if each.selected]
    return sorted(numbers, key=lambda each: (each != active, each))


def active_person(context: bpy.types.Context) -> int | None:
    """The number of the person who was clicked last; None in an empty list."""
    rows = of(context)
    return rows.people[rows.active].person if 0 <= rows.active < len(rows.people) else None


_previews: list[Any] = []  # one collection of pictures, once there is any


def _says(track: tracks.PersonTrack) -> str:
    seconds = float(track.times_s[-1] - track.times_s[0])
    share = float((track.presence > 0).mean())
    return f"{seconds:.1f} s from {track.times_s[0]:.1f} s, seen in {share:.0%}"


def _icon(job_id: str, track: tracks.PersonTrack) -> int:
    """The icon of somebody's picture in a frame of their colour; 0 where Blender draws nothing."""
    if not _previews:
        _previews.append(bpy.utils.previews.new())
    (kept,) = _previews
    name = f"{job_id}/{track.pictured_s.tolist()}/{track.person}"
    if name not in kept:
        pixels = _framed(track.picture, colour_of(track.person))
        made = kept.new(name)
        made.image_size = pixels.shape[1::-1]
        made.image_pixels_float.foreach_set(pixels.ravel())
    return kept[name].icon_id


def _framed(picture: np.ndarray, colour: tuple[float, float, float]) -> np.ndarray:
    """(H, W, 4) in [0, 1], rows running up as Blender has them."""
    height, width = picture.shape[:2]
    framed = np.ones((height + 2 * FRAME_PX, width + 2 * FRAME_PX, 4), dtype=np.float32)
    framed[:, :, :3] = colour
    framed[FRAME_PX:-FRAME_PX, FRAME_PX:-FRAME_PX, :3] = picture[::-1] / 255
    return framed
