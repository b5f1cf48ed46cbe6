"""Rest bones as an armature object."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import bpy
import numpy as np

from ..contract import skeleton
from ..rigging.bones import RestBones


def build(name: str, rest: RestBones, *, collection: bpy.types.Collection) -> bpy.types.Object:
    """An armature of the skeleton's 24 bones in `collection`, at the origin, unposed.

    Neither the mode nor the selection of anything else changes.
    """
    armature = bpy.data.armatures.new(name)
    rig = bpy.data.objects.new(name, armature)
    with _edit_mode(rig):
        _add_bones(armature, rest)
    collection.objects.link(rig)
    for bone in rig.pose.bones:
        bone.rotation_mode = "QUATERNION"
    rig.show_in_front = True
    armature.display_type = "STICK"  # so that bones in front do not hide the body
    return rig


def rest_rotations(rig: bpy.types.Object) -> np.ndarray:
    """(24, 3, 3) rest rotations of the bones as Blender holds them, armature axes."""
    return np.array([each.matrix_local.to_3x3() for each in bones_of(rig)])


def bones_of(rig: bpy.types.Object) -> list[bpy.types.Bone]:
    """The 24 bones at rest, in the order of the skeleton."""
    return [rig.data.bones[name] for name in skeleton.JOINT_NAMES]


def _add_bones(armature: bpy.types.Armature, rest: RestBones) -> None:
    bones = []
    for joint, name in enumerate(skeleton.JOINT_NAMES):
        bone = armature.edit_bones.new(name)
        bone.head, bone.tail = rest.heads[joint], rest.tails[joint]
        bone.align_roll(rest.rotations[joint, :, 2])
        bones.append(bone)
    for bone, parent in zip(bones, skeleton.PARENTS, strict=True):
        if parent < 0:
            continue
        bone.parent = bones[parent]
        bone.use_connect = (bone.head - bone.parent.tail).length < 1e-6


@contextmanager
def _edit_mode(rig: bpy.types.Object) -> Iterator[None]:
    # Bones can be made in edit mode only. A scene of its own keeps that from the user's scene,
    # where another object may be in a mode of its own.
    scene = bpy.data.scenes.new("Strip Mocap workbench")
    scene.collection.objects.link(rig)
    view_layer = scene.view_layers[0]
    view_layer.objects.active = rig
    try:
        with bpy.context.temp_override(
            scene=scene, view_layer=view_layer, active_object=rig, object=rig
        ):
            bpy.ops.object.mode_set(mode="EDIT")
            try:
                yield
            finally:
                bpy.ops.object.mode_set(mode="OBJECT")
    finally:
        scene.collection.objects.unlink(rig)
        bpy.data.scenes.remove(scene)
