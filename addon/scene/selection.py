"""What is selected in the sequencer, from what Blender holds in memory: no file is looked at."""

from __future__ import annotations

import bpy

from . import compat, corrections, footage, metas


def has_footage(context: bpy.types.Context) -> bool:
    """Whether a strip that shows footage is selected, also inside a meta."""
    scene = compat.sequencer_scene(context)
    return scene is not None and any(
        footage.is_footage(each.strip) for each in metas.selected(scene)
    )


def active(context: bpy.types.Context) -> bpy.types.Strip | None:
    """The strip that was clicked last; None without any."""
    scene = compat.sequencer_scene(context)
    editor = scene.sequence_editor if scene is not None else None
    return editor.active_strip if editor is not None else None


def named(scene: str, name: str) -> bpy.types.Strip | None:
    """The strip called `name` in the sequencer of the scene called `scene`; None if it is gone."""
    strips = (each.strip for each in metas.everywhere() if each.strip.name == name)
    return next((strip for strip in strips if strip.id_data.name == scene), None)


def state(context: bpy.types.Context) -> tuple[object, ...]:
    """What changes when the selected strips are others, or are elsewhere, or told otherwise of."""
    scene = compat.sequencer_scene(context)
    if scene is None:
        return ()
    strips = [each.strip for each in metas.selected(scene)]
    render, last = scene.render, active(context)
    return (
        scene.name,
        context.scene.name,
        last.name if last is not None else "",
        render.fps,
        render.fps_base,
        *(
            (each.name, corrections.text_of(each), *compat.strip_times(each).values())
            for each in strips
        ),
    )
