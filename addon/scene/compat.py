"""Every difference between the Blenders that are supported, 4.2 to 5.2, and nothing else.

Where it can be, a difference is found by what is there, not by the version, so that the next
Blender has a chance.
"""

from __future__ import annotations

from typing import Any

import bpy


def channels(owner: bpy.types.ID, action: bpy.types.Action) -> tuple[Any, Any]:
    """The f-curves and groups of `action` that move `owner`, to which the action is assigned."""
    animation = owner.animation_data_create()
    if not hasattr(action, "slots"):  # before 4.4 an action was one bag of curves
        animation.action = action
        return action.fcurves, action.groups
    slot = action.slots.new(id_type=owner.id_type, name=owner.name)
    layer = action.layers.new("Layer")
    bag = layer.strips.new(type="KEYFRAME").channelbag(slot, ensure=True)
    animation.action = action
    animation.action_slot = slot
    return bag.fcurves, bag.groups


def assign(owner: bpy.types.ID, action: bpy.types.Action) -> None:
    """Lets `action`, made for `owner`, move it."""
    animation = owner.animation_data_create()
    animation.action = action
    if hasattr(action, "slots"):
        animation.action_slot = action.slots[0]


def turns_movies() -> bool:
    """Whether movies are shown the way up that their file asks for, as phones' files do."""
    return bpy.app.version >= (4, 5)  # nothing else tells


def sequencer_scene(context: bpy.types.Context) -> bpy.types.Scene | None:
    """The scene whose strips the sequencer shows; from 5.0 on it may be none, or one of its own."""
    workspace = context.workspace
    if workspace is not None and hasattr(workspace, "sequencer_scene"):
        return workspace.sequencer_scene
    return context.scene


def strips(editor: bpy.types.SequenceEditor) -> Any:
    """The strips of a sequence editor, called sequences before 4.4."""
    # An empty collection is falsy, so this is no place for `or`.
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def strip_times(strip: Any) -> dict[str, float]:
    """Times of a strip under the names of 5.1, where the older ones warn; they go in 6.0."""
    renamed = {
        "content_start": "frame_start",
        "duration": "frame_final_duration",
        "left_handle": "frame_final_start",
        "right_handle": "frame_final_end",
        "left_handle_offset": "frame_offset_start",
        "right_handle_offset": "frame_offset_end",
        "content_trim_start": "animation_offset_start",
        "content_trim_end": "animation_offset_end",
    }
    return {
        new: float(getattr(strip, new if hasattr(strip, new) else old))
        for new, old in renamed.items()
        if hasattr(strip, new) or hasattr(strip, old)
    }


def inner_strips(meta: Any) -> Any:
    """The strips right inside a meta strip."""
    return meta.strips if hasattr(meta, "strips") else meta.sequences


def retiming_frames(strip: Any) -> list[int] | None:
    """Scene frames of a strip's retiming keys; None where Blender does not tell of any.

    It tells of movies, and from 4.4 on of image sequences.
    """
    keys = getattr(strip, "retiming_keys", None)
    return None if keys is None else [key.timeline_frame for key in keys]


def frames_between_end_keys(length: float) -> float:
    """Scene frames from the first to the last retiming key of a content of that length.

    Until 4.5 the last key sat on the last frame of the content, since 5.0 it sits behind it.
    """
    return length if bpy.app.version >= (5, 0) else length - 1


def pictures_between_end_keys(pictures: int) -> int:
    """Pictures that a strip of so many runs through from its first to its last retiming key."""
    return pictures if bpy.app.version >= (5, 0) else pictures - 1


def clip_of(strip: Any) -> bpy.types.MovieClip | None:
    """The movie clip of a movie clip strip; None if it has none or Blender cannot tell which."""
    if hasattr(strip, "clip"):
        return strip.clip
    # Before 4.3 the strip does not say, but its length and rate are known, and who uses a clip.
    times = strip_times(strip)
    length = times["duration"] + times["left_handle_offset"] + times["right_handle_offset"]
    length += times["content_trim_start"] + times["content_trim_end"]
    used = bpy.data.user_map(subset=set(bpy.data.movieclips))
    fitting = [
        clip
        for clip in bpy.data.movieclips
        if strip.id_data in used.get(clip, ())
        and clip.frame_duration == round(length)
        and abs(clip.fps - strip.fps) < 1e-3
    ]
    named = [clip for clip in fitting if clip.name == strip.name]
    candidates = named or fitting
    return candidates[0] if len(candidates) == 1 else None


def curves(action: bpy.types.Action) -> list[Any]:
    """Every f-curve of `action`, of all its slots."""
    if not hasattr(action, "slots"):
        return list(action.fcurves)
    return [
        curve
        for layer in action.layers
        for strip in layer.strips
        for bag in strip.channelbags
        for curve in bag.fcurves
    ]
