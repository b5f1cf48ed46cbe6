from fractions import Fraction

import barcode
import numpy as np
import pytest
from stripmocap.contract import result_file
from stripmocap.contract.body_file import sparse_parts
from toybody import toy_body
from toyshot import toy_capture

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

from stripmocap_extension.addon import registration  # noqa: E402
from stripmocap_extension.addon.contract import body_file  # noqa: E402
from stripmocap_extension.addon.scene import compat  # noqa: E402

pytestmark = pytest.mark.blender


@pytest.fixture
def toy_is_the_body(tmp_path, monkeypatch):
    body = toy_body()
    arrays = {"format": 1, "name": "toy", "licence": body.licence, "posedirs": body.posedirs}
    arrays |= {"faces": body.faces, "uv": body.uv, "landmark_names": np.array(body.landmark_names)}
    for name in ("J_regressor", "lbs_weights", "landmark_regressor"):
        arrays |= sparse_parts(name, getattr(body, name))
    for gender in body_file.GENDERS:
        arrays[f"{gender}.v_template"] = body.v_template
        arrays[f"{gender}.shapedirs"] = body.shapedirs
    np.savez(tmp_path / "body.npz", **arrays)
    monkeypatch.setattr(body_file, "EMBEDDED_BODY", tmp_path / "body.npz")


@pytest.fixture
def capture_file(tmp_path, toy_is_the_body):
    path = tmp_path / "walk.npz"
    result_file.save(toy_capture(), path)
    return path


def call(path, **options):
    return bpy.ops.stripmocap.import_capture("EXEC_DEFAULT", filepath=str(path), **options)


def test_registering_and_unregistering_twice_is_harmless(scene):
    for _ in range(2):
        registration.register()
        registration.register()
        assert hasattr(bpy.types, "STRIPMOCAP_OT_import_capture")
        entries = [
            each
            for each in bpy.types.TOPBAR_MT_file_import._dyn_ui_initialize()
            if "stripmocap" in each.__module__
        ]
        assert len(entries) == 1

        registration.unregister()
        registration.unregister()
        assert not hasattr(bpy.types, "STRIPMOCAP_OT_import_capture")


def test_import_brings_people_in_one_undo_step(addon, capture_file):
    assert call(capture_file) == {"FINISHED"}

    assert {"walk_person0", "walk_person1"} <= set(bpy.data.objects.keys())
    assert "UNDO" in bpy.types.STRIPMOCAP_OT_import_capture.bl_options


def test_start_frame_is_where_the_clip_begins(addon, capture_file):
    call(capture_file, start_frame=101.0)

    assert bpy.data.actions["walk_person0_refined"].frame_range[0] == pytest.approx(101)


def test_captured_span_begins_at_the_start_frame(addon, tmp_path, toy_is_the_body):
    capture = toy_capture()  # its motion begins at second 0
    capture.provenance["request"]["clip"]["start_s"] = 0.5
    result_file.save(capture, tmp_path / "span.npz")

    call(tmp_path / "span.npz", start_frame=10.0)

    first = bpy.data.actions["walk_person0_refined"].frame_range[0]
    assert first == pytest.approx(10 - 0.5 * 24)


def test_footage_beside_the_capture_stands_behind_the_camera(addon, capture_file):
    pytest.importorskip("av", reason="makes the movie")
    barcode.write_movie(capture_file.with_suffix(".mp4"), frames=60, fps=Fraction(30))

    assert call(capture_file) == {"FINISHED"}

    data = bpy.data.objects["walk_camera"].data
    assert data.show_background_images
    assert data.background_images[0].image.name.startswith("walk")


def test_footage_that_moved_can_be_named(addon, capture_file, tmp_path):
    pytest.importorskip("av", reason="makes the movie")
    moved = tmp_path / "moved.mp4"
    barcode.write_movie(moved, frames=60, fps=Fraction(30))

    assert call(capture_file, footage=str(moved)) == {"FINISHED"}

    image = bpy.data.objects["walk_camera"].data.background_images[0].image
    assert bpy.path.abspath(image.filepath) == str(moved)


def test_missing_footage_is_told_and_the_people_still_come(addon, capture_file, capfd):
    assert call(capture_file) == {"FINISHED"}

    assert "walk_person0" in bpy.data.objects
    assert "walk.mp4 is missing" in "".join(capfd.readouterr())


def test_selected_strip_of_the_clip_is_followed(addon, capture_file):
    pytest.importorskip("av", reason="makes the movie")
    movie = capture_file.with_suffix(".mp4")
    barcode.write_movie(movie, frames=60, fps=Fraction(30))
    workspace = bpy.context.workspace
    if hasattr(workspace, "sequencer_scene"):
        workspace.sequencer_scene = addon
    editor = addon.sequence_editor_create()
    strip = compat.strips(editor).new_movie("clip", str(movie), 1, 51)
    strip.select, editor.active_strip = True, strip

    call(capture_file)

    # One picture of the movie for each scene frame, as scripted strips play.
    action = bpy.data.actions["walk_person0_refined"]
    assert tuple(action.frame_range) == pytest.approx((51, 90))


@pytest.mark.parametrize("content", [None, b"", b"no capture", b"PK\x03\x04 cut off"])
def test_bad_file_is_an_error_with_words_and_changes_nothing(
    addon, tmp_path, toy_is_the_body, content
):
    path = tmp_path / "bad.npz"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(RuntimeError, match=r"bad\.npz"):
        call(path)

    assert not bpy.data.objects
    assert not bpy.data.collections


def test_import_waits_until_sculpting_is_over(addon, capture_file):
    bpy.ops.mesh.primitive_cube_add()
    assert bpy.ops.stripmocap.import_capture.poll()

    bpy.ops.object.mode_set(mode="SCULPT")

    assert not bpy.ops.stripmocap.import_capture.poll()


def test_capture_can_be_dropped_on_the_3d_view(addon):
    handler = bpy.types.STRIPMOCAP_FH_capture

    assert handler.bl_import_operator == "stripmocap.import_capture"
    assert handler.bl_file_extensions == ".npz"


def test_amass_file_becomes_a_person(addon, tmp_path, toy_is_the_body):
    np.savez(
        tmp_path / "dance.npz",
        poses=np.zeros((30, 156)),
        trans=np.tile([0.0, 0.0, 1.0], (30, 1)),
        betas=np.ones(16),
        mocap_framerate=120.0,
        gender="female",
    )

    assert call(tmp_path / "dance.npz", start_frame=5.0) == {"FINISHED"}

    action = bpy.data.actions["dance_person0_refined"]
    assert tuple(action.frame_range) == pytest.approx((5, 5 + 29 / 120 * 24))
    keys = bpy.data.meshes["dance_person0_body"].shape_keys.key_blocks
    assert keys["betas_00"].value == 0  # another body's shape


def test_amass_file_of_ours_can_keep_its_shape(addon, tmp_path, toy_is_the_body):
    arrays = {"poses": np.zeros((2, 156)), "trans": np.zeros((2, 3)), "mocap_framerate": 30.0}
    np.savez(tmp_path / "mine.npz", betas=np.ones(16), **arrays)

    call(tmp_path / "mine.npz", keep_shape=True)

    keys = bpy.data.meshes["mine_person0_body"].shape_keys.key_blocks
    assert keys["betas_00"].value == pytest.approx(1)


def test_amass_file_without_a_rate_is_an_error_with_words(addon, tmp_path, toy_is_the_body):
    np.savez(tmp_path / "still.npz", poses=np.zeros((2, 156)), trans=np.zeros((2, 3)))

    with pytest.raises(RuntimeError, match="frame rate"):
        call(tmp_path / "still.npz")

    assert not bpy.data.objects
