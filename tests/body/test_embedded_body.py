import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation
from stripmocap.contract import body_file
from stripmocap.contract.skeleton import JOINT_NAMES, PARENTS, mirrored

MIRROR = np.array([-1.0, 1.0, 1.0])
JOINT = {name: index for index, name in enumerate(JOINT_NAMES)}
BLAZEPOSE_LANDMARKS = {
    *("nose", "left_eye_inner", "left_eye", "left_eye_outer", "left_ear", "mouth_left"),
    *("left_pinky", "left_index", "left_thumb", "left_heel", "left_foot_index"),
}
SPIN_LANDMARKS = {
    *("left_big_toe", "left_small_toe", "head_top", "jaw", "neck_lsp", "thorax"),
    *("spine_h36m", "head_h36m", "pelvis_mpii", "left_hip_lsp"),
}


@pytest.fixture(scope="module", params=body_file.GENDERS)
def body(request) -> body_file.BodyTemplate:
    return body_file.load(body_file.EMBEDDED_BODY, request.param)


@pytest.fixture(scope="module")
def mirror(body) -> np.ndarray:
    """Index of each vertex's mirror image."""
    return cKDTree(body.v_template).query(body.v_template * MIRROR)[1]


def height(vertices: np.ndarray) -> float:
    return float(np.ptp(vertices[:, 1]))


def unit(index: int, value: float = 1.0) -> np.ndarray:
    betas = np.zeros(10)
    betas[index] = value
    return betas


def skinned(body: body_file.BodyTemplate, betas: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Linear blend skinning as SMPL's paper has it, in float64: the reference of this file."""
    rest = body.v_template + body.shapedirs.astype(float) @ betas
    joints = body.J_regressor.astype(float) @ rest
    rotations = Rotation.from_rotvec(pose).as_matrix()
    transforms = np.zeros((24, 4, 4))
    for joint, parent in enumerate(PARENTS):
        local = np.eye(4)
        local[:3, :3] = rotations[joint]
        local[:3, 3] = joints[joint] - (joints[parent] if parent >= 0 else 0.0)
        transforms[joint] = local if parent < 0 else transforms[parent] @ local
    transforms[:, :3, 3] -= np.einsum("jab,jb->ja", transforms[:, :3, :3], joints)
    blended = np.einsum("vj,jab->vab", body.lbs_weights.astype(float), transforms)
    return np.einsum("vab,vb->va", blended[:, :3, :3], rest) + blended[:, :3, 3]


def test_file_is_small_enough_to_ship():
    assert body_file.EMBEDDED_BODY.stat().st_size <= 8e6


def test_body_is_free_and_detailed_enough(body):
    assert body.licence == "CC0-1.0"
    assert 7_000 <= len(body.v_template) <= 14_000
    assert body.faces.shape[1] == 4
    assert len(body.uv) == body.faces.size
    assert 0 <= body.uv.min() <= body.uv.max() <= 1


def test_every_landmark_is_there_with_its_mirror_image(body):
    wanted = BLAZEPOSE_LANDMARKS | SPIN_LANDMARKS

    assert wanted | {mirrored(name) for name in wanted} == set(body.landmark_names)


def test_weights_and_regressors_sum_to_one(body):
    np.testing.assert_allclose(body.lbs_weights.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(body.J_regressor.sum(axis=1), 1, atol=1e-4)
    np.testing.assert_allclose(body.landmark_regressor.sum(axis=1), 1, atol=1e-5)
    assert body.lbs_weights.min() >= 0
    assert body.landmark_regressor.min() >= 0


def test_body_is_its_own_mirror_image(body, mirror):
    swap = [JOINT[mirrored(name)] for name in JOINT_NAMES]

    np.testing.assert_allclose(body.v_template[mirror] * MIRROR, body.v_template, atol=1e-5)
    np.testing.assert_allclose(body.shapedirs[mirror] * MIRROR[:, None], body.shapedirs, atol=1e-4)
    np.testing.assert_allclose(body.lbs_weights[mirror][:, swap], body.lbs_weights, atol=1e-5)


@pytest.mark.parametrize("betas", [np.zeros(10), unit(0, 2.0), unit(1, -2.0), unit(3, 2.0)])
def test_joints_are_symmetric_in_every_shape(body, betas):
    joints = body.rest_joints(betas)

    swap = [JOINT[mirrored(name)] for name in JOINT_NAMES]
    np.testing.assert_allclose(joints[swap] * MIRROR, joints, atol=1e-3)


def test_faces_look_outwards_and_close_the_surface(body):
    triangles = body.triangles
    corners = body.v_template[triangles].astype(float)
    volume = np.einsum("fc,fc->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])

    # A person of 70 kg has about 0.07 cubic metres.
    assert 0.03 < volume < 0.12
    # Each directed edge has its opposite: no holes, and neighbours agree on what is outside.
    assert {tuple(edge) for edge in edges} == {tuple(edge) for edge in edges[:, ::-1]}


def test_rest_pose_is_a_t_that_faces_forward(body):
    joints = dict(zip(JOINT_NAMES, body.rest_joints(np.zeros(10)), strict=True))
    marks = dict(zip(body.landmark_names, body.landmark_regressor @ body.v_template, strict=True))
    upper = joints["left_elbow"] - joints["left_shoulder"]
    lower = joints["left_wrist"] - joints["left_elbow"]

    # Within a degree of the x axis.
    assert upper[0] > 0.9998 * np.linalg.norm(upper)
    assert lower[0] > 0.9998 * np.linalg.norm(lower)
    assert marks["left_thumb"][2] > marks["left_pinky"][2] + 0.03  # palms down
    assert marks["nose"][2] > joints["head"][2] + 0.05
    assert joints["left_foot"][2] > joints["left_ankle"][2] + 0.08
    soles = [body.v_template[side, 1].min() for side in _feet(body)]
    assert abs(soles[0] - soles[1]) < 1e-4


def _feet(body: body_file.BodyTemplate) -> tuple[np.ndarray, np.ndarray]:
    weights = body.lbs_weights
    return weights[:, JOINT["left_foot"]] > 0.5, weights[:, JOINT["right_foot"]] > 0.5


def test_joints_lie_inside_the_body(body):
    joints = body.rest_joints(np.zeros(10))
    tree = cKDTree(body.v_template)
    for name, joint in zip(JOINT_NAMES, joints, strict=True):
        near = body.v_template[tree.query(joint, k=200)[1]]
        assert (near.min(axis=0) < joint).all(), name
        assert (near.max(axis=0) > joint).all(), name


def test_first_shape_number_is_height_and_grows_with_it(body):
    short, mean, tall = (height(body.rest_vertices(unit(0, value))) for value in (-2.0, 0.0, 2.0))

    assert 1.45 < short < mean - 0.05
    assert mean + 0.05 < tall < 2.05
    assert 1.60 < mean < 1.82


def test_men_are_taller_than_women():
    woman, person, man = (
        height(body_file.load(body_file.EMBEDDED_BODY, gender).v_template)
        for gender in ("female", "neutral", "male")
    )

    assert woman < person < man


def test_smplx_accepts_the_body_and_agrees(body):
    smplx = pytest.importorskip("smplx", reason="the extra `official` is not installed")
    torch = pytest.importorskip("torch")
    generator = np.random.default_rng(0)
    betas, pose = generator.normal(size=10), 0.4 * generator.normal(size=(24, 3))
    official = smplx.SMPL("", data_struct=_as_smplx_struct(body), num_betas=10)

    found = official(
        betas=torch.tensor(betas[None], dtype=torch.float32),
        global_orient=torch.tensor(pose[None, 0], dtype=torch.float32),
        body_pose=torch.tensor(pose[None, 1:].reshape(1, -1), dtype=torch.float32),
    )

    expected = skinned(body, betas, pose)
    np.testing.assert_allclose(found.vertices[0].detach().numpy(), expected, atol=1e-5)


def _as_smplx_struct(body: body_file.BodyTemplate):
    from smplx.utils import Struct

    return Struct(
        v_template=body.v_template,
        shapedirs=body.shapedirs,
        posedirs=np.zeros((len(body.v_template), 3, 207)),
        J_regressor=body.J_regressor,
        kintree_table=np.stack([body.parents, np.arange(24)]),
        weights=body.lbs_weights,
        f=body.triangles,
    )
