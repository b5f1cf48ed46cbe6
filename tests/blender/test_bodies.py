"""Captures made on a body of the user's own: shown on it where it is, on ours where it is not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from toybody import toy_body
from toyshot import toy_capture, world_vertices

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

import toypanel  # noqa: E402
from stripmocap_extension.addon.contract import (  # noqa: E402
    bodies,
    body_file,
    errors,
    places,
    result_file,
)
from stripmocap_extension.addon.remote import python  # noqa: E402
from stripmocap_extension.addon.ui import preferences  # noqa: E402

pytestmark = pytest.mark.blender


@pytest.fixture
def smpl():
    """A body that stands for a licensed one: triangles, no UV map, none of our vertices."""
    body = toy_body()
    return body_file.BodyTemplate(
        name="SMPL neutral",
        licence="LicenseRef-SMPL",
        v_template=body.v_template + np.array([0.0, -1.2, 0.05], dtype=np.float32),
        shapedirs=body.shapedirs,
        posedirs=np.zeros((len(body.v_template), 3, 207)),
        J_regressor=body.J_regressor,
        lbs_weights=body.lbs_weights,
        faces=body.triangles,
        uv=np.zeros((0, 2)),
        landmark_names=(),
        landmark_regressor=np.zeros((0, len(body.v_template))),
    )


@pytest.fixture
def folder(addon, tmp_path, monkeypatch):
    """The folder of body models of a user who chose one."""
    made = tmp_path / "models"
    made.mkdir()
    chosen = preferences.Defaults(bodies=str(made))
    monkeypatch.setattr(preferences, "of", lambda context: chosen)
    return made


@pytest.fixture
def capture(smpl):
    made = toy_capture(frames=10)
    said = {"body": bodies.described(smpl, made.takes), "methods": [{"licence": "for research"}]}
    return replace(made, provenance=made.provenance | said)


@pytest.fixture
def imports(tmp_path, capture):
    """Imports the capture; the rigs, and what the person was told."""

    def run():
        path = tmp_path / "walk.npz"
        result_file.save(capture, path)
        before = set(bpy.data.objects)
        result = bpy.ops.stripmocap.import_capture("EXEC_DEFAULT", filepath=str(path))
        assert result == {"FINISHED"}
        made = [each for each in bpy.data.objects if each not in before]
        return sorted((each for each in made if each.type == "ARMATURE"), key=lambda e: e.name)

    return run


def skin(scene, rig, frame):
    scene.frame_set(frame)
    figure = next(each for each in rig.children if each.type == "MESH")
    evaluated = figure.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    points = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
    mesh.vertices.foreach_get("co", points)
    evaluated.to_mesh_clear()
    world = np.array(evaluated.matrix_world)
    return points.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3]


def test_a_character_is_built_on_the_body_of_the_users_own_file(
    addon, folder, smpl, capture, imports
):
    body_file.save(smpl, folder / "mine.npz")

    rig = imports()[0]

    motion = capture.take("refined").motions[0]
    expected = world_vertices(smpl, motion, capture.camera, frame=0)
    assert_allclose(skin(addon, rig, 1), expected, atol=1e-4)
    assert rig["stripmocap_model"] == "SMPL neutral"
    assert rig["stripmocap_licence"] == "LicenseRef-SMPL"


def test_without_the_file_people_get_our_body_with_the_pelvis_in_place(
    addon, folder, smpl, capture, imports
):
    rig = imports()[0]

    addon.frame_set(1)
    motion, camera = capture.take("refined").motions[0], capture.camera.world_from_camera
    pelvis = camera[:3, :3] @ (smpl.rest_joints(motion.betas)[0] + motion.transl[0])
    assert_allclose(rig.pose.bones["pelvis"].head, pelvis + camera[:3, 3], atol=1e-3)
    assert rig["stripmocap_model"] == "embedded neutral"
    assert rig["stripmocap_licence"] == "CC0-1.0"
    assert rig["stripmocap_method_licence"] == "for research"


def test_what_is_missing_is_told(addon, folder, imports, monkeypatch):
    from stripmocap_extension.addon.ui import reporting

    told = []
    monkeypatch.setattr(reporting, "warn", lambda operator, message: told.append(message))

    imports()

    assert any("SMPL neutral" in each and str(folder) in each for each in told)


def test_a_finished_job_is_told_which_body_is_missing(panel, strip):
    panel.service.body = {"name": "SMPL neutral"}

    toypanel.captured(panel)

    panel.beat_until(lambda: toypanel.settled(panel), what="an import")
    (remark,) = panel.live.remarks.values()
    assert "SMPL neutral" in remark
    assert str(places.bodies_folder()) in remark


def test_by_default_body_models_lie_in_the_data_folder(addon, tmp_path, monkeypatch):
    monkeypatch.setenv("STRIPMOCAP_DATA", str(tmp_path))
    assert preferences.bodies_folder(bpy.context) == tmp_path / "bodies"

    elsewhere = preferences.Defaults(data=str(tmp_path / "else"))
    monkeypatch.setattr(preferences, "of", lambda context: elsewhere)
    assert preferences.bodies_folder(bpy.context) == tmp_path / "else" / "bodies"


@pytest.fixture
def adding(panel, monkeypatch):
    """Adds a body file of `walk.pkl`, with what the backend answers put in its place."""

    def run(answer):
        monkeypatch.setattr(python, "find", lambda *_, **__: Path("python"))
        monkeypatch.setattr(python, "convert_body", answer)
        call = bpy.ops.stripmocap.add_body
        assert call("EXEC_DEFAULT", filepath="/somewhere/SMPL_FEMALE.pkl") == {"FINISHED"}
        assert "SMPL_FEMALE.pkl" in panel.live.body_line[1]
        panel.beat_until(lambda: panel.live.body_line[0] != "note", what="an answer")
        return panel.live.body_line

    return run


def test_an_official_file_is_converted_into_the_folder_of_body_models(adding):
    def answer(found, source, *, folder, stopping):
        assert source == Path("/somewhere/SMPL_FEMALE.pkl")
        return folder / "smpl_female.npz"

    state, text = adding(answer)

    assert state == "ok"
    assert str(places.bodies_folder() / "smpl_female.npz") in text


def test_why_an_official_file_was_refused_is_shown(adding, panel):
    def answer(*_, **__):
        raise errors.BodyFileError("it is no SMPL body", hint="Choose another.")

    assert adding(answer) == ("problem", "It is no SMPL body. Choose another.")
    assert panel.live.problem == "It is no SMPL body. Choose another."
