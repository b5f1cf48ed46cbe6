"""A scene's own camera as the one that filmed: solved by Blender's tracker, or animated by hand.

Its poses are read in a scene of their own, so that the playhead of the artist's stays where it is,
and nothing but the camera and what it hangs on is evaluated: a tenth of a millisecond a pose.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import bpy
import numpy as np

from ..contract import camera_path, errors, quaternions
from ..rigging import axes
from ..rigging.timing import StripTiming

MOST_POSES = 2500  # of a path; a longer one has poses farther apart, not more


@dataclass(frozen=True)
class Solved:
    """What is known of a moving camera."""

    path: camera_path.CameraPath
    focal_px: float | None  # None if the size of the picture is not known


def solved(
    scene: bpy.types.Scene,
    *,
    timing: StripTiming,
    span_s: tuple[float, float],
    size_px: tuple[int, int] | None,
) -> Solved:
    """The camera of `scene` while it filmed a span of a file.

    Blender units count as metres. The scale of the camera, which Blender's *Set Scale* leaves
    behind, counts for nothing: its place has it already.

    Args:
        scene: whose camera filmed; under its frame f is what the strip shows at f.
        timing: of the strip, in frames of `scene`.
        span_s: seconds of the file.
        size_px: width and height of the picture; None if nobody knows.

    Raises:
        RequestError: the scene has no camera, or it is too far away.
    """
    seer = scene.camera
    if seer is None:
        raise errors.RequestError(
            f"the scene {scene.name} has no camera",
            hint="Give it the one that was solved, or choose Stands Still.",
        )
    ends = np.sort(timing.scene_frames(np.array(span_s)))
    frames = np.arange(np.floor(ends[0]), np.ceil(ends[1]) + 1)
    if len(frames) > MOST_POSES:
        frames = np.linspace(frames[0], frames[-1], MOST_POSES)
    poses = np.empty((len(frames), 4, 4))
    with _workbench(seer, scene) as bench:
        for place, frame in enumerate(frames.tolist()):
            poses[place] = _pose(bench, seer, frame)
    rising = slice(None) if timing.rate > 0 else slice(None, None, -1)
    path = camera_path.CameraPath.of_matrices(timing.times_s(frames)[rising], poses[rising])
    return Solved(path, _focal_px(seer.data, size_px) if size_px is not None else None)


def _pose(bench: bpy.types.Scene, seer: bpy.types.Object, frame: float) -> np.ndarray:
    """(4, 4) world from camera, OpenCV's camera axes, metres, rigid."""
    whole = int(np.floor(frame))
    bench.frame_set(whole, subframe=frame - whole)
    depsgraph = bench.view_layers[0].depsgraph
    place, turn, _ = seer.evaluated_get(depsgraph).matrix_world.decompose()
    matrix = np.eye(4)
    matrix[:3, :3] = quaternions.quat_to_matrix(np.array(turn) / np.linalg.norm(turn))
    matrix[:3, 3] = place
    return axes.world_from_camera(matrix)


def _focal_px(lens: bpy.types.Camera, size_px: tuple[int, int]) -> float:
    """Focal length in pixels of a camera whose frame the picture fills."""
    width, height = size_px
    match lens.sensor_fit:
        case "VERTICAL":
            return lens.lens / lens.sensor_height * height
        case "HORIZONTAL":
            return lens.lens / lens.sensor_width * width
        case _:
            return lens.lens / lens.sensor_width * max(width, height)


@contextmanager
def _workbench(seer: bpy.types.Object, scene: bpy.types.Scene) -> Iterator[bpy.types.Scene]:
    bench = bpy.data.scenes.new("Strip Mocap workbench")
    bench.render.fps, bench.render.fps_base = scene.render.fps, scene.render.fps_base
    bench.active_clip = scene.active_clip  # whose solve a Camera Solver follows, as a rule
    bench.collection.objects.link(seer)
    try:
        yield bench
    finally:
        bench.collection.objects.unlink(seer)
        bpy.data.scenes.remove(bench)
