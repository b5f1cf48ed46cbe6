"""Blender's side of the demo clip: a plain room, soft light, the person, and Cycles.

The camera stands still, so the empty room is rendered once, and each frame only where the person
and the shadow are: a quarter of the work.
"""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
from mathutils import Euler, Matrix, Vector
from stripmocap.contract.body_file import BodyTemplate

from .figure import ZONES
from .view import FOCAL_PX, HEIGHT, POSITION, WIDTH, camera_from_world

SAMPLES, ROOM_SAMPLES = 10, 48
_SUN_DEG = (40.0, 0.0, -32.0)
_SENSOR_MM = 36.0
# Base colour (linear RGB) and roughness of everything in the picture.
_LOOKS = {
    "skin": ((0.58, 0.31, 0.21), 0.50),
    "shirt": ((0.10, 0.24, 0.42), 0.90),
    "trousers": ((0.13, 0.11, 0.09), 0.90),
    "shoes": ((0.60, 0.58, 0.55), 0.60),
    "hair": ((0.035, 0.020, 0.012), 0.75),
    "eye": ((0.80, 0.78, 0.76), 0.20),
    "iris": ((0.03, 0.02, 0.015), 0.15),
    "lips": ((0.45, 0.16, 0.13), 0.45),
    "floor": ((0.36, 0.24, 0.15), 0.55),
    "wall": ((0.62, 0.60, 0.55), 0.95),
    "skirting": ((0.85, 0.85, 0.83), 0.60),
    "poster": ((0.55, 0.22, 0.10), 0.80),
    "door": ((0.30, 0.36, 0.33), 0.60),
}


def sunbeam() -> np.ndarray:
    """(3,) the direction in which sunlight travels, world."""
    return np.array(Euler(np.radians(_SUN_DEG)).to_matrix() @ Vector((0.0, 0.0, -1.0)))


class Stage:
    """The scene, ready to show one frame after the other."""

    def __init__(self, body: BodyTemplate, zone: np.ndarray, *, threads: int) -> None:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self._scene = bpy.context.scene
        self._looks = {name: _material(name) for name in _LOOKS}
        self._person = self._make_person(body, zone)
        self._make_room()
        self._make_light()
        self._make_camera()
        self._set_renderer(threads)

    def render_room(self, path: Path) -> None:
        """The room without the person, to `path` (.png)."""
        self._person.hide_render = True
        self._scene.cycles.samples = ROOM_SAMPLES
        self._scene.render.use_border = False
        self._write(path)

    def render(self, vertices: np.ndarray, path: Path, *, box: tuple[int, int, int, int]) -> None:
        """The person with `vertices` (V, 3) metres, world, to `path` (.png).

        Only `box` (left, top, right, bottom; pixels) is rendered; the rest of the picture is clear.
        """
        self._person.hide_render = False
        self._person.data.vertices.foreach_set("co", vertices.astype(np.float32).ravel())
        self._person.data.update()
        self._scene.cycles.samples = SAMPLES
        left, top, right, bottom = box
        render = self._scene.render
        render.use_border = True
        render.border_min_x, render.border_max_x = left / WIDTH, right / WIDTH
        render.border_min_y, render.border_max_y = 1 - bottom / HEIGHT, 1 - top / HEIGHT
        self._write(path)

    def _write(self, path: Path) -> None:
        # A half-written picture must not be taken for a finished one when the run goes on later.
        partial = path.with_suffix(".part.png")
        self._scene.render.filepath = str(partial)
        bpy.ops.render.render(write_still=True)
        partial.rename(path)

    def _make_person(self, body: BodyTemplate, zone: np.ndarray) -> bpy.types.Object:
        mesh = bpy.data.meshes.new("person")
        mesh.from_pydata(body.v_template.tolist(), [], body.faces.tolist())
        for name in ZONES:
            mesh.materials.append(self._looks[name])
        mesh.polygons.foreach_set("material_index", zone.astype(np.int32))
        mesh.polygons.foreach_set("use_smooth", np.ones(len(zone), dtype=bool))
        thing = self._add("person", mesh)
        smooth = thing.modifiers.new("smooth", "SUBSURF")
        smooth.levels = smooth.render_levels = 1
        return thing

    def _make_room(self) -> None:
        self._box("floor", centre=(0, 0, -0.05), size=(9, 9, 0.1))
        self._box("wall", centre=(0, 3.35, 2.4), size=(9, 0.1, 5.0))
        self._box("skirting", centre=(0, 3.29, 0.05), size=(9, 0.03, 0.1))
        self._box("poster", centre=(1.15, 3.29, 1.55), size=(0.62, 0.02, 0.85))
        self._box("door", centre=(-1.75, 3.28, 1.02), size=(0.90, 0.06, 2.04))

    def _make_light(self) -> None:
        world = bpy.data.worlds.new("world")
        self._scene.world = world
        world.use_nodes = True
        background = world.node_tree.nodes["Background"]
        background.inputs["Color"].default_value = (0.75, 0.85, 1.0, 1.0)
        background.inputs["Strength"].default_value = 0.45
        sun = bpy.data.lights.new("sun", "SUN")
        sun.energy, sun.angle = 2.6, np.radians(6.0)
        self._add("sun", sun).rotation_euler = np.radians(_SUN_DEG)
        window = bpy.data.lights.new("window", "AREA")
        window.energy, window.size = 90.0, 2.0
        lamp = self._add("window", window)
        lamp.location = (-2.6, -2.6, 2.6)
        lamp.rotation_euler = np.radians([55.0, 0.0, -45.0])

    def _make_camera(self) -> None:
        camera = bpy.data.cameras.new("camera")
        camera.sensor_fit = "HORIZONTAL"
        camera.sensor_width = _SENSOR_MM
        camera.lens = FOCAL_PX * _SENSOR_MM / WIDTH
        rotation, _ = camera_from_world()
        # Blender's camera looks along -z with y up; OpenCV's along +z with y down.
        pose = np.eye(4)
        pose[:3, :3] = rotation.T @ np.diag([1.0, -1.0, -1.0])
        pose[:3, 3] = POSITION
        thing = self._add("camera", camera)
        thing.matrix_world = Matrix(pose.tolist())
        self._scene.camera = thing

    def _set_renderer(self, threads: int) -> None:
        render = self._scene.render
        render.engine = "CYCLES"
        render.resolution_x, render.resolution_y = WIDTH, HEIGHT
        render.resolution_percentage = 100
        render.image_settings.file_format, render.image_settings.color_mode = "PNG", "RGBA"
        render.threads_mode, render.threads = "FIXED", threads
        render.use_persistent_data = True
        cycles = self._scene.cycles
        cycles.device = "CPU"
        cycles.use_denoising = True
        cycles.max_bounces = 3
        cycles.diffuse_bounces = cycles.glossy_bounces = 2
        cycles.caustics_reflective = cycles.caustics_refractive = False
        self._scene.view_settings.view_transform = "Standard"

    def _box(
        self,
        look: str,
        *,
        centre: tuple[float, float, float],
        size: tuple[float, float, float],
    ) -> None:
        corners = np.array(
            [[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)]
        )
        faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
        mesh = bpy.data.meshes.new(look)
        mesh.from_pydata((corners * size + np.array(centre)).tolist(), [], faces)
        mesh.materials.append(self._looks[look])
        self._add(look, mesh)

    def _add(self, name: str, data: bpy.types.ID) -> bpy.types.Object:
        thing = bpy.data.objects.new(name, data)
        self._scene.collection.objects.link(thing)
        return thing


def _material(name: str) -> bpy.types.Material:
    colour, roughness = _LOOKS[name]
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    tree = material.node_tree
    surface = tree.nodes["Principled BSDF"]
    surface.inputs["Base Color"].default_value = (*colour, 1.0)
    surface.inputs["Roughness"].default_value = roughness
    if name in ("floor", "wall"):
        _add_grain(tree, surface, colour=colour)
    return material


def _add_grain(
    tree: bpy.types.NodeTree, surface: bpy.types.ShaderNode, *, colour: tuple[float, float, float]
) -> None:
    """Uneven colour, so that floor and wall do not look like paper."""
    noise = tree.nodes.new("ShaderNodeTexNoise")
    noise.inputs["Scale"].default_value = 3.5
    noise.inputs["Detail"].default_value = 3.0
    ramp = tree.nodes.new("ShaderNodeValToRGB")
    for stop, share in zip(ramp.color_ramp.elements, (0.72, 1.15), strict=True):
        stop.color = (*(share * part for part in colour), 1.0)
    coordinates = tree.nodes.new("ShaderNodeTexCoord")
    tree.links.new(coordinates.outputs["Object"], noise.inputs["Vector"])
    tree.links.new(noise.outputs["Fac"], ramp.inputs["Fac"])
    tree.links.new(ramp.outputs["Color"], surface.inputs["Base Color"])
