import pickle
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
import torch
from stripmocap.body import official
from stripmocap.body.landmarks import smplx_rows
from stripmocap.body.model import Body
from stripmocap.body.reduced import ReducedBody
from stripmocap.contract.errors import AssetCorrupt, AssetMissing, BodyFileError
from stripmocap.contract.skeleton import JOINT_COUNT, PARENTS, SMPLH_JOINT_NAMES, SMPLH_PARENTS
from stripmocap.geometry.rotations import aa_to_matrix

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

    assert template.name == "SMPL neutral"
    np.testing.assert_allclose(template.v_template, arrays["v_template"], rtol=1e-6)
    np.testing.assert_allclose(template.shapedirs, arrays["shapedirs"][:, :, :10], rtol=1e-6)
    np.testing.assert_allclose(template.J_regressor, arrays["J_regressor"])


def test_an_npz_of_the_same_names_is_read(tmp_path, arrays):
    path = tmp_path / "smpl.npz"
    np.savez(path, **arrays)

    assert len(official.read_official(path).v_template) == COUNT


@pytest.mark.parametrize(
    ("path", "gender"),
    [
        ("SMPL_NEUTRAL.pkl", "neutral"),
        ("SMPL_FEMALE.npz", "female"),
        ("basicModel_f_lbs_10_207_0_v1.0.0.pkl", "female"),
        ("basicmodel_m_lbs_10_207_0_v1.1.0.pkl", "male"),
        ("smplh/male/model.npz", "male"),
        ("female/SMPL_MALE.pkl", "male"),
        ("body.npz", "neutral"),
    ],
)
def test_the_gender_is_read_off_a_files_name(path, gender):
    assert official.gender_of_file(Path(path)) == gender


def smplh(arrays, *, betas):
    """The arrays of a body with fingers, and as many betas."""
    rng = np.random.default_rng(1)
    count = len(SMPLH_PARENTS)
    regressor, weights = np.zeros((count, COUNT)), np.zeros((COUNT, count))
    regressor[np.arange(count), np.arange(count) * 9] = 1
    weights[np.arange(COUNT), np.arange(COUNT) % count] = 1
    parents = np.array([2**32 - 1, *SMPLH_PARENTS[1:]])
    return arrays | {
        "J_regressor": regressor,
        "weights": weights,
        "kintree_table": np.stack([parents, np.arange(count)]),
        "shapedirs": rng.normal(size=(COUNT, 3, betas)),
        "posedirs": np.zeros((COUNT, 3, 459)),
    }


def test_a_body_with_fingers_is_read_with_its_16_betas(tmp_path, arrays):
    path = tmp_path / "SMPLH_MALE.npz"
    np.savez(path, **smplh(arrays, betas=16))

    template = official.read_official(path)

    assert template.name == "SMPL-H male"
    assert template.parents == SMPLH_PARENTS
    assert template.shapedirs.shape == (COUNT, 3, 16)


def test_betas_that_a_body_with_fingers_lacks_move_nothing(arrays):
    template = official.official_template(smplh(arrays, betas=10), name="smplh")

    assert not template.shapedirs[:, :, 10:].any()
    assert template.shapedirs[:, :, :10].any()


def test_knuckles_of_a_body_with_fingers_are_its_joints(arrays):
    template = official.official_template(smplh(arrays, betas=16), name="smplh")

    row = template.landmark_regressor[template.landmark_names.index("right_index")]
    np.testing.assert_array_equal(
        row, template.J_regressor[SMPLH_JOINT_NAMES.index("right_index1")]
    )


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


@pytest.mark.parametrize("spoil", [lambda r: r[:5], lambda r: r[:, :9], lambda r: r * np.nan])
def test_a_regressor_of_another_kind_is_refused(tmp_path, spoil):
    path = tmp_path / "J_regressor_h36m.npy"
    np.save(path, spoil(np.ones((17, COUNT))))

    with pytest.raises(BodyFileError, match="17, 6890"):
        official.read_regressor(path, rows=17)


def test_a_regressor_that_is_missing_or_pickled_is_refused(tmp_path):
    path = tmp_path / "J_regressor_h36m.npy"
    np.save(path, np.array([object()]), allow_pickle=True)

    for each in (path, tmp_path / "nowhere.npy"):
        with pytest.raises(BodyFileError, match="cannot be read"):
            official.read_regressor(each, rows=17)


@pytest.mark.parametrize("kind", ["SMPL", "SMPL-H"])
def test_the_layers_of_smplx_take_the_same_files_and_say_the_same(tmp_path, arrays, kind):
    pytest.importorskip("smplx", reason='pip install "stripmocap[official]"')
    path = tmp_path / "model.npz"
    np.savez(path, **(arrays if kind == "SMPL" else smplh(arrays, betas=16)))
    template = official.read_official(path)
    count = len(template.parents)
    normal = torch.Generator().manual_seed(0)
    pose = aa_to_matrix(0.3 * torch.randn(2, count, 3, generator=normal))
    betas = torch.randn(2, template.shapedirs.shape[2], generator=normal)
    transl = torch.randn(2, 3, generator=normal)

    layer = official.smplx_layer(path)
    hands = {"left_hand_pose": pose[:, 22:37], "right_hand_pose": pose[:, 37:]}
    body_pose = pose[:, 1:] if kind == "SMPL" else pose[:, 1:22]
    theirs = layer(
        betas=betas,
        global_orient=pose[:, :1],
        body_pose=body_pose,
        transl=transl,
        **({} if kind == "SMPL" else hands),
    )

    state = {"betas": betas, "transl": transl}
    ours = Body.from_template(template).vertices(pose[:, 0], pose[:, 1:], **state)
    keypoints = smplx_rows(template)
    reduced = ReducedBody.from_template(template, keypoints.rows)
    points = reduced.points(pose[:, 0], pose[:, 1:], **state)[:, keypoints.points]
    torch.testing.assert_close(ours, theirs.vertices, rtol=0, atol=3e-5)
    torch.testing.assert_close(points, theirs.joints, rtol=0, atol=3e-5)


def test_without_smplx_the_error_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "smplx", None)

    with pytest.raises(AssetMissing) as refused:
        official.smplx_layer(tmp_path / "SMPL_NEUTRAL.pkl")

    assert "stripmocap[official]" in refused.value.hint


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


@pytest.mark.parametrize(
    "spoil",
    [
        lambda array: np.full(array.shape, np.nan),
        lambda array: array.astype(complex),
        lambda array: array.astype(str),
        lambda array: np.float64(3),
        lambda array: None,
    ],
    ids=["gaps", "complex", "text", "one number", "nothing"],
)
def test_arrays_of_another_kind_are_refused(arrays, spoil):
    for name in ("v_template", "f", "kintree_table"):
        with pytest.raises(BodyFileError):
            official.official_template(arrays | {name: spoil(arrays[name])}, name="smpl")


@pytest.mark.parametrize("number", [6890, -6891, 2**40, 1e300])
def test_faces_of_vertices_that_do_not_exist_are_refused(arrays, number):
    faces = np.array([[0, 1, number]])

    with pytest.raises(BodyFileError, match=r"faces|do not exist"):
        official.official_template(arrays | {"f": faces}, name="smpl")


def test_a_hostile_body_is_refused(tmp_path):
    path, marker = tmp_path / "SMPL_MALE.pkl", tmp_path / "ran"
    path.write_bytes(f"cos\nsystem\n(S'touch {marker}'\ntR.".encode())

    with pytest.raises(AssetCorrupt):
        official.read_official(path)

    assert not marker.exists()
