import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

from stripmocap_extension.addon.scene import stamps  # noqa: E402
from toypanel import add_strip, captured, set_time, settled  # noqa: E402

pytestmark = pytest.mark.blender


def test_a_duplicate_of_a_captured_strip_is_captured_as_itself(panel, strip):
    captured(panel)
    panel.beat_until(lambda: settled(panel), what="people")
    bpy.context.scene.sequence_editor.active_strip = strip
    copy = add_strip(panel.folder / "walk.mp4", start=100)
    copy["stripmocap_id"], copy["stripmocap_strip"] = (
        strip["stripmocap_id"],
        strip["stripmocap_strip"],
    )
    strip.select = False

    assert bpy.ops.stripmocap.capture() == {"FINISHED"}

    assert stamps.stamp_of(copy) != stamps.stamp_of(strip)


def test_a_moved_strip_takes_its_animation_along(panel, strip):
    captured(panel)
    panel.beat_until(lambda: settled(panel), what="people")
    rig = bpy.data.objects["walk_person0"]
    set_time(strip, "content_start", 31)

    assert bpy.ops.stripmocap.update() == {"FINISHED"}

    assert rig.animation_data.action.frame_range[0] == pytest.approx(31)
    assert bpy.ops.stripmocap.update() == {"CANCELLED"}


def test_the_footage_behind_the_camera_moves_too(panel, strip):
    captured(panel)
    panel.beat_until(lambda: settled(panel), what="people")
    background = bpy.data.objects["walk_camera"].data.background_images[0]
    assert background.image_user.frame_start == 11
    set_time(strip, "content_start", 31)

    bpy.ops.stripmocap.update()

    assert background.image_user.frame_start == 31
    assert len(bpy.data.objects["walk_camera"].data.animation_data.drivers) == 1


def test_what_was_cut_off_and_came_back_is_captured_alone(panel, strip):
    set_time(strip, "duration", 30)
    captured(panel)
    panel.beat_until(lambda: settled(panel), what="people")
    set_time(strip, "duration", 60)

    assert bpy.ops.stripmocap.capture_new_part() == {"FINISHED"}

    panel.beat_until(lambda: len(panel.service.jobs) == 2, what="another job")
    span = panel.service.jobs["2"].request["clip"]
    assert span["start_s"] == pytest.approx(1.0)
    assert span["stop_s"] == pytest.approx(2.0)
    assert bpy.ops.stripmocap.update() == {"CANCELLED"}
