import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

from stripmocap_extension.addon.ui import heartbeat  # noqa: E402
from toypanel import captured, people, settled  # noqa: E402

pytestmark = pytest.mark.blender


def test_a_result_goes_into_the_scene_it_was_asked_for_in(panel, strip):
    asked_in = bpy.context.scene
    captured(panel)
    other = bpy.data.scenes.new("Other")
    bpy.context.window.scene = other

    panel.beat_until(lambda: settled(panel), what="people")

    assert [each.name for each in asked_in.collection.children] == ["walk capture"]
    assert not other.collection.children


needs_two_scenes = pytest.mark.skipif(
    bpy.app.version < (5, 0, 0), reason="before 5.0 the sequencer shows the window's scene"
)


@needs_two_scenes
def test_a_sequencer_without_a_scene_says_so(panel):
    bpy.context.workspace.sequencer_scene = None

    assert not bpy.ops.stripmocap.capture.poll()
    heartbeat.beat()
    assert panel.live.problem == ""


@needs_two_scenes
def test_strips_of_an_edit_land_in_the_scene_of_the_window(panel, strip):
    edit = bpy.context.scene
    set_scene = bpy.data.scenes.new("Set")
    bpy.context.window.scene = set_scene
    bpy.context.workspace.sequencer_scene = edit

    captured(panel)
    panel.beat_until(lambda: settled(panel), what="people")

    assert [each.name for each in set_scene.collection.children] == ["walk capture"]
    assert not edit.collection.children
    assert bpy.data.actions["walk_person0_refined"].frame_range[0] == pytest.approx(11)
    assert (set_scene.render.fps, edit.render.fps) == (24, 24)


@needs_two_scenes
def test_a_scene_of_another_rate_is_told_and_left_alone(panel, strip):
    edit = bpy.context.scene
    set_scene = bpy.data.scenes.new("Set")
    set_scene.render.fps = 30
    bpy.context.window.scene = set_scene
    bpy.context.workspace.sequencer_scene = edit

    captured(panel)
    panel.beat_until(lambda: panel.live.remarks, what="a remark")

    assert people() == []
    assert "frame rate" in panel.live.remarks["1"]
    assert set_scene.render.fps == 30


def test_mode_selection_frame_and_rate_stay_as_they_were(panel, strip):
    bpy.ops.mesh.primitive_cube_add()
    cube = bpy.context.object
    bpy.context.scene.frame_set(7)

    captured(panel)
    panel.beat_until(lambda: settled(panel), what="people")

    assert bpy.context.mode == "OBJECT"
    assert bpy.context.object == cube
    assert bpy.context.selected_objects == [cube]
    assert (bpy.context.scene.frame_current, bpy.context.scene.render.fps) == (7, 24)
    assert strip.select
