import pickle
import sys
import types

import numpy as np
import pytest
import scipy.sparse
from stripmocap.body import official
from stripmocap.contract.errors import AssetCorrupt, BodyFileError
from stripmocap.contract.skeleton import JOINT_COUNT, PARENTS

COUNT = official.VERTEX_COUNT


@pytest.fixture(scope="module")
def arrays():
    rng = np.random.default_rng(0)
    regressor = np.zeros((JOINT_COUNT, COUNT))
    regressor[np.arange(JOINT_COUNT), np.arange(JOINT_COUNT) * 9] = 1
    weights = np.zeros((COUNT, JOINT_COUNT))
    weights[np.arange(COUNT), np.arange(COUNT) % JOINT_COUNT] = 1
    parents = np.array([2**32 - 1, *PARENTS[1:]])
    return {
        "v_template": rng.normal(size=(COUNT, 3)),
        "shapedirs": rng.normal(size=(COUNT, 3, 12)),
        "posedirs": np.zeros((COUNT, 3, 207)),
        "J_regressor": regressor,
        "weights": weights,
        "f": np.array([[0, 1, 2]], dtype=np.uint32),
        "kintree_table": np.stack([parents, np.arange(JOINT_COUNT)]),
    }


@pytest.fixture
def chumpy(monkeypatch):
    """Classes of chumpy's names that hold what chumpy's own pickles hold."""
    classes = {}
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    for module, name in (("chumpy.ch", "Ch"), ("chumpy.reordering", "Select")):
        fake = types.ModuleType(module)
        classes[name] = type(name, (), {"__module__": module})
        setattr(fake, name, classes[name])
        monkeypatch.setitem(sys.modules, module, fake)
    return classes


def wrapped(cls, **state):
    value = cls()
    vars(value).update(state)
    return value


@pytest.mark.parametrize("protocol", [0, 2])
def test_arrays_inside_chumpy_and_scipy_are_found(tmp_path, arrays, chumpy, protocol):
    base = wrapped(chumpy["Ch"], x=arrays["shapedirs"], _dirty_vars={"x"})
    content = arrays | {
        "v_template": wrapped(chumpy["Ch"], x=arrays["v_template"]),
        "shapedirs": wrapped(
            chumpy["Select"],
            a=base,
            idxs=np.arange(arrays["shapedirs"].size),
            preferred_shape=arrays["shapedirs"].shape,
        ),
        "J_regressor": scipy.sparse.csc_matrix(arrays["J_regressor"]),
    }
    path = tmp_path / "SMPL_NEUTRAL.pkl"
    path.write_bytes(pickle.dumps(content, protocol=protocol))

    template = official.read_official(path)

    assert template.name == "SMPL_NEUTRAL"
    np.testing.assert_allclose(template.v_template, arrays["v_template"], rtol=1e-6)
    np.testing.assert_allclose(template.shapedirs, arrays["shapedirs"][:, :, :10], rtol=1e-6)
    np.testing.assert_allclose(template.J_regressor, arrays["J_regressor"])


def test_an_npz_of_the_same_names_is_read(tmp_path, arrays):
    path = tmp_path / "smpl.npz"
    np.savez(path, **arrays)

    assert len(official.read_official(path).v_template) == COUNT


def test_landmarks_are_smpls_numbered_vertices(arrays):
    template = official.official_template(arrays, name="smpl")

    nose = template.landmark_regressor[template.landmark_names.index("nose")]
    assert nose.argmax() == 332
    np.testing.assert_allclose(template.landmark_regressor.sum(axis=1), 1, rtol=1e-6)
    assert "head_top" not in template.landmark_names


def test_extra_regressor_gives_the_joints_of_the_training_sets(tmp_path, arrays):
    extra = np.zeros((9, COUNT))
    extra[np.arange(9), 100 + np.arange(9)] = 1
    body, regressor = tmp_path / "smpl.npz", tmp_path / "J_regressor_extra.npy"
    np.savez(body, **arrays)
    np.save(regressor, extra)

    template = official.read_official(body, extra_regressor=regressor)

    top = template.landmark_regressor[template.landmark_names.index("head_top")]
    assert top.argmax() == 103


def test_other_bodies_are_refused_by_name(tmp_path, arrays):
    hands = np.stack([np.arange(52) - 1, np.arange(52)])
    for spoilt in (
        arrays | {"kintree_table": hands},
        arrays | {"v_template": arrays["v_template"][:100]},
        {name: array for name, array in arrays.items() if name != "weights"},
        [1, 2, 3],
    ):
        with pytest.raises(BodyFileError, match="SMPL body"):
            official.official_template(spoilt, name="smplh")


def test_a_hostile_body_is_refused(tmp_path):
    path, marker = tmp_path / "SMPL_MALE.pkl", tmp_path / "ran"
    path.write_bytes(f"cos\nsystem\n(S'touch {marker}'\ntR.".encode())

    with pytest.raises(AssetCorrupt):
        official.read_official(path)

    assert not marker.exists()
