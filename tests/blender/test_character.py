import time
from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_allclose
from toybody import toy_body
from toyshot import toy_capture, world_vertices

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

from stripmocap_extension.addon.contract import body_file, errors, skeleton  # noqa: E402
from stripmocap_extension.addon.rigging import timing  # noqa: E402
from stripmocap_extension.addon.scene import character, strips  # noqa: E402

pytestmark = pytest.mark.blender

RATES = [(24, 1.001), (24, 1.0), (25, 1.0), (30, 1.001), (30, 1.0), (60, 1.0), (3, 0.1001)]


def imported(scene, capture, *, body=None, start_frame=1.0):
    anchored = timing.anchored(strips.scene_fps(scene), start_frame=start_frame)
    return character.import_capture(capture, body=body or toy_body(), scene=scene, timing=anchored)


def body_object(rig):
    return next(each for each in rig.children if each.type == "MESH")


def seen_vertices(scene, rig, scene_frame):
    whole = int(np.floor(scene_frame))
    scene.frame_set(whole, subframe=float(scene_frame - whole))
    figure = body_object(rig).evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = figure.to_mesh()
    points = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
    mesh.vertices.foreach_get("co", points)
    figure.to_mesh_clear()
    world = np.array(figure.matrix_world)
    return points.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3]


def curves_of(action):
    if hasattr(action, "slots"):
        return action.layers[0].strips[0].channelbags[0].fcurves
    return action.fcurves


def key_points(curve):
    points = np.empty(len(curve.keyframe_points) * 2, dtype=np.float32)
    curve.keyframe_points.foreach_get("co", points)
    return points.reshape(-1, 2)


@pytest.mark.parametrize("rate", RATES)
def test_skin_is_where_the_capture_says_at_any_scene_rate(scene, rate):
    scene.render.fps, scene.render.fps_base = rate
    body, capture = toy_body(), toy_capture(fps=Fraction(30))

    shot = imported(scene, capture, body=body, start_frame=11.5)

    fps = rate[0] / rate[1]
    for person, rig in enumerate(shot.rigs):
        motion = capture.take("refined").motions[person]
        for frame in (0, 7, 23, 39):
            expected = world_vertices(body, motion, capture.camera, frame=frame)
            seen = seen_vertices(scene, rig, 11.5 + frame / 30 * fps)
            assert_allclose(seen, expected, atol=1e-4)


def test_skin_of_the_embedded_body_is_where_the_capture_says(scene):
    if not body_file.EMBEDDED_BODY.is_file():
        pytest.skip("the embedded body is not built")
    body, capture = body_file.load(body_file.EMBEDDED_BODY), toy_capture()
    if body.posedirs.shape[2]:
        pytest.skip("the body's pose correctives are not brought into Blender")

    shot = imported(scene, capture, body=body)

    motion = capture.take("refined").motions[1]
    for frame in (0, 20, 39):
        expected = world_vertices(body, motion, capture.camera, frame=frame)
        seen = seen_vertices(scene, shot.rigs[1], 1 + frame / 30 * 24)
        assert_allclose(seen, expected, atol=1e-4)


def test_every_take_plays_right_though_its_shape_is_another(scene):
    capture, body = toy_capture(), toy_body()
    shot = imported(scene, capture, body=body)
    rig, motion = shot.rigs[0], capture.take("fitted").motions[0]

    rig.animation_data.action = bpy.data.actions["walk_person0_fitted"]

    scene.frame_set(1)
    pelvis = np.array(rig.pose.bones["pelvis"].head)
    camera = capture.camera.world_from_camera
    expected = camera[:3, :3] @ (body.rest_joints(motion.betas)[0] + motion.transl[0])
    assert_allclose(pelvis, expected + camera[:3, 3], atol=1e-5)


def test_keys_stand_at_exact_scene_frames(scene):
    scene.render.fps, scene.render.fps_base = 24, 1.0

    imported(scene, toy_capture(frames=90, fps=Fraction(30)), start_frame=5)

    action = bpy.data.actions["walk_person0_refined"]
    for curve in curves_of(action):
        assert_allclose(key_points(curve)[:, 0], 5 + np.arange(90) * 0.8, atol=1e-4)
        assert {each.interpolation for each in curve.keyframe_points} == {"LINEAR"}


def test_quaternions_never_jump_to_the_other_hemisphere(scene):
    imported(scene, toy_capture(frames=200))

    values = {}
    for curve in curves_of(bpy.data.actions["walk_person0_refined"]):
        values.setdefault(curve.data_path, []).append(key_points(curve)[:, 1])
    quats = [np.stack(v, axis=1) for path, v in values.items() if "quaternion" in path]
    assert len(quats) == 24
    for quat in quats:
        assert np.sum(quat[1:] * quat[:-1], axis=1).min() > 0.9


def test_each_take_of_each_person_is_a_kept_action(scene):
    shot = imported(scene, toy_capture())

    names = {f"walk_person{k}_{label}" for k in (0, 1) for label in ("fitted", "refined")}
    assert {each.name for each in bpy.data.actions} == names
    assert all(each.use_fake_user for each in bpy.data.actions)
    playing = [rig.animation_data.action.name for rig in shot.rigs]
    assert playing == ["walk_person0_refined", "walk_person1_refined"]


def test_shape_is_ten_sliders_that_hold_the_betas(scene):
    capture = toy_capture()
    shot = imported(scene, capture)

    keys = body_object(shot.rigs[1]).data.shape_keys.key_blocks[1:]

    assert [each.name for each in keys] == [f"betas_{index:02d}" for index in range(10)]
    betas = capture.take("refined").motions[1].betas
    assert_allclose([each.value for each in keys], betas, atol=1e-6)
    assert {(each.slider_min, each.slider_max) for each in keys} == {(-10, 10)}


def test_mesh_keeps_quads_uvs_and_bone_names(scene):
    body = toy_body()
    mesh = body_object(imported(scene, toy_capture(), body=body).rigs[0])

    assert {len(each.vertices) for each in mesh.data.polygons} == {4}
    assert all(each.use_smooth for each in mesh.data.polygons)
    uv = np.empty(body.uv.size, dtype=np.float32)
    mesh.data.uv_layers[0].uv.foreach_get("vector", uv)
    assert_allclose(uv.reshape(-1, 2), body.uv)
    assert [each.name for each in mesh.vertex_groups] == list(skeleton.JOINT_NAMES)


def test_each_person_has_a_collection_inside_the_shots(scene):
    shot = imported(scene, toy_capture())

    assert shot.collection.name == "walk capture"
    assert [each.name for each in scene.collection.children] == ["walk capture"]
    people = {each.name: each for each in shot.collection.children}
    assert set(people) == {"walk_person0", "walk_person1"}
    inside = {each.name for each in people["walk_person0"].objects}
    assert inside == {"walk_person0", "walk_person0_body"}
    assert [each.name for each in shot.collection.objects] == ["walk_camera"]


def test_second_import_leaves_the_first_as_it_was(scene):
    first = imported(scene, toy_capture())
    names = [each.name for each in bpy.data.objects]

    second = imported(scene, toy_capture(frames=10))

    assert [each.name for each in bpy.data.objects if each.name in names] == names
    assert first.collection.name == "walk capture"
    assert second.collection.name == "walk capture.001"
    assert second.rigs[0].animation_data.action.name == "walk_person0_refined.001"
    assert len(key_points(curves_of(first.rigs[0].animation_data.action)[0])) == 40


def test_provenance_stands_on_the_rig(scene):
    rig = imported(scene, toy_capture(clip="C:\\shots\\walk.mp4")).rigs[1]

    assert rig["stripmocap_source"] == "C:\\shots\\walk.mp4"
    assert rig["stripmocap_person"] == 1
    assert rig["stripmocap_model"] == "toy neutral"
    assert rig["stripmocap_licence"] == "CC0-1.0"
    assert len(rig["stripmocap_request_sha256"]) == 64
    assert rig.name == "walk_person1"


def test_rig_stands_unturned_at_the_origin_in_quaternion_mode(scene):
    rig = imported(scene, toy_capture()).rigs[0]

    assert_allclose(np.array(rig.matrix_world), np.eye(4))
    assert {each.rotation_mode for each in rig.pose.bones} == {"QUATERNION"}


@pytest.mark.parametrize("mode", ["OBJECT", "EDIT", "POSE"])
def test_mode_selection_frame_and_rate_stay(scene, mode):
    scene.render.fps, scene.render.fps_base = 30, 1.001
    scene.frame_set(17)
    bpy.ops.object.armature_add()
    own = bpy.context.object
    other = bpy.data.objects.new("other", None)
    scene.collection.objects.link(other)
    bpy.ops.object.mode_set(mode=mode)

    imported(scene, toy_capture())

    assert bpy.context.object == own
    assert own.mode == mode
    assert [each.name for each in bpy.context.selected_objects] == [own.name]
    assert (scene.render.fps, scene.frame_current) == (30, 17)
    assert scene.render.fps_base == pytest.approx(1.001)
    assert len(bpy.data.scenes) == 1


def test_capture_without_people_is_refused_and_changes_nothing(scene):
    capture = toy_capture()
    empty = type(capture)(camera=capture.camera, takes=(), provenance={})

    with pytest.raises(errors.ResultFileError):
        imported(scene, empty)

    assert not bpy.data.objects
    assert not bpy.data.collections


@pytest.mark.parametrize("clip", ["", "跳舞" * 40 + ".mp4", "a" * 300 + ".mov"])
def test_names_survive_any_name_of_a_clip(scene, clip):
    capture = toy_capture(frames=3, clip=clip)

    shot = imported(scene, capture)

    label = shot.rigs[0].animation_data.action.name
    assert label.endswith("_person0_refined")
    assert shot.collection.name.endswith(" capture")


def test_long_take_imports_in_under_a_second(scene):
    capture = toy_capture(frames=3000, fps=Fraction(60))
    one = type(capture)(camera=capture.camera, takes=capture.takes[:1], provenance={})
    body = toy_body()
    if body_file.EMBEDDED_BODY.is_file():
        body = body_file.load(body_file.EMBEDDED_BODY)

    began = time.thread_time()
    imported(scene, one, body=body)
    took = time.thread_time() - began  # of the processor: others may work, too

    print(f"3000 frames, 2 people, {len(body.v_template)} vertices: {took:.2f} s")
    assert took < 2 * 1.0  # two people


def test_poses_that_are_worked_out_some_frames_a_step_have_no_seams(scene, monkeypatch):
    capture = toy_capture(frames=50)
    whole = imported(scene, capture)

    monkeypatch.setattr(character, "_FRAMES_A_STEP", 7)
    pieces = imported(scene, capture)

    for one, other in zip(whole.actions, pieces.actions, strict=True):
        for first, second in zip(curves_of(one), curves_of(other), strict=True):
            assert_allclose(key_points(first), key_points(second), atol=1e-6)
