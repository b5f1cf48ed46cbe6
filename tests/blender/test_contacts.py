"""Contacts and floor of a refined take, as animation and a grid."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

from stripmocap_extension.addon.contract import result_file, skeleton  # noqa: E402
from stripmocap_extension.addon.rigging.timing import StripTiming  # noqa: E402
from stripmocap_extension.addon.scene import (  # noqa: E402
    character,
    compat,
    contacts,
    follow,
    takes,
)
from stripmocap_extension.addon.ui import opening, refine, touching  # noqa: E402
from toybody import toy_body  # noqa: E402
from toyshot import toy_capture  # noqa: E402

pytestmark = pytest.mark.blender

FRAMES = 30
LEFT = skeleton.CONTACT_NAMES.index("left_foot")
TIMING = StripTiming(offset=1.0, rate=30.0)


def touched_capture():
    """The left foot stands from the tenth frame to the nineteenth, in the refined take alone."""
    capture = toy_capture(frames=FRAMES, fps=Fraction(30))
    chances = np.zeros((FRAMES, skeleton.CONTACT_COUNT))
    chances[10:20, LEFT] = 0.9
    made = [
        replace(take, motions=tuple(replace(each, contacts=chances) for each in take.motions))
        if take.label == "refined"
        else take
        for take in capture.takes
    ]
    return replace(capture, takes=tuple(made))


def imported(*, timing=TIMING, strip_id=""):
    capture = touched_capture()
    shot = character.import_capture(
        capture, body=toy_body(), scene=bpy.context.scene, timing=timing
    )
    character.mark(shot, capture, job_id="", strip_id=strip_id)
    return shot


def left_foot_at(rig, *frames):
    found = []
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        found.append(round(contacts.now(rig)["left_foot"], 3))
    return found


def contact_curve(action):
    path = contacts.path_of("left_foot")
    return next(each for each in compat.curves(action) if each.data_path == path)


def test_contacts_are_properties_of_the_rig_that_its_take_moves(addon):
    rig = imported().rigs[0]

    assert left_foot_at(rig, 1, 10, 11, 20, 21) == [0, 0, 0.9, 0.9, 0]
    assert contacts.now(rig)["right_foot"] == 0


def test_a_stretch_of_contact_has_keys_at_its_ends_and_is_held(addon):
    curve = contact_curve(takes.of(imported().rigs[0])["refined"])

    keys = [(point.co[0], round(point.co[1], 3)) for point in curve.keyframe_points]
    assert keys == [(1, 0), (11, 0.9), (20, 0.9), (21, 0)]
    assert {point.interpolation for point in curve.keyframe_points} == {"CONSTANT"}
    assert curve.group.name == "Contacts"


def test_a_take_without_contacts_shows_none(addon):
    rig = imported().rigs[0]
    bpy.context.scene.frame_set(15)
    assert contacts.has(rig)

    takes.show([rig], "fitted")

    assert contacts.now(rig) == {}


def test_a_mix_has_the_contacts_of_the_refined_take_and_keeps_edits_of_them(addon):
    rig = imported().rigs[0]
    refine.of(rig).everywhere.arms = 0.5
    mix = takes.mix_of(rig)
    assert left_foot_at(rig, 15, 25) == [0.9, 0]

    curve = contact_curve(mix)
    curve.keyframe_points[-1].co[0] = 28
    curve.update()
    refine.of(rig).everywhere.arms = 0.2

    assert takes.mix_of(rig) == mix
    assert left_foot_at(rig, 25, 29) == [0.9, 0]


def test_contacts_lie_under_a_strip_that_plays_backwards(addon):
    rig = imported(timing=StripTiming(offset=31.0, rate=-30.0)).rigs[0]

    # second 10/30 is at frame 21, second 19/30 at frame 12
    assert left_foot_at(rig, 10, 13, 20, 23) == [0, 0.9, 0.9, 0]


def test_contacts_stay_with_the_motion_when_the_strip_is_turned_round(addon):
    rig = imported(strip_id="a").rigs[0]

    follow.move("a", StripTiming(offset=31.0, rate=-30.0))

    assert left_foot_at(rig, 10, 13, 20, 23) == [0, 0.9, 0.9, 0]


def test_a_ring_is_drawn_around_what_touches(addon):
    shot = imported()
    bpy.context.scene.frame_set(15)
    bpy.context.view_layer.update()

    rings = touching.rings(bpy.context.scene)

    assert [chance for _, chance in rings] == pytest.approx([0.9] * len(shot.rigs))
    rig = shot.rigs[0]
    foot = np.array(rig.matrix_world @ rig.pose.bones["left_foot"].head)
    middles = [corners[:-1].mean(axis=0) for corners, _ in rings]
    assert min(np.linalg.norm(each - foot) for each in middles) < 1e-5


def test_the_floor_lies_under_those_who_were_refined(addon):
    shot = imported()

    (floor,) = (each for each in shot.collection.objects if each.name.endswith("_floor"))

    corners = np.array([each.co for each in floor.data.vertices])
    assert (corners[:, 2] == 0).all()
    assert floor.hide_render
    for rig in shot.rigs:
        bpy.context.scene.frame_set(15)
        head = np.array(rig.pose.bones["pelvis"].head)
        assert (corners.min(axis=0)[:2] < head[:2]).all()
        assert (corners.max(axis=0)[:2] > head[:2]).all()


def test_a_capture_without_contacts_has_no_floor_and_no_properties(addon):
    capture = toy_capture()
    shot = character.import_capture(
        capture, body=toy_body(), scene=bpy.context.scene, timing=TIMING
    )

    assert not [each for each in shot.collection.objects if each.name.endswith("_floor")]
    assert contacts.property_of("left_foot") not in shot.rigs[0]


def test_notes_of_a_capture_are_told(addon, tmp_path, monkeypatch):
    path = tmp_path / "walk.npz"
    capture = replace(touched_capture(), notes=("The motion of person 2 is not refined.",))
    result_file.save(capture, path)
    monkeypatch.setattr(
        opening,
        "open_file",
        lambda path, **_: opening.Opened(result_file.load(path), toy_body(), is_ours=True),
    )
    told = []
    from stripmocap_extension.addon.ui import reporting

    monkeypatch.setattr(reporting, "warn", lambda _, message: told.append(message))

    bpy.ops.stripmocap.import_capture(filepath=str(path), show_footage=False)

    assert "The motion of person 2 is not refined." in told
