"""Renders the takes of the first person in a .blend that tools/build_blend.py made.

    python tools/render_takes.py capture.blend -o FOLDER --takes temporal refined --at 2.5 2.7

Run by tools/picture_takes.py. Started by a Python without Blender, it goes on in one. FOLDER gets
`<take>-<number of the moment>.png`. At one moment all takes are seen from the same place, which the
last of them sets: `footage` is the camera that filmed, with nothing behind; `side` goes along with
the person; `feet` stays where it is, near the floor, before the foot that moves least.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import build_blend
import numpy as np

ORANGE, BLUE = (0.85, 0.42, 0.22, 1.0), (0.27, 0.46, 0.80, 1.0)  # before, and the last take
FLOOR, LINES, SKY = (0.4, 0.4, 0.4, 1.0), (0.12, 0.12, 0.12, 1.0), (0.7, 0.7, 0.7, 1.0)
UNDER_FLOOR = 0.35  # of what is under the floor, so much is seen
LINE_M, HALF_M = 0.01, 4.0  # of the grid on the floor
AROUND = 0.2  # of the height of somebody's joints, around them
SAMPLES = 8
HIPS, ANKLES = ("left_hip", "right_hip"), ("left_ankle", "right_ankle")


@dataclass(frozen=True)
class Look:
    """From where somebody looks on who stands beside the person."""

    away_m: float
    eye_m: float  # above the floor
    target_m: float  # above the floor
    high_m: float  # that the picture shows there
    step_m: float  # of the grid on the floor
    size_px: tuple[int, int]


LOOKS = {
    "side": Look(5.0, 1.1, 0.85, high_m=1.95, step_m=0.25, size_px=(160, 280)),
    "feet": Look(2.5, 0.3, 0.1, high_m=0.45, step_m=0.1, size_px=(240, 160)),
}
VIEWS = ("footage", *LOOKS)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    options = parsed(words)
    if importlib.util.find_spec("bpy") is None:
        sys.path.insert(0, str(Path(__file__).parent))
        blender_env = importlib.import_module("blender_env")
        return blender_env.run_program([str(Path(__file__).resolve()), *words])
    status = render(options)
    # Blender 4.2 crashes and 4.5 hangs in the interpreter's own end, after all is done.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def parsed(arguments: list[str]) -> argparse.Namespace:
    """The command line as values."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("blend", type=Path, metavar="FILE.blend")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--view", choices=VIEWS, default="side")
    parser.add_argument("--takes", nargs="+", required=True, metavar="LABEL", help="the best last")
    parser.add_argument(
        "--at", nargs="+", type=float, required=True, metavar="SECONDS", help="from the first frame"
    )
    return parser.parse_args(arguments)


def render(options: argparse.Namespace) -> int:
    """Renders every take at every moment; the exit status."""
    import bpy

    bpy.ops.wm.open_mainfile(filepath=str(options.blend.absolute()))
    scene = bpy.context.scene
    rig = next(each for each in scene.objects if each.get("stripmocap_takes"))
    takes = rig["stripmocap_takes"].to_dict()
    if lacking := sorted(set(options.takes) - set(takes)):
        print(f"There is no take {lacking[0]}; there are {', '.join(takes)}", file=sys.stderr)
        return 1
    for each in scene.objects:  # of several people, one is shown
        each.hide_render = each.type == "MESH" and each.parent not in {None, rig}
    paint = next(each for each in rig.children if each.type == "MESH").active_material
    show(rig, takes[options.takes[-1]])
    cameras = placed(scene, rig, options)
    options.output.mkdir(parents=True, exist_ok=True)
    for label in options.takes:
        show(rig, takes[label])
        colour = BLUE if label == options.takes[-1] else ORANGE
        paint.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = colour
        for number, (at_s, camera) in enumerate(zip(options.at, cameras, strict=True)):
            go_to(scene, at_s)
            scene.camera = camera
            if options.view == "footage":
                frame_person(scene, rig)
            scene.render.filepath = str(options.output.absolute() / f"{label}-{number}.png")
            bpy.ops.render.render(write_still=True)
    return 0


def show(rig: Any, action: Any) -> None:
    """Lets the rig play an action."""
    rig.animation_data.action = action
    if hasattr(rig.animation_data, "action_slot"):  # 4.4 and later
        rig.animation_data.action_slot = action.slots[0]


def go_to(scene: Any, at_s: float) -> None:
    """Shows a moment, seconds from the scene's first frame."""
    frame = scene.frame_start + at_s * scene.render.fps / scene.render.fps_base
    scene.frame_set(int(frame), subframe=frame % 1)


def placed(scene: Any, rig: Any, options: argparse.Namespace) -> list[Any]:
    """A camera for each moment; with it comes what it is to show besides the person."""
    import bpy

    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGBA"
    scene.view_settings.view_transform = "Standard"
    scene.cycles.samples = SAMPLES
    if options.view == "footage":
        bpy.data.objects["Ground"].hide_render = True  # the clip has shadows of its own
        return [scene.camera] * len(options.at)
    look = LOOKS[options.view]
    scene.render.resolution_x, scene.render.resolution_y = look.size_px
    scene.render.film_transparent = False
    hips, ankles = (_heads(scene, rig, names, options.at) for names in (HIPS, ANKLES))
    places, towards = hips.mean(axis=1), (hips[:, 0] - hips[:, 1]) * [1, 1, 0]  # (M, 3)
    lay_floor(scene, step_m=look.step_m, middle=places.mean(axis=0))
    if options.view == "feet":
        still = ankles.std(axis=0).sum(axis=1).argmin()
        places[:], towards[:] = ankles[:, still].mean(axis=0), towards.mean(axis=0)
    # From the side on which the film was made, all through.
    filmed = np.array(scene.camera.matrix_world.translation) - places.mean(axis=0)
    towards *= 1.0 if towards.mean(axis=0) @ filmed > 0 else -1.0
    towards /= np.maximum(np.linalg.norm(towards, axis=1, keepdims=True), 1e-6)
    return [
        _camera(scene, look, place=place * [1, 1, 0], towards=toward)
        for place, toward in zip(places, towards, strict=True)
    ]


def frame_person(scene: Any, rig: Any) -> None:
    """Renders no more than the part of the picture that the person is in."""
    from bpy_extras.object_utils import world_to_camera_view

    heads = [rig.matrix_world @ bone.head for bone in rig.pose.bones]
    seen = np.array([world_to_camera_view(scene, scene.camera, each)[:2] for each in heads])
    margin = AROUND * np.ptp(seen[:, 1])
    (left, low), (right, high) = seen.min(axis=0) - margin, seen.max(axis=0) + margin
    render = scene.render
    render.use_border = True  # what is around stays transparent
    render.border_min_x, render.border_max_x = left, right
    render.border_min_y, render.border_max_y = low, high


def lay_floor(scene: Any, *, step_m: float, middle: np.ndarray) -> None:
    """A floor at height 0 with a grid around `middle`; what is below is faintly seen through it."""
    import bpy

    ground = bpy.data.objects["Ground"]
    ground.is_shadow_catcher = False
    ground.data.materials.append(_material("Floor", FLOOR, alpha=1 - UNDER_FLOOR))
    lines = np.arange(-HALF_M, HALF_M + step_m / 2, step_m)
    strips = [(x, y) for line in lines for x, y in _strip(line)]
    mesh = bpy.data.meshes.new("Grid")
    corners = [(x, y, 0.001) for x, y in strips]
    faces = [tuple(range(at, at + 4)) for at in range(0, len(corners), 4)]
    mesh.from_pydata(corners, [], faces)
    mesh.materials.append(_material("Lines", LINES))
    grid = bpy.data.objects.new("Grid", mesh)
    grid.location = (*np.round(middle[:2]), 0)
    scene.collection.objects.link(grid)
    world = scene.world.node_tree.nodes["Background"].inputs
    world["Color"].default_value = SKY
    world["Strength"].default_value = 0.6


def _strip(line: float) -> list[tuple[float, float]]:
    low, high, end = line - LINE_M / 2, line + LINE_M / 2, HALF_M
    across = [(low, -end), (high, -end), (high, end), (low, end)]
    return across + [(-y, x) for x, y in across]


def _material(name: str, colour: tuple[float, ...], *, alpha: float = 1.0) -> Any:
    import bpy

    made = bpy.data.materials.new(name)
    inputs = build_blend.with_nodes(made).nodes["Principled BSDF"].inputs
    inputs["Base Color"].default_value, inputs["Alpha"].default_value = colour, alpha
    inputs["Roughness"].default_value = 0.9
    return made


def _heads(scene: Any, rig: Any, names: tuple[str, ...], at: list[float]) -> np.ndarray:
    """(M, N, 3) metres, world: where bones of the action that plays begin."""
    found = []
    for at_s in at:
        go_to(scene, at_s)
        found.append([rig.matrix_world @ rig.pose.bones[name].head for name in names])
    return np.array(found)


def _camera(scene: Any, look: Look, *, place: np.ndarray, towards: np.ndarray) -> Any:
    import bpy
    from mathutils import Vector

    made = bpy.data.objects.new("Looker", bpy.data.cameras.new("Looker"))
    eye = place + look.away_m * towards + [0, 0, look.eye_m]
    ahead = Vector((*(place - eye)[:2], look.target_m - look.eye_m))
    made.location = eye
    made.rotation_euler = ahead.to_track_quat("-Z", "Y").to_euler()
    made.data.sensor_fit = "VERTICAL"
    made.data.angle_y = 2 * np.arctan(look.high_m / 2 / look.away_m)
    scene.collection.objects.link(made)
    return made


if __name__ == "__main__":
    sys.exit(main())
