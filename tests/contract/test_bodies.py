from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from stripmocap.contract import bodies, body_file
from stripmocap.contract.motion import Camera, Capture, Motion, Take
from toybody import toy_body


@pytest.fixture
def smpl():
    """A body that stands for a licensed one, with its pelvis elsewhere than the embedded body's."""
    body = toy_body(posedirs=207)
    return replace(body, name="SMPL neutral", licence="LicenseRef-SMPL")


@pytest.fixture
def capture(smpl):
    """Two people on that body, in two takes with shapes of their own."""
    rng = np.random.default_rng(0)

    def motion(person):
        return Motion(
            person=person,
            times_s=np.arange(4) / 30,
            global_orient=rng.normal(size=(4, 3)),
            body_pose=rng.normal(size=(4, 23, 3)),
            betas=rng.normal(size=10),
            transl=rng.normal(size=(4, 3)),
            confidence=np.ones(4),
        )

    takes = tuple(Take(label, (motion(0), motion(3))) for label in ("frame", "fitted"))
    provenance = {
        "request": {"body": "neutral", "weights": "official"},
        "body": bodies.described(smpl, takes),
    }
    camera = Camera(focal_px=1000.0, center_px=np.zeros(2), size_px=(64, 48))
    return Capture(camera, takes, provenance)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "bodies"
    made.mkdir()
    (made / "broken.npz").write_bytes(b"no archive")
    np.savez(made / "a_walk.npz", poses=np.zeros((3, 156)))
    return made


def test_a_capture_is_shown_on_the_body_it_was_made_with(capture, smpl, folder):
    body_file.save(smpl, folder / "whatever.npz")

    found = bodies.dressed(capture, folder=folder)

    assert found.body.name == "SMPL neutral"
    assert found.remark == ""
    assert found.capture is capture
    assert_allclose(found.body.posedirs, smpl.posedirs)


def test_without_its_body_every_pelvis_stays_where_it_was(capture, smpl, folder):
    found = bodies.dressed(capture, folder=folder)

    assert "SMPL neutral" in found.remark
    assert "convert-body" in found.remark
    assert found.body.licence == "CC0-1.0"
    for take, shown in zip(capture.takes, found.capture.takes, strict=True):
        for before, after in zip(take.motions, shown.motions, strict=True):
            own = smpl.rest_joints(before.betas)[0] + before.transl
            assert_allclose(found.body.rest_joints(after.betas)[0] + after.transl, own, atol=1e-3)
            assert_allclose(after.body_pose, before.body_pose)
            assert np.linalg.norm(after.betas) <= bodies.MOST_BETAS * 1.001


@pytest.mark.parametrize("centimetres", [-4, 0, 6])
def test_who_stands_in_has_legs_as_long(capture, folder, centimetres):
    own = body_file.load(body_file.EMBEDDED_BODY)
    height = own.rest_joints(np.zeros(10))[0, 1] - own.v_template[:, 1].min() + centimetres / 100
    said = capture.provenance["body"] | {"pelvis_height_m": {"fitted": {"3": height}}}
    odd = replace(capture, provenance=capture.provenance | {"body": said})

    betas = bodies.dressed(odd, folder=folder).capture.take("fitted").motions[1].betas

    soles = own.rest_vertices(betas)[:, 1].min()
    assert own.rest_joints(betas)[0, 1] - soles == pytest.approx(height, abs=0.003)
    assert np.linalg.norm(betas) < bodies.MOST_BETAS


@pytest.mark.parametrize("height", [9.0, -3.0])
def test_who_stands_in_stays_a_person(height):
    own = body_file.load(body_file.EMBEDDED_BODY)

    betas = bodies.betas_of_height(own, height)

    assert np.linalg.norm(betas) == pytest.approx(bodies.MOST_BETAS, rel=1e-3)


def test_another_version_of_the_body_is_used_and_told(capture, smpl, folder):
    body_file.save(replace(smpl, v_template=1.01 * smpl.v_template), folder / "smpl.npz")

    found = bodies.dressed(capture, folder=folder)

    assert found.body.name == "SMPL neutral"
    assert "another version" in found.remark


def test_the_bodies_in_a_folder_are_named(smpl, folder):
    for gender in ("male", "female"):
        body_file.save(replace(smpl, name=f"SMPL {gender}"), folder / f"{gender}.npz")

    assert bodies.names_in(folder) == ("SMPL female", "SMPL male")
    assert bodies.names_in(folder / "nowhere") == ()


@pytest.mark.parametrize("name", ["", "x" * 1000, "two\nlines", 7, None])
def test_a_name_that_cannot_be_shown_is_not_taken(capture, name):
    odd = replace(capture, provenance={"request": {}, "body": {"name": name}})

    assert bodies.name_of(odd) == "embedded neutral"


def test_another_gender_is_another_body(capture, smpl, folder):
    body_file.save(replace(smpl, name="SMPL male"), folder / "smpl.npz")

    assert bodies.find("SMPL neutral", folder=folder) is None
    assert bodies.dressed(capture, folder=folder).body.licence == "CC0-1.0"


@pytest.mark.parametrize("said", [{}, {"name": "embedded female", "licence": "CC0-1.0"}, "a body"])
def test_captures_on_the_shipped_body_are_left_as_they_are(capture, folder, said):
    ours = replace(capture, provenance={"request": {"body": "female"}, "body": said})

    found = bodies.dressed(ours, folder=folder / "nowhere")

    assert found.capture is ours
    assert found.body.name == "embedded female"
    assert found.remark == ""


@pytest.mark.parametrize(
    "pelvis", [None, 7, {"frame": [0, 0, 0]}, {"fitted": {"0": ["x", 1, 2]}}, {"fitted": {"0": []}}]
)
def test_a_pelvis_that_cannot_be_moves_nobody(capture, folder, pelvis):
    said = {"name": "SMPL neutral", "rest_pelvis_m": pelvis}
    odd = replace(capture, provenance=capture.provenance | {"body": said})

    shown = bodies.dressed(odd, folder=folder).capture

    assert_allclose(shown.take("fitted").motions[0].transl, odd.take("fitted").motions[0].transl)


def test_what_is_said_of_a_body_is_no_body(capture, smpl):
    said = capture.provenance["body"]

    assert set(said) == {"name", "licence", "sha256", "rest_pelvis_m", "pelvis_height_m"}
    assert said["sha256"] == bodies.checksum(smpl)
    numbers = [each for take in said["rest_pelvis_m"].values() for each in take.values()]
    assert np.array(numbers).size == 3 * 4  # three for each person and take


@pytest.mark.parametrize("request_said", [{"body": "child"}, {"body": 3}, 5])
def test_an_odd_request_means_the_neutral_body(capture, request_said):
    odd = replace(capture, provenance={"request": request_said})

    assert bodies.name_of(odd) == "embedded neutral"
