import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

from stripmocap_extension.addon.rigging.timing import StripTiming  # noqa: E402
from stripmocap_extension.addon.scene import follow  # noqa: E402
from stripmocap_extension.addon.ui import views  # noqa: E402

pytestmark = pytest.mark.blender


@pytest.fixture
def view(addon):
    """The 3D view of the factory's window."""
    area = next(each for each in bpy.context.window.screen.areas if each.type == "VIEW_3D")
    return area.spaces.active


def add_camera(name, *, strip_id=""):
    data = bpy.data.cameras.new(name)
    data.show_background_images = True
    seer = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(seer)
    timing = StripTiming(offset=0.0, rate=24.0)
    follow.mark((), seer, strip_id=strip_id, timing=timing, span_s=(0.0, 1.0))
    return seer


def test_without_a_capture_there_is_nothing_to_look_through(view):
    assert not bpy.ops.stripmocap.view_footage.poll()


def test_the_view_goes_through_the_camera_and_back_and_the_scene_keeps_its_own(view):
    own = bpy.context.scene.camera
    seer = add_camera("walk_camera")

    assert bpy.ops.stripmocap.view_footage() == {"FINISHED"}

    assert view.camera == seer
    assert view.use_local_camera
    assert view.region_3d.view_perspective == "CAMERA"
    assert bpy.context.scene.camera == own
    bpy.ops.stripmocap.view_footage()
    assert view.region_3d.view_perspective == "PERSP"


def test_the_newest_capture_is_meant_if_nothing_says_otherwise(view):
    add_camera("first")
    last = add_camera("second")

    assert views.camera_of(bpy.context) == last


def test_the_camera_that_is_active_is_meant(view):
    first = add_camera("first")
    add_camera("second")
    bpy.context.view_layer.objects.active = first

    assert views.camera_of(bpy.context) == first


def test_any_other_camera_is_left_alone(view):
    data = bpy.data.cameras.new("Camera")
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("Camera", data))

    assert views.camera_of(bpy.context) is None
