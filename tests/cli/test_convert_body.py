from __future__ import annotations

import numpy as np
import pytest
from stripmocap import cli
from stripmocap.contract import body_file, npz_file, places
from stripmocap.contract.errors import BodyFileError
from stripmocap.contract.skeleton import JOINT_COUNT, PARENTS

COUNT = 6890  # of SMPL's vertices
load_body = body_file.load  # the fixtures of this folder put a toy in its place


@pytest.fixture(autouse=True)
def own_cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("STRIPMOCAP_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def official(tmp_path):
    """A file in SMPL's form."""
    joints = np.arange(JOINT_COUNT)
    regressor, weights = np.zeros((JOINT_COUNT, COUNT)), np.zeros((COUNT, JOINT_COUNT))
    regressor[joints, joints * 9] = 1
    weights[np.arange(COUNT), np.arange(COUNT) % JOINT_COUNT] = 1
    path = tmp_path / "SMPL_FEMALE.npz"
    np.savez(
        path,
        v_template=np.random.default_rng(0).normal(size=(COUNT, 3)),
        shapedirs=np.zeros((COUNT, 3, 10)),
        posedirs=np.zeros((COUNT, 3, 207)),
        J_regressor=regressor,
        weights=weights,
        f=np.array([[0, 1, 2]], dtype=np.uint32),
        kintree_table=np.stack([np.array([2**32 - 1, *PARENTS[1:]]), joints]),
    )
    return path


def test_a_body_is_put_where_blender_looks(official, capsys):
    status = cli.main(["convert-body", str(official)])

    path = places.bodies_folder() / "smpl_female.npz"
    body = load_body(path, "female")
    assert status == cli.DONE
    assert body.name == "SMPL female"
    assert body.licence == "LicenseRef-SMPL"
    assert str(path) in capsys.readouterr().out


def test_the_gender_and_the_place_can_be_said(official, tmp_path):
    status = cli.main(
        ["convert-body", str(official), "--gender", "male", "-o", str(tmp_path / "he.npz")]
    )

    assert status == cli.DONE
    assert load_body(tmp_path / "he.npz", "male").name == "SMPL male"


@pytest.mark.parametrize("where", ["beside", "in the folder of files", "said"])
def test_the_extra_regressor_is_found(official, tmp_path, where):
    extra = {
        "beside": tmp_path / "J_regressor_extra.npy",
        "in the folder of files": tmp_path / "cache" / "J_regressor_extra.npy",
        "said": tmp_path / "mine.npy",
    }[where]
    extra.parent.mkdir(exist_ok=True)
    np.save(extra, np.eye(9, COUNT))
    said = ["--extra", str(extra)] if where == "said" else []

    cli.main(["convert-body", str(official), "-o", str(tmp_path / "body.npz"), *said])

    assert "head_top" in load_body(tmp_path / "body.npz", "female").landmark_names


def test_without_the_extra_regressor_it_is_said(official, tmp_path, capsys):
    cli.main(["convert-body", str(official), "-o", str(tmp_path / "body.npz")])

    assert "J_regressor_extra.npy" in capsys.readouterr().out


def test_a_file_of_another_kind_is_refused(official, tmp_path, capsys):
    official.write_bytes(b"<html>log in first</html>")

    status = cli.main(["convert-body", str(official), "-o", str(tmp_path / "body.npz")])

    assert status == cli.REFUSED
    assert "SMPL_FEMALE.npz" in capsys.readouterr().err
    assert not (tmp_path / "body.npz").exists()


def test_the_official_file_is_not_overwritten(official):
    before = official.read_bytes()

    assert cli.main(["convert-body", str(official), "-o", str(official)]) == cli.REFUSED

    assert official.read_bytes() == before


def test_a_body_with_fingers_cannot_be_kept(official, tmp_path, capsys):
    arrays = npz_file.read(official, error=BodyFileError)
    from stripmocap.contract.skeleton import SMPLH_PARENTS

    count = len(SMPLH_PARENTS)
    parents = np.array([2**32 - 1, *SMPLH_PARENTS[1:]])
    weights = np.zeros((COUNT, count))
    weights[:, 0] = 1
    arrays |= {
        "J_regressor": np.ones((count, COUNT)) / COUNT,
        "weights": weights,
        "posedirs": np.zeros((COUNT, 3, 459)),
        "kintree_table": np.stack([parents, np.arange(count)]),
    }
    np.savez(official, **arrays)

    status = cli.main(["convert-body", str(official), "-o", str(tmp_path / "body.npz")])

    assert status == cli.REFUSED
    assert "52 joints" in capsys.readouterr().err
