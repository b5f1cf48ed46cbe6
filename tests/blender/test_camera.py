from fractions import Fraction

import barcode
import numpy as np
import pytest
from numpy.testing import assert_allclose
from toyshot import toy_camera

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

from bpy_extras.object_utils import world_to_camera_view  # noqa: E402
from mathutils import Vector  # noqa: E402
from stripmocap_extension.addon.contract import errors  # noqa: E402
from stripmocap_extension.addon.rigging import timing  # noqa: E402
from stripmocap_extension.addon.scene import camera  # noqa: E402

pytestmark = pytest.mark.blender


def built(scene, view):
    seer = camera.build("camera", view, collection=scene.collection, scene=scene)
    bpy.context.view_layer.update()
    return seer


def pixels_by_pinhole(view, point):
    camera_from_world = np.linalg.inv(view.world_from_camera)
    x, y, depth = camera_from_world[:3, :3] @ point + camera_from_world[:3, 3]
    return view.focal_px * np.array([x, y]) / depth + view.center_px


POINTS = [np.array([0.3, 1.0, 0.9]), np.array([-0.6, 2.5, 1.7]), np.array([1.1, 4.0, 0.0])]


@pytest.mark.parametrize("percentage", [100, 50])
@pytest.mark.parametrize("size_px", [(1280, 720), (720, 1280), (640, 480), (1000, 1000)])
def test_known_points_fall_on_their_pixels(scene, size_px, percentage):
    view = toy_camera(size_px=size_px, center_px=(size_px[0] * 0.52, size_px[1] * 0.45))
    scene.render.resolution_x, scene.render.resolution_y = size_px
    scene.render.resolution_percentage = percentage

    seer = built(scene, view)

    for point in POINTS:
        x, y, _ = world_to_camera_view(scene, seer, Vector(point))
        seen = [x * size_px[0] - 0.5, (1 - y) * size_px[1] - 0.5]  # of pixel centres
        assert_allclose(seen, pixels_by_pinhole(view, point), atol=0.02)


@pytest.mark.parametrize("resolution", [(1920, 1080), (1080, 1920), (2048, 858), (500, 500)])
@pytest.mark.parametrize("size_px", [(1280, 720), (720, 1280)])
def test_points_stay_on_the_footage_in_a_render_of_another_shape(scene, size_px, resolution):
    view = toy_camera(size_px=size_px, center_px=(size_px[0] * 0.52, size_px[1] * 0.45))
    scene.render.resolution_x, scene.render.resolution_y = resolution

    seer = built(scene, view)

    # The footage behind the camera fills the frame on one side and is centred on the other.
    scale = min(resolution[0] / size_px[0], resolution[1] / size_px[1])
    for point in POINTS:
        x, y, _ = world_to_camera_view(scene, seer, Vector(point))
        offset = np.array([x - 0.5, 0.5 - y]) * resolution / scale
        seen = offset + (np.array(size_px) - 1) / 2
        assert_allclose(seen, pixels_by_pinhole(view, point), atol=0.02)


def test_resolution_of_the_scene_stays(scene):
    before = (scene.render.resolution_x, scene.render.resolution_y)

    built(scene, toy_camera(size_px=(720, 1280)))

    assert (scene.render.resolution_x, scene.render.resolution_y) == before


@pytest.fixture(scope="module")
def movie(tmp_path_factory):
    pytest.importorskip("av", reason="makes the movie")
    path = tmp_path_factory.mktemp("movie") / "clip.mp4"
    barcode.write_movie(path, frames=60, fps=Fraction(30))
    return path


def show(scene, seer, path, strip_timing, turned_deg=0):
    camera.show_footage(seer, path, timing=strip_timing, turned_deg=turned_deg, scene=scene)


def picture_at(scene, seer, frame):
    """Number, from 0, of the picture that Blender's background draws at a scene frame."""
    scene.frame_set(frame)
    data = seer.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    user = data.background_images[0].image_user
    shown = min(max(frame - user.frame_start + 1, 0), user.frame_duration)
    return shown + user.frame_offset - 1


@pytest.mark.parametrize("start_frame", [1.0, 100.0, -7.5])
@pytest.mark.parametrize("fps", [Fraction(24), Fraction(30), Fraction(60), Fraction(24000, 1001)])
def test_footage_keeps_step_with_the_body_at_any_scene_rate(scene, movie, fps, start_frame):
    seer = built(scene, toy_camera())
    anchored = timing.anchored(fps, start_frame=start_frame)

    show(scene, seer, movie, anchored)

    last = int(np.floor(start_frame + 59 / 30 * float(fps)))
    for frame in range(int(np.ceil(start_frame)), last, 5):
        assert abs(picture_at(scene, seer, frame) - anchored.times_s(frame) * 30) <= 0.501
    curve = seer.data.animation_data.drivers[0]
    assert curve.driver.is_simple_expression  # so it runs where scripts are not trusted


def test_reversed_footage_keeps_step(scene, movie):
    seer = built(scene, toy_camera())
    backwards = timing.StripTiming(offset=70.0, rate=-30.0)

    show(scene, seer, movie, backwards)

    for frame in (11, 30, 70):
        assert picture_at(scene, seer, frame) == 70 - frame


@pytest.mark.parametrize("scene_fps", [Fraction(24), Fraction(30)])
def test_pictures_of_a_sequence_keep_step(scene, tmp_path, scene_fps):
    pytest.importorskip("av", reason="makes the pictures")
    paths = barcode.write_pictures(tmp_path, range(7, 40))
    seer = built(scene, toy_camera())
    strip_timing = timing.StripTiming(offset=11.0, rate=float(scene_fps))
    still = bpy.data.images.load(str(paths[3]))

    show(scene, seer, paths[3], strip_timing)

    assert seer.data.background_images[0].image.source == "SEQUENCE"
    assert still.source == "FILE"
    for frame in (11, 20, 40):
        number = 1 + picture_at(scene, seer, frame)
        assert abs(number - 7 - strip_timing.times_s(frame) * 24) <= 0.501

    camera.follow(seer, timing.StripTiming(offset=61.0, rate=24.0))
    assert 1 + picture_at(scene, seer, 66) == 12


@pytest.mark.parametrize("resolution", [(1920, 1080), (1080, 1920), (100, 1000)])
def test_clip_of_a_phone_stands_upright_in_the_frame(scene, movie, tmp_path, resolution):
    scene.render.resolution_x, scene.render.resolution_y = resolution
    phone = tmp_path / "phone.mp4"
    phone.write_bytes(movie.read_bytes())
    barcode.mark_quarter_turn(phone)
    seer = built(scene, toy_camera(size_px=(32, 128), center_px=(15.5, 63.5)))

    show(scene, seer, phone, timing.StripTiming(1, 24), turned_deg=90)

    background = seer.data.background_images[0]
    width, height = background.image.size
    fit = min(resolution[0] / width, resolution[1] / height) * background.scale
    shown = [fit * width, fit * height]  # before it is turned
    if background.rotation:
        assert background.rotation == pytest.approx(np.pi / 2)
        shown.reverse()
    whole = min(resolution[0] / 32, resolution[1] / 128)
    assert_allclose(shown, [32 * whole, 128 * whole], rtol=1e-5)


def test_footage_that_is_no_movie_is_refused(scene, tmp_path):
    text = tmp_path / "clip.mp4"
    text.write_text("not a movie")

    with pytest.raises(errors.RequestError):
        show(scene, built(scene, toy_camera()), text, timing.StripTiming(1, 24))
