"""Feet held where they touch, in what a rig plays."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

from stripmocap_extension.addon.contract import skeleton  # noqa: E402
from stripmocap_extension.addon.rigging.timing import StripTiming  # noqa: E402
from stripmocap_extension.addon.scene import character, compat, contacts, takes  # noqa: E402
from toybody import toy_body  # noqa: E402
from toyshot import toy_capture  # noqa: E402

pytestmark = pytest.mark.blender

FRAMES = 30


@pytest.fixture
def rig(addon):
    """Somebody who floats about, and whose left foot is said to stand from frame 11 to 20."""
    capture = toy_capture(frames=FRAMES, fps=Fraction(30))
    chances = np.zeros((FRAMES, skeleton.CONTACT_COUNT))
    chances[10:20, skeleton.CONTACT_NAMES.index("left_foot")] = 0.9
    made = tuple(
        replace(take, motions=tuple(with_bent_legs(each) for each in take.motions))
        for take in capture.takes
    )
    refined = tuple(replace(each, contacts=chances) for each in made[0].motions)
    assert made[0].label == "refined"
    shot = character.import_capture(
        replace(capture, takes=(replace(made[0], motions=refined), *made[1:])),
        body=toy_body(),
        scene=bpy.context.scene,
        timing=StripTiming(1.0, 30.0),
    )
    character.mark(shot, capture, job_id="", strip_id="")
    bpy.context.view_layer.objects.active = shot.rigs[0]
    return shot.rigs[0]


def with_bent_legs(motion):
    """The same with knees that leave room to reach: a straight leg cannot."""
    pose = motion.body_pose.copy()
    for side in ("left", "right"):
        for part, angle in (("hip", -0.8), ("knee", 1.6)):
            pose[:, skeleton.JOINT_NAMES.index(f"{side}_{part}") - 1] = (angle, 0, 0)
    return replace(motion, body_pose=pose)


def slide(rig, first, last):
    """How far the left foot gets from where it is on average, metres, as Blender poses it."""
    places = []
    for frame in range(first, last + 1):
        bpy.context.scene.frame_set(frame)
        places.append(rig.matrix_world @ rig.pose.bones["left_foot"].head)
    places = np.array(places)
    return np.linalg.norm(places - places.mean(axis=0), axis=1).max()


def test_a_foot_stays_where_it_is_while_it_touches(rig):
    assert slide(rig, 11, 20) > 0.02

    assert bpy.ops.stripmocap.pin_feet() == {"FINISHED"}

    assert slide(rig, 11, 20) < 1e-4


def test_what_played_stays_and_the_pinned_motion_has_its_contacts(rig):
    source = rig.animation_data.action
    bpy.ops.stripmocap.pin_feet()

    action = rig.animation_data.action
    assert action.name == f"{rig.name}_pinned"
    assert takes.of(rig)["refined"] == source
    assert contacts.has(rig)
    takes.show([rig], "refined")
    assert slide(rig, 11, 20) > 0.02


def test_contacts_that_an_artist_moved_count(rig):
    (curve,) = (
        each
        for each in compat.curves(rig.animation_data.action)
        if each.data_path == contacts.path_of("left_foot")
    )
    curve.keyframe_points[-1].co[0] = 27
    curve.update()

    bpy.ops.stripmocap.pin_feet()

    assert slide(rig, 11, 26) < 1e-4


def test_a_mix_can_be_pinned_and_mixed_again(rig):
    rig.stripmocap_refine.everywhere.legs = 0.0
    mix = takes.mix_of(rig)

    bpy.ops.stripmocap.pin_feet()
    assert slide(rig, 11, 20) < 1e-4

    pinned = rig.animation_data.action
    rig.stripmocap_refine.everywhere.legs = 0.5
    assert rig.animation_data.action == pinned  # it is the artist's
    assert takes.mix_of(rig) == mix


def test_a_take_without_contacts_cannot_be_pinned(rig):
    takes.show([rig], "fitted")

    assert not bpy.ops.stripmocap.pin_feet.poll()


def test_nothing_is_pinned_while_an_action_is_edited_in_the_nla(rig, tweak):
    tweak(rig, takes.of(rig)["refined"])

    assert contacts.has(rig)
    assert not bpy.ops.stripmocap.pin_feet.poll()
