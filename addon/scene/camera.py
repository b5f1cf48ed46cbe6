"""The camera that filmed, as a Blender camera with the footage behind what it sees."""

from __future__ import annotations

import math
from pathlib import Path

import bpy
import numpy as np

from ..contract import motion, quaternions, sequences
from ..rigging import axes, lens
from ..rigging.quaternions import continuous
from ..rigging.timing import StripTiming
from . import animation, compat
from .footage import Reel, reel_of

_MOVING = ("MOVIE", "SEQUENCE")  # sources of images that show more than one picture


def build(
    name: str, camera: motion.Camera, *, collection: bpy.types.Collection, scene: bpy.types.Scene
) -> bpy.types.Object:
    """A camera that sees what the capture's camera saw, in `collection`.

    The fit of the sensor follows the shape of the scene's render as it is now, so that the whole
    picture shows; nothing of the scene is changed.
    """
    made = lens.of_pinhole(
        camera.focal_px,
        center_px=camera.center_px,
        size_px=camera.size_px,
        render_aspect=_aspect(scene),
    )
    data = bpy.data.cameras.new(name)
    data.sensor_fit = made.sensor_fit
    data.sensor_width = data.sensor_height = made.sensor_mm
    data.lens = made.lens_mm
    data.shift_x, data.shift_y = made.shift_x, made.shift_y
    seer = bpy.data.objects.new(name, data)
    seer.matrix_world = axes.blender_camera_matrix(camera.world_from_camera).T.tolist()
    collection.objects.link(seer)
    return seer


def animate(seer: bpy.types.Object, camera: motion.Camera, *, timing: StripTiming) -> None:
    """Lets a camera that `build` made move as the capture's did; one that stood still stays.

    Where it was at each moment that its path tells is a key.
    """
    if camera.path is None:
        return
    times_s = camera.path.times_s if timing.rate > 0 else camera.path.times_s[::-1]
    poses = axes.blender_camera_matrix(camera.world_from_camera_at(times_s))
    seer.rotation_mode = "QUATERNION"
    action = bpy.data.actions.new(seer.name)
    animation.key(
        action,
        seer,
        timing.scene_frames(times_s),
        {
            "location": poses[:, :3, 3],
            "rotation_quaternion": continuous(quaternions.matrix_to_quat(poses[:, :3, :3])),
        },
    )


def show_footage(
    seer: bpy.types.Object,
    footage: Path,
    *,
    timing: StripTiming,
    turned_deg: int,
    scene: bpy.types.Scene,
) -> None:
    """Puts `footage` behind the camera `seer`, each picture when `timing` shows it.

    It is a movie, or a picture that stands for its sequence.

    `turned_deg` is the clockwise quarter turn of the clip, as its file asks for.

    Raises:
        RequestError: Blender cannot read the file as a movie.
    """
    reel = reel_of(footage)
    is_sequence = sequences.is_picture(footage)
    # A picture of the sequence may be in the file already, and is to stay a picture.
    image = bpy.data.images.load(str(footage), check_existing=not is_sequence)
    if is_sequence:
        image.source = "SEQUENCE"
    background = seer.data.background_images.new()
    background.image = image
    background.alpha = 1.0
    background.frame_method = "FIT"
    background.display_depth = "BACK"
    seer.data.show_background_images = True
    if turned_deg and not compat.turns_movies():
        _turn(background, turned_deg, render_aspect=_aspect(scene))
    background.image_user.use_auto_refresh = True
    index = len(seer.data.background_images) - 1
    _show_at(seer, index, timing=timing, reel=reel)


def follow(seer: bpy.types.Object, timing: StripTiming) -> None:
    """Shows all footage behind the camera `seer` when `timing` does, after its strip was edited.

    Raises:
        RequestError: Blender cannot read one of them.
    """
    for index, background in enumerate(seer.data.background_images):
        if background.image is None or background.image.source not in _MOVING:
            continue
        path = Path(bpy.path.abspath(background.image.filepath, library=background.image.library))
        reel = reel_of(path)
        seer.data.driver_remove(_offset_path(index))
        _show_at(seer, index, timing=timing, reel=reel)


def _show_at(seer: bpy.types.Object, index: int, *, timing: StripTiming, reel: Reel) -> None:
    user = seer.data.background_images[index].image_user
    ends_s = np.array([0.0, float(reel.pictures / reel.fps)])
    first, last = sorted(timing.scene_frames(ends_s).tolist())
    user.frame_start = math.floor(first)
    user.frame_duration = max(1, math.ceil(last) - math.floor(first) + 1)
    _keep_in_step(seer, index, timing=timing, reel=reel)


def _turn(
    background: bpy.types.CameraBackgroundImage, turned_deg: int, *, render_aspect: float
) -> None:
    # Fitted first and turned then, a quarter turn leaves the picture at the wrong scale.
    background.rotation = math.radians(turned_deg)
    if turned_deg % 180:
        width, height = background.image.size
        fitted = min(render_aspect, width / height)  # width as shown, in heights of the frame
        background.scale = min(1.0, render_aspect * width / height) / fitted


def _aspect(scene: bpy.types.Scene) -> float:
    render = scene.render
    width = render.resolution_x * render.pixel_aspect_x
    return width / (render.resolution_y * render.pixel_aspect_y)


def _keep_in_step(seer: bpy.types.Object, index: int, *, timing: StripTiming, reel: Reel) -> None:
    # A background advances one picture a scene frame, whatever the two rates; it is the offset
    # that takes up the difference. Blender shows picture number frame - start + 1 + offset.
    step = float(reel.fps) / timing.rate
    start = seer.data.background_images[index].image_user.frame_start
    curve = seer.data.driver_add(_offset_path(index))
    curve.driver.type = "SCRIPTED"
    curve.driver.expression = (
        f"floor((frame - {timing.offset!r}) * {step!r} + 0.5)"
        f" - (frame - {start + reel.first_number - 1})"
    )


def _offset_path(index: int) -> str:
    return f"background_images[{index}].image_user.frame_offset"
