"""Strips of the sequencer: which movie they show, and when."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import bpy

from ..contract import errors
from ..rigging import timing
from ..rigging.timing import MoviePlacement, StripTiming
from . import compat


def scene_fps(scene: bpy.types.Scene) -> Fraction:
    """Frames a second of `scene`, exact: Blender keeps 23.976 as 24 / 1.001 in single precision."""
    return Fraction(scene.render.fps) / Fraction(scene.render.fps_base).limit_denominator(10_000)


@dataclass(frozen=True)
class Placement:
    """Where a clip goes in the window's scene."""

    timing: StripTiming
    warning: str = ""  # why a selected strip was not followed


def place(
    context: bpy.types.Context, *, clip_name: str | None, start_frame: float, start_s: float = 0.0
) -> Placement:
    """Under the selected strip if it shows the clip called `clip_name`.

    Else, or if `clip_name` is None, second `start_s` of the clip is put at `start_frame`.

    Raises:
        RequestError: the strip shows that clip, and its timing cannot be read or does not fit.
    """
    fps = scene_fps(context.scene)
    anchored = timing.anchored(fps, start_frame=start_frame, start_s=start_s)
    strip = chosen(context) if clip_name is not None else None
    if strip is None:
        return Placement(anchored)
    if movie_path(strip).name != clip_name:
        return Placement(
            anchored,
            warning=f"the selected strip {strip.name} shows another movie than {clip_name},"
            f" so the capture starts at frame {start_frame:g}",
        )
    if scene_fps(strip.id_data) != fps:
        raise errors.RequestError(
            f"the strip's scene has {float(scene_fps(strip.id_data)):.5g} frames a second and"
            f" {context.scene.name} has {float(fps):.5g}",
            hint="Give both scenes the same frame rate, or import without following the strip.",
        )
    return Placement(timing_of(strip))


def chosen(context: bpy.types.Context) -> bpy.types.Strip | None:
    """The active strip of the sequencer if it is selected and a movie."""
    scene = compat.sequencer_scene(context)
    editor = scene.sequence_editor if scene else None
    strip = editor.active_strip if editor else None
    if strip is None or not strip.select or strip.type != "MOVIE":
        return None
    return strip


def movie_path(strip: bpy.types.Strip) -> Path:
    """The file of a movie strip, absolute."""
    return Path(bpy.path.abspath(strip.filepath, library=strip.id_data.library))


def timing_of(strip: bpy.types.Strip) -> StripTiming:
    """When the movie of `strip` is shown in the strip's own scene.

    Raises:
        RequestError: the strip is retimed, or its movie is missing.
    """
    if len(strip.retiming_keys):
        raise errors.RequestError(
            f"the strip {strip.name} is retimed, and Blender does not tell by how much",
            hint="Remove the strip's retiming, or import without a strip selected.",
        )
    frames, movie_fps = movie_length(movie_path(strip))
    times = compat.strip_times(strip)
    placement = MoviePlacement(
        start=times["content_start"],
        length=times["duration"] + times["left_handle_offset"] + times["right_handle_offset"],
        source_frames=frames,
        trim_start=int(times["content_trim_start"]),
        trim_end=int(times["content_trim_end"]),
        reverse=strip.use_reverse_frames,
    )
    return timing.of_movie(placement, scene_fps=scene_fps(strip.id_data), movie_fps=movie_fps)


def movie_length(path: Path) -> tuple[int, Fraction]:
    """Frames of a movie file and how many it shows a second, as Blender counts them.

    Raises:
        RequestError: Blender cannot read the file as a movie.
    """
    known = set(bpy.data.movieclips)
    try:
        clip = bpy.data.movieclips.load(str(path), check_existing=True)
    except RuntimeError as error:
        raise errors.RequestError(
            f"the movie {path} cannot be read", hint="Check that it is where it was."
        ) from error
    frames, fps = clip.frame_duration, Fraction(clip.fps).limit_denominator(1001)
    if clip not in known:
        bpy.data.movieclips.remove(clip)
    if fps <= 0:
        raise errors.RequestError(f"the movie {path} does not say how fast it plays")
    return frames, fps
