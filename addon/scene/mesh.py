"""A body template as a skinned mesh: quads, a UV map, vertex groups, and shape keys for the betas.

The mesh stands as the armature at rest does: Blender's axes, metres, feet wherever the body has
them. The basis is the mean shape, so that a person's shape stays a set of ten sliders.
"""

from __future__ import annotations

import bpy
import numpy as np

from ..contract import body_file, skeleton
from ..rigging import axes
from . import steps

BETA_LIMIT = 10.0  # Blender allows no wider slider
_SMALLEST_WEIGHT = 1e-5  # lighter pulls move a vertex by less than a hundredth of a millimetre


def building(
    name: str, body: body_file.BodyTemplate, *, betas: np.ndarray, rig: bpy.types.Object
) -> steps.Steps[bpy.types.Object]:
    """The body of shape `betas` (10,) as a child of `rig`, in steps; not yet in any collection."""
    mesh = bpy.data.meshes.new(name)
    _add_faces(mesh, body)
    mesh.shade_smooth()
    yield
    figure = bpy.data.objects.new(name, mesh)
    _add_weights(figure, body.lbs_weights)
    yield
    _add_shape_keys(figure, body, betas)
    figure.parent = rig
    modifier = figure.modifiers.new("Armature", "ARMATURE")
    modifier.object = rig
    return figure


def _add_faces(mesh: bpy.types.Mesh, body: body_file.BodyTemplate) -> None:
    corners = body.faces.shape[1]
    mesh.vertices.add(len(body.v_template))
    mesh.vertices.foreach_set("co", _flat(axes.rest_to_blender(body.v_template)))
    mesh.loops.add(body.faces.size)
    mesh.loops.foreach_set("vertex_index", body.faces.ravel())
    mesh.polygons.add(len(body.faces))
    mesh.polygons.foreach_set("loop_start", np.arange(0, body.faces.size, corners, dtype=np.int32))
    if len(body.uv):
        mesh.uv_layers.new(name="UVMap").uv.foreach_set("vector", _flat(body.uv))
    mesh.update(calc_edges=True)
    mesh.validate()


def _add_weights(figure: bpy.types.Object, weights: np.ndarray) -> None:
    groups = [figure.vertex_groups.new(name=name) for name in skeleton.JOINT_NAMES]
    vertices, joints = np.nonzero(weights > _SMALLEST_WEIGHT)
    values = weights[vertices, joints]
    for vertex, joint, value in zip(
        vertices.tolist(), joints.tolist(), values.tolist(), strict=True
    ):
        groups[joint].add((vertex,), value, "REPLACE")


def _add_shape_keys(
    figure: bpy.types.Object, body: body_file.BodyTemplate, betas: np.ndarray
) -> None:
    figure.shape_key_add(name="Basis", from_mix=False)
    for index, beta in enumerate(betas.tolist()):
        key = figure.shape_key_add(name=f"betas_{index:02d}", from_mix=False)
        moved = body.v_template + body.shapedirs[:, :, index]
        key.points.foreach_set("co", _flat(axes.rest_to_blender(moved)))
        key.slider_min, key.slider_max = -BETA_LIMIT, BETA_LIMIT
        key.value = beta  # Blender 5.0 and later begin with 1


def _flat(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array, dtype=np.float32).ravel()
