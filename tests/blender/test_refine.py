"""Mixing the refined take with the one before it, by the sliders of the panel."""

from fractions import Fraction

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

from stripmocap_extension.addon.contract import skeleton  # noqa: E402
from stripmocap_extension.addon.rigging.timing import StripTiming  # noqa: E402
from stripmocap_extension.addon.scene import character, compat, follow, takes  # noqa: E402
from stripmocap_extension.addon.ui import refine  # noqa: E402
from toybody import toy_body  # noqa: E402
from toyshot import toy_capture  # noqa: E402

pytestmark = pytest.mark.blender

TIMING = StripTiming(offset=1.0, rate=30.0)
FRAMES = 40


def imported(*, strip_id=""):
    capture = toy_capture(frames=FRAMES, fps=Fraction(30))
    shot = character.import_capture(
        capture, body=toy_body(), scene=bpy.context.scene, timing=TIMING
    )
    character.mark(shot, capture, job_id="", strip_id=strip_id)
    return shot


@pytest.fixture
def rig(addon):
    found = imported().rigs[0]
    bpy.context.view_layer.objects.active = found
    return found


def everywhere(rig):
    return refine.of(rig).everywhere


def keys(action):
    """Value of each key, by path and index of its curve."""
    return {(each.data_path, each.array_index): values(each) for each in compat.curves(action)}


def values(curve):
    """Value of each key."""
    return [point.co[1] for point in curve.keyframe_points]


def curve_of(action, bone, *, index=0, channel="rotation_quaternion"):
    path = f'pose.bones["{bone}"].{channel}'
    return next(
        each
        for each in compat.curves(action)
        if (each.data_path, each.array_index) == (path, index)
    )


def directions(action, bone):
    """(T, 4) the turn of a bone at each key."""
    return np.array(
        [
            [point.co[1] for point in curve_of(action, bone, index=k).keyframe_points]
            for k in range(4)
        ]
    ).T


def assert_same_turns(action, other, bone):
    one, two = directions(action, bone), directions(other, bone)
    np.testing.assert_allclose(np.abs(np.sum(one * two, axis=1)), 1, atol=1e-5)


def test_a_slider_lets_the_mix_play_and_leaves_both_takes_as_they_are(rig):
    before = {label: keys(each) for label, each in takes.of(rig).items()}

    everywhere(rig).whole = 0.5

    assert takes.playing(rig) == takes.MIXED
    assert takes.mix_of(rig).use_fake_user
    assert {label: keys(each) for label, each in takes.of(rig).items()} == before


def test_nothing_of_the_refinement_is_the_take_before(rig):
    everywhere(rig).whole = 0.0

    for bone in skeleton.JOINT_NAMES:
        assert_same_turns(takes.mix_of(rig), takes.of(rig)["fitted"], bone)


def test_all_of_the_refinement_is_the_refined_take(rig):
    everywhere(rig).whole = 0.0
    everywhere(rig).whole = 1.0

    for bone in skeleton.JOINT_NAMES:
        assert_same_turns(takes.mix_of(rig), takes.of(rig)["refined"], bone)


def test_a_region_can_be_left_as_it_was_while_the_rest_is_refined(rig):
    everywhere(rig).arms = 0.0

    mix, known = takes.mix_of(rig), takes.of(rig)
    assert_same_turns(mix, known["fitted"], "left_elbow")
    assert_same_turns(mix, known["refined"], "left_knee")
    assert_same_turns(mix, known["refined"], "pelvis")


def test_the_root_is_its_place_and_its_turn(rig):
    everywhere(rig).root = 0.0

    mix, fitted = takes.mix_of(rig), takes.of(rig)["fitted"]
    assert_same_turns(mix, fitted, "pelvis")
    for axis in range(3):
        one, two = (
            values(curve_of(each, "pelvis", index=axis, channel="location"))
            for each in (mix, fitted)
        )
        np.testing.assert_allclose(one, two, atol=1e-5)


def test_the_pose_on_screen_is_the_mix_at_once(rig):
    bpy.context.scene.frame_set(20)
    before = rig.pose.bones["left_elbow"].matrix.copy()

    everywhere(rig).arms = 0.0
    bpy.context.view_layer.update()

    assert (rig.pose.bones["left_elbow"].matrix - before).median_scale > 1e-3


def test_changing_a_slider_again_writes_the_same_action(rig):
    everywhere(rig).whole = 0.5
    first = takes.mix_of(rig)

    everywhere(rig).whole = 0.2

    assert takes.mix_of(rig) == first
    assert refine.of(rig).kept == ""


def test_a_mix_that_an_artist_edited_is_kept(rig):
    everywhere(rig).whole = 0.5
    edited = takes.mix_of(rig)
    curve_of(edited, "head", index=1).keyframe_points[7].co[1] = 0.5
    theirs = keys(edited)

    everywhere(rig).whole = 0.2

    assert takes.mix_of(rig) != edited
    assert keys(edited) == theirs
    assert edited.use_fake_user
    assert refine.of(rig).kept == edited.name
    assert takes.playing(rig) == takes.MIXED


def test_a_key_that_an_artist_took_away_counts_as_edited(rig):
    everywhere(rig).whole = 0.5
    edited = takes.mix_of(rig)
    points = curve_of(edited, "head").keyframe_points
    points.remove(points[3])

    everywhere(rig).whole = 0.2

    assert takes.mix_of(rig) != edited


def test_edits_of_a_take_go_into_the_mix(rig):
    refined = takes.of(rig)["refined"]
    for index, value in enumerate((0.0, 1.0, 0.0, 0.0)):
        curve_of(refined, "head", index=index).keyframe_points[7].co[1] = value

    everywhere(rig).legs = 0.0

    assert np.abs(directions(takes.mix_of(rig), "head")[7]) == pytest.approx([0, 1, 0, 0], abs=1e-5)


def test_a_take_with_fewer_keys_is_read_between_them(rig):
    for index in range(4):
        points = curve_of(takes.of(rig)["fitted"], "head", index=index).keyframe_points
        for place in range(FRAMES - 2, 0, -1):
            points.remove(points[place])

    everywhere(rig).whole = 0.0

    turns = directions(takes.mix_of(rig), "head")
    assert len(turns) == FRAMES
    ends = directions(takes.of(rig)["fitted"], "head")
    assert abs(np.dot(turns[0], ends[0])) == pytest.approx(1, abs=1e-5)
    assert abs(np.dot(turns[-1], ends[-1])) == pytest.approx(1, abs=1e-5)


def test_an_action_of_the_artists_own_goes_on_playing(rig):
    own = bpy.data.actions.new("own")
    rig.animation_data.action = own

    everywhere(rig).whole = 0.5

    assert rig.animation_data.action == own
    assert takes.mix_of(rig) is not None
    assert bpy.ops.stripmocap.show_take(take="mixed") == {"FINISHED"}
    assert takes.playing(rig) == takes.MIXED


def test_a_span_refines_less_at_the_playhead(rig):
    bpy.context.scene.render.fps = 30
    bpy.context.scene.frame_set(20)
    refine_span_frames = refine.NEW_SPAN_S * 30

    assert bpy.ops.stripmocap.add_refine_span() == {"FINISHED"}

    (span,) = refine.of(rig).spans
    assert span.last - span.first == pytest.approx(refine_span_frames, abs=1e-3)
    span.first, span.last, span.fade_s = 18, 22, 0.1
    mix, known = takes.mix_of(rig), takes.of(rig)
    for frame, label in ((20, "fitted"), (5, "refined"), (35, "refined")):
        one, two = (directions(each, "left_knee")[frame - 1] for each in (mix, known[label]))
        assert abs(np.dot(one, two)) == pytest.approx(1, abs=1e-5)


def test_a_span_takes_the_preview_range_of_the_scene(rig):
    scene = bpy.context.scene
    scene.use_preview_range = True
    scene.frame_preview_start, scene.frame_preview_end = 5, 9

    bpy.ops.stripmocap.add_refine_span()

    span = refine.of(rig).spans[0]
    assert (span.first, span.last) == (pytest.approx(5, abs=1e-3), pytest.approx(9, abs=1e-3))


def test_without_its_span_the_motion_is_refined_again(rig):
    bpy.ops.stripmocap.add_refine_span()
    assert bpy.ops.stripmocap.remove_refine_span() == {"FINISHED"}

    assert not bpy.ops.stripmocap.remove_refine_span.poll()
    assert_same_turns(takes.mix_of(rig), takes.of(rig)["refined"], "left_knee")


def test_everybody_can_be_refined_as_much(addon):
    shot = imported()
    first, second = shot.rigs
    bpy.context.view_layer.objects.active = first
    everywhere(first).arms = 0.3
    bpy.ops.stripmocap.add_refine_span()

    assert bpy.ops.stripmocap.refine_everybody() == {"FINISHED"}

    assert everywhere(second).arms == pytest.approx(0.3)
    assert len(refine.of(second).spans) == 1
    assert takes.playing(second) == takes.MIXED


def test_the_mix_and_its_spans_move_with_the_strip(addon):
    rig = imported(strip_id="a").rigs[0]
    bpy.context.view_layer.objects.active = rig
    everywhere(rig).arms = 0.3
    bpy.ops.stripmocap.add_refine_span()
    mix, first = takes.mix_of(rig), refine.of(rig).spans[0].first

    follow.move("a", StripTiming(offset=101.0, rate=30.0))

    assert mix.frame_range[0] == pytest.approx(101, abs=1e-3)
    assert refine.of(rig).spans[0].first == pytest.approx(first + 100, abs=1e-2)
    everywhere(rig).arms = 0.1
    assert takes.mix_of(rig) == mix  # to be moved is not to be edited


def test_amounts_are_saved_with_the_file(rig, tmp_path):
    everywhere(rig).legs = 0.25
    path, name = str(tmp_path / "shot.blend"), rig.name
    bpy.ops.wm.save_as_mainfile(filepath=path)

    bpy.ops.wm.open_mainfile(filepath=path)

    again = bpy.data.objects[name]
    assert everywhere(again).legs == 0.25
    assert takes.playing(again) == takes.MIXED


def test_one_take_alone_has_nothing_to_mix(rig):
    bpy.data.actions.remove(takes.of(rig)["fitted"])

    everywhere(rig).whole = 0.5

    assert takes.mix_of(rig) is None


def test_nobody_can_be_refined_before_anything_is_captured(addon):
    assert not bpy.ops.stripmocap.add_refine_span.poll()
    assert not bpy.ops.stripmocap.refine_everybody.poll()
