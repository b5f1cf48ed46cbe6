from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from stripmocap.contract import body_file
from stripmocap.contract.errors import BodyFileError
from toybody import toy_body


@pytest.fixture(scope="module")
def entries() -> dict[str, np.ndarray]:
    with np.load(body_file.EMBEDDED_BODY) as file:
        return dict(file)


def saved(path: Path, entries: dict[str, np.ndarray], **changes: np.ndarray | None) -> Path:
    """A body file with other `changes`; None takes an entry out."""
    arrays = {name: each for name, each in {**entries, **changes}.items() if each is not None}
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("gender", body_file.GENDERS)
def test_the_shipped_body_is_read_for_every_gender(gender):
    body = body_file.load(body_file.EMBEDDED_BODY, gender)

    assert body.name.endswith(gender)
    assert body.licence == "CC0-1.0"
    assert_allclose(body.lbs_weights.sum(axis=1), 1, atol=1e-5)


def test_triangles_cut_each_quad_in_two():
    body = body_file.load(body_file.EMBEDDED_BODY)

    assert len(body.triangles) == 2 * len(body.faces)
    assert_array_equal(np.unique(body.triangles[:2]), np.unique(body.faces[0]))


def test_a_sparse_matrix_comes_back_dense(entries, tmp_path):
    matrix = np.zeros((24, len(entries["neutral.v_template"])), dtype=np.float32)
    matrix[np.arange(24), np.arange(24) * 7] = 1

    path = saved(tmp_path / "body.npz", entries, **body_file.sparse_parts("J_regressor", matrix))

    assert_array_equal(body_file.load(path).J_regressor, matrix)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": np.array(body_file.FORMAT + 1)},
        {"format": np.array(np.inf)},
        {"neutral.v_template": None},
        {"neutral.v_template": np.zeros((5, 3))},
        {"faces": np.array([[0, 1, 10**6]])},
        {"lbs_weights.values": np.zeros(3)},
        {"J_regressor.shape": np.array([24, 10**15])},
        {"landmark_names": np.array("nose")},
    ],
)
def test_a_body_that_cannot_be_is_refused(entries, tmp_path, changes):
    path = saved(tmp_path / "body.npz", entries, **changes)

    with pytest.raises(BodyFileError) as refused:
        body_file.load(path)

    assert refused.value.message


def test_a_gender_that_is_not_there_is_named():
    with pytest.raises(BodyFileError, match="'child'"):
        body_file.load(body_file.EMBEDDED_BODY, "child")


@pytest.mark.parametrize("gender", body_file.GENDERS)
def test_a_saved_body_comes_back_bit_by_bit(tmp_path, gender):
    body = replace(toy_body(posedirs=207), name=f"SMPL {gender}", licence="LicenseRef-SMPL")
    path = tmp_path / "body.npz"

    body_file.save(body, path)

    back = body_file.load(path, gender)
    for each in fields(body):
        assert_array_equal(getattr(back, each.name), getattr(body, each.name))
    assert [name for name in body_file.names_in(path) if name] == [body.name]


def test_the_shipped_file_holds_three_bodies():
    assert body_file.names_in(body_file.EMBEDDED_BODY) == tuple(
        f"embedded {gender}" for gender in body_file.GENDERS
    )


@pytest.mark.parametrize("changes", [{"name": "SMPL"}, {"name": "SMPL child"}, {"name": "male"}])
def test_a_body_without_model_and_gender_is_not_saved(tmp_path, changes):
    with pytest.raises(BodyFileError, match="cannot be kept"):
        body_file.save(replace(toy_body(), **changes), tmp_path / "body.npz")

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "entries",
    [
        {"name": np.array("walk"), "poses": np.zeros((2, 156))},
        {"name": np.array("a"), "landmark_names": np.array("b"), "genders": np.zeros(10**6)},
    ],
)
def test_a_file_of_another_kind_has_no_names(tmp_path, entries):
    np.savez(tmp_path / "walk.npz", **entries)

    with pytest.raises(BodyFileError, match="no body file"):
        body_file.names_in(tmp_path / "walk.npz")


def test_a_users_own_file_is_said_to_need_converting_again(tmp_path, entries):
    path = saved(tmp_path / "body.npz", entries, faces=None)

    with pytest.raises(BodyFileError) as refused:
        body_file.load(path)

    assert "convert-body" in refused.value.hint
