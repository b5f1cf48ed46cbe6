"""Blender's sequencer as a test needs it, the same in every version."""

from __future__ import annotations

from collections.abc import Iterable


def show(scene):
    """Makes the window's sequencer show `scene`; its sequence editor."""
    import bpy

    window = bpy.context.window_manager.windows[0]
    if hasattr(window.workspace, "sequencer_scene"):
        window.workspace.sequencer_scene = scene
    else:
        window.scene = scene
    return scene.sequence_editor_create()


def strips_of(editor):
    """The strips of an editor or meta strip, called sequences before 4.4."""
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def next_channel(editor) -> int:
    """The lowest channel above all strips."""
    return max((each.channel for each in strips_of(editor)), default=0) + 1


def select(editor, only: Iterable) -> None:
    """Selects these strips and no others; the first is active."""
    for each in strips_of(editor):
        each.select = each in only
    editor.active_strip = next(iter(only), None)


def call(operator, **options) -> None:
    """Calls an operator of the sequencer as its menus do."""
    import bpy

    window = bpy.context.window_manager.windows[0]
    area = max(window.screen.areas, key=lambda each: each.width)
    before, area.type = area.type, "SEQUENCE_EDITOR"
    region = next(each for each in area.regions if each.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        assert operator(**options) == {"FINISHED"}
    area.type = before


def add_by_hand(editor, path, *, start: int):
    """Adds a movie as the artist's own menu does: it keeps its speed."""
    import bpy

    known = {each.name for each in strips_of(editor)}
    call(
        bpy.ops.sequencer.movie_strip_add,
        filepath=str(path),
        directory=f"{path.parent}/",
        files=[{"name": path.name}],
        frame_start=start,
        channel=next_channel(editor),
        sound=False,
        use_framerate=False,
        adjust_playback_rate=True,
        **({"move_strips": False} if bpy.app.version >= (5, 0) else {}),
    )
    (added,) = (each for each in strips_of(editor) if each.name not in known)
    return added


def add_images(editor, paths, *, start: int):
    """Adds pictures as one strip."""
    first, *others = paths
    strip = strips_of(editor).new_image("images", str(first), next_channel(editor), start)
    for path in others:
        strip.elements.append(path.name)
    return strip


def add_effect(editor, kind: str, over=None):
    """Adds an effect strip of 50 frames, over another strip or by itself."""
    collection = strips_of(editor)
    known = {each.identifier for each in collection.bl_rna.functions["new_effect"].parameters}
    first = "input1" if "input1" in known else "seq1"
    options = {"length": 50} if "length" in known else {"frame_end": 51}
    if over is not None:
        options[first] = over
    return collection.new_effect("effect", kind, next_channel(editor), 1, **options)


def wrap(editor, *strips):
    """Puts strips into a new meta strip."""
    import bpy

    select(editor, strips)
    call(bpy.ops.sequencer.meta_make)
    return strips[0].parent_meta()


def set_time(strip, name: str, value) -> None:
    """Sets a time of a strip, by its name of 5.1."""
    older = {
        "content_start": "frame_start",
        "left_handle": "frame_final_start",
        "right_handle": "frame_final_end",
        "content_trim_start": "animation_offset_start",
        "content_trim_end": "animation_offset_end",
    }
    setattr(strip, name if hasattr(strip, name) else older[name], value)
