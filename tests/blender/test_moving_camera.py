"""A camera that moved: read from the scene for a request, and brought back with its people."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_allclose

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

from mathutils import Euler  # noqa: E402
from stripmocap_extension.addon.contract import camera_path, errors  # noqa: E402
from stripmocap_extension.addon.rigging import axes  # noqa: E402
from stripmocap_extension.addon.rigging.timing import StripTiming  # noqa: E402
from stripmocap_extension.addon.scene import character, follow, solved_camera  # noqa: E402
from stripmocap_extension.addon.ui import properties  # noqa: E402
from toybody import toy_body  # noqa: E402
from toyshot import toy_capture, world_vertices  # noqa: E402

pytestmark = pytest.mark.blender

TIMING = StripTiming(offset=11.0, rate=24.0)


@pytest.fixture
def seer(scene):
    """The scene's camera, on a dolly and larger than life, which moves and turns."""
    dolly = bpy.data.objects.new("dolly", None)
    made = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    for each in (dolly, made):
        scene.collection.objects.link(each)
    made.parent, scene.camera = dolly, made
    dolly.location, dolly.scale = (1.0, -2.0, 0.5), (2.0, 2.0, 2.0)
    for frame, place, turn in ((1, (0, 0, 0.5), 80), (100, (3, 1, 1.5), 100)):
        made.location, made.rotation_euler = place, Euler((math.radians(turn), 0, 0.2))
        made.keyframe_insert("location", frame=frame)
        made.keyframe_insert("rotation_euler", frame=frame)
    return made


def solved(scene, *, timing=TIMING, span_s=(0.5, 1.5), size_px=(1920, 1080)):
    return solved_camera.solved(scene, timing=timing, span_s=span_s, size_px=size_px)


def pose_at(scene, seer, frame):
    whole = int(np.floor(frame))
    scene.frame_set(whole, subframe=frame - whole)
    return axes.world_from_camera(np.array(seer.matrix_world.normalized()))


def moving_capture(frames=20):
    """The toy shot, filmed by a camera that goes round it."""
    capture = toy_capture(frames=frames, fps=Fraction(30))
    times_s = np.arange(frames) / 30
    poses = np.tile(capture.camera.world_from_camera, (frames, 1, 1))
    for pose, angle in zip(poses, np.linspace(0, 2.5, frames), strict=True):
        cosine, sine = np.cos(angle), np.sin(angle)
        turn = np.array([[cosine, -sine, 0, 0.3], [sine, cosine, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
        pose[:] = turn @ pose
    path = camera_path.CameraPath.of_matrices(times_s, poses)
    return replace(capture, camera=replace(capture.camera, path=path))


def seen_vertices(rig):
    figure = next(each for each in rig.children if each.type == "MESH")
    mesh = figure.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    return np.array([each.co for each in mesh.vertices])


def test_the_path_is_where_the_camera_is_at_each_frame(scene, seer):
    path = solved(scene).path

    for time_s in (0.5, 0.75, 1.5):
        expected = pose_at(scene, seer, float(TIMING.scene_frames(time_s)))
        assert_allclose(path.at(np.array(time_s)), expected, atol=2e-4)


def test_the_scene_stays_as_it_was(scene, seer):
    scene.frame_set(7)
    before = seer.matrix_world.copy()

    solved(scene)

    assert (scene.frame_current, scene.camera) == (7, seer)
    assert seer.matrix_world == before
    assert len(bpy.data.scenes) == 1
    assert [each.name for each in seer.users_collection] == [scene.collection.name]


def test_a_camera_solver_finds_the_clip_that_was_solved(scene, seer, monkeypatch):
    clips = []
    monkeypatch.setattr(
        solved_camera,
        "_pose",
        lambda bench, *_: clips.append(bench.active_clip) or np.eye(4),
    )
    image = bpy.data.images.new("still", 8, 8)
    image.filepath_raw = bpy.path.native_pathsep(f"{bpy.app.tempdir}still.png")
    image.save()
    scene.active_clip = bpy.data.movieclips.load(image.filepath_raw)

    solved(scene)

    assert set(clips) == {scene.active_clip}


def test_a_reversed_strip_saw_the_camera_the_other_way_round(scene, seer):
    backwards = StripTiming(offset=80.0, rate=-24.0)

    path = solved(scene, timing=backwards).path

    assert_allclose(path.at(np.array(1.0)), pose_at(scene, seer, 56.0), atol=2e-4)


def test_a_long_path_has_poses_farther_apart_and_not_more(scene, seer):
    path = solved(scene, span_s=(0.0, 300.0)).path

    assert len(path.times_s) == solved_camera.MOST_POSES
    assert path.times_s[-1] >= 300.0


@pytest.mark.parametrize(
    ("fit", "size_px", "expected"),
    [
        ("AUTO", (1920, 1080), 50 / 36 * 1920),
        ("AUTO", (1080, 1920), 50 / 36 * 1920),
        ("HORIZONTAL", (1080, 1920), 50 / 36 * 1080),
        ("VERTICAL", (1920, 1080), 50 / 24 * 1080),
    ],
)
def test_the_focal_length_is_that_of_its_lens(scene, seer, fit, size_px, expected):
    seer.data.lens, seer.data.sensor_width, seer.data.sensor_height = 50, 36, 24
    seer.data.sensor_fit = fit

    assert solved(scene, size_px=size_px).focal_px == pytest.approx(expected)


def test_a_scene_without_a_camera_says_what_to_do(scene):
    with pytest.raises(errors.RequestError) as caught:
        solved(scene)

    assert "Stands Still" in caught.value.hint


def test_people_and_camera_are_in_the_world_of_the_path(scene):
    scene.render.fps = 24
    body, capture = toy_body(), moving_capture()

    shot = character.import_capture(capture, body=body, scene=scene, timing=TIMING)

    for person, rig in enumerate(shot.rigs):
        motion = capture.take("refined").motions[person]
        for frame in (0, 9, 19):
            time_s = float(motion.times_s[frame])
            pose = capture.camera.world_from_camera_at(np.array([time_s]))[0]
            there = replace(capture.camera, path=None, world_from_camera=pose)
            seen_at = pose_at(scene, shot.camera, float(TIMING.scene_frames(time_s)))
            expected = world_vertices(body, motion, there, frame=frame)
            assert_allclose(seen_at, pose, atol=2e-3)
            assert_allclose(seen_vertices(rig), expected, atol=2e-3)


def test_the_camera_moves_with_its_strip(scene):
    shot = character.import_capture(moving_capture(), body=toy_body(), scene=scene, timing=TIMING)
    character.mark(shot, moving_capture(), job_id="", strip_id="a")
    action = shot.camera.animation_data.action
    first = action.frame_range[0]

    follow.move("a", StripTiming(offset=111.0, rate=24.0))

    assert action.frame_range[0] == pytest.approx(first + 100)


def test_a_still_camera_has_no_keys(scene):
    shot = character.import_capture(toy_capture(), body=toy_body(), scene=scene, timing=TIMING)

    assert shot.camera.animation_data is None


def test_a_capture_is_asked_for_with_the_scenes_camera(strip, panel, monkeypatch):
    scene = bpy.context.scene
    properties.of(scene).camera = properties.SCENE
    assert not bpy.ops.stripmocap.capture.poll()  # there is none

    seer = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.collection.objects.link(seer)
    scene.camera, seer.location = seer, (1.0, -4.0, 1.6)
    requests = []
    monkeypatch.setattr(panel.live, "capture", lambda request, _: requests.append(request))
    assert bpy.ops.stripmocap.capture() == {"FINISHED"}

    (request,) = requests
    path = request.camera_path
    assert path.times_s[0] <= request.clip.start_s < request.clip.stop_s <= path.times_s[-1] + 1e-6
    assert_allclose(path.positions, [[1.0, -4.0, 1.6]] * len(path.times_s))
    assert request.focal_px is not None
