from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from stripmocap import bodies
from stripmocap.body.landmarks import spin49_rows
from stripmocap.contract import body_file, places
from stripmocap.contract.errors import AssetMissing, BodyFileError
from stripmocap.contract.motion import Camera, Capture
from stripmocap.contract.skeleton import PARENTS
from toybody import toy_body

COUNT = 6890  # of SMPL's vertices


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    for name in ("CACHE", "DATA"):
        monkeypatch.setenv(f"STRIPMOCAP_{name}", str(tmp_path / name))
        (tmp_path / name).mkdir()


def capture(name: str) -> Capture:
    """Nobody, captured on the body of that name."""
    camera = Camera(focal_px=100.0, center_px=np.zeros(2), size_px=(8, 8))
    gender = name.rpartition(" ")[2]
    provenance = {"request": {"body": gender}, "body": {"name": name}}
    return Capture(camera, (), provenance)


def test_the_shipped_body_is_always_there():
    assert bodies.of_capture(capture("embedded male")).name == "embedded male"
    assert bodies.embedded("female").licence == "CC0-1.0"


def test_a_converted_body_is_found_in_the_data_folder():
    places.bodies_folder().mkdir()
    body = replace(toy_body(), name="SMPL male")
    body_file.save(body, places.bodies_folder() / "smpl_male.npz")

    assert bodies.of_capture(capture("SMPL male")).name == "SMPL male"


def test_the_official_file_will_do(monkeypatch):
    body = replace(toy_body(), name="SMPL male")
    monkeypatch.setattr(bodies, "official", {"male": body}.__getitem__)

    assert bodies.of_capture(capture("SMPL male")) is body


@pytest.mark.parametrize("name", ["SMPL female", "STAR female"])
def test_a_body_that_is_nowhere_is_named_with_what_to_do(name):
    with pytest.raises(BodyFileError, match=name) as refused:
        bodies.of_capture(capture(name))

    assert "convert-body" in refused.value.hint


def test_an_official_body_that_was_not_brought_is_named():
    with pytest.raises(AssetMissing, match=r"SMPL_FEMALE\.pkl"):
        bodies.official("female")


def test_an_official_body_is_read_with_the_regressor_beside_it(tmp_path):
    joints = np.arange(len(PARENTS))
    regressor, weights = np.zeros((len(PARENTS), COUNT)), np.zeros((COUNT, len(PARENTS)))
    regressor[joints, joints * 9] = 1
    weights[:, 0] = 1
    np.savez(
        tmp_path / "CACHE" / "SMPL_FEMALE.npz",
        v_template=np.random.default_rng(0).normal(size=(COUNT, 3)),
        shapedirs=np.zeros((COUNT, 3, 10)),
        posedirs=np.zeros((COUNT, 3, 207)),
        J_regressor=regressor,
        weights=weights,
        f=np.array([[0, 1, 2]], dtype=np.uint32),
        kintree_table=np.stack([np.array([2**32 - 1, *PARENTS[1:]]), joints]),
    )
    np.save(tmp_path / "CACHE" / "J_regressor_extra.npy", np.eye(9, COUNT))

    body = bodies.official("female")

    assert body.name == "SMPL female"
    assert len(spin49_rows(body).columns) == 49
    assert bodies.of_capture(capture("SMPL female")).name == "SMPL female"
